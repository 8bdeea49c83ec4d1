"""What lines come to: net, discount, tax and total, in whole minor units, the same on page, PDF and invoice."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from portal.lib.money import round_half_up


class TaxRounding(StrEnum):
    """Where tax is rounded: on each line, or once for all lines of one rate (EN 16931's way)."""

    LINE = "line"
    DOCUMENT = "document"


@dataclass(frozen=True, slots=True)
class PricedLine:
    """One line to be priced; amounts in minor units, `tax_rate` in percent."""

    quantity: Decimal
    unit_price: int
    discount: int = 0
    tax_rate: Decimal = Decimal(0)
    tax_name: str = ""

    @property
    def gross(self) -> int:
        """Quantity times price before the discount."""
        return round_half_up(self.quantity * self.unit_price)

    @property
    def net(self) -> int:
        """After the discount, before tax: what the line shows as its total."""
        return self.gross - self.discount

    @property
    def exact_tax(self) -> Decimal:
        """The line's tax before rounding."""
        return Decimal(self.net) * self.tax_rate / 100


@dataclass(frozen=True, slots=True)
class TaxShare:
    """All lines of one tax rate together."""

    name: str
    rate: Decimal
    net: int
    tax: int


@dataclass(frozen=True, slots=True)
class Totals:
    """A document's sums: total = subtotal - discount_total + tax_total."""

    subtotal: int
    discount_total: int
    tax_total: int
    total: int
    taxes: tuple[TaxShare, ...]


def price_lines(lines: Sequence[PricedLine], rounding: TaxRounding = TaxRounding.DOCUMENT) -> Totals:
    """Add up lines that are all taken."""
    subtotal = sum(line.gross for line in lines)
    discounts = sum(line.discount for line in lines)
    taxes = tuple(_share(name, rate, of_rate, rounding) for (name, rate), of_rate in _by_rate(lines))
    tax = sum(share.tax for share in taxes)
    return Totals(subtotal, discounts, tax, subtotal - discounts + tax, taxes)


def _by_rate(lines: Iterable[PricedLine]) -> list[tuple[tuple[str, Decimal], list[PricedLine]]]:
    groups: dict[tuple[str, Decimal], list[PricedLine]] = {}
    for line in lines:
        groups.setdefault((line.tax_name, line.tax_rate), []).append(line)
    return sorted(groups.items(), key=lambda group: (-group[0][1], group[0][0]))


def _share(name: str, rate: Decimal, lines: list[PricedLine], rounding: TaxRounding) -> TaxShare:
    net = sum(line.net for line in lines)
    if rounding is TaxRounding.LINE:
        return TaxShare(name, rate, net, sum(round_half_up(line.exact_tax) for line in lines))
    return TaxShare(name, rate, net, round_half_up(Decimal(net) * rate / 100))
