from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.errors import Conflict, Forbidden, Invalid, NotFound
from portal.models import NextStep, OutboxEvent, TicketMessage, TicketStatus
from portal.services.tickets.conversation import add_note, reply_as_customer, reply_as_staff
from portal.services.tickets.detail import get_ticket_detail
from portal.services.tickets.lifecycle import close_ticket


def kinds(session, ticket):
    rows = session.scalars(select(OutboxEvent).where(OutboxEvent.record_id == ticket.id).order_by(OutboxEvent.seq))
    return [event.kind for event in rows]


def test_the_first_answer_keeps_the_promise(session, open_ticket, actor_of, now):
    ticket = open_ticket()
    reply_as_staff(session, ticket.id, message="Looking.", actor=actor_of("sam"), now=now + timedelta(seconds=9))
    assert ticket.first_response_at == now + timedelta(seconds=9)
    assert ticket.status is TicketStatus.IN_PROGRESS
    assert ticket.assigned_to == actor_of("sam").user_id
    assert ticket.sla_due_at == ticket.resolution_due_at
    steps = session.scalars(select(NextStep.kind).where(NextStep.record_id == ticket.id)).all()
    assert not any(kind.startswith("sla_first_response") for kind in steps)
    assert kinds(session, ticket) == ["ticket.created", "ticket.replied", "ticket.status_changed"]


def test_waiting_for_the_customer_pauses_and_the_answer_resumes(session, open_ticket, actor_of, now):
    ticket = open_ticket()
    reply_as_staff(
        session,
        ticket.id,
        message="Which laptop?",
        actor=actor_of("sam"),
        now=now + timedelta(seconds=10),
        status=TicketStatus.WAITING_CUSTOMER,
    )
    assert ticket.sla_state == "paused"
    assert session.scalars(select(NextStep).where(NextStep.record_id == ticket.id)).all() == []
    reply_as_customer(session, ticket.id, message="The grey one.", actor=actor_of("bob"), now=now + timedelta(hours=2))
    assert ticket.status is TicketStatus.IN_PROGRESS
    # 10 s were used before the pause; 80 s of the 90 are left after it.
    assert ticket.resolution_due_at == now + timedelta(hours=2, seconds=80)


def test_a_reply_to_a_resolved_ticket_takes_it_up_again(session, open_ticket, actor_of, now):
    ticket = open_ticket()
    sam, bob = actor_of("sam"), actor_of("bob")
    reply_as_staff(session, ticket.id, message="Done.", actor=sam, now=now, status=TicketStatus.RESOLVED)
    reply_as_customer(session, ticket.id, message="Not yet.", actor=bob, now=now + timedelta(minutes=1))
    assert ticket.status is TicketStatus.IN_PROGRESS
    assert ticket.resolved_at is None


def test_nobody_answers_a_closed_ticket(session, open_ticket, actor_of, now):
    ticket = open_ticket()
    close_ticket(session, ticket.id, actor=actor_of("bob"), now=now)
    for reply, who in ((reply_as_customer, "bob"), (reply_as_staff, "sam")):
        with pytest.raises(Conflict, match="ticket_closed"):
            reply(session, ticket.id, message="Hello?", actor=actor_of(who), now=now)


def test_a_note_moves_nothing_and_reaches_no_customer(session, open_ticket, actor_of, now):
    ticket = open_ticket()
    before = (ticket.updated_at, ticket.last_message, ticket.first_response_at)
    add_note(session, ticket.id, message="The firewall is theirs.", actor=actor_of("sam"), now=now)
    assert (ticket.updated_at, ticket.last_message, ticket.first_response_at) == before
    for name in ("bob", "alice"):
        detail = get_ticket_detail(session, ticket.id, actor=actor_of(name))
        assert "firewall" not in repr([vars(m) for m in detail.messages])
        assert "note_added" not in [event.kind for event in detail.events]
    assert len(get_ticket_detail(session, ticket.id, actor=actor_of("sam")).messages) == 1


@pytest.mark.parametrize("name", ["charlie", "nia"])
def test_strangers_cannot_answer(session, open_ticket, actor_of, now, name):
    ticket = open_ticket()
    with pytest.raises(NotFound):
        reply_as_customer(session, ticket.id, message="Hi", actor=actor_of(name), now=now)
    assert session.scalars(select(TicketMessage).where(TicketMessage.ticket_id == ticket.id)).all() == []


def test_a_colleague_without_rights_cannot_answer(session, open_ticket, actor_of, now):
    ticket = open_ticket("alice")
    with pytest.raises(NotFound):
        reply_as_customer(session, ticket.id, message="Hi", actor=actor_of("bob"), now=now)


def test_the_company_administrator_can(session, open_ticket, actor_of, now):
    ticket = open_ticket("bob")
    assert reply_as_customer(session, ticket.id, message="Hi", actor=actor_of("alice"), now=now)


def test_customers_neither_note_nor_answer_as_staff(session, open_ticket, actor_of, now):
    ticket = open_ticket()
    for act in (add_note, reply_as_staff):
        with pytest.raises(Forbidden):
            act(session, ticket.id, message="Hi", actor=actor_of("bob"), now=now)


def test_billing_writes_notes_but_no_answers(session, open_ticket, actor_of, now):
    ticket = open_ticket()
    add_note(session, ticket.id, message="Paid yesterday.", actor=actor_of("bill"), now=now)
    with pytest.raises(Forbidden):
        reply_as_staff(session, ticket.id, message="Hi", actor=actor_of("bill"), now=now)


@pytest.mark.parametrize("text", ["", "  \n ", "x" * 20_001, "a\x00b"])
def test_bad_messages_are_refused_and_nothing_is_kept(session, open_ticket, actor_of, now, text):
    ticket = open_ticket()
    with pytest.raises(Invalid) as refused:
        reply_as_customer(session, ticket.id, message=text, actor=actor_of("bob"), now=now)
    assert refused.value.errors[0].field == "message"
    assert session.scalars(select(TicketMessage).where(TicketMessage.ticket_id == ticket.id)).all() == []
