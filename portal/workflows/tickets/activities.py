"""Activities of tickets: one transaction, one service call."""

from temporalio import activity

from portal.lib.clock import utcnow
from portal.lib.faults import crash_point
from portal.models.session import TenantSessions
from portal.services.tickets.escalation import advance_clock
from portal.services.tickets.purging import purge_ticket
from portal.workflows.tickets.shared import AdvanceClock, ClockWake, TrashRun


class TicketActivities:
    """What the ticket's clock asks to be done."""

    def __init__(self, sessions: TenantSessions) -> None:
        self._sessions = sessions

    @activity.defn(name="tickets.advance_clock")
    def advance_clock(self, run: AdvanceClock) -> ClockWake:
        """Fire what is due and say when to come back; safe to repeat."""
        # The later of both times: a clock of this machine that lags must not miss the timer that woke us.
        now = max(run.now, utcnow())
        with self._sessions.begin(run.tenant_id) as session:
            wake = advance_clock(session, run.ticket_id, cycle=run.cycle, now=now)
            crash_point("clock.pre_commit")
        crash_point("clock.post_commit")
        return ClockWake(wake.at, wake.done)

    @activity.defn(name="tickets.purge")
    def purge(self, run: TrashRun) -> bool:
        """Delete a ticket that stayed in the trash for its time; whether it did. Safe to repeat."""
        with self._sessions.begin(run.tenant_id) as session:
            return purge_ticket(session, run.ticket_id, cycle=run.cycle, now=utcnow())
