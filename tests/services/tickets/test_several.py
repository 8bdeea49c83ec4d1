"""Several tickets ended at once, lists as files, and saved views of customers."""

import csv
import io
from dataclasses import replace
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from portal.errors import Conflict, Forbidden, Invalid, NotFound
from portal.models import AuditEntry, OutboxEvent, TicketStatus, TicketView
from portal.services.tickets import exporting
from portal.services.tickets.ending import MOST_AT_ONCE, end_tickets
from portal.services.tickets.exporting import CUSTOMER_COLUMNS, ExportWords, begin_export, read_export, write_csv
from portal.services.tickets.lifecycle import close_ticket
from portal.services.tickets.listing import TicketFilter
from portal.services.tickets.opening import NewTicket, create_ticket
from portal.services.tickets.own_views import (
    MOST_VIEWS,
    delete_view,
    get_own_view,
    list_own_views,
    rename_view,
    save_view,
)


def test_each_ticket_has_its_own_result(session, open_ticket, actor_of, now):
    first, closed, foreign, alices = open_ticket(), open_ticket(), open_ticket("charlie"), open_ticket("alice")
    session.flush()
    close_ticket(session, closed.id, actor=actor_of("bob"), now=now)
    unknown = uuid4()
    ids = [first.id, closed.id, foreign.id, alices.id, unknown, first.id]
    results = end_tickets(session, ids, action="close", actor=actor_of("bob"), now=now)
    assert [(result.id, result.code, result.ok) for result in results] == [
        (first.id, "closed", True),
        (closed.id, "already_closed", False),
        (foreign.id, "ticket_not_found", False),
        (alices.id, "ticket_not_found", False),
        (unknown, "ticket_not_found", False),
    ]
    assert [result.number for result in results[2:]] == [None, None, None]
    assert (first.status, foreign.status) == (TicketStatus.CLOSED, TicketStatus.OPEN)
    told = select(func.count()).where(OutboxEvent.record_id == foreign.id, OutboxEvent.kind != "ticket.created")
    assert session.scalar(told) == 0


def test_a_ticket_that_is_only_shared_is_not_allowed(session, open_ticket, actor_of, world, now):
    ticket = open_ticket("alice")
    session.flush()
    reader = replace(actor_of("bob"), shared_company_ids=(world.companies["acme"],))
    (result,) = end_tickets(session, [ticket.id], action="close", actor=reader, now=now)
    assert (result.code, result.number, ticket.status) == ("not_allowed", ticket.ticket_number, TicketStatus.OPEN)


def test_cancelling_needs_a_reason_and_writes_it(session, open_ticket, actor_of, now):
    ticket = open_ticket()
    with pytest.raises(Invalid):
        end_tickets(session, [ticket.id], action="cancel", reason=" ", actor=actor_of("bob"), now=now)
    assert ticket.status is TicketStatus.OPEN
    (result,) = end_tickets(session, [ticket.id], action="cancel", reason="Solved", actor=actor_of("bob"), now=now)
    assert (result.code, ticket.status) == ("cancelled", TicketStatus.CANCELLED)


@pytest.mark.parametrize("count", [0, MOST_AT_ONCE + 1])
def test_none_or_too_many_are_refused_as_a_whole(session, actor_of, now, count):
    with pytest.raises(Invalid):
        end_tickets(session, [uuid4() for _ in range(count)], action="close", actor=actor_of("bob"), now=now)


def test_staff_do_not_end_tickets_this_way(session, actor_of, now):
    with pytest.raises(Forbidden):
        end_tickets(session, [uuid4()], action="close", actor=actor_of("sam"), now=now)


@pytest.fixture
def words():
    names = {name: name for name in (*CUSTOMER_COLUMNS, "company", "opened_on")}
    return ExportWords(names, {"open": "Open"}, {"normal": "Normal"}, "en", "en", ZoneInfo("Europe/Paris"))


@pytest.fixture
def kept(sessions, world, actor_of, now):
    """Tickets that are really there, marked by a word; others' among them."""
    mark = f"x{uuid4().hex[:12]}"
    with sessions.begin(world.demo) as session:
        for who, subject in (("bob", "=1+1"), ("bob", "Plain"), ("alice", "Secret"), ("charlie", "Foreign")):
            create_ticket(session, NewTicket(subject, mark, "drill"), actor=actor_of(who), now=now)
    return mark


def read(pages, words):
    text = "".join(write_csv(pages, CUSTOMER_COLUMNS, words))
    return text, list(csv.DictReader(io.StringIO(text)))


