"""Payments that wait for their day: what an invoice's end means to them, and how pages are told.

Whoever changes one holds the lock of its invoice first, so that a charge and an end never wait for each other.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import delete, select

from portal.authz import Actor
from portal.events import publish
from portal.events.scheduled import ScheduleCancelled, ScheduleChanged
from portal.models import Invoice, InvoiceStatus, NextStep, ScheduledPayment, ScheduleStatus
from portal.models.session import TenantSession

STEP = "payment_scheduled"
# Invoice status -> why a planned payment ends with it.
ENDS = {InvoiceStatus.PAID: "invoice_paid", InvoiceStatus.VOID: "invoice_void"}


def end_planned(session: TenantSession, invoice: Invoice, *, actor: Actor, now: datetime) -> None:
    """Cancel what is planned for an invoice that is settled; the caller holds its lock."""
    code = ENDS.get(invoice.status)
    if code is None:
        return
    for planned in list_planned(session, invoice.id):
        end_one(session, planned, code, actor=actor, now=now)


def list_planned(session: TenantSession, invoice_id: UUID) -> list[ScheduledPayment]:
    """What is planned for an invoice, locked; the earliest first."""
    query = (
        select(ScheduledPayment)
        .where(ScheduledPayment.invoice_id == invoice_id, ScheduledPayment.status == ScheduleStatus.PLANNED)
        .order_by(ScheduledPayment.charge_at, ScheduledPayment.id)
        .with_for_update()
    )
    return list(session.scalars(query.execution_options(populate_existing=True)))


def end_one(session: TenantSession, planned: ScheduledPayment, code: str, *, actor: Actor, now: datetime) -> None:
    """Cancel a planned payment, whose row is locked; `code` says why."""
    planned.status, planned.code, planned.updated_at = ScheduleStatus.CANCELLED, code, now
    clear_step(session, [planned.id])
    publish(session, ScheduleCancelled.about(planned), actor=actor, now=now, after={"code": code})


def hand_over(
    session: TenantSession, method_id: UUID, successor_id: UUID | None, *, actor: Actor, now: datetime
) -> None:
    """Have another method charged where one is removed; without one nothing is charged.

    Rows that somebody works on right now are left out: a charge that starts meanwhile finds the method removed.
    """
    query = select(ScheduledPayment).where(
        ScheduledPayment.method_id == method_id, ScheduledPayment.status == ScheduleStatus.PLANNED
    )
    for planned in session.scalars(query.order_by(ScheduledPayment.id).with_for_update(skip_locked=True)).all():
        if successor_id is None:
            end_one(session, planned, "method_removed", actor=actor, now=now)
            continue
        planned.method_id, planned.updated_at = successor_id, now
        publish(session, ScheduleChanged.about(planned), actor=actor, now=now)


def write_step(session: TenantSession, planned: ScheduledPayment) -> None:
    """Show on the invoice what is planned."""
    session.add(
        NextStep(
            id=uuid4(),
            tenant_id=session.tenant_id,
            record_type="invoice",
            record_id=planned.invoice_id,
            key=_key(planned.id),
            kind=STEP,
            at=planned.charge_at,
            staff_only=False,
            params={},
        )
    )


def clear_step(session: TenantSession, ids: Iterable[UUID]) -> None:
    """Show it no more."""
    session.execute(
        delete(NextStep).where(NextStep.kind == STEP, NextStep.key.in_([_key(one) for one in ids])),
        execution_options={"synchronize_session": False},
    )


def _key(planned_id: UUID) -> str:
    return f"scheduled:{planned_id}"
