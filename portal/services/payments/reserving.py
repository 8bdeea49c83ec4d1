"""Beginning to pay: what is owed is reserved and the keys are written down before anybody outside is asked.

One transaction under the locks of the invoices, so that of many at once one gets what is there (BIL-02, BIL-03).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from portal.authz import Actor, Permission, require
from portal.errors import Conflict, Forbidden, NotFound, invalid
from portal.events import publish
from portal.events.payments import PaymentStarted
from portal.models import (
    BillingSettings,
    GatewayCustomer,
    Invoice,
    InvoiceKind,
    InvoiceStatus,
    Payment,
    PaymentAllocation,
    PaymentKind,
    PaymentMethod,
    PaymentStatus,
)
from portal.models.session import TenantSession
from portal.services.billing.numbering import next_in_series
from portal.services.billing.settings import load_settings
from portal.services.payments.balances import Cause, available, lock_invoices, settle
from portal.services.payments.methods import CONSENT_VERSION, get_method
from portal.services.payments.offering import choose_offer, refusal_of, stored

NUMBER_FORMAT = "P-{year}-{counter}"
MOST_INVOICES = 50


@dataclass(frozen=True)
class PayRequest:
    """What somebody wants to pay: invoice -> minor units, None for all that is due.

    `method_id` names a saved method; without one the gateway's page asks, for what `choice` names (a PayMethod; ""
    for any that fits). `save` says that the payer agreed, just now, that the card or account is kept.
    """

    invoices: Mapping[UUID, int | None]
    method_id: UUID | None = None
    choice: str = ""
    save: bool = False
    kind: PaymentKind | None = None


@dataclass(frozen=True)
class CheckedRequest:
    """What may be paid: invoices under lock, the method, minor units per invoice, and the settings that said so."""

    invoices: list[Invoice]
    method: PaymentMethod | None
    amounts: dict[UUID, int]
    settings: BillingSettings


def check_request(session: TenantSession, request: PayRequest, *, actor: Actor) -> CheckedRequest:
    """Lock the invoices and say what of them may be paid so. Raises what `start_payment` does but for `choice`."""
    invoices = _payable(session, request, actor)
    settings = load_settings(session)
    method = _method(session, request, invoices[0], settings, actor)
    return CheckedRequest(invoices, method, _amounts(settings, request, invoices), settings)


def same_again(session: TenantSession, paid: Mapping[UUID, int]) -> dict[UUID, int | None]:
    """What a repeat of a payment is over: whatever of its invoices is due, of a payment plan the same part at most."""
    query = select(Invoice).where(Invoice.id.in_(paid), Invoice.plan_due_at.is_not(None))
    parts = {one.id: min(paid[one.id], available(one)) or None for one in session.scalars(query)}
    return {invoice_id: parts.get(invoice_id) for invoice_id in paid}


def start_payment(session: TenantSession, request: PayRequest, *, actor: Actor, now: datetime) -> Payment:
    """Reserve the amounts and write the payment down, with the key of the call that follows after the commit.

    Raises Forbidden, NotFound, Invalid (amounts, method, save), and Conflict `payment_already_processed` where nothing
    is left to pay: it is paid, or a payment is under way.
    """
    checked = check_request(session, request, actor=actor)
    invoices, method, amounts = checked.invoices, checked.method, checked.amounts
    total, currency = sum(amounts.values()), invoices[0].currency
    offer = None
    if method is None:
        offer = choose_offer(checked.settings, currency, total, request.choice, keep=request.save)
    payment = _new_payment(session, request, invoices[0], method, total, actor, now)
    if offer is not None:
        payment.keys = {**payment.keys, "offer": stored(offer)}
    session.add(payment)
    session.flush()
    for invoice in invoices:
        invoice.reserved += amounts[invoice.id]
        session.add(PaymentAllocation(payment_id=payment.id, invoice_id=invoice.id, amount=amounts[invoice.id]))
    _remember_customer(session, payment.customer_id)
    settle(session, invoices, Cause(actor, now), failure=None)
    fact = PaymentStarted(payment.id, payment.customer_id, payment.amount, payment.currency)
    publish(session, fact, actor=actor, now=now, after={"number": payment.number, "kind": payment.kind.value})
    return payment


def key_of(payment_id: UUID, step: str, attempt: int) -> str:
    """The idempotency key of a call: the same at each repeat of this step, another one at the next attempt."""
    return f"payment:{payment_id}:{step}:{attempt}"


def _payable(session: TenantSession, request: PayRequest, actor: Actor) -> list[Invoice]:
    require(actor, Permission.INVOICES_PAY)
    if not 0 < len(request.invoices) <= MOST_INVOICES:
        raise invalid("invoices", "too_many", limit=MOST_INVOICES)
    invoices = lock_invoices(session, request.invoices)
    readable = [one for one in invoices if actor.is_system or one.customer_id in actor.company_ids]
    readable = [one for one in readable if one.status is not InvoiceStatus.DRAFT]
    if len(readable) != len(request.invoices):
        raise NotFound("invoice")
    if not actor.is_system and any(one.customer_id not in actor.admin_company_ids for one in invoices):
        raise Forbidden("not_allowed", permission=Permission.INVOICES_PAY.value)
    if len({(one.customer_id, one.currency) for one in invoices}) > 1:
        raise invalid("invoices", "invoices_differ")
    for invoice in invoices:
        if invoice.status is InvoiceStatus.VOID or invoice.kind is InvoiceKind.CREDIT_NOTE:
            raise Conflict("invoice_not_payable")
        if available(invoice) == 0:
            raise Conflict(why_not_payable(invoice))
    return invoices


def _method(
    session: TenantSession, request: PayRequest, invoice: Invoice, settings: BillingSettings, actor: Actor
) -> PaymentMethod | None:
    if request.method_id is None:
        return None
    try:
        method = get_method(session, request.method_id, actor=actor)
    except NotFound:
        raise invalid("payment_method_id", "method_unknown") from None
    if method.customer_id != invoice.customer_id:
        raise invalid("payment_method_id", "method_unknown")
    # What was agreed to before, auto-pay and planned payments, goes on after the tenant offers it no more.
    refusal = "" if actor.is_system else refusal_of(settings, method, invoice.currency)
    if refusal:
        raise invalid("payment_method_id", refusal)
    return method


def _amounts(settings: BillingSettings, request: PayRequest, invoices: list[Invoice]) -> dict[UUID, int]:
    amounts = {}
    for invoice in invoices:
        wanted, free = request.invoices[invoice.id], available(invoice)
        amount = free if wanted is None else wanted
        if amount <= 0 or amount > invoice.outstanding:
            raise invalid("amount", "amount_not_due")
        if amount > free:
            raise Conflict(why_not_payable(invoice))
        # Whoever agreed to a payment plan takes parts.
        planned = invoice.plan_due_at is not None
        if amount < free and not (settings.partial_payments or planned):
            raise invalid("amount", "partial_not_allowed")
        if not planned and amount < min(settings.partial_minimum, free):
            raise invalid("amount", "partial_too_small")
        amounts[invoice.id] = amount
    return amounts


def why_not_payable(invoice: Invoice) -> str:
    """Why what is owed is not to be paid now: it is disputed, or in a payment under way."""
    return "invoice_disputed" if invoice.disputed and invoice.outstanding else "payment_already_processed"


def _new_payment(
    session: TenantSession,
    request: PayRequest,
    invoice: Invoice,
    method: PaymentMethod | None,
    amount: int,
    actor: Actor,
    now: datetime,
) -> Payment:
    payment_id = uuid4()
    keys: dict[str, object] = {"create": key_of(payment_id, "create", 1)}
    if request.save and method is None:
        keys["consent"] = {"version": CONSENT_VERSION, "at": now.isoformat(), "address": actor.ip}
    shown = {"kind": method.kind, "brand": method.brand, "last4": method.last4} if method else {}
    return Payment(
        id=payment_id,
        number=next_in_series(session, "payment", NUMBER_FORMAT, day=now.date()),
        customer_id=invoice.customer_id,
        started_by=actor.user_id,
        kind=request.kind or (PaymentKind.SAVED if method else PaymentKind.HOSTED),
        status=PaymentStatus.CREATED,
        currency=invoice.currency,
        amount=amount,
        method_id=method.id if method else None,
        method=shown,
        keys=keys,
        created_at=now,
        updated_at=now,
    )


def _remember_customer(session: TenantSession, company_id: UUID) -> None:
    row = {"tenant_id": session.tenant_id, "customer_id": company_id, "key": f"customer:{company_id}:create:1"}
    session.execute(insert(GatewayCustomer).values(row).on_conflict_do_nothing())
