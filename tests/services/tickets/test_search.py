"""What the team's search finds beyond words: who asked, and for which company; customers find only what they see."""

from uuid import uuid4

import pytest
from sqlalchemy import insert

from portal.models import TicketMessage
from portal.services.tickets.listing import TicketFilter, list_tickets


@pytest.fixture
def found(session, actor_of, now):
    """Ids of the tickets that somebody finds."""

    def search(words, who="sam"):
        page = list_tickets(session, TicketFilter(q=words, limit=100), actor=actor_of(who), now=now)
        return {row.ticket.id for row in page.items}

    return search


@pytest.mark.parametrize(
    "words", ["keller", "Bob Kell", "bob@acme.example", "acme", "ACM", "KÉLLER", "acme gearbox", "gearb"]
)
def test_the_team_finds_tickets_by_word_person_and_company(open_ticket, session, found, words):
    ours = open_ticket("bob", subject="Gearbox of acme halted")
    theirs = open_ticket("charlie", subject="Something else")
    session.flush()
    assert ours.id in found(words)
    assert theirs.id not in found(words)


def test_a_number_is_found_by_its_beginning(open_ticket, session, found):
    ticket = open_ticket()
    session.flush()
    assert ticket.id in found(ticket.ticket_number)
    assert ticket.id in found(ticket.ticket_number.split("-")[1])


def test_names_lead_to_nothing_that_is_not_seen_anyway(open_ticket, session, found):
    alices = open_ticket("alice", subject="Hers")
    session.flush()
    assert alices.id in found("moreau")
    assert alices.id in found("moreau", "alice")
    assert alices.id not in found("moreau", "bob")
    assert alices.id not in found("moreau", "charlie")


def test_another_tenants_people_are_nobody(sessions, world, now):
    actor = world.people["noor"].actor
    with sessions.begin(world.nova) as session:
        page = list_tickets(session, TicketFilter(q="keller"), actor=actor, now=now)
        assert list(page.items) == []


def test_a_customer_finds_words_that_many_messages_of_others_hold(open_ticket, session, found, actor_of, now):
    """Of a common word the index is asked for some places only; a customer's own must be among them all the same."""
    ours, theirs = open_ticket("bob", subject="Ours"), open_ticket("charlie", subject="Theirs")
    session.flush()
    said = {"tenant_id": ours.tenant_id, "sender_type": "agent", "sender_id": uuid4(), "sender_name": "Sam"}
    texts = [(theirs.id, "plinthword beside bracketword", False)] * 2_500
    texts += [(ours.id, "bracketword, then plinthword", False), (ours.id, "hushword", True)]
    messages = [
        said
        | {"ticket_id": ticket_id, "message": text, "message_html": text, "is_internal": internal, "created_at": now}
        for ticket_id, text, internal in texts
    ]
    session.execute(insert(TicketMessage), messages)
    for who in ("bob", "alice"):
        assert found("plinthword", who) == {ours.id}
        assert found("plinthword bracketword", who) == {ours.id}
        assert ours.id not in found("hushword", who)
    assert found("plinthword", "charlie") == {theirs.id}
