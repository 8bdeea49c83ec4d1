"""Customers and their payment methods."""

from typing import Any

from stripe_standin.cards import ACCOUNTS, CARDS, ELSEWHERE, TOKENS, Decline, TestNumber
from stripe_standin.errors import ApiError, Body, ParameterError
from stripe_standin.kinds import ACH, BACS, SEPA
from stripe_standin.world import World, changed

NO_RAW_NUMBERS = (
    "Sending credit card numbers directly to the Stripe API is generally unsafe. Use test tokens such as pm_card_visa."
)
ABOUT = ("name", "email", "description", "phone", "address", "shipping")
BILLING: Body = {"address": None, "email": None, "name": None, "phone": None, "tax_id": None}


def create_customer(world: World, params: Body) -> Body:
    """POST /v1/customers."""
    settings = {"custom_fields": None, "default_payment_method": None, "footer": None, "rendering_options": None}
    customer = world.make("customer", balance=0, delinquent=False, invoice_settings=settings, tax_exempt="none")
    customer["invoice_settings"] |= params.get("invoice_settings", {})
    return world.save(changed(customer, params, *ABOUT, "preferred_locales"), "customer.created")


def retrieve_customer(world: World, params: Body, customer_id: str) -> Body:
    """GET /v1/customers/:id."""
    return world.get("customer", customer_id)


def update_customer(world: World, params: Body, customer_id: str) -> Body:
    """POST /v1/customers/:id."""
    customer = present_customer(world, customer_id, "id")
    chosen = params.get("invoice_settings", {}).get("default_payment_method")
    if chosen and world.get("payment_method", chosen, "invoice_settings[default_payment_method]")["customer"] != (
        customer_id
    ):
        raise ApiError(
            400,
            "The customer does not have a payment method with that ID attached.",
            code="resource_missing",
            param="invoice_settings[default_payment_method]",
        )
    customer["invoice_settings"] |= params.get("invoice_settings", {})
    return world.save(changed(customer, params, *ABOUT, "preferred_locales"), "customer.updated")


def delete_customer(world: World, params: Body, customer_id: str) -> Body:
    """DELETE /v1/customers/:id; what is saved is detached."""
    customer = present_customer(world, customer_id, "id")
    for method in world.listed("payment_method", {"customer": customer_id, "limit": 100}, "")["data"]:
        detach(world, {}, method["id"])
    world.tell("customer.deleted", customer)
    gone = {"id": customer_id, "object": "customer", "deleted": True, "created": customer["created"]}
    world.store.save(gone)
    return {name: value for name, value in gone.items() if name != "created"}


def list_customers(world: World, params: Body) -> Body:
    """GET /v1/customers."""
    email = params.get("email")
    return world.listed(
        "customer",
        params,
        "/v1/customers",
        lambda found: not found.get("deleted") and email in (None, found["email"]),
    )


def present_customer(world: World, customer_id: str, param: str = "customer") -> Body:
    """A customer that was not deleted."""
    customer = world.get("customer", customer_id, param)
    if customer.get("deleted"):
        raise ApiError(400, f"No such customer: '{customer_id}'", code="resource_missing", param=param)
    return customer


def new_method(world: World, number: TestNumber, **more: Any) -> Body:
    """A payment method of a test number, attached to nobody."""
    plan = more.pop("plan", None)
    expiry = {"exp_month": more.pop("exp_month", 12), "exp_year": more.pop("exp_year", 2034)}
    bank = {"fingerprint": number.fingerprint, "last4": number.last4}
    about: Body = {
        "card": {
            **bank,
            **expiry,
            "brand": number.brand,
            "country": "US",
            "funding": "debit" if "debit" in number.token else "credit",
            "display_brand": number.brand,
            "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
            "networks": {"available": [number.brand], "preferred": None},
            "three_d_secure_usage": {"supported": True},
            "wallet": None,
        },
        SEPA: {**bank, "bank_code": "37040044", "branch_code": "", "country": "DE", "generated_from": None},
        ACH: {**bank, "bank_name": "STRIPE TEST BANK", "account_type": "checking", "routing_number": "110000000"},
        BACS: {**bank, "sort_code": "108800"},
    }.get(number.kind, {})
    method = world.make(
        "payment_method", type=number.kind, billing_details=BILLING | more.pop("billing_details", {}), **more
    )
    # Only the hash of its own kind is there.
    method = {name: value for name, value in method.items() if value is not None or name in ("customer",)}
    method[number.kind] = about
    return world.save(method, hidden={"token": number.token} | ({"plan": plan} if plan else {}))


