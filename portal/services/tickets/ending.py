"""Several own tickets closed or cancelled in one action, with a result for each (TKT-14)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Uuid, any_, literal, select
from sqlalchemy.dialects.postgresql import ARRAY

from portal.authz import Actor, Permission, require
from portal.errors import Conflict, Forbidden, NotFound, invalid
from portal.models import Ticket
from portal.models.session import TenantSession
from portal.services.tickets.lifecycle import cancel_ticket, close_ticket
from portal.services.tickets.queries import visible_to
from portal.services.tickets.validation import COMMENT_LENGTH, one_text

MOST_AT_ONCE = 100
Ending = Literal["close", "cancel"]


@dataclass(frozen=True)
class EndingResult:
    """What came of one ticket: `code` is `closed`, `cancelled`, or why not; a foreign one has no number."""

    id: UUID
    number: str | None
    ok: bool
    code: str
    params: dict[str, Any]


def end_tickets(
    session: TenantSession, ids: Sequence[UUID], *, action: Ending, reason: str = "", actor: Actor, now: datetime
) -> list[EndingResult]:
    """Close or cancel each of the tickets that may be; results in the order of `ids`, each ticket once.

    A ticket that cannot be ended keeps no other from it. Raises Forbidden, Invalid (`ids`: none, or more than 100;
    `reason` where tickets are cancelled).
    """
    require(actor, Permission.TICKETS_CLOSE)
    wanted = list(dict.fromkeys(ids))
    if not wanted:
        raise invalid("ids", "required")
    if len(wanted) > MOST_AT_ONCE:
        raise invalid("ids", "too_many", limit=MOST_AT_ONCE)
    text = one_text("reason", reason, limit=COMMENT_LENGTH) if action == "cancel" else ""
    numbers = _numbers(session, wanted, actor)
    # Locks are taken in one order, so that two such actions wait for one another instead of for ever.
    results = {
        ticket_id: _end(session, ticket_id, numbers.get(ticket_id), action, text, actor=actor, now=now)
        for ticket_id in sorted(wanted)
    }
    return [results[ticket_id] for ticket_id in wanted]


def _end(
    session: TenantSession,
    ticket_id: UUID,
    number: str | None,
    action: Ending,
    reason: str,
    *,
    actor: Actor,
    now: datetime,
) -> EndingResult:
    try:
        if number is None:
            raise NotFound("ticket")
        if action == "close":
            close_ticket(session, ticket_id, actor=actor, now=now)
            return EndingResult(ticket_id, number, True, "closed", {})
        cancel_ticket(session, ticket_id, reason=reason, actor=actor, now=now)
        return EndingResult(ticket_id, number, True, "cancelled", {})
    except (Conflict, Forbidden, NotFound) as error:
        # These are raised before anything of the ticket is written.
        return EndingResult(ticket_id, number, False, error.code, {"number": number, **error.params})


def _numbers(session: TenantSession, ids: Sequence[UUID], actor: Actor) -> dict[UUID, str]:
    """Numbers of those that the actor sees."""
    among = Ticket.id == any_(literal(list(ids), ARRAY(Uuid())))
    rows = session.execute(select(Ticket.id, Ticket.ticket_number).where(among, visible_to(actor)))
    return {row.id: row.ticket_number for row in rows}
