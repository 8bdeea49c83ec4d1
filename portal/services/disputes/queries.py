"""Which disputes, requests and chargebacks somebody sees: customers those of their companies, staff all with the right.

Every lookup goes through here, so that what is foreign is not found.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select, true, tuple_

from portal.authz import Actor, Permission, require
from portal.errors import NotFound
from portal.lib.paging import DEFAULT_LIMIT, Page, decode_cursor, paginate
from portal.models import (
    ACTIVE_DISPUTE,
    Chargeback,
    ChargebackState,
    Company,
    Dispute,
    DisputedLine,
    DisputeStatus,
    ExtensionRequest,
    ExtensionStatus,
    Invoice,
    InvoiceLine,
    Payment,
    PaymentPlan,
    PlanStatus,
)
from portal.models.session import TenantSession


@dataclass(frozen=True)
class LinePart:
    """How much of which line is objected to, in minor units."""

    line_id: UUID
    description: str
    amount: int


@dataclass(frozen=True)
class DisputeRow:
    """A dispute with whose it is and what it is about; `number` is the invoice's or the payment's."""

    dispute: Dispute
    company_name: str
    number: str
    credit_note: str | None
    lines: tuple[LinePart, ...] = ()


@dataclass(frozen=True)
class ExtensionRow:
    """A request with whose it is, and how its invoice stands."""

    wish: ExtensionRequest
    company_name: str
    invoice: Invoice


@dataclass(frozen=True)
class ChargebackRow:
    """A bank's case with the payment it is about."""

    case: Chargeback
    payment: Payment
    company_name: str


def require_reading(actor: Actor) -> None:
    """Refuse whoever may read no invoices."""
    require(actor, Permission.INVOICES_READ if actor.is_customer else Permission.BILLING_READ)


def visible_disputes(actor: Actor) -> ColumnElement[bool]:
    """The disputes that the actor may see; Forbidden without the right to see any."""
    require_reading(actor)
    return Dispute.customer_id.in_(actor.company_ids) if actor.is_customer else true()


def visible_extensions(actor: Actor) -> ColumnElement[bool]:
    """The same for requests of a later due date."""
    require_reading(actor)
    return ExtensionRequest.customer_id.in_(actor.company_ids) if actor.is_customer else true()


def get_dispute(session: TenantSession, dispute_id: UUID, *, actor: Actor) -> Dispute:
    """One that the actor sees, else NotFound."""
    found = session.scalar(select(Dispute).where(Dispute.id == dispute_id, visible_disputes(actor)))
    if found is None:
        raise NotFound("dispute")
    return found


def get_extension(session: TenantSession, wish_id: UUID, *, actor: Actor) -> ExtensionRequest:
    """One that the actor sees, else NotFound."""
    found = session.scalar(select(ExtensionRequest).where(ExtensionRequest.id == wish_id, visible_extensions(actor)))
    if found is None:
        raise NotFound("extension_request")
    return found


def read_dispute(session: TenantSession, dispute_id: UUID, *, actor: Actor) -> DisputeRow:
    """One with all that is shown of it, else NotFound."""
    session.flush()
    rows = _rows(session, _disputes(actor).where(Dispute.id == dispute_id))
    if not rows:
        raise NotFound("dispute")
    return rows[0]


def read_extension(session: TenantSession, wish_id: UUID, *, actor: Actor) -> ExtensionRow:
    """One with all that is shown of it, else NotFound."""
    session.flush()
    found = session.execute(_extensions(actor).where(ExtensionRequest.id == wish_id)).first()
    if found is None:
        raise NotFound("extension_request")
    return ExtensionRow(*found)


def page_disputes(
    session: TenantSession,
    *,
    statuses: Sequence[DisputeStatus] = (),
    actor: Actor,
    limit: int = DEFAULT_LIMIT,
    cursor: str | None = None,
) -> Page[DisputeRow]:
    """A page of them, the newest first. Raises Invalid for a cursor of another list."""
    query = _disputes(actor)
    if statuses:
        query = query.where(Dispute.status.in_(statuses))
    page = _page(session, query, Dispute.opened_at, Dispute.id, limit, cursor)
    return Page(_with_lines(session, page.items), page.next_cursor, page.previous_cursor)


def page_extensions(
    session: TenantSession,
    *,
    statuses: Sequence[ExtensionStatus] = (),
    actor: Actor,
    limit: int = DEFAULT_LIMIT,
    cursor: str | None = None,
) -> Page[ExtensionRow]:
    """A page of requests, the newest first. Raises Invalid for a cursor of another list."""
    query = _extensions(actor)
    if statuses:
        query = query.where(ExtensionRequest.status.in_(statuses))
    page = _page(session, query, ExtensionRequest.asked_at, ExtensionRequest.id, limit, cursor)
    return Page([ExtensionRow(*row) for row in page.items], page.next_cursor, page.previous_cursor)


