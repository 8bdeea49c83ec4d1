"""How a dispute ends: looked into and decided by the team, or withdrawn by the customer; each once.

What was given in to of an invoice becomes a credit note, of a payment a refund (with the second pair of eyes that
refunds need above the tenant's limit). What was not is asked for again, from that moment on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from portal.authz import Actor, Permission, require
from portal.errors import Conflict, Forbidden, invalid
from portal.events import publish
from portal.events.disputes import DisputeFact, DisputeResolved, DisputeTaken, DisputeWithdrawn
from portal.models import (
    ACTIVE_DISPUTE,
    Attachment,
    Dispute,
    DisputedLine,
    DisputeOutcome,
    DisputeStatus,
    Invoice,
    InvoiceLine,
    Refund,
)
from portal.models.session import TenantSession
from portal.services.billing.crediting_amounts import credit_amounts
from portal.services.billing.holding import restart_dunning
from portal.services.billing.queries import lock_invoice
from portal.services.billing.shares import spread
from portal.services.billing.status import settle_invoice
from portal.services.billing.voiding import REASON_LENGTH
from portal.services.disputes.evidence import bind_evidence, lock_dispute, told_of
from portal.services.disputes.queries import get_dispute
from portal.services.disputes.words import check_words
from portal.services.payments.auto_outcome import plan_with_notice
from portal.services.payments.refunds import RefundRequest, request_refund


@dataclass(frozen=True)
class Decision:
    """What the team says: whether it gives in, to how much (minor units, None: all of it), and why.

    `file_ids` are own loose files that go with the answer.
    """

    accept: bool
    answer: str
    amount: int | None = None
    file_ids: Sequence[UUID] = ()


def review_dispute(session: TenantSession, dispute_id: UUID, *, actor: Actor, now: datetime) -> Dispute:
    """Say that somebody looks into it. Raises Forbidden, NotFound and Conflict `dispute_decided`."""
    require(actor, Permission.BILLING_MANAGE)
    dispute = lock_dispute(session, get_dispute(session, dispute_id, actor=actor).id)
    if dispute.status is not DisputeStatus.OPEN:
        raise Conflict("dispute_decided")
    dispute.status, dispute.reviewed_by, dispute.reviewed_at = DisputeStatus.UNDER_REVIEW, actor.user_id, now
    _publish(session, DisputeTaken.about(dispute), dispute, DisputeStatus.OPEN, actor, now)
    return dispute


def resolve_dispute(
    session: TenantSession, dispute_id: UUID, decision: Decision, *, base_url: str, actor: Actor, now: datetime
) -> tuple[Dispute, Refund | None]:
    """Decide, once; a refund that comes of it is sent by the caller after the commit.

    Raises Forbidden, NotFound, Invalid (`answer`, `amount`, `attachment_ids`), Conflict `dispute_decided`, and what
    crediting and refunding refuse (a payment under way, more than is left).
    """
    require(actor, Permission.BILLING_MANAGE)
    answer = check_words("answer", decision.answer)
    found = get_dispute(session, dispute_id, actor=actor)
    # Invoices before disputes, as opening does, so that two never wait for one another in a circle.
    invoice = lock_invoice(session, found.invoice_id, actor=actor) if found.invoice_id else None
    dispute = lock_dispute(session, dispute_id)
    if dispute.status not in ACTIVE_DISPUTE:
        raise Conflict("dispute_decided")
    amount = _accepted(dispute, decision)
    added = bind_evidence(session, dispute, decision.file_ids, actor=actor)
    before = dispute.status
    dispute.status, dispute.answer = DisputeStatus.RESOLVED, answer
    dispute.outcome = DisputeOutcome.ACCEPTED if decision.accept else DisputeOutcome.REJECTED
    dispute.accepted, dispute.decided_by, dispute.decided_at = amount, actor.user_id, now
    refund = None
    if invoice is not None:
        _release(session, invoice, dispute, amount, actor, now)
    elif amount and dispute.payment_id:
        wanted = RefundRequest(answer[:REASON_LENGTH], amount)
        refund = request_refund(session, dispute.payment_id, wanted, base_url=base_url, actor=actor, now=now)
        session.flush()
        dispute.refund_id = refund.id
    _publish(session, DisputeResolved.about(dispute), dispute, before, actor, now, added)
    return dispute, refund


def withdraw_dispute(session: TenantSession, dispute_id: UUID, *, actor: Actor, now: datetime) -> Dispute:
    """Object no more: whoever opened it, or an administrator of the company.

    Raises Forbidden, NotFound and Conflict `dispute_decided`.
    """
    require(actor, Permission.INVOICES_READ)
    found = get_dispute(session, dispute_id, actor=actor)
    if not may_withdraw(found, actor):
        raise Forbidden("not_allowed")
    invoice = lock_invoice(session, found.invoice_id, actor=actor) if found.invoice_id else None
    dispute = lock_dispute(session, dispute_id)
    if dispute.status not in ACTIVE_DISPUTE:
        raise Conflict("dispute_decided")
    before, dispute.status = dispute.status, DisputeStatus.WITHDRAWN
    dispute.decided_by, dispute.decided_at = actor.user_id, now
    if invoice is not None:
        _release(session, invoice, dispute, 0, actor, now)
    _publish(session, DisputeWithdrawn.about(dispute), dispute, before, actor, now)
    return dispute


def may_withdraw(dispute: Dispute, actor: Actor) -> bool:
    """Whether it is the actor's to take back."""
    return actor.is_customer and (dispute.opened_by == actor.user_id or dispute.customer_id in actor.admin_company_ids)


def _accepted(dispute: Dispute, decision: Decision) -> int:
    if not decision.accept:
        return 0
    amount = dispute.amount if decision.amount is None else decision.amount
    if not 0 < amount <= dispute.amount:
        raise invalid("amount", "accepted_too_large")
    return amount


def _release(
    session: TenantSession, invoice: Invoice, dispute: Dispute, accepted: int, actor: Actor, now: datetime
) -> None:
    """End the freeze, and credit what was given in to; the invoice's row is locked."""
    parts = list(session.scalars(select(DisputedLine).where(DisputedLine.dispute_id == dispute.id)))
    ids = [part.line_id for part in parts]
    for part in parts:
        part.active = False
    for line in session.scalars(select(InvoiceLine).where(InvoiceLine.id.in_(ids))):
        line.disputed = False
    held_all = invoice.undisputed == 0
    invoice.disputed -= dispute.amount
    if accepted:
        shares = [(part.line_id, part.amount) for part in parts]
        note = credit_amounts(
            session, invoice.id, spread(accepted, shares), reason=dispute.answer[:REASON_LENGTH], actor=actor, now=now
        )
        dispute.credit_note_id = note.id
    else:
        settle_invoice(session, invoice, actor=actor, now=now)
    if invoice.outstanding <= 0:
        return
    # A payment plan asked for nothing while anything was in dispute.
    if held_all or invoice.plan_due_at is not None:
        restart_dunning(session, invoice, now=now)
    plan_with_notice(session, invoice, now=now)


def _publish(
    session: TenantSession,
    fact: DisputeFact,
    dispute: Dispute,
    before: DisputeStatus,
    actor: Actor,
    now: datetime,
    added: Sequence[Attachment] = (),
) -> None:
    after = {"status": dispute.status.value, "accepted": dispute.accepted, **told_of(added)}
    if dispute.outcome is not None:
        after["outcome"] = dispute.outcome.value
    publish(session, fact, actor=actor, now=now, before={"status": before.value}, after=after)
