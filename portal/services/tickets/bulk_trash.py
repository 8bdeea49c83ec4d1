"""Many tickets into the trash or back at once, and the undo of both: each by the rules of `trash.py`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from portal.authz import Actor, Permission, require
from portal.errors import Conflict, NotFound
from portal.models.session import TenantSession
from portal.services.tickets.bulk_actions import BulkAction, BulkKind
from portal.services.tickets.trash import get_trashed, restore_ticket, trash_ticket

KINDS = (BulkKind.TRASH, BulkKind.RESTORE)


def move_many(
    session: TenantSession, ids: Sequence[UUID], action: BulkAction, *, actor: Actor, now: datetime
) -> list[dict[str, Any]]:
    """Do it to each, in the order of ids so that two such changes never wait in a ring; results as they were asked.

    Raises Forbidden; what one ticket refuses is in its result.
    """
    require(actor, Permission.DESK_TRASH)
    results = {ticket_id: _move(session, ticket_id, action, actor, now) for ticket_id in sorted(ids)}
    return [results[ticket_id] for ticket_id in ids]


def undo_many(
    session: TenantSession, results: Sequence[dict[str, Any]], *, actor: Actor, now: datetime
) -> list[dict[str, Any]]:
    """The results with how putting back went: a ticket that was moved once more since stays where it is."""
    require(actor, Permission.DESK_TRASH)
    undone = {result["id"]: dict(result) for result in results}
    for result in sorted(undone.values(), key=lambda one: str(one["id"])):
        if result.get("changed"):
            result |= _put_back(session, result, actor, now)
    return list(undone.values())


def _move(session: TenantSession, ticket_id: UUID, action: BulkAction, actor: Actor, now: datetime) -> dict[str, Any]:
    result: dict[str, Any] = {"id": str(ticket_id), "number": None, "ok": True, "changed": False}
    try:
        if action.kind is BulkKind.TRASH:
            ticket = trash_ticket(session, ticket_id, reason=action.reason, actor=actor, now=now)
            kept, after = None, now.isoformat()
        else:
            kept = get_trashed(session, ticket_id, actor=actor).reason
            ticket, after = restore_ticket(session, ticket_id, actor=actor, now=now), None
    except NotFound:
        return result | {"ok": False, "code": "ticket_not_found"}
    except Conflict as refused:
        return result | {"number": refused.params.get("number"), "ok": False, "code": refused.code}
    more = {"number": ticket.ticket_number, "changed": True, "field": "trashed_at", "before": kept, "after": after}
    return result | more


def _put_back(session: TenantSession, result: dict[str, Any], actor: Actor, now: datetime) -> dict[str, Any]:
    ticket_id = UUID(result["id"])
    try:
        if result["after"] is None:
            trash_ticket(session, ticket_id, reason=result["before"] or "-", actor=actor, now=now)
        elif get_trashed(session, ticket_id, actor=actor).trashed_at != datetime.fromisoformat(result["after"]):
            return {"undone": False, "undo_code": "ticket_changed_since"}
        else:
            restore_ticket(session, ticket_id, actor=actor, now=now)
    except NotFound:
        return {"undone": False, "undo_code": "ticket_not_found"}
    except Conflict:
        return {"undone": False, "undo_code": "ticket_changed_since"}
    return {"undone": True}
