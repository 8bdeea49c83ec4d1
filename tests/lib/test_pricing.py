"""What lines come to: the sums agree with one another, whatever the lines are."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.lib.pricing import PricedLine, TaxRounding, price_lines

QUANTITIES = st.decimals("0.0001", "100000", places=4)
RATES = st.sampled_from([Decimal(rate) for rate in ("0", "5.5", "18", "20", "7.7", "33.3333")])


@st.composite
def lines(draw: st.DrawFn) -> PricedLine:
    """A line whose discount is at most what it costs."""
    line = PricedLine(draw(QUANTITIES), draw(st.integers(-(10**7), 10**7)), 0, draw(RATES), draw(st.sampled_from("AB")))
    discount = draw(st.integers(0, max(0, line.gross)))
    return PricedLine(line.quantity, line.unit_price, discount, line.tax_rate, line.tax_name)


@given(st.lists(lines(), max_size=30), st.sampled_from(list(TaxRounding)))
def test_every_sum_agrees_with_every_other(given_lines: list[PricedLine], rounding: TaxRounding) -> None:
    totals = price_lines(given_lines, rounding)
    assert totals.total == totals.subtotal - totals.discount_total + totals.tax_total
    assert sum(line.net for line in given_lines) == totals.subtotal - totals.discount_total
    assert sum(share.net for share in totals.taxes) == totals.subtotal - totals.discount_total
    assert sum(share.tax for share in totals.taxes) == totals.tax_total
    # By line each rounding errs by half a unit at most, by document each rate does.
    exact = sum((line.exact_tax for line in given_lines), Decimal(0))
    most = len(given_lines) if rounding is TaxRounding.LINE else len(totals.taxes)
    assert abs(totals.tax_total - exact) <= Decimal(most) / 2


@given(st.lists(lines(), max_size=12), st.randoms(use_true_random=False), st.sampled_from(list(TaxRounding)))
def test_the_order_of_lines_does_not_matter(given_lines: list[PricedLine], random: object, rounding: object) -> None:
    shuffled = sorted(given_lines, key=lambda line: (line.unit_price, line.quantity), reverse=True)
    assert price_lines(given_lines, TaxRounding(rounding)) == price_lines(shuffled, TaxRounding(rounding))


def test_the_two_roundings_differ_where_each_line_has_half_a_cent() -> None:
    thrice = [PricedLine(Decimal(1), 3, 0, Decimal(18), "GST")] * 3
    # 0.54 of a cent each: rounded up on every line, 1.62 once for all of them.
    assert price_lines(thrice, TaxRounding.LINE).tax_total == 3
    assert price_lines(thrice, TaxRounding.DOCUMENT).tax_total == 2


def test_gst_of_eighteen_percent_is_a_line_of_its_own() -> None:
    totals = price_lines([PricedLine(Decimal(2), 50_000, 1_000, Decimal(18), "GST")])
    (share,) = totals.taxes
    assert (share.name, share.rate, share.net, share.tax) == ("GST", Decimal(18), 99_000, 17_820)
    assert totals.total == 116_820


@pytest.mark.parametrize(("price", "quantity", "net"), [(333, "1.5", 500), (1, "0.5", 1), (-1, "0.5", -1), (7, "0", 0)])
def test_a_line_is_rounded_once_to_whole_units(price: int, quantity: str, net: int) -> None:
    assert PricedLine(Decimal(quantity), price).net == net


def test_rates_come_by_height_then_name() -> None:
    given_lines = [
        PricedLine(Decimal(1), 100, 0, Decimal(rate), name) for rate, name in ((0, ""), (20, "B"), (20, "A"))
    ]
    assert [(share.rate, share.name) for share in price_lines(given_lines).taxes] == [(20, "A"), (20, "B"), (0, "")]
