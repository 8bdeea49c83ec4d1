"""Payments until they are decided, refunds until they are sent, auto-pay for as long as there is a company."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from portal.workflows.beating import DEAD_AFTER
    from portal.workflows.payments.activities import PaymentActivities
    from portal.workflows.payments.shared import (
        AdvanceAutoPay,
        AdvanceExpiry,
        AdvanceSchedule,
        AutoPayRun,
        ExpiryRun,
        LookAtPayment,
        PaymentRun,
        RefundRun,
        ScheduleRun,
        Wake,
    )

# Three tries of the gateway's client of at most 20 seconds each, and what is between them.
ATTEMPT = timedelta(seconds=90)
RETRY = RetryPolicy(initial_interval=timedelta(seconds=1), backoff_coefficient=2, maximum_interval=timedelta(minutes=1))
SHORTEST_SLEEP = timedelta(milliseconds=50)


@workflow.defn(name="Payment")
class PaymentWorkflow:
    """One payment: the timers that find out what no webhook and no browser told."""

    @workflow.run
    async def run(self, run: PaymentRun) -> None:
        """Look, sleep, repeat until it is decided."""
        while True:
            wake: Wake = await workflow.execute_activity_method(
                PaymentActivities.look,
                LookAtPayment(run.tenant_id, run.payment_id, workflow.now()),
                start_to_close_timeout=ATTEMPT,
                heartbeat_timeout=DEAD_AFTER,
                retry_policy=RETRY,
            )
            if wake.at is None:
                return
            await workflow.sleep(max(wake.at - workflow.now(), SHORTEST_SLEEP))


@workflow.defn(name="Refund")
class RefundWorkflow:
    """One refund on its way to the gateway."""

    @workflow.run
    async def run(self, run: RefundRun) -> None:
        """Send it until there is an answer."""
        await workflow.execute_activity_method(
            PaymentActivities.send_refund,
            run,
            start_to_close_timeout=ATTEMPT,
            heartbeat_timeout=DEAD_AFTER,
            retry_policy=RETRY,
        )


@workflow.defn(name="AutoPay")
class AutoPayWorkflow:
    """A company's due invoices. The database decides everything; this only knows when to look."""

    @workflow.init
    def __init__(self, run: AutoPayRun) -> None:
        self._changes = 0

    @workflow.run
    async def run(self, run: AutoPayRun) -> None:
        """Announce and charge what is due, sleep, repeat."""
        while True:
            seen = self._changes
            wake: Wake = await workflow.execute_activity_method(
                PaymentActivities.advance_auto_pay,
                AdvanceAutoPay(run.tenant_id, run.company_id, workflow.now()),
                start_to_close_timeout=ATTEMPT,
                heartbeat_timeout=DEAD_AFTER,
                retry_policy=RETRY,
            )
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(run)
            pause = max(wake.at - workflow.now(), SHORTEST_SLEEP) if wake.at else None
            try:
                await workflow.wait_condition(lambda seen=seen: self._changes > seen, timeout=pause)  # type: ignore[misc]
            except TimeoutError:
                continue

    @workflow.signal
    def auto_pay_changed(self, event_id: str) -> None:
        """An invoice, the agreement or the method changed. Delivered twice it costs one look, nothing else."""
        self._changes += 1


@workflow.defn(name="ScheduledPayment")
class ScheduledPaymentWorkflow:
    """One planned payment until it is charged or ended. The database decides; this only knows when to look."""

    @workflow.init
    def __init__(self, run: ScheduleRun) -> None:
        self._changes = 0

    @workflow.run
    async def run(self, run: ScheduleRun) -> None:
        """Look, sleep, repeat until nothing is left to do."""
        while True:
            seen = self._changes
            wake: Wake = await workflow.execute_activity_method(
                PaymentActivities.advance_schedule,
                AdvanceSchedule(run.tenant_id, run.planned_id, workflow.now()),
                start_to_close_timeout=ATTEMPT,
                heartbeat_timeout=DEAD_AFTER,
                retry_policy=RETRY,
            )
            if wake.at is None:
                return
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(run)
            pause = max(wake.at - workflow.now(), SHORTEST_SLEEP)
            try:
                await workflow.wait_condition(lambda seen=seen: self._changes > seen, timeout=pause)  # type: ignore[misc]
            except TimeoutError:
                continue

    @workflow.signal
    def schedule_changed(self, event_id: str) -> None:
        """It was cancelled, or another method takes over. Delivered twice it costs one look, nothing else."""
        self._changes += 1


@workflow.defn(name="CardExpiry")
class CardExpiryWorkflow:
    """A saved card until its end: the notices before it."""

    @workflow.run
    async def run(self, run: ExpiryRun) -> None:
        """Look, sleep, repeat until nothing is left to say; a card that was renewed has a run of its own."""
        while True:
            wake: Wake = await workflow.execute_activity_method(
                PaymentActivities.advance_expiry,
                AdvanceExpiry(run.tenant_id, run.method_id, run.expires, workflow.now()),
                start_to_close_timeout=ATTEMPT,
                heartbeat_timeout=DEAD_AFTER,
                retry_policy=RETRY,
            )
            if wake.at is None:
                return
            await workflow.sleep(max(wake.at - workflow.now(), SHORTEST_SLEEP))


@workflow.defn(name="GatewayEvents")
class GatewayEventsWorkflow:
    """A minute's look at the gateway's own list of events."""

    @workflow.run
    async def run(self) -> None:
        """Once; the schedule comes again."""
        await workflow.execute_activity_method(
            PaymentActivities.fetch_missed,
            start_to_close_timeout=timedelta(minutes=2),
            heartbeat_timeout=DEAD_AFTER,
            retry_policy=RetryPolicy(maximum_attempts=1),
        )


@workflow.defn(name="GatewayComparison")
class GatewayComparisonWorkflow:
    """The night's comparison of the gateway's payments with the ledger."""

    @workflow.run
    async def run(self) -> None:
        """Until it went through once."""
        await workflow.execute_activity_method(
            PaymentActivities.compare_books,
            start_to_close_timeout=timedelta(minutes=30),
            heartbeat_timeout=DEAD_AFTER,
            retry_policy=RETRY,
        )
