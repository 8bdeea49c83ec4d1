"""Disputes and requests of a later due date for programs of the team under /api/v1/staff."""

from uuid import UUID

from flask import Blueprint

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.api.operations import operation
from portal.blueprints.api.schemas import NoBody
from portal.blueprints.disputes.schemas import (
    DisputeQuery,
    ExtensionQuery,
    GrantRequest,
    RefuseRequest,
    ResolveRequest,
    StaffDispute,
    StaffDisputes,
    StaffExtension,
    StaffExtensions,
    minor,
)
from portal.blueprints.payments.refunding import send_if_approved
from portal.blueprints.policies import permission
from portal.models import DisputeOutcome
from portal.services.disputes.deciding import Decision, resolve_dispute, review_dispute
from portal.services.disputes.extending import grant_extension, refuse_extension
from portal.services.disputes.queries import (
    get_dispute,
    page_disputes,
    page_extensions,
    read_dispute,
    read_extension,
)

bp = Blueprint("staff_disputes_api", __name__, url_prefix="/api/v1/staff")
DECIDED = "It was decided about or withdrawn already."


@bp.get("/disputes")
@permission(Permission.BILLING_READ)
@operation("List everybody's disputes", query=DisputeQuery, answer=StaffDisputes)
def index(query: DisputeQuery) -> StaffDisputes:
    """The newest first."""
    page = page_disputes(
        http.session(), statuses=query.status, actor=http.actor(), limit=query.limit, cursor=query.cursor
    )
    return StaffDisputes(items=[StaffDispute.of(row) for row in page.items], next_cursor=page.next_cursor)


@bp.get("/disputes/<uuid:dispute_id>")
@permission(Permission.BILLING_READ)
@operation("Read a customer's dispute", answer=StaffDispute)
def detail(dispute_id: UUID) -> StaffDispute:
    """The dispute with its lines."""
    return _dispute(dispute_id)


@bp.post("/disputes/<uuid:dispute_id>/review")
@permission(Permission.BILLING_MANAGE)
@operation("Take up a dispute", body=NoBody, answer=StaffDispute, conflicts=DECIDED)
def review(dispute_id: UUID, body: NoBody) -> StaffDispute:
    """The customer sees that somebody looks into it."""
    review_dispute(http.session(), dispute_id, actor=http.actor(), now=http.now())
    return _dispute(dispute_id)


@bp.post("/disputes/<uuid:dispute_id>/resolve")
@permission(Permission.BILLING_MANAGE)
@operation(
    "Decide a dispute",
    body=ResolveRequest,
    answer=StaffDispute,
    conflicts="It was decided about or withdrawn already, or a payment of the invoice is under way.",
)
def resolve(dispute_id: UUID, body: ResolveRequest) -> StaffDispute:
    """What is accepted becomes a credit note, of a payment a refund (which needs `refunds:manage`)."""
    found = get_dispute(http.session(), dispute_id, actor=http.actor())
    amount = minor(body.amount, found.currency, "amount")
    decision = Decision(body.outcome is DisputeOutcome.ACCEPTED, body.answer, amount, body.attachment_ids)
    _, refund = resolve_dispute(
        http.session(),
        dispute_id,
        decision,
        base_url=http.settings().base_url,
        actor=http.actor(),
        now=http.now(),
    )
    if refund is not None:
        http.commit()
        send_if_approved(refund)
    return _dispute(dispute_id)


@bp.get("/extension-requests")
@permission(Permission.BILLING_READ)
@operation("List everybody's requests for a later due date", query=ExtensionQuery, answer=StaffExtensions)
def extensions(query: ExtensionQuery) -> StaffExtensions:
    """The newest first."""
    page = page_extensions(
        http.session(), statuses=query.status, actor=http.actor(), limit=query.limit, cursor=query.cursor
    )
    return StaffExtensions(items=[StaffExtension.of(row) for row in page.items], next_cursor=page.next_cursor)


@bp.post("/extension-requests/<uuid:wish_id>/grant")
@permission(Permission.BILLING_MANAGE)
@operation(
    "Grant a later due date",
    body=GrantRequest,
    answer=StaffExtension,
    conflicts="It was answered or withdrawn already, or nothing is owed any more.",
)
def grant(wish_id: UUID, body: GrantRequest) -> StaffExtension:
    """Due date, reminders, late fee and auto-pay move at once."""
    grant_extension(http.session(), wish_id, due_on=body.due_on, answer=body.answer, actor=http.actor(), now=http.now())
    return StaffExtension.of(read_extension(http.session(), wish_id, actor=http.actor()))


@bp.post("/extension-requests/<uuid:wish_id>/refuse")
@permission(Permission.BILLING_MANAGE)
@operation("Refuse a later due date", body=RefuseRequest, answer=StaffExtension, conflicts=DECIDED)
def refuse(wish_id: UUID, body: RefuseRequest) -> StaffExtension:
    """The due date stays."""
    refuse_extension(http.session(), wish_id, answer=body.answer, actor=http.actor(), now=http.now())
    return StaffExtension.of(read_extension(http.session(), wish_id, actor=http.actor()))


def _dispute(dispute_id: UUID) -> StaffDispute:
    return StaffDispute.of(read_dispute(http.session(), dispute_id, actor=http.actor()))
