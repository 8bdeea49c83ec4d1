"""Telling people about an event: write down who hears of it, then send the mails."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from portal.workflows.beating import DEAD_AFTER
    from portal.workflows.notifications.activities import NotificationActivities
    from portal.workflows.notifications.shared import NotificationRun

FAN_OUT_RETRY = RetryPolicy(
    initial_interval=timedelta(milliseconds=200), backoff_coefficient=2, maximum_interval=timedelta(seconds=3)
)
# A mail counts its own attempts and is given up after some hours (services.notifications.mailing).
SEND_RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=1), backoff_coefficient=2, maximum_interval=timedelta(minutes=30)
)


@workflow.defn(name="Notification")
class NotificationWorkflow:
    """One event, its notices and its mails."""

    @workflow.run
    async def run(self, run: NotificationRun) -> None:
        """Fan out, then send; both activities are safe to repeat."""
        batch = await workflow.execute_activity_method(
            NotificationActivities.fan_out,
            run,
            start_to_close_timeout=timedelta(seconds=10),
            retry_policy=FAN_OUT_RETRY,
        )
        if batch.mail_ids:
            await workflow.execute_activity_method(
                NotificationActivities.send_mails,
                batch,
                start_to_close_timeout=timedelta(minutes=10),
                heartbeat_timeout=DEAD_AFTER,
                retry_policy=SEND_RETRY,
            )
