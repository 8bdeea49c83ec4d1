"""Writing a changed ticket as part of its event's statement, instead of by a flush before it."""

import json
from typing import Any

from sqlalchemy.orm.attributes import set_committed_value

from portal.events import Beside
from portal.models import Ticket

# What answers, moves and the clock change; whatever else is changed is left to the session's flush.
_CHANGING = (
    Ticket.status,
    Ticket.custom_status,
    Ticket.assigned_to,
    Ticket.sla_policy_id,
    Ticket.sla_due_at,
    Ticket.sla_state,
    Ticket.first_response_due_at,
    Ticket.resolution_due_at,
    Ticket.next_response_due_at,
    Ticket.update_due_at,
    Ticket.customer_waits_since,
    Ticket.team_spoke_at,
    Ticket.rounds_missed,
    Ticket.sla_policy_version,
    Ticket.first_response_at,
    Ticket.resolved_at,
    Ticket.closed_at,
    Ticket.clock_started_at,
    Ticket.clock_cycle,
    Ticket.clock_pauses,
    Ticket.clock_fired,
    Ticket.escalation_level,
    Ticket.last_message,
    Ticket.updated_at,
)
_TICKET = """
    ticket AS (
        UPDATE portal_tickets SET
            status = :status, custom_status = :custom_status, assigned_to = :assigned_to,
            sla_policy_id = :sla_policy_id, sla_due_at = :sla_due_at,
            sla_state = :sla_state, first_response_due_at = :first_response_due_at,
            next_response_due_at = :next_response_due_at, update_due_at = :update_due_at,
            customer_waits_since = :customer_waits_since, team_spoke_at = :team_spoke_at,
            rounds_missed = :rounds_missed, sla_policy_version = :sla_policy_version,
            resolution_due_at = :resolution_due_at, first_response_at = :first_response_at,
            resolved_at = :resolved_at, closed_at = :closed_at, clock_started_at = :clock_started_at,
            clock_cycle = :clock_cycle, clock_pauses = cast(:clock_pauses AS jsonb),
            clock_fired = cast(:clock_fired AS jsonb), escalation_level = :escalation_level,
            last_message = :last_message, updated_at = :updated_at
        WHERE tenant_id = :tenant_id AND id = :ticket_id
    )
"""


def ticket_beside(ticket: Ticket) -> Beside:
    """The state of a locked ticket, for `publish`, which comes right after; the session takes it for written."""
    values: dict[str, Any] = {"ticket_id": ticket.id}
    for field in _CHANGING:
        value = getattr(ticket, field.key)
        set_committed_value(ticket, field.key, value)
        values[field.key] = json.dumps(value) if isinstance(value, list) else value
    return Beside(_TICKET, values)
