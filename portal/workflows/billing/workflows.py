"""The timer of an unpaid invoice: overdue, reminders and the late fee at their times, until it is paid or void."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from portal.workflows.billing.activities import BillingActivities
    from portal.workflows.billing.shared import AdvanceInvoice, InvoiceRun, InvoiceWake

# A step must come within seconds of its time even when a worker dies in the middle of it.
ATTEMPT = timedelta(seconds=5)
RETRY = RetryPolicy(
    initial_interval=timedelta(milliseconds=200), backoff_coefficient=2, maximum_interval=timedelta(seconds=5)
)
SHORTEST_SLEEP = timedelta(milliseconds=50)


@workflow.defn(name="InvoiceTimer")
class InvoiceTimerWorkflow:
    """One invoice while it is owed. The database decides everything; this only knows when to look."""

    @workflow.init
    def __init__(self, run: InvoiceRun) -> None:
        self._changes = 0

    @workflow.run
    async def run(self, run: InvoiceRun) -> None:
        """Advance, sleep, repeat until nothing is owed."""
        while True:
            seen = self._changes
            wake = await self._advance(run)
            if wake.done:
                return
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(run)
            await self._sleep(wake, seen)

    @workflow.signal
    def invoice_changed(self, event_id: str) -> None:
        """Something happened that may move the timer. Delivered twice it costs one look, nothing else."""
        self._changes += 1

    async def _advance(self, run: InvoiceRun) -> InvoiceWake:
        return await workflow.execute_activity_method(
            BillingActivities.advance_invoice,
            AdvanceInvoice(run.tenant_id, run.invoice_id, run.cycle, workflow.now()),
            start_to_close_timeout=ATTEMPT,
            retry_policy=RETRY,
        )

    async def _sleep(self, wake: InvoiceWake, seen: int) -> None:
        if wake.at is None:
            await workflow.wait_condition(lambda: self._changes > seen)
            return
        pause = max(wake.at - workflow.now(), SHORTEST_SLEEP)
        try:
            await workflow.wait_condition(lambda: self._changes > seen, timeout=pause)
        except TimeoutError:
            return
