"""Search comes near what was meant: slips of the pen, parts of numbers, names; nobody finds more than they may see."""

import pytest
from sqlalchemy import text

from portal.services.tickets.choosing import find_neighbour, list_ticket_ids
from portal.services.tickets.followers import add_follower
from portal.services.tickets.listing import TicketFilter, list_tickets
from portal.services.tickets.queries import search_ids
from portal.services.tickets.searching import similar_ids
from portal.services.tickets.trash import trash_ticket
from portal.services.tickets.view_filters import ViewFilter

OUTSIDERS = ("charlie", "nia")


@pytest.fixture
def page(session, actor_of, now):
    """What somebody's list shows for words."""

    def search(words, who="sam", **fields):
        session.flush()
        wanted = TicketFilter(**{"q": words, "limit": 100} | fields)
        return list_tickets(session, wanted, actor=actor_of(who), now=now)

    return search


def ids_of(page):
    return [row.ticket.id for row in page.items]


@pytest.mark.parametrize(
    "words",
    [
        "quagzilator",
        "quaggzilator",
        "quagilator",
        "QUAGZILLATOR",
        "Qüagzillator",
        "zillator",
        "quagzilator pump",
        "qaugzillator",
    ],
)
@pytest.mark.parametrize("who", ["sam", "bob", "alice"])
def test_a_subject_is_found_in_spite_of_a_slip(open_ticket, page, words, who):
    ticket = open_ticket("bob", subject="Quagzillator pump halted")
    other = open_ticket("bob", subject="Nothing of that kind")
    found = ids_of(page(words, who))
    assert ticket.id in found
    assert other.id not in found


@pytest.mark.parametrize(
    ("typed", "meant"), [("pritner", "Printer"), ("invocie", "Invoice"), ("übredruck", "Überdruck")]
)
def test_letters_that_changed_places_are_put_right(open_ticket, page, typed, meant):
    ticket, told = open_ticket(subject=f"{meant} xyloquart"), open_ticket(description=f"{meant} xyloquart")
    found = page(f"{typed} xyloquart")
    assert found.approximate
    assert set(ids_of(found)) == {ticket.id, told.id}


def test_every_word_has_to_come_near(open_ticket, page):
    ticket = open_ticket(subject="Quagzillator pump halted")
    assert ticket.id not in ids_of(page("quagzilator wombat"))


@pytest.mark.parametrize("who", ["sam", "bob"])
def test_any_part_of_a_number_finds_it_and_like_numbers_do_not(open_ticket, page, who):
    tickets = [open_ticket() for _ in range(3)]
    page("", who)
    digits = tickets[0].ticket_number.split("-")[1]
    found = ids_of(page(tickets[0].ticket_number[1:], who))
    assert tickets[0].id in found
    assert not {ticket.id for ticket in tickets[1:]} & set(found)
    assert tickets[0].id in ids_of(page(digits[-3:], who))


@pytest.mark.parametrize("words", ["kelller", "bobb@acme.exampel", "acme.exam", "Acmee"])
def test_people_companies_and_addresses_are_found(open_ticket, page, words):
    ours = open_ticket("bob", subject="Hers and his")
    theirs = open_ticket("charlie", subject="Hers and his")
    found = ids_of(page(words))
    assert ours.id in found
    assert theirs.id not in found


def test_a_customer_finds_colleagues_within_what_they_may_see(open_ticket, page):
    bobs, alices = open_ticket("bob", subject="One"), open_ticket("alice", subject="Two")
    assert bobs.id in ids_of(page("kellr", "alice"))
    assert bobs.id in ids_of(page("kellr", "bob"))
    assert alices.id not in ids_of(page("moreauu", "bob"))
    for who in OUTSIDERS:
        assert not {bobs.id, alices.id} & set(ids_of(page("kellr", who)))


@pytest.mark.parametrize("words", ["quagzilator", "kelller", "zillat"])
@pytest.mark.parametrize("who", OUTSIDERS)
def test_outsiders_find_nothing_by_the_function_itself(session, open_ticket, actor_of, words, who):
    ticket = open_ticket("bob", subject="Quagzillator pump halted")
    session.flush()
    assert ticket.id in similar_ids(session, words, actor=actor_of("sam"))
    assert ticket.id not in similar_ids(session, words, actor=actor_of(who))


def test_another_tenant_finds_nothing_as_staff(session, world, open_ticket, actor_of):
    open_ticket("bob", subject="Quagzillator pump halted")
    session.flush()
    session.connection().execute(text("SELECT set_config('app.tenant_id', :t, true)"), {"t": str(world.nova)})
    for words in ("quagzilator", "kelller"):
        assert similar_ids(session, words, actor=actor_of("noor")) == []


