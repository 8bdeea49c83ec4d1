"""Many tickets into the trash and back at once, each undone where nothing followed."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.authz import Permission
from portal.errors import Forbidden, Invalid
from portal.models import AuditEntry, NextStep, OutboxEvent, Role, Ticket
from portal.services.tickets.bulk import change_tickets, undo_change
from portal.services.tickets.bulk_actions import BulkAction, BulkKind
from portal.services.tickets.trash import get_trashed, restore_ticket, trash_ticket

TRASH, RESTORE = BulkAction(BulkKind.TRASH, reason="Spam"), BulkAction(BulkKind.RESTORE)
LATER = timedelta(minutes=2)


@pytest.fixture
def change(session, actor_of, now):
    def run(*tickets, action=TRASH, who="mia", at=now):
        return change_tickets(session, [one.id for one in tickets], action=action, actor=actor_of(who), now=at)

    return run


def in_trash(session, *tickets):
    ids = [one.id for one in tickets]
    rows = dict(session.execute(select(Ticket.id, Ticket.trashed_at).where(Ticket.id.in_(ids))).all())
    return [rows[id_] is not None for id_ in ids]


def test_each_goes_with_its_reason_and_comes_back_with_its_clock(session, open_ticket, change, actor_of, now):
    first, second = open_ticket(), open_ticket()
    done = change(first, second)
    assert [(one["ok"], one["changed"]) for one in done.results] == [(True, True)] * 2
    assert in_trash(session, first, second) == [True, True]
    assert get_trashed(session, first.id, actor=actor_of("mia")).reason == "Spam"
    assert not session.scalars(select(NextStep).where(NextStep.record_id == first.id)).all()
    undo_change(session, done.id, actor=actor_of("mia"), now=now + LATER)
    assert in_trash(session, first, second) == [False, False]
    assert session.scalars(select(NextStep).where(NextStep.record_id == first.id)).all()
    session.flush()
    events = session.scalars(select(OutboxEvent.kind).where(OutboxEvent.record_id == first.id)).all()
    assert {"ticket.trashed", "ticket.restored"} <= set(events)
    trail = session.scalars(select(AuditEntry).where(AuditEntry.record_id == done.id)).all()
    assert sorted(entry.action for entry in trail) == ["bulk_change.made", "bulk_change.undone"]


def test_what_one_refuses_leaves_the_others(session, open_ticket, change, actor_of, now):
    first, second = open_ticket(), open_ticket()
    trash_ticket(session, first.id, reason="Twice", actor=actor_of("mia"), now=now)
    done = change(first, second)
    assert [one.get("code") for one in done.results] == ["already_trashed", None]
    assert done.results[0]["number"] == first.ticket_number


def test_restoring_is_undone_with_the_reason_of_before(session, open_ticket, change, actor_of, now):
    ticket = open_ticket()
    trash_ticket(session, ticket.id, reason="A copy", actor=actor_of("mia"), now=now)
    back = change(ticket, action=RESTORE, at=now + LATER)
    assert in_trash(session, ticket) == [False]
    undo_change(session, back.id, actor=actor_of("mia"), now=now + 2 * LATER)
    assert get_trashed(session, ticket.id, actor=actor_of("mia")).reason == "A copy"


def test_what_was_moved_since_stays(session, open_ticket, change, actor_of, now):
    ticket = open_ticket()
    done = change(ticket)
    mia = actor_of("mia")
    restore_ticket(session, ticket.id, actor=mia, now=now + LATER)
    trash_ticket(session, ticket.id, reason="Again", actor=mia, now=now + LATER)
    undone = undo_change(session, done.id, actor=mia, now=now + 2 * LATER)
    assert [(one["undone"], one["undo_code"]) for one in undone.results] == [(False, "ticket_changed_since")]
    assert in_trash(session, ticket) == [True]


def test_a_reason_and_the_right_are_needed(session, open_ticket, change, actor_of, now):
    ticket = open_ticket()
    with pytest.raises(Invalid):
        change(ticket, action=BulkAction(BulkKind.TRASH, reason=" "))
    granted = frozenset({Permission.DESK_READ, Permission.DESK_UPDATE})
    without = replace(actor_of("sam"), roles=frozenset({Role.CUSTOM}), granted=granted)
    for action in (TRASH, RESTORE):
        with pytest.raises(Forbidden):
            change_tickets(session, [ticket.id], action=action, actor=without, now=now)


def test_a_ticket_of_another_tenant_is_not_found(open_ticket, change, actor_of, sessions, now):
    noor = actor_of("noor")
    ticket = open_ticket()
    with sessions.begin(noor.tenant_id) as elsewhere:
        done = change_tickets(elsewhere, [ticket.id], action=TRASH, actor=noor, now=now)
        assert [one["code"] for one in done.results] == ["ticket_not_found"]
        elsewhere.rollback()
