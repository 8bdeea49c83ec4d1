"""Money: whole minor units of every currency, split and read without losing any."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.lib.iso_durations import format_iso_duration, parse_iso_duration
from portal.lib.money import EXPONENTS, LARGEST, Money, allocate, parse_amount, round_half_up
from portal.lib.money_format import format_amount, format_quantity, format_rate

AMOUNTS = st.integers(-LARGEST, LARGEST)
CURRENCIES = st.sampled_from(sorted(EXPONENTS))


@pytest.mark.parametrize(
    ("text", "currency", "amount"),
    [
        ("1050.5", "EUR", 105_050),
        ("1050", "JPY", 1050),
        ("1.234", "KWD", 1234),
        (" -0.01 ", "EUR", -1),
        ("0", "CLF", 0),
    ],
)
def test_amounts_are_read_by_the_digits_of_their_currency(text: str, currency: str, amount: int) -> None:
    assert parse_amount(text, currency) == Money(amount, currency)


@pytest.mark.parametrize(
    ("text", "currency"),
    [("1.005", "EUR"), ("1.5", "JPY"), ("", "EUR"), ("x", "EUR"), ("NaN", "EUR"), ("Infinity", "EUR"), ("1", "XXX"), ("1e20", "EUR")],
)
def test_what_is_no_amount_is_refused(text: str, currency: str) -> None:
    with pytest.raises(ValueError):
        parse_amount(text, currency)


@given(AMOUNTS, CURRENCIES)
def test_an_amount_reads_back_as_it_was_written(amount: int, currency: str) -> None:
    money = Money(amount, currency)
    assert parse_amount(format(money.decimal, "f"), currency) == money


def test_currencies_do_not_add_up() -> None:
    assert Money(1, "EUR") + Money(2, "EUR") - Money(5, "EUR") == Money(-2, "EUR")
    with pytest.raises(ValueError, match="do not add up"):
        Money(1, "EUR") + Money(1, "USD")
    with pytest.raises(ValueError, match="no ISO"):
        Money(1, "eur")


@given(AMOUNTS, st.lists(st.integers(0, 10**12), min_size=1, max_size=20).filter(any))
def test_parts_add_up_and_stay_near_their_share(amount: int, weights: list[int]) -> None:
    parts = allocate(amount, weights)
    assert sum(parts) == amount
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - Decimal(amount) * weight / sum(weights)) < 1
        assert weight or part == 0


@pytest.mark.parametrize("weights", [[], [0], [1, -1]])
def test_weights_that_divide_nothing_are_refused(weights: list[int]) -> None:
    with pytest.raises(ValueError, match=r"weights|empty"):
        allocate(100, weights)


@pytest.mark.parametrize(("value", "rounded"), [("0.5", 1), ("-0.5", -1), ("1.49", 1), ("2.5", 3), ("-2.5", -3)])
def test_halves_go_away_from_zero(value: str, rounded: int) -> None:
    assert round_half_up(Decimal(value)) == rounded


@pytest.mark.parametrize(
    ("amount", "currency", "locale", "text"),
    [
        (123_450, "EUR", "en", "€1,234.50"),
        (123_450, "EUR", "de", "1.234,50\xa0€"),
        (-6_653, "EUR", "en", "-€66.53"),
        (1_050, "JPY", "en", "¥1,050"),
        (1_234_567, "KWD", "en", "KWD1,234.567"),
        (1_234_567, "IQD", "en", "IQD1,234.567"),
    ],
)
def test_people_read_money_in_their_language(amount: int, currency: str, locale: str, text: str) -> None:
    assert format_amount(amount, currency, locale).replace("KWD\xa0", "KWD").replace("IQD\xa0", "IQD") == text


def test_quantities_and_rates_have_no_needless_zeros() -> None:
    assert (format_quantity(Decimal("3.5000"), "en"), format_quantity(Decimal("1000"), "de")) == ("3.5", "1.000")
    assert (format_rate(Decimal("20.0000"), "en"), format_rate(Decimal("5.5"), "en")) == ("20%", "5.5%")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("P3D", 259_200), ("-P2DT15H", -226_800), ("PT5S", 5), ("P1W", 604_800), ("-PT90M", -5_400), ("PT0S", 0)],
)
def test_durations_are_read_and_written(text: str, seconds: int) -> None:
    span = parse_iso_duration(text)
    assert span.total_seconds() == seconds
    assert parse_iso_duration(format_iso_duration(span)) == span


@pytest.mark.parametrize("text", ["", "P", "PT", "P1M", "P1Y", "3D", "P-3D", "PT1.5S", "P9999W", "P1DT", "p3d", "P٣D"])
def test_other_texts_are_no_durations(text: str) -> None:
    with pytest.raises(ValueError):
        parse_iso_duration(text)
