"""Related tickets: linked ones and those of the category, of the own company and as far as the reader may see them."""

from datetime import timedelta

import pytest

from portal.errors import NotFound
from portal.models import LinkKind, TicketLink
from portal.services.tickets.related import MOST, list_related


@pytest.fixture
def link(session):
    def make(ticket, other, kind=LinkKind.RELATED):
        session.add(TicketLink(tenant_id=ticket.tenant_id, ticket_id=ticket.id, other_id=other.id, kind=kind))
        session.flush()

    return make


@pytest.fixture
def related(session, actor_of):
    # Other tests leave tickets of this company: those of a test here are called Kindred, and nobody else's are.
    return lambda ticket, who="alice": [
        (row.ticket.subject, row.link, row.outward)
        for row in list_related(session, ticket.id, actor=actor_of(who))
        if row.ticket.subject.startswith("Kindred ")
    ]


def test_linked_ones_come_first_whoever_linked_them(open_ticket, link, related, now):
    ticket = open_ticket(category="general")
    first = open_ticket(category="billing", subject="Kindred 1", at=now + timedelta(days=3000))
    second = open_ticket(category="billing", subject="Kindred 2", at=now + timedelta(days=3001))
    open_ticket(category="general", subject="Kindred 3", at=now + timedelta(days=3002))
    open_ticket(category="technical", subject="Kindred 4", at=now + timedelta(days=3003))
    link(ticket, first, LinkKind.FOLLOWS_UP)
    link(second, ticket, LinkKind.SPLIT_FROM)
    assert related(ticket) == [
        ("Kindred 2", LinkKind.SPLIT_FROM, False),
        ("Kindred 1", LinkKind.FOLLOWS_UP, True),
        ("Kindred 3", None, True),
    ]


def test_linked_in_both_ways_it_stands_once(open_ticket, link, related):
    ticket, other = open_ticket(category="billing"), open_ticket(subject="Kindred 1")
    link(ticket, other)
    link(other, ticket, LinkKind.INCIDENT_OF)
    assert [row[0] for row in related(ticket)] == ["Kindred 1"]


def test_never_of_another_company_even_where_staff_linked_them(open_ticket, link, related):
    ticket, foreign = open_ticket(category="drill"), open_ticket("charlie", category="drill", subject="Kindred 1")
    link(ticket, foreign)
    for who in ("bob", "alice", "sam"):
        assert related(ticket, who) == []


def test_a_colleague_s_ticket_only_for_who_may_see_it(open_ticket, link, related):
    ticket, colleagues = open_ticket(), open_ticket("alice", subject="Kindred 1")
    link(ticket, colleagues)
    assert related(ticket, "bob") == []
    assert [row[0] for row in related(ticket, "alice")] == ["Kindred 1"]


def test_not_what_lies_in_the_trash(session, open_ticket, link, related, now):
    ticket, other = open_ticket(), open_ticket(subject="Kindred 1")
    link(ticket, other)
    other.trashed_at = now
    session.flush()
    assert related(ticket) == []


def test_at_most_five_of_a_sort(open_ticket, related, now):
    ticket = open_ticket(category="general")
    for number in range(MOST + 2):
        open_ticket(category="general", subject=f"Kindred {number}", at=now + timedelta(days=3000 + number))
    assert [row[0] for row in related(ticket)] == ["Kindred 6", "Kindred 5", "Kindred 4", "Kindred 3", "Kindred 2"]


@pytest.mark.parametrize("who", ["charlie", "nia"])
def test_strangers_find_nothing(open_ticket, related, who):
    with pytest.raises(NotFound):
        related(open_ticket(), who)
