"""The workflows of payments: they look when it is time, and end when there is an answer."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest
from temporalio import activity
from temporalio.worker import Worker

from portal.models.session import TenantSessions
from portal.workflows.payments.activities import PaymentActivities
from portal.workflows.payments.shared import (
    AdvanceAutoPay,
    AutoPayRun,
    LookAtPayment,
    PaymentRun,
    RefundRun,
    Wake,
    auto_pay_workflow_id,
    payment_workflow_id,
)
from portal.workflows.payments.workflows import AutoPayWorkflow, PaymentWorkflow, RefundWorkflow
from portal.workflows.schedules import ensure_schedules, schedules
from tests.tills import BASE_URL, open_till
from tests.world import World

pytestmark = [pytest.mark.temporal]


class Answers:
    """Activities that answer as told."""

    def __init__(self) -> None:
        self.looks: list[datetime] = []
        self.rounds = 0
        self.sent: list[Any] = []

    @activity.defn(name="payments.look")
    async def look(self, run: LookAtPayment) -> Wake:
        now = activity.info().scheduled_time
        assert run.now is not None
        self.looks.append(now)
        pauses = (timedelta(seconds=30), timedelta(days=1))
        return Wake(now + pauses[len(self.looks) - 1] if len(self.looks) <= len(pauses) else None)

    @activity.defn(name="payments.send_refund")
    async def send_refund(self, run: RefundRun) -> None:
        self.sent.append(run.refund_id)
        if len(self.sent) < 3:
            raise ConnectionError("no answer")

    @activity.defn(name="payments.advance_auto_pay")
    async def advance_auto_pay(self, run: AdvanceAutoPay) -> Wake:
        self.rounds += 1
        return Wake(None)


@pytest.fixture
def at_work(skipping: Any, run: Any) -> Any:
    """A worker of these workflows with activities of the test."""
    answers, queue = Answers(), f"payments-{uuid4().hex}"

    def do(scene: Any) -> Any:
        async def play() -> Any:
            with ThreadPoolExecutor(2) as pool:
                async with Worker(
                    skipping.client,
                    task_queue=queue,
                    workflows=[PaymentWorkflow, RefundWorkflow, AutoPayWorkflow],
                    activities=[answers.look, answers.send_refund, answers.advance_auto_pay],
                    activity_executor=pool,
                ):
                    return await scene(skipping.client, queue)

        return run(play())

    return answers, do


def test_a_payment_is_looked_at_until_it_is_decided(at_work: Any) -> None:
    answers, do = at_work
    payment = PaymentRun(uuid4(), uuid4())

    async def scene(client: Any, queue: str) -> None:
        await client.execute_workflow("Payment", payment, id=payment_workflow_id(payment.payment_id), task_queue=queue)

    do(scene)
    assert len(answers.looks) == 3
    gaps = [later - earlier for earlier, later in pairwise(answers.looks)]
    assert gaps[0] >= timedelta(seconds=29)
    assert gaps[1] >= timedelta(hours=23)


@pytest.mark.parametrize("ahead", [timedelta(0), timedelta(minutes=5), timedelta(days=2)])
def test_where_this_machines_clock_lags_the_next_look_is_still_to_come(
    sessions: TenantSessions, world: World, ahead: timedelta
) -> None:
    till = open_till(sessions, world, datetime.now(UTC))
    payment_id = till.pay(till.invoice(5000))
    activities = PaymentActivities(sessions, till.gateway, BASE_URL)
    timer = datetime.now(UTC) + ahead
    wake = activities.look(LookAtPayment(world.demo, payment_id, timer)).at
    assert wake is not None
    assert wake > timer
    # A run from before the time was told along goes by this machine's clock.
    assert activities.look(LookAtPayment(world.demo, payment_id)).at is not None


def test_a_refund_is_sent_until_there_is_an_answer(at_work: Any) -> None:
    answers, do = at_work
    refund = RefundRun(uuid4(), uuid4())

    async def scene(client: Any, queue: str) -> None:
        await client.execute_workflow("Refund", refund, id=f"refund:{refund.refund_id}", task_queue=queue)

    do(scene)
    assert answers.sent == [refund.refund_id] * 3


def test_auto_pay_looks_again_when_something_changes(at_work: Any) -> None:
    answers, do = at_work
    company = AutoPayRun(uuid4(), uuid4())

    async def scene(client: Any, queue: str) -> None:
        handle = await client.start_workflow(
            "AutoPay", company, id=auto_pay_workflow_id(str(company.company_id)), task_queue=queue
        )
        try:
            while answers.rounds < 1:
                await handle.describe()
            await handle.signal("auto_pay_changed", "event")
            while answers.rounds < 2:
                await handle.describe()
        finally:
            await handle.terminate()

    do(scene)
    assert answers.rounds == 2


def test_a_look_whose_worker_died_is_taken_over_within_seconds(skipping: Any, run: Any) -> None:
    begun: list[datetime] = []

    @activity.defn(name="payments.look")
    async def look(payment: PaymentRun) -> Wake:
        begun.append(activity.info().started_time)
        if len(begun) == 1:
            # Nobody ever hears of this one again.
            await asyncio.sleep(60)
        return Wake(None)

    async def scene() -> None:
        queue, payment = f"payments-{uuid4().hex}", PaymentRun(uuid4(), uuid4())
        workflow_id = payment_workflow_id(payment.payment_id)
        async with Worker(skipping.client, task_queue=queue, workflows=[PaymentWorkflow], activities=[look]):
            await skipping.client.execute_workflow("Payment", payment, id=workflow_id, task_queue=queue)

    run(scene())
    assert len(begun) == 2
    assert begun[1] - begun[0] < timedelta(seconds=20)


def test_schedules_are_made_once_and_brought_up_to_date(client: Any, run: Any) -> None:
    async def scene() -> list[str]:
        await ensure_schedules(client)
        await ensure_schedules(client)
        found = []
        for schedule_id in schedules():
            handle = client.get_schedule_handle(schedule_id)
            found.append((await handle.describe()).id)
            await handle.delete()
        return found

    assert run(scene()) == list(schedules())
