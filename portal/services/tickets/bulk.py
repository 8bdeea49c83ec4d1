"""Changing many tickets at once, with a result for each, and undoing it while nobody else has touched them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Uuid, any_, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import defer

from portal.authz import Actor, Permission, require
from portal.errors import Conflict, FieldError, Invalid, NotFound
from portal.events import audit
from portal.events.base import plain
from portal.events.many import Happened
from portal.models import BulkChange, Ticket
from portal.models.session import TenantSession
from portal.services.tickets.bulk_actions import BulkAction, Done, apply_action, check_action
from portal.services.tickets.bulk_trash import KINDS as TRASHING
from portal.services.tickets.bulk_trash import move_many, undo_many
from portal.services.tickets.bulk_undoing import has_changed_since, put_back, snapshot
from portal.services.tickets.bulk_writing import Changed, write_changed
from portal.services.tickets.clock import set_clock
from portal.services.tickets.policies import PolicyTerms, load_terms_of
from portal.services.tickets.queries import list_assignable, visible_to

MOST_TICKETS = 500
UNDO_FOR = timedelta(minutes=10)
RECORD = "bulk_change"


def change_tickets(
    session: TenantSession,
    ids: Sequence[UUID],
    *,
    action: BulkAction,
    actor: Actor,
    now: datetime,
    change_id: UUID | None = None,
) -> BulkChange:
    """Do one thing to up to 500 tickets; what one of them refuses leaves the others as they come.

    `results` tells of each ticket, in the order asked for: `ok`, `changed`, or the `code` of its refusal. With
    `change_id` a change of one's own is continued: it stays one change with one undo. Raises Forbidden, NotFound,
    Invalid (`ids`, or the action's field) and Conflict.
    """
    require(actor, Permission.DESK_UPDATE)
    wanted = list(dict.fromkeys(ids))
    if not wanted:
        raise Invalid(FieldError("ids", "bulk_nothing_chosen"))
    checked = check_action(session, action)
    row = _continued(session, change_id, checked, actor, now) if change_id else _begun(session, checked, actor, now)
    if len(row.results) + len(wanted) > MOST_TICKETS:
        raise Invalid(FieldError("ids", "too_many", (("limit", MOST_TICKETS),)))
    actor = replace(actor, correlation_id=row.id)
    change = move_many if checked.kind in TRASHING else _change_many
    results = change(session, wanted, checked, actor=actor, now=now)
    row.results = [*row.results, *results]
    session.flush()
    done = sum(bool(result.get("changed")) for result in results)
    told = checked.stored() | {"tickets": len(wanted), "changed": done}
    audit(session, "bulk_change.made", RECORD, row.id, actor=actor, now=now, after=told)
    return row


def undo_change(session: TenantSession, change_id: UUID, *, actor: Actor, now: datetime) -> BulkChange:
    """Put back what an own change did, ticket by ticket, where nothing happened to the ticket since.

    `results` gets `undone` or `undo_code` for each ticket that had been changed. Raises Forbidden, NotFound,
    and Conflict (`already_undone`, `undo_too_late` after ten minutes).
    """
    row = _own(session, change_id, actor)
    if row.undone_at is not None:
        raise Conflict("already_undone")
    if not can_be_undone(row, now):
        raise Conflict("undo_too_late")
    actor = replace(actor, correlation_id=row.id)
    undo = undo_many if row.action["kind"] in TRASHING else _undo_many
    row.results, row.undone_at = undo(session, row.results, actor=actor, now=now), now
    session.flush()
    undone = sum(bool(result.get("undone")) for result in row.results)
    told = {"tickets": sum(bool(result.get("changed")) for result in row.results), "undone": undone}
    audit(session, "bulk_change.undone", RECORD, row.id, actor=actor, now=now, after=told)
    return row


def _change_many(
    session: TenantSession, wanted: Sequence[UUID], action: BulkAction, *, actor: Actor, now: datetime
) -> list[dict[str, Any]]:
    tickets = _lock(session, wanted, actor)
    policies = load_terms_of(session, tickets.values())
    changed: list[Changed] = []
    results = []
    for ticket_id in wanted:
        ticket = tickets.get(ticket_id)
        if ticket is None:
            results.append({"id": str(ticket_id), "number": None, "ok": False, "code": "ticket_not_found"})
            continue
        results.append(_change(ticket, action, policies[ticket_id], changed, now))
    write_changed(session, changed, actor=actor, now=now)
    return results


def _undo_many(
    session: TenantSession, told: Sequence[dict[str, Any]], *, actor: Actor, now: datetime
) -> list[dict[str, Any]]:
    results = [dict(result) for result in told]
    tickets = _lock(session, [UUID(result["id"]) for result in results if result.get("changed")], actor)
    policies, names = load_terms_of(session, tickets.values()), dict(list_assignable(session))
    changed: list[Changed] = []
    for result in results:
        if not result.get("changed"):
            continue
        ticket = tickets.get(UUID(result["id"]))
        if ticket is None or has_changed_since(ticket, result):
            result |= {"undone": False, "undo_code": "ticket_changed_since" if ticket else "ticket_not_found"}
            continue
        field = str(result["field"])
        before = _told(ticket, field)
        done = put_back(ticket, result, names=names, now=now)
        changed.append(_changed(ticket, done, policies[ticket.id], before, _told(ticket, field), now))
        result["undone"] = True
    write_changed(session, changed, actor=actor, now=now)
    return results


def get_change(session: TenantSession, change_id: UUID, *, actor: Actor) -> BulkChange:
    """A change of one's own with its results; raises Forbidden and NotFound."""
    return _own(session, change_id, actor, lock=False)


def can_be_undone(row: BulkChange, now: datetime) -> bool:
    """Whether the change is young enough and still stands, and changed anything at all."""
    young = now - row.created_at <= UNDO_FOR
    return young and row.undone_at is None and any(result.get("changed") for result in row.results)


def _own(session: TenantSession, change_id: UUID, actor: Actor, *, lock: bool = True) -> BulkChange:
    require(actor, Permission.DESK_UPDATE)
    query = select(BulkChange).where(BulkChange.id == change_id, BulkChange.user_id == actor.user_id)
    row = session.scalar(query.with_for_update().execution_options(populate_existing=True) if lock else query)
    if row is None:
        raise NotFound(RECORD)
    return row


def _begun(session: TenantSession, action: BulkAction, actor: Actor, now: datetime) -> BulkChange:
    row = BulkChange(
        id=uuid4(),
        tenant_id=session.tenant_id,
        user_id=actor.user_id,
        action=action.stored(),
        results=[],
        created_at=now,
    )
    session.add(row)
    return row


def _continued(session: TenantSession, change_id: UUID, action: BulkAction, actor: Actor, now: datetime) -> BulkChange:
    row = _own(session, change_id, actor)
    if row.undone_at is not None or now - row.created_at > UNDO_FOR or row.action != action.stored():
        raise Conflict("changed_meanwhile")
    return row


def _lock(session: TenantSession, ids: Sequence[UUID], actor: Actor) -> dict[UUID, Ticket]:
    """The tickets among them that the actor sees, locked in the order of ids: two changes never wait in a ring."""
    query = (
        select(Ticket)
        .where(Ticket.id == any_(literal(list(ids), ARRAY(Uuid()))), visible_to(actor))
        .order_by(Ticket.id)
        .options(defer(Ticket.description), defer(Ticket.description_html))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {ticket.id: ticket for ticket in session.scalars(query)}


def _change(
    ticket: Ticket, action: BulkAction, policies: Sequence[PolicyTerms], changed: list[Changed], now: datetime
) -> dict[str, Any]:
    """Change one ticket, to be written with the others, and tell how it went."""
    result: dict[str, Any] = {"id": str(ticket.id), "number": ticket.ticket_number, "ok": True, "changed": False}
    kept, before = snapshot(ticket, action.field), _told(ticket, action.field)
    try:
        done = apply_action(ticket, action, now=now)
    except Conflict as refused:
        return result | {"ok": False, "code": refused.code}
    if done is None:
        return result
    after = _told(ticket, action.field)
    changed.append(_changed(ticket, done, policies, before, after, now))
    more = {"changed": True, "field": action.field, "before": plain(kept), "after": plain(after[action.field])}
    return result | more | {"updated_at": ticket.updated_at.isoformat()}


def _told(ticket: Ticket, field: str) -> dict[str, Any]:
    """What the audit trail says of the field; a status has its own name beside it, as after a single change."""
    names = ("status", "custom_status") if field == "status" else (field,)
    return {name: getattr(ticket, name) for name in names}


def _changed(
    ticket: Ticket,
    done: Done,
    policies: Sequence[PolicyTerms],
    before: dict[str, Any],
    after: dict[str, Any],
    now: datetime,
) -> Changed:
    happened = Happened(done.events, before, after)
    if "assigned_to" in after:
        # Whose the ticket is does not move its clock.
        return Changed(ticket, happened, done.lines)
    reading = set_clock(ticket, now=now, policies=policies)
    return Changed(ticket, happened, done.lines, reading, clocked=True)
