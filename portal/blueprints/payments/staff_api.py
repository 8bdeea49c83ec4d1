"""Refunds under /api/v1/staff."""

from uuid import UUID

from flask import Blueprint

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.api.operations import operation
from portal.blueprints.payments.refunding import send_if_approved
from portal.blueprints.payments.schemas import RefundBody, RefundItem
from portal.blueprints.policies import permission
from portal.errors import invalid
from portal.services.payments.queries import get_payment
from portal.services.payments.refunds import RefundRequest, get_refund, request_refund

bp = Blueprint("staff_payments_api", __name__, url_prefix="/api/v1/staff")


@bp.post("/payments/<uuid:payment_id>/refund")
@permission(Permission.REFUNDS_MANAGE)
@operation(
    "Refund a payment",
    body=RefundBody,
    answer=RefundItem,
    status=201,
    conflicts="The payment has not arrived, or less than that is left of it.",
)
def refund(payment_id: UUID, body: RefundBody) -> RefundItem:
    """Sends the money back the way it came; above the tenant's limit a colleague has to agree first."""
    payment = get_payment(http.session(), payment_id, actor=http.actor())
    if body.amount is not None and body.amount.currency != payment.currency:
        raise invalid("amount", "currency_mismatch")
    wanted = RefundRequest(body.reason, body.amount.amount if body.amount else None, body.invoice_id)
    made = request_refund(
        http.session(),
        payment_id,
        wanted,
        base_url=http.settings().base_url,
        actor=http.actor(),
        now=http.now(),
    )
    http.commit()
    send_if_approved(made)
    return RefundItem.of(get_refund(http.session(), made.id, actor=http.actor()))
