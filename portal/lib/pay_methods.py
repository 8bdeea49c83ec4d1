"""The ways of paying that a tenant may offer, and which types of the gateway each stands for (docs/payments.md).

Types are Stripe's, as the pinned SDK names them; currencies and limits are from Stripe's own documentation. Amounts
are minor units.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class PayMethod(StrEnum):
    """A way of paying, as tenants choose and payers see it."""

    CARD = "card"
    BANK_DEBIT = "bank_debit"
    UPI = "upi"
    NET_BANKING = "net_banking"
    WALLET = "wallet"
    EMI = "emi"


# What a tenant offers that has chosen nothing.
USUAL = (PayMethod.CARD, PayMethod.BANK_DEBIT)


@dataclass(frozen=True, slots=True)
class GatewayType:
    """A type of the gateway; no currencies means every currency, `least` and `most` are the provider's limits."""

    name: str
    currencies: frozenset[str] = frozenset()
    least: int = 1
    most: int | None = None

    def takes(self, currency: str) -> bool:
        """Whether it works in a currency at all."""
        return not self.currencies or currency in self.currencies

    def fits(self, currency: str, amount: int, *, part: bool = False) -> bool:
        """Whether it takes the amount, or (`part`) some part of it."""
        most = amount if self.most is None or part else self.most
        return self.takes(currency) and self.least <= amount <= most


@dataclass(frozen=True, slots=True)
class Way:
    """What a method stands for. `reusable`: what was paid with can be kept and charged while nobody is there."""

    types: tuple[GatewayType, ...]
    reusable: bool = False
    installments: bool = False

    @property
    def currencies(self) -> tuple[str, ...]:
        """Where it works, in alphabetical order; empty for every currency."""
        if any(not one.currencies for one in self.types):
            return ()
        return tuple(sorted({code for one in self.types for code in one.currencies}))


def _type(name: str, currencies: str = "", least: int = 1, most: int | None = None) -> GatewayType:
    return GatewayType(name, frozenset(currencies.split()), least, most)


CARD_TYPE = _type("card")
WAYS: dict[PayMethod, Way] = {
    PayMethod.CARD: Way((CARD_TYPE,), reusable=True),
    PayMethod.BANK_DEBIT: Way(
        (_type("sepa_debit", "EUR"), _type("us_bank_account", "USD"), _type("bacs_debit", "GBP")), reusable=True
    ),
    PayMethod.UPI: Way((_type("upi", "INR"),)),
    PayMethod.NET_BANKING: Way(
        (
            _type("ideal", "EUR"),
            _type("bancontact", "EUR"),
            _type("eps", "EUR"),
            _type("p24", "EUR PLN"),
            _type("fpx", "MYR"),
            _type("pay_by_bank", "GBP"),
        )
    ),
    PayMethod.WALLET: Way((_type("link"), _type("amazon_pay", "AUD CHF DKK EUR GBP HKD JPY NOK NZD SEK USD ZAR"))),
    PayMethod.EMI: Way(
        (
            _type("klarna", "AUD CAD CHF CZK DKK EUR GBP NOK NZD PLN RON SEK USD"),
            _type("affirm", "CAD USD", 5_000, 3_000_000),
            # Months without interest on cards, which Stripe has for Mexico.
            _type("card", "MXN", 30_000),
        ),
        installments=True,
    ),
}


def method_of(kind: str) -> tuple[PayMethod, GatewayType] | None:
    """The method and type behind a saved token's kind; None for kinds that we never offered."""
    for method, way in WAYS.items():
        for one in way.types:
            if one.name == kind:
                return method, one
    return None


def fitting(method: PayMethod, currency: str, amount: int, *, part: bool = False) -> tuple[str, ...]:
    """The types of a method that take the amount (or a part of it), in order."""
    return tuple(one.name for one in WAYS[method].types if one.fits(currency, amount, part=part))


def known(names: Iterable[object]) -> tuple[PayMethod, ...]:
    """The methods among stored names, in our order."""
    stored = set(names)
    return tuple(method for method in PayMethod if method.value in stored)
