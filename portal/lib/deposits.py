"""A deposit as amounts before tax, chosen so that deposit and remainder add up to the whole to the minor unit.

Tax is rounded on each invoice of its own. Where it is rounded once per rate, a deposit of exactly so many percent can
make both roundings differ from that of the whole by one unit, so the nearest amount is taken that does not.
"""

from collections.abc import Sequence
from decimal import Decimal

from portal.lib.money import round_half_up
from portal.lib.pricing import PricedLine, TaxRounding, TaxShare, Totals, price_lines


def deposit_lines(taxes: Sequence[TaxShare], percent: Decimal, rounding: TaxRounding) -> list[PricedLine]:
    """One line per tax rate, together about `percent` of the whole; none where nothing is asked for."""
    if not 0 < percent < 100:
        return []
    lines = [
        PricedLine(Decimal(1), _net(share, percent, rounding), 0, share.rate, share.name)
        for share in taxes
        if share.net > 0
    ]
    return [line for line in lines if line.unit_price > 0]


def deposit_totals(totals: Totals, percent: Decimal, rounding: TaxRounding) -> Totals:
    """What the deposit's invoice comes to."""
    return price_lines(deposit_lines(totals.taxes, percent, rounding), rounding)


def _net(share: TaxShare, percent: Decimal, rounding: TaxRounding) -> int:
    wanted = round_half_up(Decimal(share.net) * percent / 100)
    if rounding is TaxRounding.LINE:
        # Each line is rounded by itself there, and the deduction like the deposit.
        return wanted
    for step in range(share.net + 1):
        for net in (wanted - step, wanted + step):
            if 0 <= net <= share.net and _fits(share, net):
                return net
    return wanted


def _fits(share: TaxShare, net: int) -> bool:
    return _tax(net, share.rate) + _tax(share.net - net, share.rate) == share.tax


def _tax(net: int, rate: Decimal) -> int:
    return round_half_up(Decimal(net) * rate / 100)
