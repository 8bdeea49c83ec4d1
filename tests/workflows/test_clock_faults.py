from datetime import timedelta
from uuid import uuid4

import pytest
from temporalio import activity
from temporalio.common import WorkflowIDReusePolicy
from temporalio.worker import Worker

from portal.workflows.tickets.shared import AdvanceClock, ClockRun, ClockWake
from portal.workflows.tickets.workflows import TicketClockWorkflow

pytestmark = pytest.mark.temporal


class StuckClock:
    """Answers for ever with a time that has passed."""

    def __init__(self):
        self.calls = 0
        self.fails = 0

    @activity.defn(name="tickets.advance_clock")
    async def advance_clock(self, run: AdvanceClock) -> ClockWake:
        self.calls += 1
        if self.calls <= self.fails:
            raise RuntimeError("the database is away")
        self.at = getattr(self, "at", run.now - timedelta(hours=1))
        return ClockWake(self.at, done=self.calls > 40)


async def run_with(environment, clock, seconds):
    queue = f"test-{uuid4()}"
    async with Worker(
        environment.client, task_queue=queue, workflows=[TicketClockWorkflow], activities=[clock.advance_clock]
    ):
        handle = await environment.client.start_workflow(
            "TicketClock",
            ClockRun(uuid4(), uuid4(), 1),
            id=f"test-{uuid4()}",
            task_queue=queue,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
        )
        await environment.sleep(timedelta(seconds=seconds))
        await handle.terminate()


def test_a_time_that_does_not_move_is_waited_for_ever_longer(run, skipping):
    clock = StuckClock()
    run(run_with(skipping, clock, 600))
    # 50 ms doubling to a minute: about twenty looks in ten minutes, not a million.
    assert 10 < clock.calls < 25


def test_a_failing_database_is_asked_again_until_it_answers(run, skipping):
    clock = StuckClock()
    clock.fails = 12
    run(run_with(skipping, clock, 40))
    # At most three seconds lie between two tries.
    assert clock.calls > 12
