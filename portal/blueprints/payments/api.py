"""Payments under /api/v1/portal (API-05): pay, history, receipts, saved methods, auto-pay."""

from uuid import UUID

from flask import Blueprint, Response

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.api.operations import operation
from portal.blueprints.api.schemas import NoBody
from portal.blueprints.billing.requests import MoneyRequest
from portal.blueprints.localisation import select_timezone
from portal.blueprints.payments.exporting import send_payments
from portal.blueprints.payments.gateway import ask_gateway, bring_up_to_date, desk
from portal.blueprints.payments.method_routes import forget
from portal.blueprints.payments.receipt import PDF, send_receipt
from portal.blueprints.payments.schemas import (
    AutoPayRequest,
    AutoPayState,
    OfferedMethod,
    OfferedMethods,
    PayInvoiceRequest,
    PaymentExport,
    PaymentHistory,
    PaymentItem,
    PaymentMethodItem,
    PaymentMethods,
    PaymentQuery,
    Payments,
    PayWith,
    RemoveMethodQuery,
    SetupPage,
    StartedPayment,
)
from portal.blueprints.policies import permission
from portal.errors import Conflict, invalid
from portal.integrations.payments import GatewayError
from portal.models import UNDECIDED
from portal.services.billing.queries import get_invoice
from portal.services.billing.settings import load_settings
from portal.services.payments.agreement import Agreement, save_agreement
from portal.services.payments.balances import available
from portal.services.payments.filters import Narrowing
from portal.services.payments.methods import list_methods
from portal.services.payments.offering import offered
from portal.services.payments.queries import PaymentFilter, get_payment, page_payments, read_payment
from portal.services.payments.reserving import PayRequest, start_payment
from portal.services.payments.setups import begin_setup, open_setup_page

bp = Blueprint("payments_api", __name__, url_prefix="/api/v1/portal")
UNDER_WAY = "It is paid, or a payment of it is under way."


@bp.post("/invoices/<uuid:invoice_id>/pay")
@permission(Permission.INVOICES_PAY)
@operation("Pay an invoice", body=PayInvoiceRequest, answer=StartedPayment, status=201, conflicts=UNDER_WAY)
def pay(invoice_id: UUID, body: PayInvoiceRequest) -> StartedPayment:
    """Reserves the amount; but with a saved method it goes on at `redirect_url`."""
    desk()
    invoice = get_invoice(http.session(), invoice_id, actor=http.actor())
    if (body.method is PayWith.SAVED) != (body.payment_method_id is not None):
        raise invalid("payment_method_id", "required" if body.method is PayWith.SAVED else "unknown_field")
    amount = minor_units(body.amount, invoice.currency, "amount")
    wanted = PayRequest({invoice.id: amount}, method_id=body.payment_method_id, choice=body.method.choice)
    started = start_payment(http.session(), wanted, actor=http.actor(), now=http.now())
    # The gateway is never asked inside of a transaction; what is reserved holds off whoever asks meanwhile.
    http.commit()
    ask_gateway(started.id)
    payment = get_payment(http.session(), started.id, actor=http.actor())
    target = payment.redirect_url if payment.status in UNDECIDED else None
    return StartedPayment(payment_id=payment.id, status=payment.status, redirect_url=target)


@bp.get("/invoices/<uuid:invoice_id>/payment-methods")
@permission(Permission.INVOICES_READ)
@operation("List how an invoice can be paid", answer=OfferedMethods)
def offered_for(invoice_id: UUID) -> OfferedMethods:
    """The ways of paying that are offered for what is due of it."""
    invoice = get_invoice(http.session(), invoice_id, actor=http.actor())
    ways = offered(load_settings(http.session()), invoice.currency, available(invoice))
    return OfferedMethods(items=[OfferedMethod.of(one) for one in ways], next_cursor=None)


def _wanted(query: PaymentHistory) -> PaymentFilter:
    ranged = query.min_amount is not None or query.max_amount is not None
    usual = load_settings(http.session()).currency if ranged and not query.currency else ""
    return PaymentFilter(
        statuses=(query.status,) if query.status else (),
        first=query.start,
        last=query.end,
        zone=select_timezone(),
        invoice_id=query.invoice_id,
        more=Narrowing(
            outcome=query.outcome,
            method=query.method or "",
            service=query.service_type or "",
            least=query.min_amount,
            most=query.max_amount,
            currency=query.currency or usual,
        ),
    )


