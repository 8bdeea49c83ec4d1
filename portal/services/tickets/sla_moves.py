"""What a change of promises or working hours does to open tickets: shown before it is saved, and done with it.

Open tickets move to the new terms, or stay with the version they were promised. A ticket that stays is
marked with that version and follows the policies again once it is reopened or becomes another kind of ticket.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID, uuid4

from sqlalchemy import func, select, text

from portal.authz import Actor, Permission, require
from portal.lib.sla_clock import Metric
from portal.models import FINAL, BusinessCalendar, SlaPolicy, Ticket
from portal.models.session import TenantSession
from portal.services.tickets.clock import set_clock
from portal.services.tickets.policies import PolicyTerms, load_terms
from portal.services.tickets.sla_checks import check_calendar, check_hours, check_policy
from portal.services.tickets.sla_forms import CalendarForm, PolicyForm
from portal.services.tickets.sla_view import view_sla

OpenTickets = Literal["move", "stay"]
LOOKED_AT = 2_000
_FACTS = (
    Ticket.id,
    Ticket.tenant_id,
    Ticket.customer_id,
    Ticket.ticket_number,
    Ticket.subject,
    Ticket.category,
    Ticket.priority,
    Ticket.status,
    Ticket.sla_policy_id,
    Ticket.sla_policy_version,
    Ticket.sla_due_at,
    Ticket.sla_state,
    Ticket.first_response_due_at,
    Ticket.resolution_due_at,
    Ticket.next_response_due_at,
    Ticket.update_due_at,
    Ticket.first_response_at,
    Ticket.resolved_at,
    Ticket.clock_started_at,
    Ticket.clock_pauses,
    Ticket.clock_fired,
    Ticket.customer_waits_since,
    Ticket.team_spoke_at,
    Ticket.rounds_missed,
)
_DUE = {
    Metric.FIRST_RESPONSE: "first_response_due_at",
    Metric.NEXT_RESPONSE: "next_response_due_at",
    Metric.UPDATE: "update_due_at",
    Metric.RESOLUTION: "resolution_due_at",
}


@dataclass(frozen=True)
class MovedTicket:
    """An open ticket whose promise the change moves: the due time of `metric` before and after (None: none)."""

    id: UUID
    number: str
    subject: str
    metric: Metric
    old_due_at: datetime | None
    new_due_at: datetime | None
    newly_breached: bool


@dataclass(frozen=True)
class Moves:
    """Every ticket that would move, the newly breached first; of `open_tickets` at most 2,000 were looked at."""

    tickets: tuple[MovedTicket, ...]
    open_tickets: int

    @property
    def breached(self) -> int:
        """How many would be past their due time at once."""
        return sum(ticket.newly_breached for ticket in self.tickets)


def preview_policy(
    session: TenantSession, policy_id: UUID | None, form: PolicyForm, *, actor: Actor, now: datetime
) -> Moves:
    """What saving the policy would move. Raises Forbidden, and Invalid like saving it."""
    require(actor, Permission.SLA_CONFIGURE)
    check_policy(session, policy_id, form)
    calendar = session.scalar(select(BusinessCalendar).where(BusinessCalendar.id == form.calendar_id))
    terms = load_terms(session)
    own_id = policy_id or uuid4()
    own = next((one for one in terms if one.id == own_id), None)
    if calendar is None:
        return Moves((), 0)
    changed = PolicyTerms(
        id=own_id,
        active=form.active,
        match_categories=list(form.match_categories),
        match_priorities=list(form.match_priorities),
        match_companies=list(form.match_companies),
        pause_statuses=list(form.pause_statuses),
        first_response=form.first_response_seconds,
        resolution=form.resolution_seconds,
        warn_before=form.warn_before_seconds,
        auto_close_after=form.auto_close_seconds,
        levels=list(form.levels),
        timezone=calendar.timezone,
        intervals=calendar.intervals,
        holidays=calendar.holidays,
        next_response=form.next_response_seconds,
        update=form.update_seconds,
        version=(own.version if own else 0) + 1,
    )
    # A new policy is tried last.
    after = [changed if one.id == own_id else one for one in terms]
    return _compare(session, after if own else [*after, changed], {own_id}, now=now)


def preview_calendar(
    session: TenantSession, calendar_id: UUID | None, form: CalendarForm, *, actor: Actor, now: datetime
) -> Moves:
    """What saving the working hours would move. Raises Forbidden, and Invalid like saving them."""
    require(actor, Permission.SLA_CONFIGURE)
    check_calendar(session, calendar_id, form)
    check_hours(BusinessCalendar(timezone=form.timezone, intervals=list(form.intervals), holidays=list(form.holidays)))
    using = policies_of_calendar(session, calendar_id)
    hours: dict[str, Any] = {
        "timezone": form.timezone,
        "intervals": [list(interval) for interval in sorted(form.intervals)],
        "holidays": sorted(set(form.holidays)),
    }
    terms = [replace(one, **hours) if one.id in using else one for one in load_terms(session)]
    return _compare(session, terms, using, now=now)


def policies_of_calendar(session: TenantSession, calendar_id: UUID | None) -> set[UUID]:
    """The policies whose clocks run in these hours."""
    return set(session.scalars(select(SlaPolicy.id).where(SlaPolicy.calendar_id == calendar_id)))


def _compare(session: TenantSession, terms: Sequence[PolicyTerms], changed: set[UUID], *, now: datetime) -> Moves:
    open_ones = Ticket.status.not_in(FINAL)
    rows = session.execute(select(*_FACTS).where(open_ones).order_by(Ticket.sla_due_at, Ticket.id).limit(LOOKED_AT))
    found = [moved for row in rows if (moved := _moved(dict(row._mapping), terms, changed, now)) is not None]
    total = session.scalar(select(func.count()).select_from(Ticket).where(open_ones)) or 0
    found.sort(key=lambda one: not one.newly_breached)
    return Moves(tuple(found), total)


def _moved(
    facts: dict[str, Any], terms: Sequence[PolicyTerms], changed: set[UUID], now: datetime
) -> MovedTicket | None:
    """How the ticket would stand: the product's own rules, on a ticket that is never stored."""
    ticket = Ticket(**facts)
    if ticket.sla_policy_version is not None:
        if ticket.sla_policy_id is not None and ticket.sla_policy_id not in changed:
            return None
        ticket.sla_policy_version = None
    was_breached = view_sla(ticket, now).state == "breached"
    set_clock(ticket, now=now, policies=terms)
    if not {facts["sla_policy_id"], ticket.sla_policy_id} & changed:
        return None
    moved = [metric for metric, column in _DUE.items() if getattr(ticket, column) != facts[column]]
    if not moved:
        return None
    column = _DUE[moved[0]]
    breached = not was_breached and ticket.sla_state == "breached"
    return MovedTicket(
        ticket.id, ticket.ticket_number, ticket.subject, moved[0], facts[column], getattr(ticket, column), breached
    )


