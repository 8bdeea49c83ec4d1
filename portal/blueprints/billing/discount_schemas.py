"""Discounts by quantity in the API: those of the catalogue for the team, those available for customers."""

from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import Field

from portal.blueprints.api.schemas import ANY_TEXT, Body, Query, Shape
from portal.blueprints.billing.requests import DecimalText
from portal.blueprints.billing.schemas import Money, plain
from portal.lib.bulk_discounts import Tier, read_tiers
from portal.models import CatalogItem
from portal.services.billing.savings import Estimate, Offer
from portal.services.billing.tiers import MOST_TIERS, TierForm


class DiscountTier(Shape):
    """So many percent off from a quantity on."""

    from_quantity: str
    percent: str

    @classmethod
    def of(cls, tier: Tier) -> Self:
        """A stored tier."""
        return cls(from_quantity=plain(tier.from_quantity), percent=plain(tier.percent))


class CatalogueTier(Shape):
    """A tier as the catalogue has it: so many percent off from a quantity on."""

    from_quantity: str
    percent: str

    @classmethod
    def of(cls, tier: Tier) -> Self:
        """A stored tier."""
        return cls(from_quantity=plain(tier.from_quantity), percent=plain(tier.percent))


class CatalogueItem(Shape):
    """Something that is sold often, with its usual price."""

    id: UUID
    sku: str
    names: dict[str, str] = Field(description="By language.")
    service_type: str
    unit: str
    unit_price: Money
    active: bool
    discounts: list[CatalogueTier] = Field(description="By quantity, the lowest first.")
    version: int

    @classmethod
    def of(cls, item: CatalogItem) -> Self:
        """A stored item."""
        return cls(
            id=item.id,
            sku=item.sku,
            names=item.names,
            service_type=item.service_type,
            unit=item.unit,
            unit_price=Money(amount=item.unit_price, currency=item.currency),
            active=item.active,
            discounts=[CatalogueTier.of(tier) for tier in read_tiers(item.discounts)],
            version=item.version,
        )


class CatalogueItems(Shape):
    """Items by their number, those in use first."""

    items: list[CatalogueItem]


class CatalogueQuery(Query):
    """Which items."""

    q: Annotated[str, Field(max_length=100, json_schema_extra=ANY_TEXT)] = Field(
        "", description="Part of the number or of a name."
    )


class TierBody(Body):
    """So many percent off from a quantity on."""

    from_quantity: DecimalText
    percent: DecimalText = Field(description="Above 0 and below 100.")

    def read(self) -> TierForm:
        """The tier for the service."""
        return TierForm(self.from_quantity, self.percent)


class DiscountsBody(Body):
    """All tiers of an item, in ascending order; none takes its discounts away."""

    discounts: Annotated[list[TierBody], Field(max_length=MOST_TIERS)]
    version: int | None = Field(
        None, ge=1, description="Of the item as you know it; where it was saved since, this is a conflict."
    )


class BulkDiscount(Shape):
    """A service that was bought in the last twelve months, with its discounts by quantity."""

    item_id: UUID
    sku: str
    names: dict[str, str] = Field(description="By language.")
    unit: str
    tiers: list[DiscountTier]
    bought: str = Field(description="How many in twelve months, less what was credited.")
    spent: Money = Field(description="Before discounts and tax.")
    discounts_given: Money
    reached: DiscountTier | None = Field(description="What all of it would have reached in one order.")
    reached_saving: Money = Field(description="What that would have saved beyond the discounts that were given.")
    next: DiscountTier | None = Field(description="Null where the highest is reached.")
    next_saving: Money = Field(description="What the next tier would have saved; an estimate.")

    @classmethod
    def of(cls, offer: Offer) -> Self:
        """The item of a service in one currency."""

        def amount(value: int) -> Money:
            return Money(amount=value, currency=offer.currency)

        return cls(
            item_id=offer.item_id,
            sku=offer.sku,
            names=offer.names,
            unit=offer.unit,
            tiers=[DiscountTier.of(tier) for tier in offer.tiers],
            bought=plain(offer.bought),
            spent=amount(offer.spent),
            discounts_given=amount(offer.saved),
            reached=_tier(offer.reached),
            reached_saving=amount(offer.would_have_saved(offer.reached)),
            next=_tier(offer.coming),
            next_saving=amount(offer.would_have_saved(offer.coming)),
        )


class BulkDiscounts(Shape):
    """Available discounts, by the service's number."""

    items: list[BulkDiscount]


class EstimateQuery(Query):
    """How many."""

    quantity: DecimalText


class OrderEstimate(Shape):
    """What an order would cost before tax."""

    quantity: str
    unit_price: Money
    gross: Money
    tier: DiscountTier | None
    discount: Money
    net: Money = Field(description="`gross` less `discount`.")
    next: DiscountTier | None

    @classmethod
    def of(cls, found: Estimate) -> Self:
        """The item of a currency."""
        currency: dict[str, Any] = {"currency": found.currency}
        return cls(
            quantity=plain(found.quantity),
            unit_price=Money(amount=found.unit_price, **currency),
            gross=Money(amount=found.gross, **currency),
            tier=_tier(found.tier),
            discount=Money(amount=found.discount, **currency),
            net=Money(amount=found.net, **currency),
            next=_tier(found.coming),
        )


class Estimates(Shape):
    """One for each currency in which the service was bought."""

    items: list[OrderEstimate]


def _tier(tier: Tier | None) -> DiscountTier | None:
    return DiscountTier.of(tier) if tier is not None else None
