"""Write-offs for programs of the team under /api/v1/staff."""

from uuid import UUID

from flask import Blueprint

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.api.operations import operation
from portal.blueprints.banking.receivable_schemas import (
    DecisionBody,
    ReversalBody,
    WriteOffBody,
    WriteOffItem,
    WriteOffs,
)
from portal.blueprints.policies import permission
from portal.errors import invalid
from portal.services.billing.queries import get_invoice
from portal.services.payments.write_offs import (
    WriteOffRequest,
    decide_write_off,
    list_write_offs,
    request_reversal,
    request_write_off,
)

bp = Blueprint("staff_write_offs_api", __name__, url_prefix="/api/v1/staff")


@bp.get("/invoices/<uuid:invoice_id>/write-offs")
@permission(Permission.BILLING_READ)
@operation("List the write-offs of an invoice", answer=WriteOffs)
def index(invoice_id: UUID) -> WriteOffs:
    """What was given up of it, or waits for a colleague."""
    get_invoice(http.session(), invoice_id, actor=http.actor())
    rows = list_write_offs(http.session(), invoice_id, actor=http.actor())
    return WriteOffs(items=[WriteOffItem.of(row) for row in rows], next_cursor=None)


@bp.post("/invoices/<uuid:invoice_id>/write-offs")
@permission(Permission.BILLING_MANAGE)
@operation(
    "Write off what an invoice owes",
    body=WriteOffBody,
    answer=WriteOffItem,
    status=201,
    conflicts="Nothing of it can be written off, a payment is under way or disputed, or another write-off waits.",
)
def ask(invoice_id: UUID, body: WriteOffBody) -> WriteOffItem:
    """Gives up what is owed; above the tenant's limit a colleague has to agree first."""
    invoice = get_invoice(http.session(), invoice_id, actor=http.actor())
    if body.amount is not None and body.amount.currency != invoice.currency:
        raise invalid("amount", "currency_mismatch")
    wanted = WriteOffRequest(body.reason, body.amount.amount if body.amount else None)
    return WriteOffItem.of(request_write_off(http.session(), invoice_id, wanted, actor=http.actor(), now=http.now()))


@bp.post("/write-offs/<uuid:write_off_id>/reverse")
@permission(Permission.BILLING_MANAGE)
@operation(
    "Take back a write-off",
    body=ReversalBody,
    answer=WriteOffItem,
    status=201,
    conflicts="It was not booked or was taken back already, or something of the invoice waits for a colleague.",
)
def reverse(write_off_id: UUID, body: ReversalBody) -> WriteOffItem:
    """What was given up is owed again; above the tenant's limit a colleague has to agree first."""
    made = request_reversal(http.session(), write_off_id, reason=body.reason, actor=http.actor(), now=http.now())
    return WriteOffItem.of(made)


@bp.post("/write-offs/<uuid:write_off_id>/decide")
@permission(Permission.BILLING_MANAGE)
@operation(
    "Decide about a write-off",
    body=DecisionBody,
    answer=WriteOffItem,
    conflicts="It was decided about, is one's own, or the invoice owes less by now.",
)
def decide(write_off_id: UUID, body: DecisionBody) -> WriteOffItem:
    """Agrees to a colleague's write-off or to taking one back, or refuses it; once."""
    found = decide_write_off(http.session(), write_off_id, approve=body.approve, actor=http.actor(), now=http.now())
    return WriteOffItem.of(found)
