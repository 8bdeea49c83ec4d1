"""What comes again and again by Temporal's own schedules, made or brought up to date when a worker starts."""

import logging
from collections.abc import Callable
from datetime import timedelta

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleCalendarSpec,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)

from portal.workflows.payments.shared import COMPARE_ID, RECONCILE_ID
from portal.workflows.registry import TASK_QUEUE

log = logging.getLogger(__name__)
# What a lost webhook or a closed browser left open is booked within two of these.
EVENTS_EVERY = timedelta(minutes=1)
NIGHT_HOUR = 3
# What was missed while the server was away is not caught up with: each look sees everything anew.
_POLICY = SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=timedelta(minutes=1))


def schedules() -> dict[str, Schedule]:
    """Each schedule by its id."""
    events = ScheduleSpec(intervals=[ScheduleIntervalSpec(every=EVENTS_EVERY)])
    night = ScheduleSpec(calendars=[ScheduleCalendarSpec(hour=[ScheduleRange(NIGHT_HOUR)], minute=[ScheduleRange(17)])])
    return {
        RECONCILE_ID: Schedule(action=_start("GatewayEvents", RECONCILE_ID), spec=events, policy=_POLICY),
        COMPARE_ID: Schedule(action=_start("GatewayComparison", COMPARE_ID), spec=night, policy=_POLICY),
    }


async def ensure_schedules(client: Client) -> None:
    """Make what is missing, and bring what is there up to this version."""
    for schedule_id, schedule in schedules().items():
        try:
            await client.create_schedule(schedule_id, schedule)
        except ScheduleAlreadyRunningError:
            await client.get_schedule_handle(schedule_id).update(_to(schedule))


def _to(schedule: Schedule) -> Callable[[ScheduleUpdateInput], ScheduleUpdate]:
    return lambda _: ScheduleUpdate(schedule=schedule)


def _start(workflow: str, workflow_id: str) -> ScheduleActionStartWorkflow:
    return ScheduleActionStartWorkflow(workflow, id=workflow_id, task_queue=TASK_QUEUE)
