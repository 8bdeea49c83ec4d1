from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, inspect, select, update
from sqlalchemy.exc import IntegrityError, ProgrammingError

from portal.errors import Forbidden, Invalid
from portal.models import AuditEntry, NextStep, OutboxEvent, SlaPolicy, Ticket, TicketEvent, TicketStatus
from portal.services.tickets.opening import NewTicket, create_ticket


def test_a_ticket_gets_number_status_source_and_promise(session, open_ticket, now):
    ticket = open_ticket()
    assert ticket.ticket_number.startswith("TCK-")
    assert (ticket.status, ticket.source, ticket.priority) == (TicketStatus.OPEN, "portal", "normal")
    assert ticket.first_response_due_at == now + timedelta(seconds=20)
    assert ticket.resolution_due_at == now + timedelta(seconds=90)
    assert ticket.sla_due_at == ticket.first_response_due_at


def test_the_next_step_is_there_at_once(session, open_ticket, now):
    ticket = open_ticket()
    steps = session.scalars(select(NextStep).where(NextStep.record_id == ticket.id).order_by(NextStep.at)).all()
    first = next(step for step in steps if not step.staff_only)
    assert (first.kind, first.at) == ("sla_first_response", now + timedelta(seconds=20))
    assert first.params["role"] == "manager"


def test_event_and_audit_are_written_with_it(session, open_ticket, actor_of):
    ticket = open_ticket()
    event = session.scalars(select(OutboxEvent).where(OutboxEvent.record_id == ticket.id)).one()
    entry = session.scalars(select(AuditEntry).where(AuditEntry.record_id == ticket.id)).one()
    assert (event.kind, entry.action) == ("ticket.created", "ticket.created")
    assert event.actor_id == entry.actor_id == actor_of("bob").user_id
    assert "Since Monday." not in str(event.payload) + str(entry.after)


def test_numbers_are_consecutive_within_the_tenant(open_ticket):
    numbers = [int(open_ticket().ticket_number.split("-")[-1]) for _ in range(3)]
    assert numbers == [numbers[0], numbers[0] + 1, numbers[0] + 2]


def test_office_hours_count_only_while_the_office_is_open(session, open_ticket):
    friday = datetime(2026, 11, 27, 16, 0, tzinfo=UTC)  # 17:00 in Paris, an hour before closing
    ticket = open_ticket(category="technical", at=friday)
    assert ticket.first_response_due_at == datetime(2026, 11, 30, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({"subject": "   "}, "subject", "required"),
        ({"subject": "x" * 256}, "subject", "too_long"),
        ({"subject": "a\x00b"}, "subject", "characters_forbidden"),
        ({"subject": "a\ud800b"}, "subject", "characters_forbidden"),
        ({"description": ""}, "description", "required"),
        ({"description": "x" * 20_001}, "description", "too_long"),
        ({"category": "nonsense"}, "category", "unknown_category"),
        ({"category": ""}, "category", "required"),
        ({"priority": "critical"}, "priority", "unknown_choice"),
    ],
)
def test_bad_input_names_its_field(session, open_ticket, fields, field, code):
    with pytest.raises(Invalid) as refused:
        open_ticket(**fields)
    assert [(error.field, error.code) for error in refused.value.errors] == [(field, code)]


def test_all_errors_come_at_once(session, actor_of, now):
    with pytest.raises(Invalid) as refused:
        create_ticket(session, NewTicket("", "", "", "?"), actor=actor_of("bob"), now=now)
    assert {error.field for error in refused.value.errors} == {"subject", "description", "category", "priority"}


def test_somebody_elses_company_is_refused(session, world, actor_of, now):
    request = NewTicket("a", "b", "drill", company_id=world.companies["globex"])
    with pytest.raises(Invalid):
        create_ticket(session, request, actor=actor_of("bob"), now=now)


def test_staff_do_not_open_tickets_as_customers(session, actor_of, now):
    with pytest.raises(Forbidden):
        create_ticket(session, NewTicket("a", "b", "drill"), actor=actor_of("sam"), now=now)


def test_what_people_write_is_stored_as_safe_html(open_ticket):
    ticket = open_ticket(description="**Hi** <script>alert(1)</script> [x](javascript:alert(1)) ![p](http://a/b.png)")
    assert "<strong>Hi</strong>" in ticket.description_html
    assert "<script" not in ticket.description_html
    assert "javascript:" not in ticket.description_html.replace("(javascript:alert(1))", "")
    assert "<img" not in ticket.description_html


def test_the_statements_are_few_and_fixed(session, open_ticket, statements):
    open_ticket()
    session.commit()
    statements.clear()
    open_ticket()
    session.commit()
    writes = [text for text in statements if "set_config" not in text and "SAVEPOINT" not in text]
    assert len(writes) == 2, writes


def test_what_is_given_back_is_the_sessions_own_row(session, open_ticket):
    ticket = open_ticket()
    assert session.get(Ticket, ticket.id) is ticket
    assert not inspect(ticket).modified
    given = {column.key: getattr(ticket, column.key) for column in inspect(Ticket).column_attrs}
    session.refresh(ticket)
    assert given == {name: getattr(ticket, name) for name in given}
    assert (ticket.tags, ticket.custom_fields, ticket.clock_pauses, ticket.clock_fired) == ([], {}, [], [])


def test_a_changed_policy_holds_for_the_next_ticket(session, open_ticket, now):
    assert open_ticket().first_response_due_at == now + timedelta(seconds=20)
    session.execute(update(SlaPolicy).values(first_response_seconds=35))
    assert open_ticket().first_response_due_at == now + timedelta(seconds=35)


@pytest.mark.parametrize("foreign", ["tenant", "company"])
def test_no_row_of_another_tenant_is_written_beside_the_event(session, world, open_ticket, actor_of, now, foreign):
    bob = actor_of("bob")
    other = {
        "tenant": (replace(bob, tenant_id=world.nova), ProgrammingError),
        "company": (replace(bob, company_ids=(world.companies["ofuq"],)), IntegrityError),
    }
    actor, refused = other[foreign]
    before = session.scalar(select(func.count()).select_from(TicketEvent))
    with pytest.raises(refused), session.begin_nested():
        create_ticket(session, NewTicket("a", "b", "drill"), actor=actor, now=now)
    assert session.scalar(select(func.count()).select_from(TicketEvent)) == before
