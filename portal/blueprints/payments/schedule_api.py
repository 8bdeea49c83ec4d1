"""Planned payments under /api/v1/portal (BIL-06)."""

from uuid import UUID

from flask import Blueprint

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.api.operations import operation
from portal.blueprints.api.schemas import NoBody
from portal.blueprints.payments.api import minor_units
from portal.blueprints.payments.gateway import desk
from portal.blueprints.payments.schedule_schemas import (
    ScheduledItem,
    ScheduledPayments,
    ScheduledQuery,
    ScheduleRequest,
)
from portal.blueprints.policies import permission
from portal.services.billing.queries import get_invoice
from portal.services.payments.scheduling import (
    Wish,
    cancel_schedule,
    get_schedule,
    page_schedules,
    schedule_payment,
)

bp = Blueprint("schedules_api", __name__, url_prefix="/api/v1/portal")


@bp.post("/invoices/<uuid:invoice_id>/schedule")
@permission(Permission.INVOICES_PAY)
@operation(
    "Schedule a payment",
    body=ScheduleRequest,
    answer=ScheduledItem,
    status=201,
    conflicts="Nothing is left to pay, or all of it is scheduled.",
)
def schedule(invoice_id: UUID, body: ScheduleRequest) -> ScheduledItem:
    """Charges a saved method on a day of your choice; nothing is reserved until then."""
    desk()
    invoice = get_invoice(http.session(), invoice_id, actor=http.actor())
    wish = Wish(body.day, body.payment_method_id, minor_units(body.amount, invoice.currency, "amount"))
    made = schedule_payment(
        http.session(), invoice_id, wish, base_url=http.settings().base_url, actor=http.actor(), now=http.now()
    )
    return ScheduledItem.of(get_schedule(http.session(), made.id, actor=http.actor()))


@bp.get("/scheduled-payments")
@permission(Permission.INVOICES_READ)
@operation("List scheduled payments", query=ScheduledQuery, answer=ScheduledPayments)
def index(query: ScheduledQuery) -> ScheduledPayments:
    """Those of your companies, the latest day first."""
    page = page_schedules(
        http.session(), actor=http.actor(), status=query.status, limit=query.limit, cursor=query.cursor
    )
    return ScheduledPayments(items=[ScheduledItem.of(row) for row in page.items], next_cursor=page.next_cursor)


@bp.get("/scheduled-payments/<uuid:scheduled_payment_id>")
@permission(Permission.INVOICES_READ)
@operation("Read a scheduled payment", answer=ScheduledItem)
def detail(scheduled_payment_id: UUID) -> ScheduledItem:
    """One planned payment."""
    return ScheduledItem.of(get_schedule(http.session(), scheduled_payment_id, actor=http.actor()))


@bp.post("/scheduled-payments/<uuid:scheduled_payment_id>/cancel")
@permission(Permission.INVOICES_PAY)
@operation("Cancel a scheduled payment", body=NoBody, answer=ScheduledItem, conflicts="It is charged or ended already.")
def cancel(scheduled_payment_id: UUID, body: NoBody) -> ScheduledItem:
    """Charges nothing on that day."""
    cancel_schedule(http.session(), scheduled_payment_id, actor=http.actor(), now=http.now())
    return ScheduledItem.of(get_schedule(http.session(), scheduled_payment_id, actor=http.actor()))