def page_chargebacks(
    session: TenantSession, *, actor: Actor, limit: int = DEFAULT_LIMIT, cursor: str | None = None
) -> Page[ChargebackRow]:
    """A page of what banks were asked to take back, the newest first; for the team."""
    require(actor, Permission.BILLING_READ)
    query = (
        select(Chargeback, Payment, Company.name)
        .join(Payment, Payment.id == Chargeback.payment_id)
        .join(Company, Company.id == Payment.customer_id)
    )
    page = _page(session, query, Chargeback.opened_at, Chargeback.id, limit, cursor)
    return Page([ChargebackRow(*row) for row in page.items], page.next_cursor, page.previous_cursor)


def disputes_of_invoice(session: TenantSession, invoice_id: UUID, *, actor: Actor) -> list[DisputeRow]:
    """What was objected to about an invoice, the newest first."""
    query = _disputes(actor).where(Dispute.invoice_id == invoice_id)
    return _rows(session, query.order_by(Dispute.opened_at.desc(), Dispute.id))


def disputes_of_payment(session: TenantSession, payment_id: UUID, *, actor: Actor) -> list[DisputeRow]:
    """What was objected to about a payment, the newest first."""
    query = _disputes(actor).where(Dispute.payment_id == payment_id)
    return _rows(session, query.order_by(Dispute.opened_at.desc(), Dispute.id))


def extensions_of_invoice(session: TenantSession, invoice_id: UUID, *, actor: Actor) -> list[ExtensionRow]:
    """The wishes for more time, the newest first."""
    query = _extensions(actor).where(ExtensionRequest.invoice_id == invoice_id)
    rows = session.execute(query.order_by(ExtensionRequest.asked_at.desc(), ExtensionRequest.id))
    return [ExtensionRow(*row) for row in rows]


def chargebacks_of_payment(session: TenantSession, payment_id: UUID) -> list[Chargeback]:
    """The bank's cases about a payment that was looked up with its reader's rights."""
    query = select(Chargeback).where(Chargeback.payment_id == payment_id)
    return list(session.scalars(query.order_by(Chargeback.opened_at, Chargeback.id)))


def count_waiting(session: TenantSession, *, actor: Actor) -> dict[str, int]:
    """How much of each waits for the team's decision."""
    require(actor, Permission.BILLING_READ)
    counts = {
        "disputes": (Dispute, Dispute.status.in_(ACTIVE_DISPUTE)),
        "extensions": (ExtensionRequest, ExtensionRequest.status == ExtensionStatus.OPEN),
        "plans": (PaymentPlan, PaymentPlan.status == PlanStatus.OPEN),
        "chargebacks": (Chargeback, Chargeback.state == ChargebackState.OPEN),
    }
    return {
        name: int(session.scalar(select(func.count()).select_from(model).where(waits)) or 0)
        for name, (model, waits) in counts.items()
    }


def _disputes(actor: Actor) -> Select[Any]:
    note = select(Invoice.number).where(Invoice.id == Dispute.credit_note_id).correlate(Dispute).scalar_subquery()
    return (
        select(Dispute, Company.name, func.coalesce(Invoice.number, Payment.number), note)
        .join(Company, Company.id == Dispute.customer_id)
        .outerjoin(Invoice, Invoice.id == Dispute.invoice_id)
        .outerjoin(Payment, Payment.id == Dispute.payment_id)
        .where(visible_disputes(actor))
    )


def _extensions(actor: Actor) -> Any:
    return (
        select(ExtensionRequest, Company.name, Invoice)
        .join(Company, Company.id == ExtensionRequest.customer_id)
        .join(Invoice, Invoice.id == ExtensionRequest.invoice_id)
        .where(visible_extensions(actor))
    )


def _rows(session: TenantSession, query: Select[Any]) -> list[DisputeRow]:
    return _with_lines(session, session.execute(query).all())


def _with_lines(session: TenantSession, rows: Sequence[Any]) -> list[DisputeRow]:
    parts: dict[UUID, list[LinePart]] = {}
    ids = [row[0].id for row in rows if row[0].invoice_id is not None]
    if ids:
        found = session.execute(
            select(DisputedLine, InvoiceLine.description)
            .join(InvoiceLine, InvoiceLine.id == DisputedLine.line_id)
            .where(DisputedLine.dispute_id.in_(ids))
            .order_by(InvoiceLine.position)
        )
        for part, description in found:
            parts.setdefault(part.dispute_id, []).append(LinePart(part.line_id, description, part.amount))
    return [
        DisputeRow(dispute, company, number, note, tuple(parts.get(dispute.id, ())))
        for dispute, company, number, note in rows
    ]


def _page(session: TenantSession, query: Any, moment: Any, key: Any, limit: int, cursor: str | None) -> Page[Any]:
    start = decode_cursor(cursor)
    order = (moment.desc(), key.desc())
    if start is not None:
        edge, place = tuple_(start.moment(), start.id), tuple_(moment, key)
        query = query.where(place > edge if start.backwards else place < edge)
        order = (moment.asc(), key.asc()) if start.backwards else order
    rows = session.execute(query.order_by(*order).limit(limit + 1)).all()
    return paginate(rows, limit, start, lambda row: (getattr(row[0], moment.key), row[0].id))
