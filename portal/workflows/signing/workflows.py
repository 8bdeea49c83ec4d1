"""A contract's reminders and end, and the seal of whatever was signed by all."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from portal.workflows.signing.activities import SigningActivities
    from portal.workflows.signing.shared import AdvanceContract, ContractRun, ContractWake, SealRun

ATTEMPT = timedelta(seconds=5)
RETRY = RetryPolicy(
    initial_interval=timedelta(milliseconds=200), backoff_coefficient=2, maximum_interval=timedelta(seconds=5)
)
# A store, a key or a document that is not to be had now is asked for again until it is.
SEAL_ATTEMPT = timedelta(seconds=30)
SEAL_RETRY = RetryPolicy(
    initial_interval=timedelta(milliseconds=500), backoff_coefficient=2, maximum_interval=timedelta(minutes=5)
)
SHORTEST_SLEEP = timedelta(milliseconds=50)


@workflow.defn(name="Contract")
class ContractWorkflow:
    """One contract. The database decides everything; this only knows when to look."""

    @workflow.init
    def __init__(self, run: ContractRun) -> None:
        self._changes = 0

    @workflow.run
    async def run(self, run: ContractRun) -> None:
        """Advance, sleep, repeat until nothing is to come any more."""
        while True:
            seen = self._changes
            wake = await self._advance(run)
            if wake.done:
                return
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(run)
            await self._sleep(wake, seen)

    @workflow.signal
    def contract_changed(self, event_id: str) -> None:
        """Something happened that may move the timer. Delivered twice it costs one look, nothing else."""
        self._changes += 1

    async def _advance(self, run: ContractRun) -> ContractWake:
        return await workflow.execute_activity_method(
            SigningActivities.advance_contract,
            AdvanceContract(run.tenant_id, run.contract_id, workflow.now()),
            start_to_close_timeout=ATTEMPT,
            retry_policy=RETRY,
        )

    async def _sleep(self, wake: ContractWake, seen: int) -> None:
        if wake.at is None:
            await workflow.wait_condition(lambda: self._changes > seen)
            return
        pause = max(wake.at - workflow.now(), SHORTEST_SLEEP)
        try:
            await workflow.wait_condition(lambda: self._changes > seen, timeout=pause)
        except TimeoutError:
            return


@workflow.defn(name="Seal")
class SealWorkflow:
    """One signed document: sealed as soon as can be, and given its time stamp once there is one to be had."""

    @workflow.run
    async def run(self, run: SealRun) -> str:
        """Seal, then raise the level where that was not possible at once; gives the level in the end."""
        sealed = await workflow.execute_activity_method(
            SigningActivities.seal, run, start_to_close_timeout=SEAL_ATTEMPT, retry_policy=SEAL_RETRY
        )
        while sealed.rises:
            await workflow.sleep(run.raise_every)
            sealed = await workflow.execute_activity_method(
                SigningActivities.raise_level, run, start_to_close_timeout=SEAL_ATTEMPT, retry_policy=SEAL_RETRY
            )
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(run)
        return sealed.level
