"""How a promise is shown between two changes of its ticket."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from portal.lib.sla_clock import Metric
from portal.models import Ticket, TicketPriority, TicketStatus
from portal.services.tickets.clock import clock_input
from portal.services.tickets.conversation import reply_as_staff
from portal.services.tickets.desk import TicketChanges, update_ticket
from portal.services.tickets.escalation import advance_clock
from portal.services.tickets.lifecycle import close_ticket, reopen_ticket
from portal.services.tickets.sla_view import view_sla


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


@pytest.mark.parametrize(
    ("after", "state", "fraction"),
    [
        (0, "within", 0),
        (14, "within", 0.7),
        (15, "near", 0.75),
        (19, "near", 0.95),
        (20, "breached", 1),
        (50, "breached", 2.5),
    ],
)
def test_state_moves_on_without_a_timer(
    open_ticket: Any, now: datetime, after: float, state: str, fraction: float
) -> None:
    view = view_sla(open_ticket(), now + seconds(after))
    assert (view.state, view.fraction, view.remaining_seconds) == (state, fraction, 20 - after)
    assert (view.metric, view.due_at) == (Metric.FIRST_RESPONSE, now + seconds(20))


def test_answer_in_time_is_kept_and_the_solution_is_next(
    session: Any, open_ticket: Any, actor_of: Any, now: datetime
) -> None:
    ticket = open_ticket()
    reply_as_staff(session, ticket.id, message="On it.", actor=actor_of("sam"), now=now + seconds(10))
    view = view_sla(ticket, now + seconds(30))
    assert (view.state, view.metric, view.first_response) == ("within", Metric.RESOLUTION, "kept")
    assert (view.remaining_seconds, view.resolution) == (60, None)


def test_late_answer_is_missed(session: Any, open_ticket: Any, actor_of: Any, now: datetime) -> None:
    ticket = open_ticket()
    reply_as_staff(session, ticket.id, message="Sorry.", actor=actor_of("sam"), now=now + seconds(25))
    assert view_sla(ticket, now + seconds(26)).first_response == "missed"


def test_pause_hides_the_due_time_and_is_not_counted(
    session: Any, open_ticket: Any, actor_of: Any, now: datetime
) -> None:
    ticket, sam = open_ticket(), actor_of("sam")
    reply_as_staff(
        session, ticket.id, message="Which?", status=TicketStatus.WAITING_CUSTOMER, actor=sam, now=now + seconds(10)
    )
    paused = view_sla(ticket, now + seconds(1000))
    assert (paused.state, paused.paused_reason, paused.due_at) == ("paused", "waiting_customer", None)
    assert (paused.metric, paused.fraction, paused.remaining_seconds) == (Metric.RESOLUTION, None, None)
    changes = TicketChanges(status=TicketStatus.IN_PROGRESS)
    update_ticket(session, ticket.id, changes=changes, actor=sam, now=now + seconds(1010))
    again = view_sla(ticket, now + seconds(1010))
    assert (again.state, again.remaining_seconds) == ("within", 80)
    assert again.fraction == pytest.approx(10 / 90)


def test_breach_outlasts_a_pause(session: Any, open_ticket: Any, actor_of: Any, now: datetime) -> None:
    ticket = open_ticket()
    changes = TicketChanges(status=TicketStatus.AWAITING_PAYMENT)
    update_ticket(session, ticket.id, changes=changes, actor=actor_of("sam"), now=now + seconds(25))
    assert view_sla(ticket, now + seconds(26)).state == "breached"


def test_closed_ticket_has_nothing_pending(session: Any, open_ticket: Any, actor_of: Any, now: datetime) -> None:
    ticket = open_ticket()
    close_ticket(session, ticket.id, actor=actor_of("bob"), now=now + seconds(5))
    view = view_sla(ticket, now + seconds(500))
    assert (view.state, view.metric, view.due_at, view.fraction) == ("met", None, None, None)
    reopen_ticket(session, ticket.id, actor=actor_of("bob"), now=now + seconds(600))
    assert view_sla(ticket, now + seconds(601)).remaining_seconds == 19


def test_over_a_night_only_the_calendar_knows_what_is_near(open_ticket: Any, now: datetime) -> None:
    """Opened at 17:00 with four working hours: by plain time it would be near all night."""
    ticket = open_ticket(category="general", at=now.replace(hour=16))
    assert ticket.first_response_due_at - ticket.clock_started_at > timedelta(hours=8)
    assert view_sla(ticket, ticket.first_response_due_at - timedelta(hours=2)).state == "within"
    ticket.sla_state = "near"
    assert view_sla(ticket, ticket.first_response_due_at - seconds(1)).state == "near"
    assert view_sla(ticket, ticket.first_response_due_at).state == "breached"


def test_view_and_clock_agree_at_every_second_of_a_drill(
    session: Any, open_ticket: Any, actor_of: Any, now: datetime
) -> None:
    """What is shown from a row of the start is what the clock itself says at that second."""
    from portal.lib.sla_clock import read
    from portal.services.tickets.policies import load_terms, policy_of

    ticket: Ticket = open_ticket(priority=TicketPriority.NORMAL.value)
    policy = policy_of(load_terms(session), ticket)
    assert policy is not None
    for after in range(100):
        reading = read(policy.rules, clock_input(ticket), now + seconds(after))
        view = view_sla(ticket, now + seconds(after))
        assert (view.state, view.first_response_due_at) == (reading.state, reading.first_response_due_at), after
    advance_clock(session, ticket.id, cycle=1, now=now + seconds(20))
    assert view_sla(ticket, now + seconds(20)).state == "breached"
