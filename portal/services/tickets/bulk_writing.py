"""Writing many changed tickets with their lines and next steps: by one statement, whatever their number."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm.attributes import set_committed_value

from portal.authz import Actor
from portal.events import Beside
from portal.events.base import plain
from portal.events.many import Happened, publish_many
from portal.lib.sla_clock import Reading
from portal.models import Ticket
from portal.models.session import TenantSession
from portal.services.tickets.clock import steps_of
from portal.services.tickets.timeline import Line

# What desk, moves and the clock change of a ticket, with the types by which PostgreSQL reads them from JSON.
_COLUMNS = {
    "status": "text",
    "custom_status": "text",
    "priority": "text",
    "category": "text",
    "assigned_to": "uuid",
    "tags": "jsonb",
    "sla_policy_id": "uuid",
    "sla_due_at": "timestamptz",
    "sla_state": "text",
    "first_response_due_at": "timestamptz",
    "resolution_due_at": "timestamptz",
    "next_response_due_at": "timestamptz",
    "update_due_at": "timestamptz",
    "customer_waits_since": "timestamptz",
    "team_spoke_at": "timestamptz",
    "rounds_missed": "integer",
    "sla_policy_version": "integer",
    "first_response_at": "timestamptz",
    "resolved_at": "timestamptz",
    "closed_at": "timestamptz",
    "clock_started_at": "timestamptz",
    "clock_cycle": "integer",
    "clock_pauses": "jsonb",
    "clock_fired": "jsonb",
    "escalation_level": "integer",
    "updated_at": "timestamptz",
}
_TICKETS = """
    tickets AS (
        UPDATE portal_tickets AS t SET {changes}
        FROM jsonb_to_recordset(cast(:tickets AS jsonb))
            AS c(id uuid, {columns})
        WHERE t.tenant_id = :tenant_id AND t.id = c.id
    )
""".format(  # noqa: S608 - made of the names above
    changes=", ".join(f"{name} = c.{name}" for name in _COLUMNS),
    columns=", ".join(f"{name} {kind}" for name, kind in _COLUMNS.items()),
)
_LINES = """
    lines AS (
        INSERT INTO ticket_events (id, tenant_id, ticket_id, kind, at, actor_kind, actor_id, actor_name, params,
                                   staff_only)
        SELECT gen_random_uuid(), :tenant_id, ticket_id, kind, :at, :actor_kind, cast(:actor_id AS uuid), :actor_name,
               params, staff_only
        FROM jsonb_to_recordset(cast(:lines AS jsonb))
            AS line(ticket_id uuid, kind text, params jsonb, staff_only boolean)
    )
"""
_STEPS = """
    coming AS (
        SELECT * FROM jsonb_to_recordset(cast(:steps AS jsonb))
            AS step(record_id uuid, key text, kind text, at timestamptz, staff_only boolean, params jsonb)
    ), gone AS (
        DELETE FROM next_steps AS n
        WHERE n.tenant_id = :tenant_id AND n.record_id = ANY(cast(:steps_of AS uuid[]))
            AND NOT EXISTS (SELECT FROM coming AS c WHERE c.record_id = n.record_id AND c.key = n.key)
    ), steps AS (
        INSERT INTO next_steps AS n (id, tenant_id, record_type, record_id, key, kind, at, staff_only, params)
        SELECT gen_random_uuid(), :tenant_id, 'ticket', record_id, key, kind, at, staff_only, params FROM coming
        ON CONFLICT (tenant_id, record_id, key) DO UPDATE
            SET kind = excluded.kind, at = excluded.at, staff_only = excluded.staff_only, params = excluded.params
            WHERE (n.kind, n.at, n.staff_only, n.params)
                  IS DISTINCT FROM (excluded.kind, excluded.at, excluded.staff_only, excluded.params)
    )
"""


@dataclass(frozen=True)
class Changed:
    """A locked ticket as it is to be stored; `clocked` says that its next steps follow from `reading`."""

    ticket: Ticket
    happened: Happened
    lines: tuple[Line, ...]
    reading: Reading | None = None
    clocked: bool = False


def write_changed(session: TenantSession, changed: Sequence[Changed], *, actor: Actor, now: datetime) -> None:
    """Store the tickets with their lines, steps, events and audit entries; the session takes them for written."""
    if not changed:
        return
    lines = [
        {"kind": line.kind, "params": plain(dict(line.params)), "staff_only": line.staff_only, "ticket_id": record}
        for record, line in ((str(one.ticket.id), line) for one in changed for line in one.lines)
    ]
    beside = (
        Beside(_TICKETS, {"tickets": json.dumps([_row(one.ticket) for one in changed])}),
        Beside(_LINES, {"lines": json.dumps(lines)}),
        Beside(_STEPS, _step_values([one for one in changed if one.clocked])),
    )
    publish_many(session, [one.happened for one in changed], actor=actor, now=now, beside=beside)


def _row(ticket: Ticket) -> dict[str, Any]:
    row: dict[str, Any] = {"id": str(ticket.id)}
    for name in _COLUMNS:
        value = getattr(ticket, name)
        set_committed_value(ticket, name, value)
        row[name] = plain(value)
    return row


def _step_values(changed: Sequence[Changed]) -> dict[str, Any]:
    steps = []
    for one in changed:
        record = str(one.ticket.id)
        coming = json.loads(steps_of(one.ticket, one.reading).values["steps"])
        steps += [step | {"record_id": record} for step in coming]
    return {"steps": json.dumps(steps), "steps_of": [one.ticket.id for one in changed]}
