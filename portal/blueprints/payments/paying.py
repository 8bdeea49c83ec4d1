"""What pages that take a payment share: the ways to choose from, the start, and where it leads."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import redirect, url_for
from flask.typing import ResponseReturnValue

from portal.blueprints import http
from portal.blueprints.payments.gateway import ask_gateway, gateway
from portal.blueprints.payments.presenters import present_method, present_ways
from portal.errors import invalid
from portal.lib.money import parse_amount
from portal.lib.pay_methods import PayMethod
from portal.models import UNDECIDED, BillingSettings, Payment
from portal.services.payments.methods import list_methods
from portal.services.payments.offering import chargeable, offered, reusable
from portal.services.payments.queries import get_payment
from portal.services.payments.reserving import PayRequest, start_payment

# Whatever the payment provider's page offers of what fits.
ANY = "new_card"


def choices_of(settings: BillingSettings, due: Mapping[str, int], company_id: UUID | None = None) -> dict[str, Any]:
    """How so much in these currencies can be paid: saved methods, and what the payment provider's page takes."""
    methods = list_methods(http.session(), actor=http.actor(), company_id=company_id)
    usable = {one.id for currency in due for one in chargeable(settings, methods, currency)}
    ways = {one for currency, amount in due.items() for one in offered(settings, currency, amount)}
    ordered = [one for one in PayMethod if one in ways]
    return {
        "methods": [present_method(method) for method in methods if method.id in usable],
        "ways": present_ways(ordered),
        "keepable": bool(reusable(ordered)),
        "simulated": is_simulated(),
        "payments_off": gateway() is None,
    }


def is_simulated() -> bool:
    """Whether no money moves."""
    found = gateway()
    return bool(found and found.simulated)


def start_chosen(invoices: dict[UUID, int | None], form: Mapping[str, str]) -> Payment:
    """Reserve what a form chose and how, and commit; raises what `start_payment` does."""
    chosen = form.get("method", ANY)
    new = chosen == ANY or chosen in set(PayMethod)
    wanted = PayRequest(
        invoices,
        method_id=None if new else parse_id(chosen),
        choice=chosen if new and chosen != ANY else "",
        save=form.get("save") == "1",
    )
    payment = start_payment(http.session(), wanted, actor=http.actor(), now=http.now())
    http.commit()
    return payment


def lead_on(payment_id: UUID) -> ResponseReturnValue:
    """Ask the gateway, and go to its page or to the payment's own."""
    ask_gateway(payment_id)
    payment = get_payment(http.session(), payment_id, actor=http.actor())
    target = payment.redirect_url if payment.status in UNDECIDED else None
    return redirect(target or url_for("payments.detail", payment_id=payment_id), code=303)


def read_part(form: Mapping[str, str], currency: str) -> int | None:
    """How much of what is due a form wants to pay, in minor units; None for all of it. Raises Invalid."""
    if form.get("how") != "part":
        return None
    text = form.get("amount", "").strip()
    if not text:
        # Whoever forgot to say how much must not be charged for all.
        raise invalid("amount", "required")
    try:
        return parse_amount(text.replace(",", "."), currency).amount
    except ValueError:
        raise invalid("amount", "amount_invalid") from None


def parse_id(text: str) -> UUID:
    """The id that a choice names; Invalid for anything else."""
    try:
        return UUID(text)
    except ValueError:
        raise invalid("method", "unknown_choice") from None