def create_method(world: World, params: Body) -> Body:
    """POST /v1/payment_methods: bank accounts with published test numbers; cards never by number."""
    kind = params.get("type", "")
    if "number" in params.get("card", {}):
        raise ApiError(402, NO_RAW_NUMBERS)
    if kind == "card" and "token" in params.get("card", {}):
        number = TOKENS.get(params["card"]["token"].replace("tok_", "pm_card_", 1))
    elif kind in ELSEWHERE:
        number = ELSEWHERE[kind]
    else:
        about = params.get(kind, {})
        number = ACCOUNTS.get(about.get("iban", about.get("account_number", "")).replace(" ", ""))
    if number is None or number.kind != kind:
        raise ParameterError("Only published test values are accepted here.", "parameter_invalid_empty", kind or "type")
    return new_method(world, number, billing_details=params.get("billing_details", {}))


def usable_method(world: World, method_id: str, param: str = "payment_method") -> Body:
    """The payment method of an id; a published token such as `pm_card_visa` becomes a new one."""
    number = TOKENS.get(method_id)
    return new_method(world, number) if number else world.get("payment_method", method_id, param)


def number_of(world: World, method: Body) -> TestNumber:
    """Which test number is behind a method."""
    return TOKENS[world.store.hidden(method["id"])["token"]]


def attach(world: World, params: Body, method_id: str) -> Body:
    """POST /v1/payment_methods/:id/attach."""
    present_customer(world, params["customer"])
    method = usable_method(world, method_id, "id")
    number = number_of(world, method)
    refuse_used(world, method)
    if method["customer"] not in (None, params["customer"]):
        raise ApiError(400, "The payment method you provided has already been attached to a customer.")
    if number.decline and number.declines_when_saved:
        raise card_error(number.decline)
    return belongs_to(world, method, params["customer"])


def belongs_to(world: World, method: Body, customer_id: str, *, off_session: bool = False) -> Body:
    """Attach, and remember whether the bank has agreed to payments without the person."""
    hidden = world.store.hidden(method["id"])
    hidden["off_session"] = hidden.get("off_session") or off_session
    told = () if method["customer"] == customer_id else ("payment_method.attached",)
    method["customer"] = customer_id
    return world.save(method, *told, hidden=hidden)


def refuse_used(world: World, method: Body) -> None:
    """A method that was detached, or used once without being saved, is spent."""
    if world.store.hidden(method["id"]).get("spent"):
        raise ApiError(
            400,
            "The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, or was "
            "detached from a Customer, and may not be used again.",
            code="payment_method_unexpected_state",
        )


def detach(world: World, params: Body, method_id: str) -> Body:
    """POST /v1/payment_methods/:id/detach; final."""
    method = world.get("payment_method", method_id)
    if method["customer"] is None:
        raise ApiError(
            400, "The payment method you provided is not attached to a customer so detachment is impossible."
        )
    customer = world.get("customer", method["customer"])
    if (customer.get("invoice_settings") or {}).get("default_payment_method") == method_id:
        customer["invoice_settings"]["default_payment_method"] = None
        world.save(customer, "customer.updated")
    method["customer"] = None
    return world.save(method, "payment_method.detached", hidden=world.store.hidden(method_id) | {"spent": True})


def retrieve_method(world: World, params: Body, method_id: str) -> Body:
    """GET /v1/payment_methods/:id."""
    return world.get("payment_method", method_id)


def update_method(world: World, params: Body, method_id: str) -> Body:
    """POST /v1/payment_methods/:id: expiry, billing details, metadata."""
    method = world.get("payment_method", method_id)
    if method["customer"] is None:
        raise ApiError(400, "You must save this PaymentMethod to a customer before you can update it.")
    if "card" in params and "card" in method:
        method["card"] |= {name: value for name, value in params["card"].items() if name.startswith("exp_")}
    method["billing_details"] |= params.get("billing_details", {})
    return world.save(changed(method, params), "payment_method.updated")


def list_methods(world: World, params: Body, customer_id: str | None = None) -> Body:
    """GET /v1/payment_methods and /v1/customers/:id/payment_methods: those of one customer."""
    asked = params | ({"customer": customer_id} if customer_id else {})
    if "customer" not in asked:
        raise ParameterError("Missing required param: customer.", "parameter_missing", "customer")
    world.get("customer", asked["customer"], "customer")
    url = f"/v1/customers/{customer_id}/payment_methods" if customer_id else "/v1/payment_methods"
    return world.listed("payment_method", asked, url, lambda found: params.get("type") in (None, found["type"]))


def number_on_page(typed: str) -> TestNumber | None:
    """The test number that somebody typed, with or without spaces."""
    return CARDS.get(typed.replace(" ", "").replace("-", ""))


def card_error(decline: Decline, **more: Any) -> ApiError:
    """402, as a bank's no."""
    return ApiError(
        402,
        decline.message,
        kind="card_error",
        code=decline.code,
        decline_code=decline.decline_code,
        advice_code=decline.advice_code,
        keeps=True,
        **more,
    )
