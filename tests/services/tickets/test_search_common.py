"""Searching for words that many tickets hold: what is newest is found, and nothing rare is lost beside it."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from portal.services.tickets.conversation import add_note
from portal.services.tickets.queries import search_ids

# Newer than any ticket that tests leave behind, since it is the newest 5,000 that are looked through.
LATER = timedelta(days=40_000)

_MANY = text(
    """
    INSERT INTO portal_tickets (id, tenant_id, customer_id, requester_id, ticket_number, subject, description,
        description_html, category, clock_started_at, clock_pauses, clock_fired, last_message, created_at, updated_at)
    SELECT gen_random_uuid(), t.tenant_id, t.customer_id, t.requester_id, 'M-' || n, 'Quagga ' || n, 'x', 'x',
        t.category, t.clock_started_at, '[]', '[]', '', cast(:at AS timestamptz) + make_interval(secs => n),
        cast(:at AS timestamptz)
    FROM portal_tickets t, generate_series(1, :count) n WHERE t.id = :like
    RETURNING id
    """
)
_MESSAGES = text(
    """
    INSERT INTO portal_ticket_messages (id, tenant_id, ticket_id, sender_type, sender_id, sender_name, message,
        message_html, created_at)
    SELECT gen_random_uuid(), t.tenant_id, t.id, 'customer', t.requester_id, 'Charlie', 'The okapi again', 'x', :at
    FROM portal_tickets t WHERE t.ticket_number LIKE 'M-%'
    """
)


@pytest.fixture
def many(session, open_ticket, now):
    """Makes so many newer tickets of another company, whose subjects hold "quagga" and whose messages "okapi"."""

    def make(count):
        like = open_ticket("charlie", subject="The first of many")
        session.flush()
        session.execute(_MANY, {"at": now + LATER, "count": count, "like": like.id})
        session.execute(_MESSAGES, {"at": now + LATER})

    return make


def test_the_newest_come_first_and_no_more_than_anybody_reads(session, many, actor_of):
    many(300)
    numbers = session.execute(
        text("SELECT ticket_number FROM portal_tickets WHERE id = ANY (:ids)"),
        {"ids": search_ids(session, "quagga:*", actor=actor_of("sam"))},
    ).scalars()
    assert {int(number[2:]) for number in numbers} == set(range(101, 301))


def test_a_rare_word_is_found_beside_a_common_one(session, many, open_ticket, actor_of):
    old = open_ticket("alice", subject="Quagga with a narwhal")
    session.flush()
    many(5100)
    assert search_ids(session, "quagga:* & narwhal:*", actor=actor_of("sam")) == [old.id]
    assert search_ids(session, "narwhal:*", actor=actor_of("sam")) == [old.id]


def test_a_word_of_the_newest_messages_is_found(session, many, actor_of):
    many(120)
    assert len(search_ids(session, "okapi:*", actor=actor_of("sam"))) == 120


@pytest.mark.parametrize("who", ["alice", "bob"])
def test_what_others_write_hides_nothing_from_a_customer(session, many, open_ticket, actor_of, who):
    own = open_ticket("bob", subject="Quagga at ours", description="An okapi, too.")
    session.flush()
    many(1200)
    for word in ("quagga:*", "okapi:*"):
        assert search_ids(session, word, actor=actor_of(who)) == [own.id]


def test_notes_and_trash_stay_hidden(session, open_ticket, actor_of, now):
    ticket = open_ticket("bob", subject="Plain words")
    session.flush()
    add_note(session, ticket.id, message="Secret tapir", actor=actor_of("sam"), now=now)
    session.flush()
    assert search_ids(session, "tapir:*", actor=actor_of("sam")) == [ticket.id]
    assert search_ids(session, "tapir:*", actor=actor_of("bob")) == []
    session.execute(text("UPDATE portal_tickets SET trashed_at = now() WHERE id = :id"), {"id": ticket.id})
    assert search_ids(session, "tapir:*", actor=actor_of("sam")) == []
