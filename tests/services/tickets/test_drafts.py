"""Drafts: kept per person, given back, gone once sent; nobody else sees them."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.errors import Forbidden, Invalid, NotFound
from portal.models import AuditEntry, Draft, OutboxEvent
from portal.services.tickets.conversation import add_note, reply_as_customer, reply_as_staff
from portal.services.tickets.drafts import KEPT_FOR, load_draft, save_draft

NEW_TICKET = {"subject": "VPN", "description": "Since", "category": "drill", "priority": "high"}


@pytest.fixture
def keep(session, actor_of, now):
    return lambda who, place, at=now, **fields: save_draft(session, place, fields, actor=actor_of(who), now=at)


@pytest.fixture
def read(session, actor_of):
    return lambda who, place: dict(load_draft(session, place, actor=actor_of(who)).fields)


def test_typed_kept_overwritten_and_given_back(keep, read, open_ticket):
    place = f"reply:{open_ticket().id}"
    assert read("bob", place) == {}
    keep("bob", place, message="Hel")
    keep("bob", place, message="Hello")
    assert read("bob", place) == {"message": "Hello"}
    keep("bob", place, message="  ")
    assert read("bob", place) == {}


def test_everybody_has_their_own(keep, read, open_ticket):
    place = f"reply:{open_ticket().id}"
    for who in ("bob", "alice", "sam", "mia"):
        keep(who, place, message=f"By {who}")
    for who in ("bob", "alice", "sam", "mia"):
        assert read(who, place) == {"message": f"By {who}"}


def test_a_new_ticket_has_all_its_fields(keep, read, open_ticket):
    keep("bob", "new", **NEW_TICKET)
    assert read("bob", "new") == NEW_TICKET
    assert read("alice", "new") == {}
    open_ticket()
    assert read("bob", "new") == {}


def test_choices_alone_are_no_draft(keep, read):
    keep("bob", "new", subject="", description="", category="drill", priority="high")
    assert read("bob", "new") == {}


def test_sending_takes_it_away_and_no_other(session, keep, read, open_ticket, actor_of, now):
    ticket, other = open_ticket(), open_ticket()
    for who in ("bob", "alice", "sam"):
        keep(who, f"reply:{ticket.id}", message="x")
    keep("sam", f"note:{ticket.id}", message="x")
    keep("bob", f"reply:{other.id}", message="x")
    reply_as_customer(session, ticket.id, message="Sent", actor=actor_of("bob"), now=now)
    assert read("bob", f"reply:{ticket.id}") == {}
    assert read("bob", f"reply:{other.id}") == read("alice", f"reply:{ticket.id}") == {"message": "x"}
    reply_as_staff(session, ticket.id, message="Sent", actor=actor_of("sam"), now=now)
    assert (read("sam", f"reply:{ticket.id}"), read("sam", f"note:{ticket.id}")) == ({}, {"message": "x"})
    add_note(session, ticket.id, message="Sent", actor=actor_of("sam"), now=now)
    assert read("sam", f"note:{ticket.id}") == {}


def test_neither_trail_nor_outbox_hears_of_it(session, keep, open_ticket):
    ticket = open_ticket()
    counts = [len(session.scalars(select(table).where(table.record_id == ticket.id)).all()) for table in TABLES]
    keep("bob", f"reply:{ticket.id}", message="Not said yet")
    assert counts == [len(session.scalars(select(table).where(table.record_id == ticket.id)).all()) for table in TABLES]


TABLES = (AuditEntry, OutboxEvent)


def test_old_ones_are_forgotten(session, keep, read, open_ticket, world, now):
    keep("bob", "new", **NEW_TICKET)
    keep("bob", f"reply:{open_ticket().id}", at=now + KEPT_FOR + timedelta(seconds=1), message="x")
    places = session.scalars(select(Draft.place).where(Draft.user_id == world.people["bob"].user_id)).all()
    assert "new" not in places


@pytest.mark.parametrize("who", ["charlie", "nia"])
def test_not_at_a_stranger_s_ticket(keep, read, open_ticket, who):
    place = f"reply:{open_ticket().id}"
    with pytest.raises(NotFound):
        keep(who, place, message="x")
    with pytest.raises(NotFound):
        read(who, place)


@pytest.mark.parametrize("place", ["", "new:", "new:x", "reply", "reply:", "reply:x", "elsewhere", "a" * 5000, "\x00"])
def test_only_at_known_places(keep, place):
    with pytest.raises(NotFound):
        keep("bob", place, message="x")


def test_customers_write_no_notes_and_staff_without_the_right_no_answers(keep, open_ticket):
    ticket = open_ticket()
    with pytest.raises(NotFound):
        keep("bob", f"note:{ticket.id}", message="x")
    with pytest.raises(Forbidden):
        keep("bill", f"reply:{ticket.id}", message="x")


@pytest.mark.parametrize("fields", [{"other": "x"}, {"message": "x" * 20_001}, {"message": "\x00"}])
def test_what_cannot_be_sent_is_not_kept(keep, open_ticket, fields):
    with pytest.raises(Invalid):
        keep("bob", f"reply:{open_ticket().id}", **fields)
