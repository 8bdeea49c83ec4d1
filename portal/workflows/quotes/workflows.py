"""The life of a sent quote, and what its acceptance sets going (WFL-04)."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from portal.workflows.quotes.activities import QuoteActivities
    from portal.workflows.quotes.shared import AdvanceQuote, QuoteLook, QuoteRun

# Validity ends to the second, also when a worker dies in the middle of it.
ATTEMPT = timedelta(seconds=5)
RETRY = RetryPolicy(
    initial_interval=timedelta(milliseconds=200), backoff_coefficient=2, maximum_interval=timedelta(seconds=3)
)
SHORTEST_SLEEP = timedelta(milliseconds=50)


@workflow.defn(name="Quote")
class QuoteWorkflow:
    """One sent version. The database decides what is due; this only knows when to look."""

    @workflow.init
    def __init__(self, run: QuoteRun) -> None:
        self._changes = 0

    @workflow.run
    async def run(self, run: QuoteRun) -> None:
        """Look, sleep, repeat until somebody decided or the validity is over."""
        while True:
            seen = self._changes
            look = await self._look(run)
            if look.done:
                return
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(run)
            await self._sleep(look, seen)

    @workflow.signal
    def quote_changed(self, event_id: str) -> None:
        """Somebody decided. Delivered twice it costs one look, nothing else."""
        self._changes += 1

    async def _look(self, run: QuoteRun) -> QuoteLook:
        return await workflow.execute_activity_method(
            QuoteActivities.advance,
            AdvanceQuote(run.tenant_id, run.quote_id, workflow.now()),
            start_to_close_timeout=ATTEMPT,
            retry_policy=RETRY,
        )

    async def _sleep(self, look: QuoteLook, seen: int) -> None:
        if look.at is None:
            await workflow.wait_condition(lambda: self._changes > seen)
            return
        pause = max(look.at - workflow.now(), SHORTEST_SLEEP)
        try:
            await workflow.wait_condition(lambda: self._changes > seen, timeout=pause)
        except TimeoutError:
            return


@workflow.defn(name="QuoteInvoice")
class QuoteInvoiceWorkflow:
    """An accepted version: what it makes due is issued once, whatever dies meanwhile."""

    @workflow.run
    async def run(self, run: QuoteRun) -> str | None:
        """Issue, and again until it is done; the invoice's source key makes repeats harmless."""
        return await workflow.execute_activity_method(
            QuoteActivities.issue_invoice,
            run,
            start_to_close_timeout=timedelta(seconds=10),
            retry_policy=RETRY,
        )
