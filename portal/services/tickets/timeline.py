"""Lines of a ticket's timeline."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from portal.authz import Actor
from portal.events import Beside
from portal.models import Ticket, TicketEvent
from portal.models.session import TenantSession


def add_line(
    session: TenantSession,
    ticket: Ticket,
    kind: str,
    *,
    actor: Actor,
    now: datetime,
    staff_only: bool = False,
    **params: Any,
) -> None:
    """Add what happened; the text is made from `kind` and `params` in the reader's language."""
    session.add(
        TicketEvent(
            tenant_id=ticket.tenant_id,
            ticket_id=ticket.id,
            kind=kind,
            at=now,
            actor_kind=actor.kind.value,
            actor_id=actor.user_id,
            actor_name=actor.name,
            params=params,
            staff_only=staff_only,
        )
    )


@dataclass(frozen=True)
class Line:
    """A line that is still to be written: by `add_line`, or beside the event that tells of the same change."""

    kind: str
    params: Mapping[str, Any] = field(default_factory=dict)
    staff_only: bool = False


# Who and when are those of the event.
_LINES = """
    lines AS (
        INSERT INTO ticket_events (id, tenant_id, ticket_id, kind, at, actor_kind, actor_id, actor_name, params,
                                   staff_only)
        SELECT gen_random_uuid(), :tenant_id, :lines_of, kind, :at, :actor_kind, cast(:actor_id AS uuid), :actor_name,
               params, staff_only
        FROM jsonb_to_recordset(cast(:lines AS jsonb)) AS line(kind text, params jsonb, staff_only boolean)
    )
"""


def lines_beside(ticket: Ticket, *lines: Line) -> Beside:
    """The lines as part of the statement of `publish`."""
    rows = [{"kind": line.kind, "params": line.params, "staff_only": line.staff_only} for line in lines]
    return Beside(_LINES, {"lines_of": ticket.id, "lines": json.dumps(rows)})