def test_the_trash_is_not_looked_through(session, open_ticket, page, actor_of, now):
    ticket = open_ticket(subject="Quagzillator pump halted")
    assert ids_of(page("quagzilator"))
    trash_ticket(session, ticket.id, reason="Twice.", actor=actor_of("mia"), now=now)
    for words in ("quagzilator", "quagzillator"):
        assert ticket.id not in ids_of(page(words))


def test_what_was_shared_is_found_by_whom_it_was_shared_with(session, open_ticket, page, actor_of, world, now):
    ticket = open_ticket("alice", subject="Quagzillator pump halted")
    assert ids_of(page("quagzilator", "bob")) == []
    add_follower(session, ticket.id, world.people["bob"].user_id, actor=actor_of("alice"), now=now)
    assert ticket.id in similar_ids(session, "quagzilator", actor=actor_of("bob"))


def test_the_list_says_when_nothing_holds_the_words(open_ticket, page):
    open_ticket(subject="Quagzillator pump halted")
    assert page("quagzilator").approximate
    open_ticket(subject="Quagzilator of another make")
    both = page("quagzilator")
    assert not both.approximate
    assert len(both.items) == 2


def test_hits_come_first_whatever_the_order_and_pages_follow(session, open_ticket, page, actor_of, now):
    similar = [open_ticket(subject=f"Quagzillator {letter}") for letter in "ab"]
    hits = [open_ticket(subject=f"Quagzilator {letter}") for letter in "cd"]
    for sort in ("created", "updated", "due", "priority"):
        for descending in (True, False):
            fields = {"sort": sort, "descending": descending}
            whole = ids_of(page("quagzilator", **fields))
            assert set(whole[:2]) == {ticket.id for ticket in hits}
            assert set(whole[2:]) == {ticket.id for ticket in similar}
            walked, part = [], page("quagzilator", limit=1, **fields)
            walked += ids_of(part)
            while part.next_cursor:
                part = page("quagzilator", limit=1, cursor=part.next_cursor, **fields)
                walked += ids_of(part)
            assert walked == whole
            while part.previous_cursor:
                part = page("quagzilator", limit=1, cursor=part.previous_cursor, **fields)
                walked += ids_of(part)
            assert walked[len(whole) :] == whole[-2::-1]
            wanted = TicketFilter(q="quagzilator", **fields)
            assert list(list_ticket_ids(session, wanted, actor=actor_of("sam"), now=now, most=9)) == whole
            assert find_neighbour(session, whole[1], wanted, back=False, actor=actor_of("sam"), now=now) == whole[2]
            assert find_neighbour(session, whole[2], wanted, back=True, actor=actor_of("sam"), now=now) == whole[1]


def test_enough_hits_need_no_similar_ones(open_ticket, page):
    near = open_ticket(subject="Quagzillator a")
    for number in range(5):
        open_ticket(subject=f"Quagzilator {number}")
    assert near.id not in ids_of(page("quagzilator"))


def test_a_kept_view_holds_hits_alone(open_ticket, page):
    open_ticket(subject="Quagzillator a")
    assert ids_of(page("", saved=ViewFilter(text="quagzilator"))) == []


@pytest.mark.parametrize(
    "words", ["%%%", "___", "\\\\\\", "a%b_c\\d", "'; --", "ab", "x" * 500, "ab cd ef " * 30, "@@@@"]
)
def test_signs_of_the_language_are_letters(open_ticket, page, words):
    ticket = open_ticket(subject="Quagzillator a")
    for who in ("sam", "bob"):
        assert ticket.id not in ids_of(page(words, who))


@pytest.mark.parametrize("who", ["sam", "bob", "alice"])
def test_no_table_is_read_from_end_to_end(session, open_ticket, actor_of, who):
    """What the functions do inside shows in the counters of the transaction, whatever the planner knows."""
    open_ticket(subject="Quagzillator a")
    session.flush()
    counted = text(
        "SELECT relname, seq_scan FROM pg_stat_xact_user_tables WHERE relname IN"
        " ('portal_tickets', 'portal_ticket_messages', 'companies', 'people', 'users')"
    )
    before = dict(session.connection().execute(counted).all())
    for words in ("quagzilator", "kelller", "acmee", "zillat", "1234"):
        similar_ids(session, words, actor=actor_of(who))
        search_ids(session, f"{words}:*", actor=actor_of(who))
    assert dict(session.connection().execute(counted).all()) == before
