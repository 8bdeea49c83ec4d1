"""The catalogue and its discounts by quantity for programs of the team."""

from uuid import UUID

from flask import Blueprint

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.api.operations import operation
from portal.blueprints.billing.discount_schemas import CatalogueItem, CatalogueItems, CatalogueQuery, DiscountsBody
from portal.blueprints.policies import permission
from portal.services.billing.catalogue import get_item, list_items, save_discounts

bp = Blueprint("catalogue_api", __name__, url_prefix="/api/v1/staff/billing/catalogue")
SHOWN = 500


@bp.get("")
@permission(Permission.BILLING_READ)
@operation("List the catalogue", query=CatalogueQuery, answer=CatalogueItems)
def index(query: CatalogueQuery) -> CatalogueItems:
    """Items by their number, those in use first, 500 at most; search for others."""
    found = list_items(http.session(), search=query.q, limit=SHOWN, actor=http.actor())
    return CatalogueItems(items=[CatalogueItem.of(item) for item in found])


@bp.get("/<uuid:item_id>")
@permission(Permission.BILLING_READ)
@operation("Read a catalogue item", answer=CatalogueItem)
def detail(item_id: UUID) -> CatalogueItem:
    """The item with its discounts by quantity."""
    return CatalogueItem.of(get_item(http.session(), item_id, actor=http.actor()))


@bp.put("/<uuid:item_id>/discounts")
@permission(Permission.BILLING_CONFIGURE)
@operation(
    "Set an item's quantity discounts",
    body=DiscountsBody,
    answer=CatalogueItem,
    conflicts="Somebody saved the item meanwhile.",
)
def change_discounts(item_id: UUID, body: DiscountsBody) -> CatalogueItem:
    """Puts these tiers in place of the item's; lines that name it get them from now on, written ones stay."""
    tiers = [tier.read() for tier in body.discounts]
    saved = save_discounts(http.session(), item_id, tiers, version=body.version, actor=http.actor(), now=http.now())
    return CatalogueItem.of(saved)
