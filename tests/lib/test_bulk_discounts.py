"""Which tier a quantity reaches, at each threshold and beside it, and that sums stay exact."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from portal.lib.bulk_discounts import Tier, line_discount, read_tiers, tier_after, tier_at, write_tiers
from portal.lib.money import round_half_up
from portal.lib.pricing import PricedLine, TaxRounding, price_lines

STEP = Decimal("0.0001")
quantities = st.decimals("0.0001", "100000", places=4)
percents = st.decimals("0.0001", "99.9999", places=4)


@st.composite
def ladders(draw: st.DrawFn) -> tuple[Tier, ...]:
    """Up to ten tiers as the catalogue takes them."""
    count = draw(st.integers(1, 10))
    starts = sorted(draw(st.lists(quantities, min_size=count, max_size=count, unique=True)))
    shares = sorted(draw(st.lists(percents, min_size=count, max_size=count, unique=True)))
    return tuple(Tier(start, share) for start, share in zip(starts, shares, strict=True))


@given(ladders())
def test_the_tier_is_right_at_every_threshold(tiers: tuple[Tier, ...]) -> None:
    for place, tier in enumerate(tiers):
        before = tiers[place - 1] if place else None
        after = tiers[place + 1] if place + 1 < len(tiers) else None
        assert tier_at(tiers, tier.from_quantity) == tier
        assert tier_after(tiers, tier.from_quantity) == after
        below = tier.from_quantity - STEP
        assert tier_at(tiers, below) == (before if before is None or below >= before.from_quantity else None)
        assert tier_after(tiers, below) == tier
    assert tier_at(tiers, tiers[-1].from_quantity * 1000) == tiers[-1]


@given(ladders(), quantities)
def test_between_thresholds_as_one_by_one(tiers: tuple[Tier, ...], quantity: Decimal) -> None:
    reached = [tier for tier in tiers if tier.from_quantity <= quantity]
    assert tier_at(tiers, quantity) == (reached[-1] if reached else None)
    assert tier_after(tiers, quantity) == (tiers[len(reached)] if len(reached) < len(tiers) else None)


@given(
    ladders(),
    st.lists(st.tuples(quantities, st.integers(0, 10**8)), min_size=1, max_size=8),
    st.sampled_from(["0", "5.5", "8.875", "20"]),
    st.sampled_from(list(TaxRounding)),
)
def test_sums_stay_exact(
    tiers: tuple[Tier, ...], lines: list[tuple[Decimal, int]], rate: str, rounding: TaxRounding
) -> None:
    priced = []
    for quantity, price in lines:
        discount, gross = line_discount(tiers, quantity, price), PricedLine(quantity, price).gross
        tier = tier_at(tiers, quantity)
        assert type(discount) is int
        assert 0 <= discount <= gross
        assert discount == (round_half_up(gross * tier.percent / 100) if tier else 0)
        priced.append(PricedLine(quantity, price, discount, Decimal(rate), "VAT"))
    totals = price_lines(priced, rounding)
    assert totals.subtotal - totals.discount_total == sum(line.net for line in priced)
    assert totals.total == totals.subtotal - totals.discount_total + totals.tax_total


def test_known_figures_and_halves_go_up() -> None:
    tiers = read_tiers([{"from": "10", "percent": "5"}, {"from": "50", "percent": "12.5"}])
    figures = {"9.9999": 0, "10": 50, "49.9999": 250, "50": 625, "51": 638}
    assert {text: line_discount(tiers, Decimal(text), 100) for text in figures} == figures
    assert line_discount(tiers, Decimal(10), -100) == 0


@given(ladders())
def test_what_is_kept_is_read_back(tiers: tuple[Tier, ...]) -> None:
    assert read_tiers(write_tiers(tiers)) == tiers
