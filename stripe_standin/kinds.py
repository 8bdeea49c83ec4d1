"""The types of payment methods that a hosted page here can take: where each works, and whether it can be kept."""

from collections.abc import Iterable
from dataclasses import dataclass

CARD, SEPA, ACH, BACS = "card", "sepa_debit", "us_bank_account", "bacs_debit"


@dataclass(frozen=True)
class Kind:
    """A type; no currencies means every currency. `field`: what is typed, empty where the provider has its own page."""

    label: str
    currencies: frozenset[str] = frozenset()
    reusable: bool = False
    field: str = ""

    def takes(self, currency: str | None) -> bool:
        """Whether it works in a currency; a page that only saves may have none."""
        return not self.currencies or currency is None or currency in self.currencies


def _kind(label: str, currencies: str = "", *, reusable: bool = False, field: str = "") -> Kind:
    return Kind(label, frozenset(currencies.split()), reusable, field)


KINDS = {
    CARD: _kind("Card", reusable=True, field="number"),
    SEPA: _kind("SEPA bank debit", "eur", reusable=True, field="iban"),
    ACH: _kind("US bank account (ACH)", "usd", reusable=True, field="account"),
    BACS: _kind("Bacs bank debit", "gbp", reusable=True, field="account"),
    "upi": _kind("UPI", "inr"),
    "ideal": _kind("iDEAL", "eur"),
    "bancontact": _kind("Bancontact", "eur"),
    "eps": _kind("EPS", "eur"),
    "p24": _kind("Przelewy24", "eur pln"),
    "fpx": _kind("FPX", "myr"),
    "pay_by_bank": _kind("Pay by Bank", "gbp"),
    "link": _kind("Link", reusable=True),
    "amazon_pay": _kind("Amazon Pay", "aud chf dkk eur gbp hkd jpy nok nzd sek usd zar", reusable=True),
    "klarna": _kind("Klarna", "aud cad chf czk dkk eur gbp nok nzd pln ron sek usd"),
    "affirm": _kind("Affirm", "cad usd"),
}
DEBITS = frozenset({SEPA, ACH, BACS})
# Paid or not on the provider's own page.
REDIRECTS = tuple(name for name, kind in KINDS.items() if not kind.field)
# What an account has that nobody has set up: what is not narrowed shows these.
USUAL = (CARD, SEPA, ACH)


def eligible(allowed: Iterable[str] | None, currency: str | None, *, kept: bool) -> list[str]:
    """What a page shows: of the account's types those that are allowed, fit, and can be kept where they shall be."""
    candidates = USUAL if allowed is None else tuple(allowed)
    return [
        name
        for name in candidates
        if name in KINDS and KINDS[name].takes(currency) and (KINDS[name].reusable or not kept)
    ]
