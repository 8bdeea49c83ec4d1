"""The rounds of a promise: a further question and its answer, one public word of the team and the next."""

from dataclasses import replace
from datetime import datetime

from portal.lib.sla_clock import ROUNDS, ClockInput, Metric, Policy, round_is_late
from portal.models import ACTIVE, SenderType, Ticket


def turn_rounds(
    ticket: Ticket, rules: Policy | None, clock: ClockInput, *, spoke: SenderType | None, now: datetime
) -> None:
    """End the rounds that end now and begin those that begin; `spoke` is who has just spoken in public.

    `rules` are those by which a round that ends is judged, `clock` the facts before. Solving a ticket
    answers what was asked; what is asked or told in a later cycle has nothing to do with this one.
    """
    solved = ticket.status not in ACTIVE
    if spoke is SenderType.AGENT or solved:
        if rules is not None and (not solved or ticket.resolved_at == now):
            before = replace(clock, resolved_at=None, terminal=False)
            ticket.rounds_missed += sum(round_is_late(rules, before, metric, now) for metric in ROUNDS)
        _begin(ticket, *ROUNDS)
        ticket.customer_waits_since = None
        ticket.team_spoke_at = None if solved else now
        return
    if spoke is SenderType.CUSTOMER and ticket.customer_waits_since is None:
        _begin(ticket, Metric.NEXT_RESPONSE)
        ticket.customer_waits_since = now
    if ticket.team_spoke_at is None and ticket.first_response_at is not None:
        # Taken up again after a solution: updates are owed from now on.
        _begin(ticket, Metric.UPDATE)
        ticket.team_spoke_at = now


def asked_at(ticket: Ticket) -> datetime | None:
    """The oldest question without an answer that came after the first answer."""
    asked, answered = ticket.customer_waits_since, ticket.first_response_at
    return asked if asked is not None and answered is not None and asked > answered else None


def _begin(ticket: Ticket, *metrics: Metric) -> None:
    """Have the steps of new rounds come again."""
    prefixes = tuple(f"{metric}:" for metric in metrics)
    kept = [key for key in ticket.clock_fired if not key.startswith(prefixes)]
    if kept != ticket.clock_fired:
        ticket.clock_fired = kept