@bp.get("/payments")
@permission(Permission.INVOICES_READ)
@operation("List payments", query=PaymentQuery, answer=Payments)
def index(query: PaymentQuery) -> Payments:
    """Those of your companies, the newest first."""
    wanted = _wanted(query)
    page = page_payments(http.session(), wanted=wanted, actor=http.actor(), limit=query.limit, cursor=query.cursor)
    return Payments(items=[PaymentItem.of(row) for row in page.items], next_cursor=page.next_cursor)


@bp.get("/payments/export")
@permission(Permission.INVOICES_READ)
@operation("Export payments", query=PaymentExport, answer=None, media=(PDF, "text/csv"))
def export(query: PaymentExport) -> Response:
    """The same selection as a file; a PDF has the newest thousand."""
    return send_payments(query.format, _wanted(query), {})


@bp.get("/payments/<uuid:payment_id>")
@permission(Permission.INVOICES_READ)
@operation("Read a payment", answer=PaymentItem)
def detail(payment_id: UUID) -> PaymentItem:
    """One payment; while it is not decided the payment provider is asked how it stands."""
    found = get_payment(http.session(), payment_id, actor=http.actor())
    if found.status in UNDECIDED:
        http.session().rollback()
        bring_up_to_date(payment_id)
    return PaymentItem.of(read_payment(http.session(), payment_id, actor=http.actor()))


@bp.get("/payments/<uuid:payment_id>/receipt")
@permission(Permission.INVOICES_READ)
@operation("Download a receipt", answer=None, media=(PDF,), conflicts="The payment has not arrived.")
def receipt(payment_id: UUID) -> Response:
    """The receipt as PDF, in your language."""
    return send_receipt(read_payment(http.session(), payment_id, actor=http.actor()))


@bp.get("/payment-methods")
@permission(Permission.INVOICES_READ)
@operation("List payment methods", answer=PaymentMethods)
def methods() -> PaymentMethods:
    """Brand, last digits and expiry; nothing else is stored."""
    rows = list_methods(http.session(), actor=http.actor())
    return PaymentMethods(items=[PaymentMethodItem.of(row) for row in rows], next_cursor=None)


@bp.post("/payment-methods")
@permission(Permission.INVOICES_PAY)
@operation("Add a payment method", body=NoBody, answer=SetupPage, status=201, conflicts="Online payment is off.")
def add_method(body: NoBody) -> SetupPage:
    """Leads to the payment provider's page; asking for it agrees that what is typed there is kept."""
    found = desk()
    company = begin_setup(http.session(), None, actor=http.actor())
    http.commit()
    try:
        page = open_setup_page(found, company, actor=http.actor(), now=http.now())
    except GatewayError as error:
        raise Conflict("payment_processing_failed") from error
    return SetupPage(redirect_url=page.url or "")


@bp.delete("/payment-methods/<uuid:method_id>")
@permission(Permission.INVOICES_PAY)
@operation("Remove a payment method", query=RemoveMethodQuery, answer=None, status=204, conflicts="Auto-pay uses it.")
def remove_method(method_id: UUID, query: RemoveMethodQuery) -> None:
    """It is charged no more."""
    forget(method_id, query.successor_id)


@bp.post("/auto-pay")
@permission(Permission.INVOICES_PAY)
@operation("Switch auto-pay on or off", body=AutoPayRequest, answer=AutoPayState)
def auto_pay(body: AutoPayRequest) -> AutoPayState:
    """Due invoices are charged by themselves from then on, or no more."""
    currency = load_settings(http.session()).currency
    wanted = Agreement(body.enabled, body.payment_method_id, minor_units(body.limit, currency, "limit"))
    plan = save_agreement(http.session(), None, wanted, actor=http.actor(), now=http.now())
    return AutoPayState.of(plan, currency)


def minor_units(given: MoneyRequest | None, currency: str, field: str) -> int | None:
    """The amount in minor units, which has to be of that currency. Raises Invalid."""
    if given is None:
        return None
    if given.currency != currency:
        raise invalid(field, "currency_mismatch")
    return given.amount
