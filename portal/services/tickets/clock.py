"""A ticket's clock: read it, store what pages show, and write down what happens next.

Every service that changes a ticket calls `refresh_clock` in its own transaction, so that the page is
right at once; the ticket's workflow sets its timer by the same reading.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text

from portal.events import Beside
from portal.lib.sla_clock import ClockInput, Pause, Reading, Step, read
from portal.models import ACTIVE, FINAL, SenderType, Ticket, TicketStatus
from portal.models.session import TenantSession
from portal.services.tickets.policies import PolicyTerms, policy_of
from portal.services.tickets.rounds import asked_at, turn_rounds

# Among the steps done in a cycle: somebody was looked for by the rules of assignment. No step of the promise.
ASSIGNMENT = "assignment"
PAUSE_STATUSES = (TicketStatus.WAITING_CUSTOMER.value, TicketStatus.AWAITING_PAYMENT.value)


def refresh_clock(
    session: TenantSession, ticket: Ticket, *, now: datetime, policies: Sequence[PolicyTerms]
) -> Reading | None:
    """Recompute the clock of a locked ticket and store due times, state and next steps.

    Returns the reading, or None where no policy covers the ticket.
    """
    reading = set_clock(ticket, now=now, policies=policies)
    session.connection().execute(_WRITE_STEPS, {"tenant_id": ticket.tenant_id, **_step_values(ticket, reading)})
    return reading


def set_clock(
    ticket: Ticket, *, now: datetime, policies: Sequence[PolicyTerms], spoke: SenderType | None = None
) -> Reading | None:
    """The part of `refresh_clock` that changes the ticket; `steps_of` the reading are still to be written.

    `spoke` is who has just said something in public: that ends and begins rounds of the promise.
    """
    policy = policy_of(policies, ticket)
    turn_rounds(ticket, policy.rules if policy else None, clock_input(ticket), spoke=spoke, now=now)
    _mark_pause(ticket, policy, now)
    ticket.sla_policy_id = policy.id if policy else None
    if ticket.sla_policy_version is not None and policy is not None and not policy.kept:
        ticket.sla_policy_version = None
    if policy is None:
        ticket.first_response_due_at = ticket.resolution_due_at = ticket.sla_due_at = None
        ticket.next_response_due_at = ticket.update_due_at = None
        ticket.sla_state = "met"
        return None
    reading = read(policy.rules, clock_input(ticket), now)
    store_reading(ticket, reading)
    return reading


def clock_input(ticket: Ticket) -> ClockInput:
    """The facts about a ticket that its clock depends on."""
    return ClockInput(
        started_at=ticket.clock_started_at,
        first_responded_at=ticket.first_response_at,
        resolved_at=ticket.resolved_at,
        terminal=ticket.status in FINAL,
        pauses=tuple(pauses_of(ticket)),
        fired=frozenset(ticket.clock_fired) - {ASSIGNMENT},
        asked_at=asked_at(ticket),
        told_at=ticket.team_spoke_at,
        rounds_missed=ticket.rounds_missed,
    )


def pauses_of(ticket: Ticket) -> list[Pause]:
    """The stored pauses of a ticket."""
    return [
        Pause(datetime.fromisoformat(start), datetime.fromisoformat(end) if end else None, reason)
        for start, end, reason in ticket.clock_pauses
    ]


def store_reading(ticket: Ticket, reading: Reading) -> None:
    """Copy a reading to the columns that lists sort and filter by."""
    ticket.first_response_due_at = reading.first_response_due_at
    ticket.resolution_due_at = reading.resolution_due_at
    ticket.next_response_due_at = reading.next_response_due_at
    ticket.update_due_at = reading.update_due_at
    ticket.sla_state = reading.state
    pending = [
        due
        for due, done in (
            (reading.first_response_due_at, ticket.first_response_at),
            (reading.resolution_due_at, ticket.resolved_at),
            # Rounds have no due time once they have ended.
            (reading.next_response_due_at, None),
            (reading.update_due_at, None),
        )
        if due is not None and done is None
    ]
    ticket.sla_due_at = min(pending) if pending and ticket.status in ACTIVE else None


def _mark_pause(ticket: Ticket, policy: PolicyTerms | None, now: datetime) -> None:
    """Open or end the pause that the ticket's status asks for."""
    statuses = policy.pause_statuses if policy else PAUSE_STATUSES
    wanted = ticket.status.value if ticket.status.value in statuses else None
    pauses = [list(pause) for pause in ticket.clock_pauses]
    if pauses and pauses[-1][1] is None:
        if pauses[-1][2] == wanted:
            return
        pauses[-1][1] = now.isoformat()
    if wanted:
        pauses.append([now.isoformat(), None, wanted])
    if pauses != ticket.clock_pauses:
        ticket.clock_pauses = pauses


# One statement takes away what no longer comes and writes what does.
_STEPS = """
    coming AS (
        SELECT * FROM jsonb_to_recordset(cast(:steps AS jsonb))
            AS step(key text, kind text, at timestamptz, staff_only boolean, params jsonb)
    ), gone AS (
        DELETE FROM next_steps WHERE tenant_id = :tenant_id AND record_id = :steps_of
            AND key NOT IN (SELECT key FROM coming)
    ), steps AS (
        INSERT INTO next_steps AS n (id, tenant_id, record_type, record_id, key, kind, at, staff_only, params)
        SELECT gen_random_uuid(), :tenant_id, 'ticket', :steps_of, key, kind, at, staff_only, params FROM coming
        ON CONFLICT (tenant_id, record_id, key) DO UPDATE
            SET kind = excluded.kind, at = excluded.at, staff_only = excluded.staff_only, params = excluded.params
            WHERE (n.kind, n.at, n.staff_only, n.params)
                  IS DISTINCT FROM (excluded.kind, excluded.at, excluded.staff_only, excluded.params)
    )
"""
_WRITE_STEPS = text(f"WITH {_STEPS} SELECT")


def steps_of(ticket: Ticket, reading: Reading | None) -> Beside:
    """The ticket's next steps by this reading, in place of those it had."""
    return Beside(_STEPS, _step_values(ticket, reading))


def _step_values(ticket: Ticket, reading: Reading | None) -> dict[str, Any]:
    steps = reading.steps if reading else ()
    return {"steps_of": ticket.id, "steps": json.dumps([_step_row(step) for step in steps])}


def _step_row(step: Step) -> dict[str, Any]:
    params: dict[str, Any] = {}
    if step.metric is not None:
        params["metric"] = step.metric.value
    if step.level is not None:
        params |= {"level": step.level.position, "role": step.level.notify_role}
    return {
        "key": step.key,
        "kind": step.kind,
        "at": step.at.isoformat(),
        # Warnings are between the tenant and its staff; escalations and closings concern both sides.
        "staff_only": step.kind.endswith("_warning"),
        "params": params,
    }
