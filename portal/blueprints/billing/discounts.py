"""Discounts by quantity on what the company buys, and what an order would cost: a part of the overview (BIL-10)."""

from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.api.operations import operation
from portal.blueprints.billing.discount_schemas import (
    BulkDiscount,
    BulkDiscounts,
    EstimateQuery,
    Estimates,
    OrderEstimate,
)
from portal.blueprints.billing.presenters import money, tier_text
from portal.blueprints.localisation import current_locale, gettext
from portal.blueprints.policies import permission
from portal.errors import Invalid, NotFound, invalid
from portal.lib.money_format import format_quantity
from portal.lib.wording.errors import error_text
from portal.services.billing.savings import Estimate, Offer, estimate, list_offers

bp = Blueprint("bulk_discounts", __name__, url_prefix="/portal/invoices/overview/discounts")
api = Blueprint("bulk_discounts_api", __name__, url_prefix="/api/v1/portal/bulk-discounts")
TYPED_LENGTH = 20


@bp.get("")
@permission(Permission.INVOICES_READ)
def index() -> ResponseReturnValue:
    """What an order of so many would cost: the answer alone for an open page, else a page with everything."""
    typed = request.args.get("quantity", "").strip()[:TYPED_LENGTH]
    results, problem = [], ""
    if "quantity" in request.args or "item" in request.args:
        try:
            results = [_estimate_view(one) for one in _estimate(_item_id(), _quantity(typed))]
        except Invalid as error:
            problem = " ".join(error_text(one.code, dict(one.params), gettext) for one in error.errors)
    status = 422 if problem else 200
    answer = {"results": results, "problem": problem, "quantity": typed}
    if http.wants_fragment():
        # An open page shows what comes back, also where it says that the quantity is none.
        return render_template("billing/_estimate.html", **answer)
    context = discounts_view() | answer | {"chosen": request.args.get("item", "")}
    return render_template("billing/discounts.html", **context), status


@api.get("")
@permission(Permission.INVOICES_READ)
@operation("List available bulk discounts", answer=BulkDiscounts)
def listed() -> BulkDiscounts:
    """Services with discounts by quantity that your companies bought in the last twelve months."""
    return BulkDiscounts(items=[BulkDiscount.of(offer) for offer in _offers()])


@api.get("/<uuid:item_id>/estimate")
@permission(Permission.INVOICES_READ)
@operation("Estimate an order with its bulk discount", query=EstimateQuery, answer=Estimates)
def estimated(item_id: UUID, query: EstimateQuery) -> Estimates:
    """What so many in one order would cost before tax, at the price you paid last, in each currency of yours."""
    return Estimates(items=[OrderEstimate.of(one) for one in _estimate(item_id, query.quantity)])


def discounts_view() -> dict[str, Any]:
    """What the part of the overview shows; `offers` is empty where nothing with a discount was bought."""
    offers = _offers()
    services = {str(offer.item_id): _name(offer) for offer in offers}
    return {"offers": [_offer_view(offer) for offer in offers], "services": list(services.items())}


def _offers() -> list[Offer]:
    return list_offers(http.session(), zone=http.tenant().timezone, actor=http.actor(), now=http.now())


def _estimate(item_id: UUID, quantity: Decimal) -> list[Estimate]:
    zone = http.tenant().timezone
    return estimate(http.session(), item_id, quantity, zone=zone, actor=http.actor(), now=http.now())


def _item_id() -> UUID:
    try:
        return UUID(request.args.get("item", ""))
    except ValueError:
        raise NotFound("catalog_item") from None


def _quantity(typed: str) -> Decimal:
    try:
        return Decimal(typed.replace(",", "."))
    except InvalidOperation:
        raise invalid("quantity", "quantity_invalid") from None


def _name(offer: Offer) -> str:
    return str(offer.names.get(current_locale()) or offer.names.get(http.tenant().locale) or offer.sku)


def _offer_view(offer: Offer) -> dict[str, Any]:
    """A row: what was bought, all tiers, and the one that is worth looking at."""
    aim = offer.coming or offer.reached
    return {
        "name": _name(offer),
        "bought": format_quantity(offer.bought, current_locale()),
        "spent": money(offer.spent, offer.currency),
        "tiers": [tier_text(tier) for tier in offer.tiers],
        "reached_all": offer.coming is None,
        "aim": tier_text(aim) if aim else "",
        "saving": money(offer.would_have_saved(aim), offer.currency),
    }


def _estimate_view(found: Estimate) -> dict[str, Any]:
    return {
        "quantity": format_quantity(found.quantity, current_locale()),
        "unit_price": money(found.unit_price, found.currency),
        "gross": money(found.gross, found.currency),
        "tier": tier_text(found.tier) if found.tier else "",
        "discount": money(-found.discount, found.currency),
        "net": money(found.net, found.currency),
        "coming": tier_text(found.coming) if found.coming else "",
    }