# Of the tickets under the policies that change, and those that the changed one would cover.
_SETTLE = text(
    """
    UPDATE portal_tickets t SET sla_policy_version = CASE WHEN :stay THEN coalesce(
        (SELECT p.version FROM sla_policies p WHERE p.tenant_id = t.tenant_id AND p.id = t.sla_policy_id), 0) END
    WHERE (t.sla_policy_version IS NULL) = :stay
        AND t.tenant_id = :tenant_id AND t.status NOT IN ('closed', 'cancelled')
        AND (t.sla_policy_id = ANY(:policies) OR (
            :may_cover
            AND (cast(:categories AS jsonb) = '[]' OR cast(:categories AS jsonb) ? t.category)
            AND (cast(:priorities AS jsonb) = '[]' OR cast(:priorities AS jsonb) ? t.priority)
            AND (cast(:companies AS jsonb) = '[]' OR cast(:companies AS jsonb) ? t.customer_id::text)))
    """
)


def settle_open_tickets(
    session: TenantSession, choice: OpenTickets, policies: set[UUID], *, covers: PolicyForm | None
) -> int:
    """Have the open tickets concerned stay or follow, before the change is written; how many that changed.

    `covers` is the policy's new form: what it will cover stays as it is, too.
    """
    form = covers if covers is not None and covers.active else None
    values = {
        "tenant_id": session.tenant_id,
        "stay": choice == "stay",
        "policies": list(policies),
        "may_cover": form is not None,
        "categories": json.dumps(list(form.match_categories) if form else []),
        "priorities": json.dumps(list(form.match_priorities) if form else []),
        "companies": json.dumps(list(form.match_companies) if form else []),
    }
    session.flush()
    result = session.connection().execute(_SETTLE, values)
    session.expire_all()
    return int(result.rowcount)
