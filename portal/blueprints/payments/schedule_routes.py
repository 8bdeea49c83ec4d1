"""Paying on another day, in the customer portal (BIL-06)."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.accounts.forms import refusal_texts
from portal.blueprints.localisation import format_day, gettext
from portal.blueprints.payments.gateway import desk
from portal.blueprints.payments.paying import read_part
from portal.blueprints.payments.presenters import money, present_method
from portal.blueprints.policies import permission
from portal.errors import Conflict, Invalid, invalid
from portal.lib.money import Money
from portal.lib.wording.payments import method_text
from portal.lib.wording.scheduled import STATUS, end_text
from portal.models import Invoice, ScheduleStatus
from portal.services.billing.queries import get_invoice
from portal.services.billing.settings import load_settings
from portal.services.payments.balances import available
from portal.services.payments.methods import list_methods
from portal.services.payments.offering import chargeable
from portal.services.payments.planned_rows import PlannedRow
from portal.services.payments.scheduling import (
    FURTHEST,
    Wish,
    cancel_schedule,
    page_schedules,
    planned_for,
    schedule_payment,
)

bp = Blueprint("schedules", __name__)
BADGES = {
    ScheduleStatus.PLANNED: ("warn", "ring"),
    ScheduleStatus.STARTED: ("ok", "check"),
    ScheduleStatus.CANCELLED: ("neutral", "minus"),
    ScheduleStatus.FAILED: ("err", "failed"),
}


@bp.route("/portal/invoices/<uuid:invoice_id>/schedule", methods=["GET", "POST"])
@permission(Permission.INVOICES_PAY)
def schedule(invoice_id: UUID) -> ResponseReturnValue:
    """Which day, with what, how much."""
    invoice = get_invoice(http.session(), invoice_id, actor=http.actor())
    if request.method != "POST":
        return _page(invoice, {}, {})
    try:
        desk()
        wish = _wish(request.form, invoice.currency)
        schedule_payment(
            http.session(), invoice_id, wish, base_url=http.settings().base_url, actor=http.actor(), now=http.now()
        )
        http.commit()
    except (Invalid, Conflict) as error:
        http.session().rollback()
        invoice = get_invoice(http.session(), invoice_id, actor=http.actor())
        return _page(invoice, request.form, refusal_texts(error, "day"), 422 if isinstance(error, Invalid) else 409)
    flash(gettext("Your payment is scheduled for %(date)s", date=format_day(wish.day)), "ok")
    return http.see_other("invoices.detail", invoice_id=invoice_id)


@bp.get("/portal/scheduled-payments")
@permission(Permission.INVOICES_READ)
def index() -> ResponseReturnValue:
    """What is planned, and what became of it."""
    page = page_schedules(http.session(), actor=http.actor(), cursor=request.args.get("cursor"))
    return render_template(
        "payments/scheduled.html",
        rows=[present_planned(row) for row in page.items],
        earlier=url_for(".index", cursor=page.previous_cursor) if page.previous_cursor else None,
        later=url_for(".index", cursor=page.next_cursor) if page.next_cursor else None,
    )


@bp.post("/portal/scheduled-payments/<uuid:scheduled_payment_id>/cancel")
@permission(Permission.INVOICES_PAY)
def cancel(scheduled_payment_id: UUID) -> ResponseReturnValue:
    """Charge nothing on that day."""
    planned = cancel_schedule(http.session(), scheduled_payment_id, actor=http.actor(), now=http.now())
    invoice_id = planned.invoice_id
    http.commit()
    flash(gettext("The scheduled payment is cancelled"), "ok")
    return http.see_other("invoices.detail", invoice_id=invoice_id)


def present_planned(row: PlannedRow) -> dict[str, Any]:
    """A planned payment with its badge, its invoice and its method."""
    planned, method = row.planned, row.method
    tone, shape = BADGES[planned.status]
    waits = planned.status is ScheduleStatus.PLANNED
    return {
        "id": planned.id,
        "day": format_day(planned.day),
        "at": planned.charge_at,
        # Of what is over its payment knows the amount.
        "amount": money(row.amount, planned.currency) if waits or planned.amount else "",
        "all": planned.amount is None,
        "method": method_text({"kind": method.kind, "brand": method.brand, "last4": method.last4}, gettext),
        "number": row.invoice.number,
        "invoice_id": planned.invoice_id,
        "payment_id": planned.payment_id,
        "badge": {"label": gettext(STATUS[planned.status.value]), "tone": tone, "shape": shape},
        "ended": end_text(planned.code, gettext) if planned.code else "",
        "may_cancel": waits and may_cancel(planned.customer_id),
    }


def may_cancel(company_id: UUID) -> bool:
    """Whether the reader decides about that company's money."""
    return http.actor().may(Permission.INVOICES_PAY) and company_id in http.actor().admin_company_ids


def _page(invoice: Invoice, form: Mapping[str, str], errors: dict[str, str], status: int = 200) -> ResponseReturnValue:
    today = http.now().astimezone(ZoneInfo(http.tenant().timezone)).date()
    due, settings = available(invoice), load_settings(http.session())
    planned = planned_for(http.session(), invoice.id, actor=http.actor())
    methods = list_methods(http.session(), actor=http.actor(), company_id=invoice.customer_id)
    page = render_template(
        "payments/schedule.html",
        invoice=invoice,
        due_text=money(due, invoice.currency),
        plain_due=str(Money(due, invoice.currency).decimal),
        methods=[present_method(method) for method in chargeable(settings, methods, invoice.currency)],
        planned=[present_planned(row) for row in planned],
        partial=settings.partial_payments,
        first=(today + timedelta(days=1)).isoformat(),
        last=(today + FURTHEST).isoformat(),
        open=due > 0 and may_cancel(invoice.customer_id),
        form=form,
        errors=errors,
    )
    return page, status


def _wish(form: Mapping[str, str], currency: str) -> Wish:
    try:
        day = date.fromisoformat(form.get("day", ""))
    except ValueError:
        raise invalid("day", "day_invalid") from None
    try:
        method_id = UUID(form.get("method", ""))
    except ValueError:
        raise invalid("payment_method_id", "method_unknown") from None
    return Wish(day, method_id, read_part(form, currency))
