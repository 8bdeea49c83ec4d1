"""What people see: the hosted payment page, their bank's question, receipts. What is typed is never stored or shown."""

import re
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, redirect, render_template, request
from werkzeug.wrappers import Response as Redirect

from stripe_standin import checkout, intents, setups
from stripe_standin.amounts import shown
from stripe_standin.cards import ACCOUNTS, ELSEWHERE, TestNumber
from stripe_standin.errors import ApiError, Body
from stripe_standin.kinds import CARD, DEBITS, KINDS, SEPA
from stripe_standin.methods import number_on_page
from stripe_standin.store import Store
from stripe_standin.world import World

Answer = str | tuple[str, int] | Redirect
# Months of cards' own instalments.
PLANS = ("3", "6", "9", "12")
REFUSED = "This is not one of the published test numbers. It was not stored; never type a real one here."
POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"


class Refusal(Exception):
    """What is wrong with what was typed."""


def build_pages(store: Store) -> Blueprint:
    """The blueprint of the pages."""
    bp = Blueprint("pages", __name__)

    def world() -> World:
        return World(store, address=request.host_url.rstrip("/"))

    @bp.after_request
    def guard(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["Cache-Control"] = "no-store"
        return response

    @bp.get("/c/pay/<session_id>")
    def pay_page(session_id: str) -> Answer:
        with store.transaction():
            return _page(world(), session_id)

    @bp.post("/c/pay/<session_id>")
    def pay(session_id: str) -> Answer:
        with store.transaction():
            at = world()
            session = at.get("checkout.session", session_id)
            if session["status"] != "open":
                return _page(at, session_id)
            try:
                number, about = _typed(at.now)
                with store.attempt():
                    paid = checkout.pay(at, session, number, about)
            except (Refusal, ApiError) as error:
                return _page(at, session_id, str(error))
            if paid["status"] == "requires_action":
                return redirect(paid["next_action"]["redirect_to_url"]["url"], 303)
            return _page(at, session_id)

    @bp.get("/3ds/<object_id>/<secret>")
    def bank_page(object_id: str, secret: str) -> Answer:
        with store.transaction():
            at = world()
            found = _asked(at, object_id, secret)
            if found["status"] != "requires_action":
                return render_template("told.html", heading="Answered", text="Your bank has your answer.", back=None)
            method = at.get("payment_method", found["payment_method"])
            total = shown(found["amount"], found["currency"]) if "amount" in found else None
            last4 = method["card"]["last4"] if "card" in method else None
            return render_template("bank.html", last4=last4, provider=KINDS[method["type"]].label, total=total)

    @bp.post("/3ds/<object_id>/<secret>")
    def bank(object_id: str, secret: str) -> Answer:
        with store.transaction():
            at = world()
            before = _asked(at, object_id, secret)
            module: Any = intents if before["object"] == "payment_intent" else setups
            after = module.authenticated(at, object_id, approved=request.form.get("decision") == "approve")
            session = checkout.of_intent(at, object_id)
            if session:
                return _page(at, session["id"])
            action = before["next_action"]
            if not action:
                return render_template("told.html", heading="Answered", text="Your bank has your answer.", back=None)
            return redirect(_return_url(action["redirect_to_url"]["return_url"], after), 303)

    @bp.get("/receipts/<charge_id>")
    def receipt(charge_id: str) -> Answer:
        with store.transaction():
            charge = world().get("charge", charge_id)
        text = f"{shown(charge['amount'], charge['currency'])}, {charge['status']}"
        return render_template("told.html", heading="Receipt", text=text, back=None)

    @bp.errorhandler(ApiError)
    def unknown(error: ApiError) -> Answer:
        return render_template("told.html", heading="Not found", text="There is nothing here.", back=None), 404

    return bp


def _asked(world: World, object_id: str, secret: str) -> Body:
    found = world.store.load(object_id)
    if not found or found.get("client_secret") != secret:
        abort(404)
    return found


def _return_url(url: str, after: Body) -> str:
    kind = after["object"]
    status = {"succeeded": "succeeded", "processing": "pending"}.get(after["status"], "failed")
    told = {kind: after["id"], f"{kind}_client_secret": after["client_secret"], "redirect_status": status}
    return f"{url}{'&' if '?' in url else '?'}{urlencode(told)}"


def _page(world: World, session_id: str, error: str | None = None) -> Answer:
    """Where a session stands: its form, its way back, or that it is over."""
    session = checkout.follow(world, session_id)
    if session["status"] == "complete":
        return redirect(session["success_url"].replace("{CHECKOUT_SESSION_ID}", session_id), 303)
    if session["status"] == "expired":
        told = {"heading": "This page has expired", "text": "Nothing was charged.", "back": session["cancel_url"]}
        return render_template("told.html", **told), 410
    paying = session["mode"] == "payment"
    total = shown(session["amount_total"], session["currency"]) if paying else ""
    page = render_template(
        "pay.html",
        session=session,
        heading="Pay" if paying else "Save a payment method",
        action=f"Pay {total}" if paying else "Save",
        total=total,
        name=world.store.hidden(session_id).get("name"),
        types=[(name, KINDS[name]) for name in session["payment_method_types"]],
        plans=PLANS if _has_plans(session) else (),
        error=error or _last_error(world, session),
    )
    return (page, 402) if error else page


def _has_plans(session: Body) -> bool:
    """Cards' own instalments, which there are in Mexico alone."""
    asked = ((session["payment_method_options"] or {}).get("card") or {}).get("installments") or {}
    return bool(asked.get("enabled")) and session["currency"] == "mxn"


def _last_error(world: World, session: Body) -> str | None:
    kind, field = ("payment_intent", "last_payment_error")
    if session["mode"] == "setup":
        kind, field = ("setup_intent", "last_setup_error")
    told = world.get(kind, session[kind])[field] if session[kind] else None
    return told["message"] if told else None


def _typed(now: int) -> tuple[TestNumber, dict[str, Any]]:
    """The test number and the rest of the form; Refusal says what is wrong with it."""
    form = request.form
    details = {"name": form.get("name") or None}
    kind = form.get("type") or (SEPA if "iban" in form else CARD)
    if kind in ELSEWHERE:
        return ELSEWHERE[kind], {"billing_details": details}
    if kind in DEBITS:
        account = ACCOUNTS.get(form.get(KINDS[kind].field, "").replace(" ", "").upper())
        if account is None or account.kind != kind:
            raise Refusal(REFUSED)
        return account, {"billing_details": details}
    number = number_on_page(form.get("number", ""))
    if number is None:
        raise Refusal(REFUSED)
    expires = re.fullmatch(r"\s*(0?[1-9]|1[0-2])\s*/?\s*(?:20)?(\d\d)\s*", form.get("exp", ""))
    if not expires or not re.fullmatch(r"\s*\d{3,4}\s*", form.get("cvc", "")):
        raise Refusal("Check the expiry (MM/YY) and the security code.")
    month, year = int(expires[1]), 2000 + int(expires[2])
    # A card is good until the end of its month; a day more or less is the bank's business.
    if (year - 1970) * 12 + month <= now / 86_400 / 30.436875:
        raise Refusal("Your card's expiration date is in the past.")
    about: dict[str, Any] = {"exp_month": month, "exp_year": year, "billing_details": details}
    if form.get("plan") in PLANS:
        about["plan"] = int(form["plan"])
    return number, about
