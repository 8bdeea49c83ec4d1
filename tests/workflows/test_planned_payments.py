"""Payments that wait for their day, and cards that end: their timers, whatever is told how often."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from temporalio import activity
from temporalio.worker import Worker

from portal.workflows.payments.shared import (
    AdvanceExpiry,
    AdvanceSchedule,
    ExpiryRun,
    ScheduleRun,
    Wake,
    expiry_workflow_id,
    schedule_workflow_id,
)
from portal.workflows.payments.workflows import CardExpiryWorkflow, ScheduledPaymentWorkflow

pytestmark = [pytest.mark.temporal]
DAY = timedelta(days=9)


class Answers:
    """Activities that answer as told: the first look says when to come back, the next one ends it."""

    def __init__(self) -> None:
        self.looks: list[datetime] = []

    @activity.defn(name="payments.advance_schedule")
    async def advance_schedule(self, run: AdvanceSchedule) -> Wake:
        self.looks.append(run.now)
        return Wake(run.now + DAY if len(self.looks) == 1 else None)

    @activity.defn(name="payments.advance_expiry")
    async def advance_expiry(self, run: AdvanceExpiry) -> Wake:
        self.looks.append(run.now)
        return Wake(run.now + DAY if len(self.looks) < 3 else None)


@pytest.fixture
def at_work(skipping: Any, run: Any) -> Any:
    """A worker of these workflows with activities of the test."""
    answers, queue = Answers(), f"planned-{uuid4().hex}"

    def do(scene: Any) -> Any:
        async def play() -> Any:
            with ThreadPoolExecutor(2) as pool:
                async with Worker(
                    skipping.client,
                    task_queue=queue,
                    workflows=[ScheduledPaymentWorkflow, CardExpiryWorkflow],
                    activities=[answers.advance_schedule, answers.advance_expiry],
                    activity_executor=pool,
                ):
                    return await scene(skipping.client, queue)

        return run(play())

    return answers, do


def test_a_planned_payment_is_looked_at_on_its_day(at_work: Any) -> None:
    answers, do = at_work
    planned = ScheduleRun(uuid4(), uuid4())

    async def scene(client: Any, queue: str) -> None:
        workflow_id = schedule_workflow_id(planned.planned_id)
        await client.execute_workflow("ScheduledPayment", planned, id=workflow_id, task_queue=queue)

    do(scene)
    assert len(answers.looks) == 2
    assert answers.looks[1] - answers.looks[0] >= DAY


def test_cancelling_wakes_it_before_its_day(at_work: Any) -> None:
    answers, do = at_work
    planned = ScheduleRun(uuid4(), uuid4())

    async def scene(client: Any, queue: str) -> None:
        handle = await client.start_workflow(
            "ScheduledPayment",
            planned,
            id=schedule_workflow_id(planned.planned_id),
            task_queue=queue,
            start_signal="schedule_changed",
            start_signal_args=["created"],
        )
        await handle.signal("schedule_changed", "cancelled")
        await handle.result()

    do(scene)
    assert answers.looks[1] - answers.looks[0] < DAY


def test_a_card_is_looked_at_until_nothing_is_left_to_say(at_work: Any) -> None:
    answers, do = at_work
    card = ExpiryRun(uuid4(), uuid4(), "2031-08")

    async def scene(client: Any, queue: str) -> None:
        workflow_id = expiry_workflow_id(card.method_id, card.expires)
        await client.execute_workflow("CardExpiry", card, id=workflow_id, task_queue=queue)

    do(scene)
    assert len(answers.looks) == 3
