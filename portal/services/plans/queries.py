"""Which payment plans somebody sees: customers those of their companies, staff all with the right.

Every lookup goes through here, so that what is foreign is not found.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select, true, tuple_

from portal.authz import Actor
from portal.errors import NotFound
from portal.lib.paging import DEFAULT_LIMIT, Page, decode_cursor, paginate
from portal.models import (
    Company,
    Invoice,
    PaymentPlan,
    PlanInstalment,
    PlanStatus,
    ScheduledPayment,
    ScheduleStatus,
    Signature,
)
from portal.models.session import TenantSession
from portal.services.billing.instalments import Coverage, cover
from portal.services.disputes.queries import require_reading
from portal.services.payments.balances import available


@dataclass(frozen=True)
class PlanRow:
    """A plan with whose it is, how its invoice stands, and its instalments; `charged` are the planned charges."""

    plan: PaymentPlan
    company_name: str
    invoice: Invoice
    signature: Signature | None = None
    instalments: tuple[PlanInstalment, ...] = ()
    charged: frozenset[UUID] = frozenset()

    @property
    def coverage(self) -> list[Coverage]:
        """What is left of each instalment; of a plan that is not in force as it was written down."""
        if self.plan.status is not PlanStatus.IN_FORCE:
            return [Coverage(one, 0 if one.paid_at else one.amount) for one in self.instalments]
        return cover(self.instalments, self.plan.total, self.invoice.outstanding)

    @property
    def next(self) -> Coverage | None:
        """The first instalment of a plan in force that is not paid."""
        return next((one for one in self.coverage if one.left), None) if self.is_in_force else None

    @property
    def is_in_force(self) -> bool:
        """Whether the instalments' dates count."""
        return self.plan.status is PlanStatus.IN_FORCE


def visible_plans(actor: Actor) -> ColumnElement[bool]:
    """The plans that the actor may see; Forbidden without the right to see any."""
    require_reading(actor)
    return PaymentPlan.customer_id.in_(actor.company_ids) if actor.is_customer else true()


def get_plan(session: TenantSession, plan_id: UUID, *, actor: Actor) -> PaymentPlan:
    """One that the actor sees, else NotFound."""
    found = session.scalar(select(PaymentPlan).where(PaymentPlan.id == plan_id, visible_plans(actor)))
    if found is None:
        raise NotFound("payment_plan")
    return found


def read_plan(session: TenantSession, plan_id: UUID, *, actor: Actor) -> PlanRow:
    """One with all that is shown of it, else NotFound."""
    session.flush()
    rows = _with_instalments(session, session.execute(_plans(actor).where(PaymentPlan.id == plan_id)).all())
    if not rows:
        raise NotFound("payment_plan")
    return rows[0]


def plans_of_invoice(session: TenantSession, invoice_id: UUID, *, actor: Actor) -> list[PlanRow]:
    """The plans of an invoice, the newest first."""
    query = _plans(actor).where(PaymentPlan.invoice_id == invoice_id)
    return _with_instalments(
        session, session.execute(query.order_by(PaymentPlan.asked_at.desc(), PaymentPlan.id)).all()
    )


def next_instalment(session: TenantSession, invoice: Invoice, *, actor: Actor) -> int:
    """What is left of the next instalment, in minor units; 0 without a plan in force, or where no more may be paid."""
    if invoice.plan_due_at is None:
        return 0
    left = next((row.next.left for row in plans_of_invoice(session, invoice.id, actor=actor) if row.next), 0)
    return left if left < available(invoice) else 0


def page_plans(
    session: TenantSession,
    *,
    statuses: Sequence[PlanStatus] = (),
    actor: Actor,
    limit: int = DEFAULT_LIMIT,
    cursor: str | None = None,
) -> Page[PlanRow]:
    """A page of plans, the newest first. Raises Invalid for a cursor of another list."""
    query, start = _plans(actor), decode_cursor(cursor)
    if statuses:
        query = query.where(PaymentPlan.status.in_(statuses))
    order = (PaymentPlan.asked_at.desc(), PaymentPlan.id.desc())
    if start is not None:
        edge, place = tuple_(start.moment(), start.id), tuple_(PaymentPlan.asked_at, PaymentPlan.id)
        query = query.where(place > edge if start.backwards else place < edge)
        order = (PaymentPlan.asked_at.asc(), PaymentPlan.id.asc()) if start.backwards else order
    rows = session.execute(query.order_by(*order).limit(limit + 1)).all()
    page = paginate(rows, limit, start, lambda row: (row[0].asked_at, row[0].id))
    return Page(_with_instalments(session, page.items), page.next_cursor, page.previous_cursor)


def _plans(actor: Actor) -> Any:
    return (
        select(PaymentPlan, Company.name, Invoice, Signature)
        .join(Company, Company.id == PaymentPlan.customer_id)
        .join(Invoice, Invoice.id == PaymentPlan.invoice_id)
        .outerjoin(Signature, Signature.id == PaymentPlan.signature_id)
        .where(visible_plans(actor))
    )


def _with_instalments(session: TenantSession, rows: Sequence[Any]) -> list[PlanRow]:
    parts: dict[UUID, list[PlanInstalment]] = {}
    charged: set[UUID] = set()
    if rows:
        query = (
            select(PlanInstalment, ScheduledPayment.status)
            .outerjoin(ScheduledPayment, ScheduledPayment.id == PlanInstalment.scheduled_id)
            .where(PlanInstalment.plan_id.in_([row[0].id for row in rows]))
        )
        for part, status in session.execute(query.order_by(PlanInstalment.position)):
            parts.setdefault(part.plan_id, []).append(part)
            if status is ScheduleStatus.PLANNED and part.scheduled_id is not None:
                charged.add(part.scheduled_id)
    return [
        PlanRow(plan, company_name, invoice, signature, tuple(parts.get(plan.id, ())), frozenset(charged))
        for plan, company_name, invoice, signature in rows
    ]
