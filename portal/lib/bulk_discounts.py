"""Discounts by quantity: which tier a quantity reaches, and what it takes off; amounts in whole minor units."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from portal.lib.money import round_half_up
from portal.lib.pricing import PricedLine


@dataclass(frozen=True, slots=True)
class Tier:
    """From this quantity on, so many percent off the whole line."""

    from_quantity: Decimal
    percent: Decimal


def read_tiers(stored: Iterable[Mapping[str, Any]]) -> tuple[Tier, ...]:
    """Tiers as a catalogue item keeps them, the lowest quantity first."""
    return tuple(Tier(Decimal(one["from"]), Decimal(one["percent"])) for one in stored)


def write_tiers(tiers: Iterable[Tier]) -> list[dict[str, str]]:
    """What `read_tiers` reads back; decimals are texts, so that nothing is rounded."""
    return [{"from": _plain(tier.from_quantity), "percent": _plain(tier.percent)} for tier in tiers]


def tier_at(tiers: Sequence[Tier], quantity: Decimal) -> Tier | None:
    """The highest tier that the quantity reaches; a tier's own quantity reaches it."""
    return next((tier for tier in reversed(tiers) if quantity >= tier.from_quantity), None)


def tier_after(tiers: Sequence[Tier], quantity: Decimal) -> Tier | None:
    """The next tier that the quantity does not reach; None beyond the last."""
    return next((tier for tier in tiers if quantity < tier.from_quantity), None)


def share_of(gross: int, tier: Tier | None) -> int:
    """What a tier takes off an amount, rounded half up; nothing off what is not above zero."""
    return round_half_up(Decimal(gross) * tier.percent / 100) if tier is not None and gross > 0 else 0


def line_discount(tiers: Sequence[Tier], quantity: Decimal, unit_price: int) -> int:
    """The discount of a line of so many at a price; never more than the line's amount."""
    return share_of(PricedLine(quantity, unit_price).gross, tier_at(tiers, quantity))


def _plain(value: Decimal) -> str:
    return format(value.normalize(), "f")
