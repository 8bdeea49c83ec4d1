"""The clock of a ticket: sleeps until the next step of the promise, or until something changes."""

from dataclasses import replace
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from portal.workflows.tickets.activities import TicketActivities
    from portal.workflows.tickets.shared import AdvanceClock, ClockRun, ClockWake, TrashRun

# A step must come within seconds of its time even when a worker dies in the middle of it: an attempt is
# given up after five seconds, and the next one is never further away than three.
ATTEMPT = timedelta(seconds=5)
RETRY = RetryPolicy(
    initial_interval=timedelta(milliseconds=200), backoff_coefficient=2, maximum_interval=timedelta(seconds=3)
)
PURGE_RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=1), backoff_coefficient=2, maximum_interval=timedelta(minutes=30)
)
SHORTEST_SLEEP = timedelta(milliseconds=50)
LONGEST_STALL = timedelta(minutes=1)


@workflow.defn(name="TicketClock")
class TicketClockWorkflow:
    """One cycle of a ticket's clock. The database decides everything; this only knows when to look."""

    @workflow.init
    def __init__(self, run: ClockRun) -> None:
        self._state = run
        self._changes = 0

    @workflow.run
    async def run(self, run: ClockRun) -> None:
        """Advance, sleep, repeat until the cycle is over."""
        while True:
            seen = self._changes
            wake = await self._advance()
            if wake.done:
                return
            self._remember(wake)
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(self._state)
            await self._sleep(wake, seen)

    @workflow.signal
    def ticket_changed(self, event_id: str) -> None:
        """Something happened that may move the timer. Delivered twice it costs one look, nothing else."""
        self._changes += 1

    async def _advance(self) -> ClockWake:
        state = self._state
        return await workflow.execute_activity_method(
            TicketActivities.advance_clock,
            AdvanceClock(state.tenant_id, state.ticket_id, state.cycle, workflow.now()),
            start_to_close_timeout=ATTEMPT,
            retry_policy=RETRY,
        )

    def _remember(self, wake: ClockWake) -> None:
        stalled = wake.at is not None and wake.at == self._state.last_wake_at and wake.at <= workflow.now()
        self._state = replace(self._state, last_wake_at=wake.at, stalls=self._state.stalls + 1 if stalled else 0)

    async def _sleep(self, wake: ClockWake, seen: int) -> None:
        if wake.at is None:
            await workflow.wait_condition(lambda: self._changes > seen)
            return
        # A time that is past and does not move is waited for ever longer, so that no fault can spin.
        shortest = min(SHORTEST_SLEEP * 2 ** min(self._state.stalls, 16), LONGEST_STALL)
        try:
            await workflow.wait_condition(lambda: self._changes > seen, timeout=max(wake.at - workflow.now(), shortest))
        except TimeoutError:
            return


@workflow.defn(name="TrashedTicket")
class TrashedTicketWorkflow:
    """A ticket in the trash: after its time it goes for good, unless somebody restored it."""

    @workflow.run
    async def run(self, run: TrashRun) -> None:
        """Wait, then have it deleted; the database knows whether it still lies there."""
        # Past the time by a little, so that a clock of another machine that lags finds it over, too.
        await workflow.sleep(run.kept_for + LONGEST_STALL)
        await workflow.execute_activity_method(
            TicketActivities.purge, run, start_to_close_timeout=timedelta(minutes=1), retry_policy=PURGE_RETRY
        )
