"""What happens to a file after it came in, and after it was removed."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from portal.workflows.files.activities import FileActivities
    from portal.workflows.files.shared import FileRef, FileRun

# A scanner that is away is asked again until it answers: the file waits, nobody gets it meanwhile.
SCAN_RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=1), backoff_coefficient=2, maximum_interval=timedelta(minutes=1)
)
RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=1), backoff_coefficient=2, maximum_interval=timedelta(minutes=30)
)


@workflow.defn(name="UploadedFile")
class UploadedFileWorkflow:
    """A file that came in: looked at as soon as can be, and cleared away when no message took it along."""

    @workflow.run
    async def run(self, run: FileRun) -> None:
        """Both at the same time, so that a scanner that is away for long keeps no loose file."""
        file = FileRef(run.tenant_id, run.file_id)
        scan = workflow.start_activity_method(
            FileActivities.scan, file, start_to_close_timeout=timedelta(minutes=3), retry_policy=SCAN_RETRY
        )
        await workflow.sleep(run.loose_for)
        gone = await workflow.execute_activity_method(
            FileActivities.drop_if_loose, file, start_to_close_timeout=timedelta(seconds=10), retry_policy=RETRY
        )
        if gone:
            scan.cancel()
        else:
            await scan


@workflow.defn(name="RemovedFile")
class RemovedFileWorkflow:
    """A file that nobody gets any more: what is stored of it goes."""

    @workflow.run
    async def run(self, file: FileRef) -> None:
        """Delete until it is done."""
        await workflow.execute_activity_method(
            FileActivities.delete_stored, file, start_to_close_timeout=timedelta(minutes=1), retry_policy=RETRY
        )
