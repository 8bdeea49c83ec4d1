"""Credit notes: documents of their own that take an invoice back, all of it or some lines."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID, uuid4

from sqlalchemy import select

from portal.authz import Actor, Permission, require
from portal.errors import Conflict, FieldError, Invalid
from portal.events import publish
from portal.events.billing import InvoiceCredited
from portal.lib.money import round_half_up
from portal.models import Invoice, InvoiceKind, InvoiceLine, InvoiceStatus, LedgerKind
from portal.models.session import TenantSession
from portal.services.billing.issuing import tenant_today
from portal.services.billing.ledger import book, book_credit
from portal.services.billing.lines import price_rows, set_totals
from portal.services.billing.numbering import next_in_series
from portal.services.billing.queries import lock_invoice
from portal.services.billing.settings import load_settings
from portal.services.billing.status import settle_invoice
from portal.services.billing.voiding import check_reason


@dataclass(frozen=True)
class CreditedLine:
    """A line to take back; without a quantity all of it."""

    line_id: UUID
    quantity: Decimal | None = None


def credit_invoice(
    session: TenantSession,
    invoice_id: UUID,
    *,
    reason: str,
    lines: Sequence[CreditedLine] | None = None,
    actor: Actor,
    now: datetime,
) -> Invoice:
    """Issue a credit note over an invoice (`lines` None: over all of it) and return the note.

    What was paid beyond what is owed afterwards becomes credit of the company. Raises NotFound, Forbidden, Invalid
    (reason, lines, more than is left to credit) and Conflict (void, a draft, a credit note, a payment under way).
    """
    require(actor, Permission.BILLING_MANAGE)
    why = check_reason(reason)
    invoice = lock_invoice(session, invoice_id, actor=actor)
    if invoice.kind is InvoiceKind.CREDIT_NOTE or invoice.status in (InvoiceStatus.VOID, InvoiceStatus.DRAFT):
        raise Conflict("invoice_not_creditable", number=invoice.number or "")
    if lines is None and invoice.credited:
        raise Conflict("invoice_credited_in_part", number=invoice.number)
    note = new_note(session, invoice, why, actor, now)
    rows = _note_lines(session, invoice, note, lines)
    return issue_note(session, invoice, note, rows, actor=actor, now=now)


def issue_note(
    session: TenantSession,
    invoice: Invoice,
    note: Invoice,
    rows: Sequence[InvoiceLine],
    *,
    actor: Actor,
    now: datetime,
) -> Invoice:
    """Number a note, book it and settle the invoice, whose row is locked. Raises as `credit_invoice` does."""
    set_totals(note, price_rows(rows, load_settings(session)))
    _check_amount(invoice, note)
    note.credited = note.total
    note.number = next_in_series(
        session, "credit_note", load_settings(session).credit_note_number_format, day=tenant_today(session, now)
    )
    session.add(note)
    session.flush()
    session.add_all(rows)
    _take_back(session, invoice, note, now)
    fact = InvoiceCredited.about(invoice, credit_note_id=note.id)
    publish(session, fact, actor=actor, now=now, after={"number": note.number, "credited": note.total})
    settle_invoice(session, invoice, actor=actor, now=now)
    return note


def _take_back(session: TenantSession, invoice: Invoice, note: Invoice, now: datetime) -> None:
    too_much = max(0, invoice.paid + invoice.credited + note.total - invoice.total)
    invoice.paid -= too_much
    invoice.credited += note.total
    book(session, invoice, LedgerKind.CREDITED, -note.total, key=f"credited:{note.id}", now=now)
    if too_much:
        book_credit(session, invoice, too_much, key=f"credit:{note.id}", now=now)


def _check_amount(invoice: Invoice, note: Invoice) -> None:
    left = invoice.total - invoice.credited
    if note.total <= 0 or note.total > left:
        raise Invalid(FieldError("lines", "credit_too_large"))
    if invoice.reserved and note.total > left - invoice.paid - invoice.reserved:
        raise Conflict("payment_under_way", number=invoice.number)


def new_note(session: TenantSession, invoice: Invoice, reason: str, actor: Actor, now: datetime) -> Invoice:
    """A credit note without lines and without a number."""
    return Invoice(
        id=uuid4(),
        tenant_id=session.tenant_id,
        kind=InvoiceKind.CREDIT_NOTE,
        customer_id=invoice.customer_id,
        status=InvoiceStatus.PAID,
        currency=invoice.currency,
        issued_on=tenant_today(session, now),
        paid=0,
        reserved=0,
        disputed=0,
        credits_id=invoice.id,
        purchase_order=invoice.purchase_order,
        notes=reason,
        seller=invoice.seller,
        buyer=invoice.buyer,
        locale=invoice.locale,
        paid_at=now,
        created_by=actor.user_id,
        cycle=0,
        dunned={},
        created_at=now,
        updated_at=now,
    )


def _note_lines(
    session: TenantSession, invoice: Invoice, note: Invoice, wanted: Sequence[CreditedLine] | None
) -> list[InvoiceLine]:
    query = select(InvoiceLine).where(InvoiceLine.invoice_id == invoice.id).order_by(InvoiceLine.position)
    lines = {line.id: line for line in session.scalars(query)}
    chosen = [(line, line.quantity) for line in lines.values()] if wanted is None else _chosen(lines, wanted)
    return [copy_line(line, quantity, note, position) for position, (line, quantity) in enumerate(chosen)]


def _chosen(lines: dict[UUID, InvoiceLine], wanted: Sequence[CreditedLine]) -> list[tuple[InvoiceLine, Decimal]]:
    if not wanted:
        raise Invalid(FieldError("lines", "required"))
    chosen: dict[UUID, tuple[InvoiceLine, Decimal]] = {}
    for place, one in enumerate(wanted):
        line = lines.get(one.line_id)
        if line is None or one.line_id in chosen:
            raise Invalid(FieldError(f"lines.{place}.line_id", "unknown_choice"))
        quantity = line.quantity if one.quantity is None else one.quantity
        if not quantity.is_finite() or not 0 < quantity <= line.quantity or quantity != round(quantity, 4):
            raise Invalid(FieldError(f"lines.{place}.quantity", "quantity_invalid"))
        chosen[one.line_id] = (line, quantity)
    return list(chosen.values())


def copy_line(line: InvoiceLine, quantity: Decimal, note: Invoice, position: int) -> InvoiceLine:
    """So much of a line as a line of the note; the discount goes with the quantity."""
    discount = round_half_up(line.discount * quantity / line.quantity)
    return InvoiceLine(
        id=uuid4(),
        tenant_id=note.tenant_id,
        invoice_id=note.id,
        position=position,
        catalog_item_id=line.catalog_item_id,
        service_type=line.service_type,
        description=line.description,
        quantity=quantity,
        unit=line.unit,
        unit_price=line.unit_price,
        discount=discount,
        tax_name=line.tax_name,
        tax_rate=line.tax_rate,
        tax_category=line.tax_category,
        total=round_half_up(quantity * line.unit_price) - discount,
    )
