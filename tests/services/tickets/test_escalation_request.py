"""A customer asks for escalation: up the ladder at once, once while unanswered, told to staff."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.errors import Conflict, Forbidden, Invalid, NotFound
from portal.lib.wording.tickets import event_text
from portal.models import OutboxEvent, TicketEvent, TicketStatus
from portal.services.tickets.conversation import add_note, reply_as_customer, reply_as_staff
from portal.services.tickets.desk import TicketChanges, assign_ticket, update_ticket
from portal.services.tickets.detail import get_ticket_detail
from portal.services.tickets.escalation import advance_clock
from portal.services.tickets.escalation_request import is_waiting, request_escalation
from portal.services.tickets.lifecycle import close_ticket

REASON = "The whole office is down."


@pytest.fixture
def escalate(session, actor_of):
    return lambda ticket, at, who="bob", reason=REASON: request_escalation(
        session, ticket.id, reason=reason, actor=actor_of(who), now=at
    )


def kinds_of(session, ticket):
    rows = session.scalars(select(TicketEvent).where(TicketEvent.ticket_id == ticket.id).order_by(TicketEvent.at))
    return [row.kind for row in rows]


def escalations(session, ticket):
    query = select(OutboxEvent).where(OutboxEvent.record_id == ticket.id, OutboxEvent.kind == "ticket.escalated")
    return session.scalars(query.order_by(OutboxEvent.seq)).all()


def test_it_goes_to_the_next_rung_at_once_and_says_why(session, world, open_ticket, escalate, now):
    ticket = open_ticket()
    escalate(ticket, now + timedelta(seconds=5))
    assert ticket.escalation_level == 1
    [event] = escalations(session, ticket)
    assert (event.payload["role"], event.payload["metric"]) == ("manager", "requested")
    assert event.payload["notify_user_ids"] == [str(world.people["mia"].user_id)]
    lines = {
        row.kind: event_text(row.kind, row.actor_name, row.params, str)
        for row in session.scalars(select(TicketEvent).where(TicketEvent.ticket_id == ticket.id))
    }
    assert lines["escalation_requested"] == f"Bob Keller asked for escalation: {REASON}"
    assert lines["escalated"] == "Escalated to the team lead on request"


def test_the_ladder_of_the_promise_goes_on(session, open_ticket, escalate, actor_of, now):
    ticket = open_ticket()
    escalate(ticket, now + timedelta(seconds=5))
    steps = get_ticket_detail(session, ticket.id, actor=actor_of("bob")).steps
    assert next((step.kind, step.at) for step in steps) == ("sla_first_response", now + timedelta(seconds=20))
    advance_clock(session, ticket.id, cycle=1, now=now + timedelta(seconds=20))
    assert [event.payload["metric"] for event in escalations(session, ticket)] == ["requested", "first_response"]


def test_the_ticket_s_workflow_hears_of_it(session, open_ticket, escalate, now):
    ticket = open_ticket()
    escalate(ticket, now + timedelta(seconds=5))
    query = select(OutboxEvent.kind).where(OutboxEvent.record_id == ticket.id)
    assert "ticket.escalation_requested" in session.scalars(query).all()


def test_again_only_after_an_answer_of_the_team(session, open_ticket, escalate, actor_of, now):
    ticket = open_ticket()
    escalate(ticket, now)
    add_note(session, ticket.id, message="Looking.", actor=actor_of("sam"), now=now + timedelta(minutes=1))
    reply_as_customer(session, ticket.id, message="Hello?", actor=actor_of("bob"), now=now + timedelta(minutes=2))
    with pytest.raises(Conflict, match="already_escalated"):
        escalate(ticket, now + timedelta(minutes=3))
    reply_as_staff(session, ticket.id, message="On it.", actor=actor_of("sam"), now=now + timedelta(minutes=4))
    escalate(ticket, now + timedelta(minutes=5))
    assert [event.payload["role"] for event in escalations(session, ticket)] == ["manager", "tenant_admin"]
    assert ticket.escalation_level == 2


def test_the_page_knows_the_same(session, open_ticket, escalate, actor_of, now):
    ticket = open_ticket()

    def waits():
        found = get_ticket_detail(session, ticket.id, actor=actor_of("bob"))
        return is_waiting(found.events, found.messages)

    assert not waits()
    escalate(ticket, now)
    assert waits()
    reply_as_staff(session, ticket.id, message="On it.", actor=actor_of("sam"), now=now + timedelta(minutes=4))
    assert not waits()


def test_a_paused_ticket_can_be_escalated(session, open_ticket, escalate, actor_of, now):
    ticket = open_ticket()
    changes = TicketChanges(status=TicketStatus.WAITING_CUSTOMER)
    update_ticket(session, ticket.id, changes=changes, actor=actor_of("sam"), now=now)
    escalate(ticket, now + timedelta(minutes=1))
    assert escalations(session, ticket)[0].payload["role"] == "manager"
    assert ticket.status is TicketStatus.WAITING_CUSTOMER


@pytest.mark.parametrize("status", [TicketStatus.RESOLVED, TicketStatus.CLOSED])
def test_what_is_solved_is_not_escalated(session, open_ticket, escalate, actor_of, now, status):
    ticket = open_ticket()
    if status is TicketStatus.CLOSED:
        close_ticket(session, ticket.id, actor=actor_of("bob"), now=now)
    else:
        update_ticket(session, ticket.id, changes=TicketChanges(status=status), actor=actor_of("sam"), now=now)
    with pytest.raises(Conflict, match="not_active"):
        escalate(ticket, now + timedelta(minutes=1))
    assert "escalated" not in kinds_of(session, ticket)


def test_nobody_loses_a_ticket_by_it_and_an_open_one_is_given_out(session, world, open_ticket, escalate, actor_of, now):
    nobodys, sams = open_ticket(), open_ticket()
    assign_ticket(session, sams.id, assignee_id=actor_of("sam").user_id, actor=actor_of("mia"), now=now)
    for ticket in (nobodys, sams):
        escalate(ticket, now)
    assert nobodys.assigned_to == world.people["mia"].user_id
    assert sams.assigned_to == world.people["sam"].user_id


def test_it_needs_a_reason(open_ticket, escalate, now):
    ticket = open_ticket()
    for reason in ("", "  ", "x" * 2001, "\x00"):
        with pytest.raises(Invalid):
            escalate(ticket, now, reason=reason)


def test_strangers_find_nothing_and_staff_have_their_own_ways(open_ticket, escalate, now):
    ticket = open_ticket()
    for name in ("charlie", "nia"):
        with pytest.raises(NotFound):
            escalate(ticket, now, who=name)
    with pytest.raises(Forbidden):
        escalate(ticket, now, who="sam")
