"""Asking to pay an invoice later, and what the team says (BIL-11).

Whoever reads the company's invoices may ask, one request at a time for each invoice. Granting moves the due date,
and with it reminders, the late fee and auto-pay, at once.
"""

from datetime import date, datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import select

from portal.authz import Actor, Permission, require
from portal.errors import Conflict, Forbidden, invalid
from portal.events import publish
from portal.events.disputes import (
    ExtensionAsked,
    ExtensionFact,
    ExtensionGranted,
    ExtensionRefused,
    ExtensionWithdrawn,
)
from portal.models import (
    STANDING_PLAN,
    ExtensionRequest,
    ExtensionStatus,
    Invoice,
    InvoiceKind,
    InvoiceStatus,
    PaymentPlan,
)
from portal.models.session import TenantSession
from portal.services.billing.holding import move_due_day
from portal.services.billing.issuing import tenant_today
from portal.services.billing.queries import lock_invoice
from portal.services.disputes.queries import get_extension
from portal.services.disputes.words import check_words
from portal.services.payments.auto_outcome import plan_anew

LONGEST = timedelta(days=366)


def ask_extension(
    session: TenantSession, invoice_id: UUID, *, wanted_on: date, reason: str, actor: Actor, now: datetime
) -> ExtensionRequest:
    """Ask for a later due date.

    Raises Forbidden, NotFound, Invalid (`reason`, `due_on`) and Conflict: `invoice_not_owed`, `extension_open`,
    and `plan_stands` while a payment plan is asked for or agreed.
    """
    require(actor, Permission.INVOICES_READ)
    words = check_words("reason", reason)
    invoice = lock_invoice(session, invoice_id, actor=actor)
    _require_owed(invoice)
    _check_day(session, invoice, wanted_on, now)
    waiting = select(ExtensionRequest.id).where(
        ExtensionRequest.invoice_id == invoice.id, ExtensionRequest.status == ExtensionStatus.OPEN
    )
    if session.scalar(waiting) is not None:
        raise Conflict("extension_open")
    agreed = select(PaymentPlan.id).where(PaymentPlan.invoice_id == invoice.id, PaymentPlan.status.in_(STANDING_PLAN))
    if session.scalar(agreed) is not None:
        raise Conflict("plan_stands")
    wish = ExtensionRequest(
        id=uuid4(),
        customer_id=invoice.customer_id,
        invoice_id=invoice.id,
        status=ExtensionStatus.OPEN,
        due_before=invoice.due_on,
        wanted_on=wanted_on,
        reason=words,
        asked_by=actor.user_id,
        asked_at=now,
    )
    session.add(wish)
    after = {"number": invoice.number, "wanted_on": wanted_on.isoformat()}
    publish(session, ExtensionAsked.about(wish), actor=actor, now=now, after=after)
    return wish


def grant_extension(
    session: TenantSession, wish_id: UUID, *, due_on: date | None = None, answer: str = "", actor: Actor, now: datetime
) -> ExtensionRequest:
    """Move the due date to the day asked for, or to another one.

    Raises Forbidden, NotFound, Invalid (`due_on`, `answer`) and Conflict: `extension_decided`, `invoice_not_owed`.
    """
    require(actor, Permission.BILLING_MANAGE)
    words = check_words("answer", answer, needed=False)
    invoice, wish = _both_locked(session, wish_id, actor)
    _require_owed(invoice)
    day = due_on or wish.wanted_on
    _check_day(session, invoice, day, now)
    wish.granted_on = day
    _decide(wish, ExtensionStatus.GRANTED, words, actor, now)
    before = invoice.due_on
    move_due_day(session, invoice, day, actor=actor, now=now)
    plan_anew(session, invoice, at=None, now=now)
    _publish(session, ExtensionGranted.about(wish), wish, {"due_on": str(before)}, actor, now)
    return wish


def refuse_extension(
    session: TenantSession, wish_id: UUID, *, answer: str, actor: Actor, now: datetime
) -> ExtensionRequest:
    """Leave the due date as it is, and say why. Raises Forbidden, NotFound, Invalid and Conflict."""
    require(actor, Permission.BILLING_MANAGE)
    words = check_words("answer", answer)
    _, wish = _both_locked(session, wish_id, actor)
    _decide(wish, ExtensionStatus.REFUSED, words, actor, now)
    _publish(session, ExtensionRefused.about(wish), wish, {}, actor, now)
    return wish


def withdraw_extension(session: TenantSession, wish_id: UUID, *, actor: Actor, now: datetime) -> ExtensionRequest:
    """Ask no more: whoever asked, or an administrator of the company. Raises Forbidden, NotFound and Conflict."""
    require(actor, Permission.INVOICES_READ)
    if not may_withdraw_extension(get_extension(session, wish_id, actor=actor), actor):
        raise Forbidden("not_allowed")
    _, wish = _both_locked(session, wish_id, actor)
    _decide(wish, ExtensionStatus.WITHDRAWN, "", actor, now)
    _publish(session, ExtensionWithdrawn.about(wish), wish, {}, actor, now)
    return wish


def may_withdraw_extension(wish: ExtensionRequest, actor: Actor) -> bool:
    """Whether it is the actor's to take back."""
    return actor.is_customer and (wish.asked_by == actor.user_id or wish.customer_id in actor.admin_company_ids)


def may_ask(invoice: Invoice) -> bool:
    """Whether there is anything to pay later."""
    credit = invoice.kind is InvoiceKind.CREDIT_NOTE
    return not credit and invoice.status is not InvoiceStatus.DRAFT and invoice.outstanding > 0


def _require_owed(invoice: Invoice) -> None:
    if not may_ask(invoice):
        raise Conflict("invoice_not_owed", number=invoice.number or "")


def _check_day(session: TenantSession, invoice: Invoice, day: date, now: datetime) -> None:
    assert invoice.due_on is not None
    today = tenant_today(session, now)
    if day <= invoice.due_on or day < today:
        raise invalid("due_on", "not_later")
    if day - max(today, invoice.due_on) > LONGEST:
        raise invalid("due_on", "too_late")


def _both_locked(session: TenantSession, wish_id: UUID, actor: Actor) -> tuple[Invoice, ExtensionRequest]:
    """The invoice first, as asking does, so that two never wait for one another in a circle."""
    invoice = lock_invoice(session, get_extension(session, wish_id, actor=actor).invoice_id, actor=actor)
    query = select(ExtensionRequest).where(ExtensionRequest.id == wish_id).with_for_update()
    wish = session.scalars(query.execution_options(populate_existing=True)).one()
    if wish.status is not ExtensionStatus.OPEN:
        raise Conflict("extension_decided")
    return invoice, wish


def _decide(wish: ExtensionRequest, status: ExtensionStatus, answer: str, actor: Actor, now: datetime) -> None:
    wish.status, wish.answer, wish.decided_by, wish.decided_at = status, answer, actor.user_id, now


def _publish(
    session: TenantSession,
    fact: ExtensionFact,
    wish: ExtensionRequest,
    before: dict[str, object],
    actor: Actor,
    now: datetime,
) -> None:
    after = {"status": wish.status.value, "due_on": str(wish.granted_on) if wish.granted_on else None}
    publish(session, fact, actor=actor, now=now, before=before | {"status": "open"}, after=after)
