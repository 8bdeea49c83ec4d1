"""Which ways of paying the tenant offers for an amount, and what the gateway's page is asked to take (H7.4).

What is offered is fixed when a payment starts: a later change of the settings changes no call that may be repeated.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from portal.errors import Conflict, invalid
from portal.lib.pay_methods import CARD_TYPE, WAYS, PayMethod, fitting, known, method_of
from portal.models import BillingSettings, Payment, PaymentMethod


@dataclass(frozen=True)
class Offer:
    """What a payment's page takes: the method that was chosen ("" for any that fits) and the gateway's types."""

    method: str
    types: tuple[str, ...]
    installments: bool = False


def offered(settings: BillingSettings, currency: str, amount: int) -> list[PayMethod]:
    """The methods in which the amount, or a part of it where parts may be paid, can be paid."""
    part = settings.partial_payments
    return [
        method
        for method in known(settings.payment_methods)
        if amount > 0 and _types(settings, method, currency, amount, part=part)
    ]


def reusable(methods: Iterable[PayMethod]) -> list[PayMethod]:
    """Those that can be kept, and charged while nobody is there."""
    return [method for method in methods if WAYS[method].reusable]


def choose_offer(settings: BillingSettings, currency: str, amount: int, choice: str, *, keep: bool) -> Offer:
    """What the page takes for a choice ("" for all that fits). `keep`: what is paid with shall be kept.

    Raises Invalid for `method` (`method_not_enabled`, `method_does_not_fit`, `method_none_fits`) and for `save`
    (`method_not_kept`).
    """
    enabled = known(settings.payment_methods)
    if not choice:
        found = {one: _types(settings, one, currency, amount) for one in (reusable(enabled) if keep else enabled)}
        if not any(found.values()):
            raise invalid("method", "method_none_fits")
        return _offer("", found)
    method = next((one for one in enabled if one.value == choice), None)
    if method is None:
        raise invalid("method", "method_not_enabled")
    if keep and not WAYS[method].reusable:
        raise invalid("save", "method_not_kept")
    types = _types(settings, method, currency, amount)
    if not types:
        raise invalid("method", "method_does_not_fit")
    return _offer(method.value, {method: types})


def kept_types(settings: BillingSettings, currency: str) -> tuple[str, ...]:
    """The types that a page may save without a payment. Raises Conflict `method_not_kept` where there is none."""
    methods = reusable(known(settings.payment_methods))
    types = tuple(one.name for method in methods for one in WAYS[method].types if one.takes(currency))
    if not types:
        raise Conflict("method_not_kept")
    return types


def chargeable(settings: BillingSettings, methods: Iterable[PaymentMethod], currency: str) -> list[PaymentMethod]:
    """The saved methods that an invoice of the currency can be paid with."""
    return [method for method in methods if not refusal_of(settings, method, currency)]


def refusal_of(settings: BillingSettings, method: PaymentMethod, currency: str | None) -> str:
    """Why a saved method is not taken (any more, or in this currency); empty where it is."""
    found = method_of(method.kind)
    # What the gateway's page kept before ways were chosen, such as Link, stays good.
    if found is None or not WAYS[found[0]].reusable:
        return ""
    way, kind = found
    if way.value not in settings.payment_methods:
        return "method_not_enabled"
    return "" if currency is None or kind.takes(currency) else "method_does_not_fit"


def repeated_choice(settings: BillingSettings, payment: Payment, amount: int) -> str:
    """What somebody chose before, if it can be chosen still."""
    choice = str(payment.keys.get("offer", {}).get("method", ""))
    return choice if choice in offered(settings, payment.currency, amount) else ""


def stored(offer: Offer) -> dict[str, object]:
    """As a payment's row keeps it."""
    return asdict(offer) | {"types": list(offer.types)}


def offer_of(payment: Payment) -> Offer:
    """What a payment's row says; payments of before this was chosen take whatever the gateway offers."""
    kept = payment.keys.get("offer") or {}
    return Offer(kept.get("method", ""), tuple(kept.get("types", ())), bool(kept.get("installments", False)))


def _offer(choice: str, found: Mapping[PayMethod, tuple[str, ...]]) -> Offer:
    types = tuple(dict.fromkeys(name for names in found.values() for name in names))
    plans = any(WAYS[method].installments and CARD_TYPE.name in names for method, names in found.items())
    return Offer(choice, types, installments=plans)


def _types(
    settings: BillingSettings, method: PayMethod, currency: str, amount: int, *, part: bool = False
) -> tuple[str, ...]:
    types = fitting(method, currency, amount, part=part)
    # Apple Pay and Google Pay are cards to the gateway; its page shows them only where it takes cards.
    if method is PayMethod.WALLET and PayMethod.CARD.value in settings.payment_methods:
        return (CARD_TYPE.name, *types)
    return types
