"""Which discounts by quantity there are on what the actor's companies buy, and what they would have saved (BIL-10).

Estimates: they look at what was bought as if it had been one order, at the prices that were paid. Minor units.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, case, exists, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import aliased

from portal.authz import Actor
from portal.errors import NotFound, invalid
from portal.lib.bulk_discounts import Tier, read_tiers, share_of, tier_after, tier_at
from portal.lib.money import LARGEST
from portal.lib.pricing import PricedLine
from portal.models import CatalogItem, Invoice, InvoiceKind, InvoiceLine, InvoiceStatus
from portal.models.session import TenantSession
from portal.services.billing.queries import visible_to
from portal.services.billing.tiers import LARGEST_QUANTITY


@dataclass(frozen=True)
class Offer:
    """A service with discounts by quantity, as it was bought in twelve months in one currency.

    `spent` is before discounts, `saved` the discounts that were given; `unit_price` the latest that was paid.
    """

    item_id: UUID
    sku: str
    names: dict[str, str]
    unit: str
    currency: str
    tiers: tuple[Tier, ...]
    bought: Decimal
    spent: int
    saved: int
    unit_price: int

    @property
    def reached(self) -> Tier | None:
        """The tier that all of it would have reached in one order."""
        return tier_at(self.tiers, self.bought)

    @property
    def coming(self) -> Tier | None:
        """The next tier; None where the highest is reached."""
        return tier_after(self.tiers, self.bought)

    def would_have_saved(self, tier: Tier | None) -> int:
        """What the tier would have taken off beyond the discounts that were given."""
        return max(0, share_of(self.spent, tier) - self.saved)


@dataclass(frozen=True)
class Estimate:
    """What so many would cost in one order, before tax: `net` is `gross` less `discount`."""

    currency: str
    quantity: Decimal
    unit_price: int
    gross: int
    tier: Tier | None
    discount: int
    coming: Tier | None

    @property
    def net(self) -> int:
        """What would be billed."""
        return self.gross - self.discount


def list_offers(
    session: TenantSession, *, zone: str, actor: Actor, now: datetime, item_id: UUID | None = None
) -> list[Offer]:
    """What was bought in the last twelve months of services with discounts; Forbidden without the right to invoices."""
    today = now.astimezone(ZoneInfo(zone)).date()
    bought: list[ColumnElement[bool]] = _bought_since(_year_before(today), actor)
    bought += [CatalogItem.active.is_(True), CatalogItem.discounts != []]
    if item_id is not None:
        bought.append(CatalogItem.id == item_id)
    sums = _sums(session, bought)
    prices = _latest_prices(session, bought) if sums else {}
    return [
        Offer(
            item_id=row.id,
            sku=row.sku,
            names=row.names,
            unit=row.unit,
            currency=row.currency,
            tiers=read_tiers(row.discounts),
            bought=row.quantity,
            spent=int(row.spent),
            saved=int(row.saved),
            unit_price=price,
        )
        for row in sums
        if row.quantity > 0 and (price := prices.get((row.id, row.currency), 0)) > 0
    ]


def estimate(
    session: TenantSession, item_id: UUID, quantity: Decimal, *, zone: str, actor: Actor, now: datetime
) -> list[Estimate]:
    """What so many would cost, for each currency in which the service was bought, at its latest price there.

    Raises Forbidden, NotFound for what the actor's companies did not buy, and Invalid about `quantity`.
    """
    offers = list_offers(session, zone=zone, actor=actor, now=now, item_id=item_id)
    if not offers:
        raise NotFound("catalog_item")
    if not quantity.is_finite() or not 0 < quantity <= LARGEST_QUANTITY or quantity != round(quantity, 4):
        raise invalid("quantity", "quantity_invalid")
    return [_estimate(offer, quantity) for offer in offers]


def _estimate(offer: Offer, quantity: Decimal) -> Estimate:
    gross = PricedLine(quantity, offer.unit_price).gross
    if gross > LARGEST:
        raise invalid("quantity", "amount_too_large")
    tier = tier_at(offer.tiers, quantity)
    return Estimate(
        currency=offer.currency,
        quantity=quantity,
        unit_price=offer.unit_price,
        gross=gross,
        tier=tier,
        discount=share_of(gross, tier),
        coming=tier_after(offer.tiers, quantity),
    )


def _year_before(today: date) -> date:
    """The same day a year before; of 29 February the day after it."""
    is_leap_day = (today.month, today.day) == (2, 29)
    return date(today.year - 1, 3, 1) if is_leap_day else today.replace(year=today.year - 1)


_Taken = aliased(Invoice)


def _bought_since(day: date, actor: Actor) -> list[ColumnElement[bool]]:
    """Invoices after a day; a credit note counts with the invoice that it takes back."""
    return [
        visible_to(actor),
        Invoice.status.not_in([InvoiceStatus.DRAFT, InvoiceStatus.VOID]),
        func.coalesce(_Taken.issued_on, Invoice.issued_on) > day,
    ]


def _sums(session: TenantSession, bought: Sequence[ColumnElement[bool]]) -> Sequence[Any]:
    credit = Invoice.kind == InvoiceKind.CREDIT_NOTE
    sign = case((credit, -1), else_=1)
    # A line below zero, and one of a note over an amount, take back money and no pieces.
    counted = InvoiceLine.unit_price > 0
    pieces = case((and_(counted, credit & ~_returns_pieces()), 0), (counted, InvoiceLine.quantity), else_=0)
    query = (
        select(
            CatalogItem.id,
            CatalogItem.sku,
            CatalogItem.names,
            CatalogItem.unit,
            CatalogItem.discounts,
            Invoice.currency,
            func.sum(pieces * sign).label("quantity"),
            func.sum((InvoiceLine.total + InvoiceLine.discount) * sign).label("spent"),
            func.sum(InvoiceLine.discount * sign).label("saved"),
        )
        .join(InvoiceLine, InvoiceLine.catalog_item_id == CatalogItem.id)
        .join(Invoice, Invoice.id == InvoiceLine.invoice_id)
        .outerjoin(_Taken, _Taken.id == Invoice.credits_id)
        .where(*bought)
        .group_by(CatalogItem.id, Invoice.currency)
        .order_by(CatalogItem.sku, Invoice.currency)
    )
    return session.execute(query).all()


def _returns_pieces() -> ColumnElement[bool]:
    """Whether a credited line has the price of a line that was billed, rather than an amount that was agreed."""
    billed = aliased(InvoiceLine)
    return exists().where(
        billed.invoice_id == Invoice.credits_id,
        billed.catalog_item_id == InvoiceLine.catalog_item_id,
        billed.unit_price == InvoiceLine.unit_price,
    )


def _latest_prices(session: TenantSession, bought: Sequence[ColumnElement[bool]]) -> dict[tuple[UUID, str], int]:
    rows = session.execute(
        select(CatalogItem.id, Invoice.currency, InvoiceLine.unit_price)
        .ext(distinct_on(CatalogItem.id, Invoice.currency))
        .join(InvoiceLine, InvoiceLine.catalog_item_id == CatalogItem.id)
        .join(Invoice, Invoice.id == InvoiceLine.invoice_id)
        .outerjoin(_Taken, _Taken.id == Invoice.credits_id)
        .where(*bought, Invoice.kind != InvoiceKind.CREDIT_NOTE, InvoiceLine.unit_price > 0)
        .order_by(
            CatalogItem.id, Invoice.currency, Invoice.issued_on.desc(), Invoice.created_at.desc(), InvoiceLine.position
        )
    )
    return {(item_id, currency): price for item_id, currency, price in rows}
