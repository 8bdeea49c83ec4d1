"""Discounts by quantity as staff write them: what is refused, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from portal.errors import FieldError, Invalid
from portal.lib.bulk_discounts import Tier

MOST_TIERS = 10
LARGEST_QUANTITY = Decimal(10) ** 9
_PLACES = 4


@dataclass(frozen=True)
class TierForm:
    """A tier as it was typed; percent off from a quantity on, None where what was typed is no number."""

    from_quantity: Decimal | None
    percent: Decimal | None


def check_tiers(tiers: Sequence[TierForm]) -> tuple[Tier, ...]:
    """The tiers; raises Invalid with fields such as `discounts.0.percent`."""
    if errors := errors_of_tiers(tiers):
        raise Invalid(*errors)
    return tuple(Tier(tier.from_quantity or Decimal(0), tier.percent or Decimal(0)) for tier in tiers)


def errors_of_tiers(tiers: Sequence[TierForm]) -> list[FieldError]:
    """What is wrong with tiers: each needs a larger quantity and a larger discount than the one before."""
    if len(tiers) > MOST_TIERS:
        return [FieldError("discounts", "too_many", (("limit", MOST_TIERS),))]
    errors: list[FieldError] = []
    quantity, percent = Decimal(0), Decimal(0)
    for place, tier in enumerate(tiers):
        at = f"discounts.{place}"
        if not _is_between(tier.from_quantity, LARGEST_QUANTITY):
            errors.append(FieldError(f"{at}.from_quantity", "quantity_invalid"))
        elif tier.from_quantity is not None and tier.from_quantity <= quantity:
            errors.append(FieldError(f"{at}.from_quantity", "tier_not_ascending"))
        if not _is_between(tier.percent, Decimal(100)) or tier.percent == 100:
            errors.append(FieldError(f"{at}.percent", "tier_percent_invalid"))
        elif tier.percent is not None and tier.percent <= percent:
            errors.append(FieldError(f"{at}.percent", "tier_not_rising"))
        if errors:
            return errors
        quantity, percent = tier.from_quantity or quantity, tier.percent or percent
    return []


def _is_between(value: Decimal | None, most: Decimal) -> bool:
    """Whether a number is above zero, at most `most`, and has no more than four decimals."""
    return value is not None and value.is_finite() and 0 < value <= most and value == round(value, _PLACES)
