"""Taking a whole invoice back before anything of it was paid."""

from datetime import datetime
from uuid import UUID

from portal.authz import Actor, Permission, require
from portal.errors import Conflict, invalid
from portal.events import publish
from portal.events.billing import InvoiceVoided
from portal.models import Invoice, InvoiceKind, InvoiceStatus, LedgerKind
from portal.models.session import TenantSession
from portal.services.billing.instalments import follow_plan
from portal.services.billing.ledger import book
from portal.services.billing.planned import end_planned
from portal.services.billing.queries import lock_invoice
from portal.services.billing.status import settle_status
from portal.services.billing.steps import write_next_steps

REASON_LENGTH = 255


def void_invoice(session: TenantSession, invoice_id: UUID, *, reason: str, actor: Actor, now: datetime) -> Invoice:
    """Void an issued invoice; number and row stay, nothing is owed any more.

    Raises NotFound, Forbidden, Invalid (reason) and Conflict: it is void, or something of it was paid, credited,
    is in a payment under way or in dispute; then only a credit note takes it back.
    """
    require(actor, Permission.BILLING_MANAGE)
    why = check_reason(reason)
    invoice = lock_invoice(session, invoice_id, actor=actor)
    if invoice.kind is InvoiceKind.CREDIT_NOTE or invoice.status is InvoiceStatus.DRAFT:
        raise Conflict("invoice_not_voidable", number=invoice.number or "")
    if invoice.status is InvoiceStatus.VOID:
        raise Conflict("invoice_void", number=invoice.number)
    if invoice.paid or invoice.reserved or invoice.credited or invoice.disputed:
        raise Conflict("invoice_not_voidable", number=invoice.number)
    before = invoice.status
    invoice.voided_at, invoice.void_reason, invoice.updated_at = now, why, now
    invoice.failure = None
    invoice.status = settle_status(invoice, now)
    book(session, invoice, LedgerKind.VOIDED, -invoice.total, key=f"voided:{invoice.id}", now=now)
    follow_plan(session, invoice, actor=actor, now=now)
    write_next_steps(session, invoice, now=now)
    end_planned(session, invoice, actor=actor, now=now)
    publish(
        session,
        InvoiceVoided.about(invoice),
        actor=actor,
        now=now,
        before={"status": before.value},
        after={"number": invoice.number, "status": invoice.status.value},
    )
    return invoice


def check_reason(reason: str) -> str:
    """The reason without outer space. Raises Invalid."""
    why = reason.strip()
    if not why:
        raise invalid("reason", "required")
    if len(why) > REASON_LENGTH:
        raise invalid("reason", "too_long", limit=REASON_LENGTH)
    return why
