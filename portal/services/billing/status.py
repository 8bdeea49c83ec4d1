"""What an invoice's amounts make of its state: one pure rule, and the one function that applies it."""

from datetime import datetime

from portal.authz import Actor
from portal.events import publish
from portal.events.billing import InvoiceChanged, InvoicePaid
from portal.models import Invoice, InvoiceStatus
from portal.models.session import TenantSession
from portal.services.billing.instalments import follow_plan
from portal.services.billing.planned import end_planned
from portal.services.billing.steps import write_next_steps


def settle_status(invoice: Invoice, now: datetime) -> InvoiceStatus:
    """The state that paid, reserved, credited, disputed, the last failure and the due time make at `now`.

    A dispute is named before all else, since it stops what happens by itself; a payment under way before what
    failed earlier, since it may well succeed. While a payment plan is in force nothing is overdue.
    """
    if invoice.number is None:
        return InvoiceStatus.DRAFT
    if invoice.voided_at is not None:
        return InvoiceStatus.VOID
    if invoice.disputed > 0:
        return InvoiceStatus.DISPUTED
    if invoice.total - invoice.paid - invoice.credited <= 0:
        return InvoiceStatus.PAID
    if invoice.reserved > 0:
        return InvoiceStatus.PROCESSING
    if invoice.failure:
        return InvoiceStatus.FAILED
    if invoice.plan_due_at is None and invoice.due_at is not None and invoice.due_at <= now:
        return InvoiceStatus.OVERDUE
    return InvoiceStatus.OPEN


def settle_invoice(session: TenantSession, invoice: Invoice, *, actor: Actor, now: datetime) -> InvoiceStatus:
    """Bring an invoice's state up to its amounts, after they were changed in this transaction.

    The row has to be locked by the caller. Writes the next steps anew and publishes `invoice.paid` where nothing
    is owed any more, else `invoice.changed`, which both set the timer anew. What was paid and is owed again (a
    refund, a chargeback) begins another run of it; what is paid and only disputed stays paid.
    """
    before, after = invoice.status, settle_status(invoice, now)
    if invoice.paid_at is not None and invoice.outstanding > 0:
        invoice.cycle += 1
        invoice.paid_at = None
    newly_paid = after is InvoiceStatus.PAID and before is not InvoiceStatus.PAID and invoice.paid_at is None
    if newly_paid:
        invoice.paid_at = now
        invoice.failure = None
    invoice.status = after
    invoice.updated_at = now
    follow_plan(session, invoice, actor=actor, now=now)
    write_next_steps(session, invoice, now=now)
    end_planned(session, invoice, actor=actor, now=now)
    if newly_paid:
        publish(session, InvoicePaid.about(invoice), actor=actor, now=now, after=_figures(invoice))
    else:
        fact = InvoiceChanged.about(invoice, from_status=before.value, to_status=after.value)
        publish(session, fact, actor=actor, now=now, before={"status": before.value}, after=_figures(invoice))
    return after


def _figures(invoice: Invoice) -> dict[str, object]:
    return {
        "status": invoice.status.value,
        "paid": invoice.paid,
        "credited": invoice.credited,
        "disputed": invoice.disputed,
    }
