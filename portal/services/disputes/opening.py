"""Objecting to an invoice, to some of its lines, or to a payment (H7.10).

Whoever reads the company's invoices (`invoices:read`) may object, for the company: who checks a bill is often not
who pays it. What is objected to is frozen from then on: reminders, the late fee and auto-pay are about the rest.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import select

from portal.authz import Actor, Permission, require
from portal.errors import Conflict, invalid
from portal.events import publish
from portal.events.disputes import DisputeOpened
from portal.models import (
    ACTIVE_DISPUTE,
    Dispute,
    DisputedLine,
    DisputeReason,
    DisputeStatus,
    Invoice,
    InvoiceKind,
    InvoiceLine,
    InvoiceStatus,
    PaymentStatus,
)
from portal.models.session import TenantSession
from portal.services.billing.queries import lock_invoice
from portal.services.billing.shares import lines_of, share_total, spread
from portal.services.billing.status import settle_invoice
from portal.services.disputes.evidence import bind_evidence, told_of
from portal.services.disputes.words import check_words
from portal.services.payments.applying import lock_payment
from portal.services.payments.queries import get_payment
from portal.services.payments.refunds import refundable


@dataclass(frozen=True)
class Objection:
    """What somebody objects to and why.

    `lines` names lines with how much of each is wrong (minor units, tax included; None: all of it); none of them is
    the whole invoice. `amount` is how much of that, None all. `file_ids` are own loose files that prove it.
    """

    words: str
    reason: DisputeReason = DisputeReason.OTHER
    lines: Mapping[UUID, int | None] = field(default_factory=dict)
    amount: int | None = None
    file_ids: Sequence[UUID] = ()


def dispute_invoice(
    session: TenantSession, invoice_id: UUID, objection: Objection, *, actor: Actor, now: datetime
) -> Dispute:
    """Open a dispute about an invoice and freeze what it is about.

    Raises Forbidden, NotFound, Invalid (`reason`, `lines`, `amount`, `attachment_ids`) and Conflict:
    `invoice_not_disputable` (void, a draft, a credit note, nothing left), `already_disputed` (one of the lines is).
    """
    require(actor, Permission.INVOICES_READ)
    words = check_words("reason", objection.words)
    invoice = lock_invoice(session, invoice_id, actor=actor)
    room = invoice.total - invoice.credited - invoice.disputed
    if invoice.kind is InvoiceKind.CREDIT_NOTE or invoice.status in (InvoiceStatus.VOID, InvoiceStatus.DRAFT):
        raise Conflict("invoice_not_disputable", number=invoice.number or "")
    lines = lines_of(session, invoice)
    amounts = _amounts(invoice, lines, objection, room)
    dispute = _new(objection, words, invoice.customer_id, invoice.currency, sum(amounts.values()), actor, now)
    dispute.invoice_id = invoice.id
    session.add(dispute)
    session.flush()
    for line in lines:
        if line.id in amounts:
            session.add(DisputedLine(dispute_id=dispute.id, line_id=line.id, amount=amounts[line.id]))
            line.disputed = True
    invoice.disputed += dispute.amount
    settle_invoice(session, invoice, actor=actor, now=now)
    _publish(session, dispute, invoice.number or "", objection.file_ids, actor, now)
    return dispute


def dispute_payment(
    session: TenantSession, payment_id: UUID, objection: Objection, *, actor: Actor, now: datetime
) -> Dispute:
    """Open a dispute about a payment that arrived through the payment provider; one at a time.

    Nothing of it is owed, so nothing is frozen; where it is given in to, the money goes back. Raises Forbidden,
    NotFound, Invalid (`reason`, `amount`, `attachment_ids`) and Conflict: `payment_not_disputable`, `already_disputed`.
    """
    require(actor, Permission.INVOICES_READ)
    words = check_words("reason", objection.words)
    payment = lock_payment(session, get_payment(session, payment_id, actor=actor).id)
    left = refundable(session, payment) - payment.disputed
    if payment.status is not PaymentStatus.SUCCEEDED or not payment.intent_id or left <= 0:
        raise Conflict("payment_not_disputable", number=payment.number)
    active = select(Dispute.id).where(Dispute.payment_id == payment.id, Dispute.status.in_(ACTIVE_DISPUTE))
    if session.scalar(active) is not None:
        raise Conflict("already_disputed")
    amount = left if objection.amount is None else objection.amount
    if not 0 < amount <= left:
        raise invalid("amount", "dispute_too_large")
    dispute = _new(objection, words, payment.customer_id, payment.currency, amount, actor, now)
    dispute.payment_id = payment.id
    session.add(dispute)
    session.flush()
    _publish(session, dispute, payment.number, objection.file_ids, actor, now)
    return dispute


def disputable(invoice: Invoice, lines: list[InvoiceLine]) -> dict[UUID, int]:
    """Line -> how much of it may be objected to, in minor units; lines in dispute already are left out."""
    room = max(0, invoice.total - invoice.credited - invoice.disputed)
    shares = share_total(invoice, lines)
    return {line.id: min(shares[line.id], room) for line in lines if not line.disputed and shares[line.id] and room}


def _amounts(invoice: Invoice, lines: list[InvoiceLine], objection: Objection, room: int) -> dict[UUID, int]:
    known = {line.id: line for line in lines}
    if any(line_id not in known for line_id in objection.lines):
        raise invalid("lines", "unknown_choice")
    if any(known[line_id].disputed for line_id in objection.lines):
        raise Conflict("already_disputed")
    free = disputable(invoice, lines)
    if not free or any(line_id not in free for line_id in objection.lines):
        raise Conflict("already_disputed" if invoice.disputed else "invoice_not_disputable", number=invoice.number)
    if any(given is not None and not 0 < given <= free[line_id] for line_id, given in objection.lines.items()):
        raise invalid("lines", "dispute_too_large")
    wanted = {line_id: given or free[line_id] for line_id, given in objection.lines.items()} or free
    most = min(room, sum(wanted.values()))
    amount = most if objection.amount is None else objection.amount
    if not 0 < amount <= most:
        raise invalid("amount", "dispute_too_large")
    return wanted if amount == sum(wanted.values()) else spread(amount, list(wanted.items()))


def _new(
    objection: Objection, words: str, company_id: UUID, currency: str, amount: int, actor: Actor, now: datetime
) -> Dispute:
    return Dispute(
        id=uuid4(),
        customer_id=company_id,
        status=DisputeStatus.OPEN,
        reason=objection.reason,
        words=words,
        currency=currency,
        amount=amount,
        accepted=0,
        opened_by=actor.user_id,
        opened_at=now,
    )


def _publish(
    session: TenantSession, dispute: Dispute, number: str, file_ids: Sequence[UUID], actor: Actor, now: datetime
) -> None:
    added = bind_evidence(session, dispute, file_ids, actor=actor)
    after = {"number": number, "amount": dispute.amount, "reason": dispute.reason.value, **told_of(added)}
    publish(session, DisputeOpened.about(dispute), actor=actor, now=now, after=after)
