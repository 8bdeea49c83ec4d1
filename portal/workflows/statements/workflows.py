"""A statement: made as soon as the books are closed for its moment, or given up with a reason."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from portal.workflows.statements.activities import StatementActivities
    from portal.workflows.statements.shared import StatementGivenUp, StatementRun

ATTEMPT = timedelta(minutes=2)
# A store that is away for longer than this is no reason to keep somebody waiting without a word.
PATIENCE = timedelta(hours=6)
RETRY = RetryPolicy(
    initial_interval=timedelta(milliseconds=200), backoff_coefficient=2, maximum_interval=timedelta(minutes=1)
)
TELL = timedelta(seconds=10)


@workflow.defn(name="Statement")
class StatementWorkflow:
    """One statement, from the wish to the file."""

    @workflow.run
    async def run(self, run: StatementRun) -> None:
        """Make it; where that cannot be, say so."""
        try:
            await workflow.execute_activity_method(
                StatementActivities.make,
                run,
                start_to_close_timeout=ATTEMPT,
                schedule_to_close_timeout=PATIENCE,
                retry_policy=RETRY,
            )
        except ActivityError as error:
            cause = error.cause
            code = cause.type if isinstance(cause, ApplicationError) and cause.non_retryable else None
            given_up = StatementGivenUp(run.tenant_id, run.statement_id, code or "statement_not_made")
            await workflow.execute_activity_method(
                StatementActivities.give_up, given_up, start_to_close_timeout=TELL, retry_policy=RETRY
            )