def test_the_file_holds_the_readers_tickets_and_no_formulas(sessions, kept, actor_of, now, words, monkeypatch):
    monkeypatch.setattr(exporting, "PAGE", 1)
    pages = read_export(sessions, TicketFilter(q=kept), actor=actor_of("bob"), now=now)
    text, rows = read(pages, words)
    assert not text.startswith("\ufeff")
    assert sorted(row["subject"] for row in rows) == ["'=1+1", "Plain"]
    assert {row["status"] for row in rows} == {"Open"}
    assert rows[0]["opened"] == "2026-11-24 10:00:00+01:00"
    pages = read_export(sessions, TicketFilter(q=kept), actor=actor_of("alice"), now=now)
    assert len(read(pages, words)[1]) == 3


def test_chosen_ids_of_others_are_left_out(sessions, kept, actor_of, now, words):
    def ids_of(name):
        return [
            row.ticket.id
            for page in read_export(sessions, TicketFilter(q=kept), actor=actor_of(name), now=now)
            for row in page
        ]

    chosen = [ids_of("bob")[0], *ids_of("charlie"), uuid4()]
    pages = read_export(sessions, TicketFilter(), ids=chosen, actor=actor_of("bob"), now=now)
    assert [row.ticket.id for page in pages for row in page] == chosen[:1]


def test_filters_narrow_the_file(sessions, kept, actor_of, now):
    wanted = TicketFilter(q=kept, status=(TicketStatus.CLOSED,))
    assert list(read_export(sessions, wanted, actor=actor_of("alice"), now=now)) == []


def test_an_export_stands_in_the_trail(session, actor_of, now):
    begin_export(session, TicketFilter(q="vpn"), form="csv", actor=actor_of("bob"), now=now)
    entry = session.scalars(
        select(AuditEntry)
        .where(AuditEntry.action == "tickets.exported", AuditEntry.actor_id == actor_of("bob").user_id)
        .order_by(AuditEntry.seq.desc())
    ).first()
    assert entry.after == {"format": "csv", "chosen": 0, "filtered": True}


def test_a_view_is_kept_renamed_and_deleted_by_its_owner_alone(session, actor_of, now):
    bob = actor_of("bob")
    view = save_view(session, " Urgent  ones ", {"priority": "urgent", "q": ""}, actor=bob, now=now)
    session.flush()
    assert (view.name, view.filters) == ("Urgent ones", {"priority": "urgent"})
    for other in ("alice", "charlie", "sam"):
        with pytest.raises((NotFound, Forbidden)):
            get_own_view(session, view.id, actor=actor_of(other))
        with pytest.raises((NotFound, Forbidden)):
            rename_view(session, view.id, "Mine", actor=actor_of(other), now=now)
        with pytest.raises((NotFound, Forbidden)):
            delete_view(session, view.id, actor=actor_of(other), now=now)
    assert view.id not in [one.id for one in list_own_views(session, actor=actor_of("alice"))]
    assert rename_view(session, view.id, "Burning", actor=bob, now=now).name == "Burning"
    delete_view(session, view.id, actor=bob, now=now)
    session.flush()
    with pytest.raises(NotFound):
        delete_view(session, view.id, actor=bob, now=now)


@pytest.mark.parametrize(("name", "filters"), [("", {}), ("x" * 61, {}), ("Mine", {"assignee": "me"}), ("A\x00", {})])
def test_what_cannot_be_kept_is_refused(session, actor_of, now, name, filters):
    with pytest.raises(Invalid):
        save_view(session, name, filters, actor=actor_of("bob"), now=now)


def test_a_name_is_taken_whatever_its_case_and_only_for_its_owner(session, actor_of, now):
    first = save_view(session, "Open", {}, actor=actor_of("bob"), now=now)
    with pytest.raises(Invalid):
        save_view(session, "oPEN", {}, actor=actor_of("bob"), now=now)
    assert rename_view(session, first.id, "OPEN", actor=actor_of("bob"), now=now).name == "OPEN"
    assert save_view(session, "Open", {}, actor=actor_of("alice"), now=now).owner_id == actor_of("alice").user_id


def test_there_is_an_end_to_views(session, actor_of, world, now):
    owner = actor_of("bob").user_id
    session.add_all(
        TicketView(audience="customer", owner_id=owner, name=f"View {n}", filters={}, columns=[])
        for n in range(MOST_VIEWS)
    )
    session.flush()
    with pytest.raises(Conflict):
        save_view(session, "One more", {}, actor=actor_of("bob"), now=now)
