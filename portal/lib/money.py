"""Money: whole minor units of a currency; never a float.

Exponents are those of ISO 4217 (list one, 2026): how many digits a currency has after the point.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

_CODES = {
    0: ("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"),
    2: (
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY "
        "COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF "
        "IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR "
        "MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG "
        "SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST "
        "XAD XCD XCG YER ZAR ZMW ZWG"
    ),
    3: ("BHD IQD JOD KWD LYD OMR TND"),
    4: ("CLF UYW"),
}
EXPONENTS: dict[str, int] = {code: digits for digits, codes in _CODES.items() for code in codes.split()}
# Fits a bigint with room for sums, and is more than anybody bills at once.
LARGEST = 10**15


@dataclass(frozen=True, slots=True)
class Money:
    """So many minor units of a currency (`Money(1050, "EUR")` is 10.50 €)."""

    amount: int
    currency: str

    def __post_init__(self) -> None:
        if self.currency not in EXPONENTS:
            raise ValueError(f"{self.currency!r} is no ISO 4217 currency")

    @property
    def decimal(self) -> Decimal:
        """The amount in whole units, exact."""
        return Decimal(self.amount).scaleb(-EXPONENTS[self.currency])

    def __add__(self, other: "Money") -> "Money":
        return Money(self.amount + _same(self, other).amount, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.amount - _same(self, other).amount, self.currency)


def _same(one: Money, other: Money) -> Money:
    if one.currency != other.currency:
        raise ValueError(f"{one.currency} and {other.currency} do not add up")
    return other


def round_half_up(value: Decimal) -> int:
    """The nearest whole minor unit; halves away from zero, as invoices do (EN 16931, BR-CO rules)."""
    return int(value.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def parse_amount(text: str, currency: str) -> Money:
    """What a person typed with a point ("1050.5"); ValueError where it has more digits than the currency."""
    try:
        minor = Decimal(text.strip()).scaleb(EXPONENTS[currency])
    except (InvalidOperation, KeyError) as error:
        raise ValueError(text) from error
    if not minor.is_finite() or minor != minor.to_integral_value() or abs(minor) > LARGEST:
        raise ValueError(text)
    return Money(int(minor), currency)


def allocate(amount: int, weights: Sequence[int]) -> list[int]:
    """Split minor units by weights so that the parts add up exactly; the largest remainders get the odd units."""
    total = sum(weights)
    if total <= 0 or min(weights) < 0:
        raise ValueError("weights must not be negative and not all zero")
    sign, whole = (-1 if amount < 0 else 1), abs(amount)
    parts = [whole * weight // total for weight in weights]
    order = sorted(range(len(weights)), key=lambda at: (-(whole * weights[at] % total), at))
    for at in order[: whole - sum(parts)]:
        parts[at] += 1
    return [sign * part for part in parts]
