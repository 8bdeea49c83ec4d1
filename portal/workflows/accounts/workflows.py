"""The proof of a mail domain: looked for until it is there, then again each week."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from portal.workflows.accounts.activities import AccountActivities
    from portal.workflows.accounts.shared import DomainLook, DomainProofRun, LookForProof

RETRY = RetryPolicy(
    initial_interval=timedelta(milliseconds=500), backoff_coefficient=2, maximum_interval=timedelta(seconds=30)
)
SHORTEST_SLEEP = timedelta(seconds=1)


@workflow.defn(name="DomainProof")
class DomainProofWorkflow:
    """One claimed domain. The database decides what is due; this only knows when to look."""

    @workflow.init
    def __init__(self, run: DomainProofRun) -> None:
        self._asked = 0

    @workflow.run
    async def run(self, run: DomainProofRun) -> None:
        """Look, sleep, repeat until the claim is withdrawn."""
        while True:
            seen = self._asked
            look = await self._look(run)
            if look.gone:
                return
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(run)
            await self._sleep(look, seen)

    @workflow.signal
    def look_now(self, event_id: str) -> None:
        """Somebody asked to look at once. Delivered twice it costs one look, nothing else."""
        self._asked += 1

    async def _look(self, run: DomainProofRun) -> DomainLook:
        return await workflow.execute_activity_method(
            AccountActivities.look_for_proof,
            LookForProof(run.tenant_id, run.domain_id, workflow.now()),
            start_to_close_timeout=timedelta(seconds=15),
            retry_policy=RETRY,
        )

    async def _sleep(self, look: DomainLook, seen: int) -> None:
        if look.again_at is None:
            await workflow.wait_condition(lambda: self._asked > seen)
            return
        pause = max(look.again_at - workflow.now(), SHORTEST_SLEEP)
        try:
            await workflow.wait_condition(lambda: self._asked > seen, timeout=pause)
        except TimeoutError:
            return
