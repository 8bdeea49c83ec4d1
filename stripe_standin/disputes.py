"""Disputes: opened by a test number or a control, answered with evidence, won or lost."""

from stripe_standin.errors import ApiError, Body
from stripe_standin.world import World, changed

DAYS_TO_ANSWER = 7
OPEN = ("needs_response", "under_review")
# Published test values of `evidence[uncategorized_text]`.
ENDINGS = {"winning_evidence": "won", "losing_evidence": "lost"}


def open_dispute(world: World, charge: Body, amount: int, reason: str) -> Body:
    """A payer objects at their bank; the money is withdrawn at once."""
    if charge["disputed"] or charge["status"] != "succeeded":
        raise ApiError(400, "This charge cannot be disputed.")
    if not 0 < amount <= charge["amount"] - charge["amount_refunded"]:
        raise ApiError(400, "A dispute cannot be about more than is left of the charge.", param="amount")
    dispute = world.make(
        "dispute",
        amount=amount,
        balance_transactions=[],
        charge=charge["id"],
        currency=charge["currency"],
        enhanced_eligibility_types=[],
        evidence={"uncategorized_text": None},
        evidence_details={
            "due_by": world.now + DAYS_TO_ANSWER * 86_400,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        is_charge_refundable=False,
        payment_intent=charge["payment_intent"],
        reason=reason,
        status="needs_response",
    )
    world.save(charge | {"disputed": True}, "charge.updated")
    return world.save(dispute, "charge.dispute.created", "charge.dispute.funds_withdrawn")


def end_dispute(world: World, dispute_id: str, status: str) -> Body:
    """The bank's decision."""
    dispute = world.get("dispute", dispute_id)
    if dispute["status"] not in OPEN:
        raise ApiError(400, "This dispute is already closed.", code="dispute_already_closed")
    dispute["status"] = status
    events = ("charge.dispute.funds_reinstated",) if status == "won" else ()
    return world.save(dispute, *events, "charge.dispute.closed")


def retrieve(world: World, params: Body, dispute_id: str) -> Body:
    """GET /v1/disputes/:id."""
    return world.get("dispute", dispute_id)


def list_disputes(world: World, params: Body) -> Body:
    """GET /v1/disputes."""
    charge = params.get("charge")
    return world.listed("dispute", params, "/v1/disputes", lambda found: charge in (None, found["charge"]))


def update(world: World, params: Body, dispute_id: str) -> Body:
    """POST /v1/disputes/:id: evidence, which is sent in unless `submit` is false."""
    dispute = world.get("dispute", dispute_id)
    if dispute["status"] not in OPEN:
        raise ApiError(400, "This dispute is already closed.", code="dispute_already_closed")
    given = params.get("evidence") or {}
    dispute["evidence"] |= given
    dispute["evidence_details"]["has_evidence"] = bool(given) or dispute["evidence_details"]["has_evidence"]
    if given and params.get("submit", True):
        dispute["evidence_details"]["submission_count"] += 1
        dispute["status"] = "under_review"
    world.save(changed(dispute, params), "charge.dispute.updated")
    ending = ENDINGS.get(given.get("uncategorized_text", ""))
    return end_dispute(world, dispute_id, ending) if ending and params.get("submit", True) else dispute


def close(world: World, params: Body, dispute_id: str) -> Body:
    """POST /v1/disputes/:id/close: give up."""
    return end_dispute(world, dispute_id, "lost")
