"""Paying through pages, API and webhook; the outsider, and many at once."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from portal.integrations.payments import EventRefused, GatewayFailure
from portal.models.session import TenantSessions
from tests.blueprints.conftest import codes, problem
from tests.browsing import sign_in
from tests.tills import USUAL, Till, open_till

API = "/api/v1/portal"


@pytest.fixture
def till(app: Any, engine: Any, world: Any) -> Iterator[Till]:
    """A till whose gateway the application uses, too."""
    found = open_till(TenantSessions(engine), world, datetime.now(UTC))
    before = app.extensions["portal_gateway"]
    app.extensions["portal_gateway"] = found.gateway
    yield found
    app.extensions["portal_gateway"] = before
    found.settings(**USUAL)


def test_paying_by_the_api(till: Till, api: Any) -> None:
    invoice, alice = till.invoice(5000), api("alice")
    answer = alice.post(f"{API}/invoices/{invoice}/pay", json={"method": "new_card"})
    assert answer.status_code == 201
    started = answer.get_json()
    assert (started["status"], started["redirect_url"] is not None) == ("open", True)
    second = alice.post(f"{API}/invoices/{invoice}/pay", json={"method": "new_card"})
    assert problem(second, 409, "payment_already_processed")["title"] == "Payment already processed."
    till.gateway.pay(till.payment(started["payment_id"]).session_id or "")
    found = alice.get(f"{API}/payments/{started['payment_id']}").get_json()
    assert (found["status"], found["amount"]) == ("succeeded", {"amount": 5000, "currency": "EUR"})
    listed = api("bob").get(f"{API}/payments?invoice_id={invoice}").get_json()["items"]
    assert [item["id"] for item in listed] == [started["payment_id"]]
    receipt = api("bob").get(f"{API}/payments/{started['payment_id']}/receipt")
    assert (receipt.mimetype, receipt.get_data()[:5]) == ("application/pdf", b"%PDF-")


def test_amounts_and_methods_are_checked_by_the_api(till: Till, api: Any) -> None:
    path, alice = f"{API}/invoices/{till.invoice(5000)}/pay", api("alice")
    over = {"method": "new_card", "amount": {"amount": 5001, "currency": "EUR"}}
    assert codes(alice.post(path, json=over)) == {"amount": "amount_not_due"}
    dollars = {"method": "new_card", "amount": {"amount": 100, "currency": "USD"}}
    assert codes(alice.post(path, json=dollars)) == {"amount": "currency_mismatch"}
    assert codes(alice.post(path, json={"method": "saved"})) == {"payment_method_id": "required"}
    foreign = {"method": "saved", "payment_method_id": str(till.save_card("globex"))}
    assert codes(alice.post(path, json=foreign)) == {"payment_method_id": "method_unknown"}


def test_outsiders_pay_and_see_nothing(till: Till, api: Any) -> None:
    invoice = till.invoice(5000)
    payment = till.paid(invoice)
    body = {"method": "new_card"}
    problem(api("bob").post(f"{API}/invoices/{invoice}/pay", json=body), 403)
    for who in ("charlie", "nia"):
        problem(api(who).post(f"{API}/invoices/{invoice}/pay", json=body), 404)
        problem(api(who).get(f"{API}/payments/{payment}"), 404)
        problem(api(who).get(f"{API}/payments/{payment}/receipt"), 404)
    problem(api("sam").post(f"/api/v1/staff/payments/{payment}/refund", json={"reason": "x"}), 403)
    problem(api("alice").post(f"/api/v1/staff/payments/{payment}/refund", json={"reason": "x"}), 403)


def test_many_pays_at_once_give_one(till: Till, api: Any, together: Any) -> None:
    answers = together(12, api("alice"), f"{API}/invoices/{till.invoice(5000)}/pay", {"method": "new_card"})
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 11


def test_a_key_gets_the_first_answer_again(till: Till, api: Any) -> None:
    path, headers = f"{API}/invoices/{till.invoice(5000)}/pay", {"Idempotency-Key": uuid4().hex}
    answers = [api("alice").post(path, json={"method": "new_card"}, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].get_data() == answers[1].get_data()


def test_a_saved_method_that_is_declined(till: Till, api: Any) -> None:
    invoice, method = till.invoice(5000), till.save_card()
    till.gateway.decline = "insufficient_funds"
    body = {"method": "saved", "payment_method_id": str(method)}
    answer = api("alice").post(f"{API}/invoices/{invoice}/pay", json=body).get_json()
    assert answer["status"] == "failed"
    failure = api("alice").get(f"{API}/payments/{answer['payment_id']}").get_json()["failure"]
    assert failure == {"code": "insufficient_funds", "text": "there is not enough money on the account"}


def test_without_an_answer_it_is_under_way_and_never_failed(till: Till, api: Any) -> None:
    invoice = till.invoice(5000)
    till.gateway.away = True
    answer = api("alice").post(f"{API}/invoices/{invoice}/pay", json={"method": "new_card"})
    assert (answer.status_code, answer.get_json()["status"]) == (201, "created")
    assert till.get_invoice(invoice).status == "processing"


def test_methods_and_auto_pay_by_the_api(till: Till, api: Any) -> None:
    alice, method = api("alice"), till.save_card()
    made = alice.post(f"{API}/payment-methods")
    assert (made.status_code, "redirect_url" in made.get_json()) == (201, True)
    item = next(one for one in alice.get(f"{API}/payment-methods").get_json()["items"] if one["id"] == str(method))
    assert set(item) == {"id", "kind", "brand", "last4", "exp_month", "exp_year", "is_default"}
    body = {"enabled": True, "payment_method_id": str(method), "limit": {"amount": 90000, "currency": "EUR"}}
    assert alice.post(f"{API}/auto-pay", json=body).get_json()["enabled"] is True
    problem(alice.request("DELETE", f"{API}/payment-methods/{method}"), 409, "method_in_use")
    problem(api("bob").post(f"{API}/auto-pay", json=body), 403)
    assert codes(api("charlie").post(f"{API}/auto-pay", json=body)) == {"payment_method_id": "method_unknown"}
    assert alice.post(f"{API}/auto-pay", json={"enabled": False}).get_json()["enabled"] is False
    assert alice.request("DELETE", f"{API}/payment-methods/{method}").status_code == 204
    problem(alice.request("DELETE", f"{API}/payment-methods/{method}"), 404)


def test_refund_by_the_api(till: Till, api: Any) -> None:
    payment = till.paid(till.invoice(5000))
    path = f"/api/v1/staff/payments/{payment}/refund"
    body = {"amount": {"amount": 2000, "currency": "EUR"}, "reason": "Not delivered"}
    answer = api("bill").post(path, json=body)
    assert (answer.status_code, answer.get_json()["status"]) == (201, "succeeded")
    seen = api("alice").get(f"{API}/payments/{payment}").get_json()
    assert (seen["refunded"]["amount"], seen["refunds"][0]["status"]) == (2000, "succeeded")
    too_much = {"amount": {"amount": 3001, "currency": "EUR"}, "reason": "x"}
    problem(api("bill").post(path, json=too_much), 409, "refund_too_large")


def test_paying_on_the_page(till: Till, app: Any, world: Any) -> None:
    invoice, alice = till.invoice(5000), sign_in(app, world, "alice")
    page = alice.get(f"/portal/invoices/{invoice}/pay").get_data(as_text=True)
    assert "Simulated payments" in page
    assert 'name="save" value="1" checked' not in page
    answer = alice.post(f"/portal/invoices/{invoice}/pay", {"method": "new_card", "how": "part", "amount": "12.50"})
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("http://127.0.0.1:1/pay/")
    again = alice.post(f"/portal/invoices/{invoice}/pay", {"method": "new_card", "how": "part", "amount": "x"})
    assert (again.status_code, "Payment validation failed." in again.get_data(as_text=True)) == (422, True)
    for amount in ("", " "):
        # Nobody who forgot to say how much is charged for all.
        empty = alice.post(f"/portal/invoices/{invoice}/pay", {"method": "new_card", "how": "part", "amount": amount})
        assert (empty.status_code, till.get_invoice(invoice).reserved) == (422, 1250)


def sum_in(page: str) -> str:
    return page.split('id="sum"')[1].split("</div>")[0]


def test_several_are_paid_together_from_one_page(till: Till, app: Any, world: Any) -> None:
    first, second, foreign = till.invoice(5000), till.invoice(2000), till.invoice(company="globex")
    path, alice = "/portal/payments/new", sign_in(app, world, "alice")
    page = alice.get(path).get_data(as_text=True)
    assert f'value="{first}"' in page
    assert f'value="{second}"' in page
    assert f'value="{foreign}"' not in page
    assert "€" not in sum_in(page)
    assert "€70.00" in sum_in(
        alice.get(f"{path}?invoice={first}&invoice={second}&invoice={foreign}").get_data(as_text=True)
    )
    assert alice.post(path, {"method": "new_card"}).status_code == 422
    assert alice.post(path, {"method": "new_card", "invoice": [str(first), str(foreign)]}).status_code in (
        404,
        409,
        422,
    )
    answer = alice.post(path, {"method": "new_card", "invoice": [str(first), str(second)]})
    assert (answer.status_code, answer.headers["Location"][:25]) == (303, "http://127.0.0.1:1/pay/cs")
    assert f'value="{first}"' not in alice.get(path).get_data(as_text=True), "it is under way"


def test_back_from_the_gateway_believes_only_the_gateway(till: Till, app: Any, world: Any) -> None:
    payment, alice = till.pay(till.invoice(5000)), sign_in(app, world, "alice")
    answer = alice.get(f"/portal/payments/{payment}/return?status=succeeded&paid=1")
    assert answer.status_code == 303
    page = alice.get(f"/portal/payments/{payment}").get_data(as_text=True)
    assert "This payment is not finished yet" in page
    till.gateway.set_intent(till.payment(payment).session_id or "", "processing")
    alice.get(f"/portal/payments/{payment}/return")
    assert "Your payment is being processed" in alice.get(f"/portal/payments/{payment}").get_data(as_text=True)
    till.gateway.set_intent(
        till.payment(payment).session_id or "", "requires_payment_method", GatewayFailure("expired_card")
    )
    alice.get(f"/portal/payments/{payment}/return")
    page = alice.get(f"/portal/payments/{payment}").get_data(as_text=True)
    assert "Payment failed: the card has expired" in page
    assert "Retry" in page
    retried = alice.post(f"/portal/payments/{payment}/retry")
    assert retried.headers["Location"].startswith("http://127.0.0.1:1/pay/")


def test_pages_open_and_strangers_get_nothing(till: Till, app: Any, world: Any) -> None:
    invoice = till.invoice(5000)
    payment = till.paid(invoice)
    method = till.save_card()
    alice, bob, charlie = (sign_in(app, world, name) for name in ("alice", "bob", "charlie"))
    for path in (
        "payments",
        "payments/new",
        "payment-methods",
        f"payment-methods/{method}/remove",
        f"payments/{payment}",
    ):
        assert alice.get(f"/portal/{path}").status_code == 200, path
    assert "Payment already processed." in alice.get(f"/portal/invoices/{invoice}/pay").get_data(as_text=True)
    listed = alice.get("/portal/payments").get_data(as_text=True)
    assert "Managed workplace" in listed
    assert alice.get("/portal/payments?status=failed&start=2026-01-01&end=x&q=%00").status_code == 200
    assert bob.get("/portal/payments/new").status_code == 403
    assert bob.get(f"/portal/payments/{payment}").status_code == 200
    for path in (
        f"payments/{payment}",
        f"payments/{payment}/receipt",
        f"invoices/{invoice}/pay",
        f"payments/{payment}/return",
    ):
        assert charlie.get(f"/portal/{path}").status_code == 404, path


def test_adding_a_method_needs_consent(till: Till, app: Any, world: Any) -> None:
    alice = sign_in(app, world, "alice")
    assert alice.post("/portal/payment-methods/new").status_code == 422
    answer = alice.post("/portal/payment-methods/new", {"consent": "1"})
    assert answer.headers["Location"].startswith("http://127.0.0.1:1/setup/")


def test_the_back_office_refunds_with_two_pairs_of_eyes(till: Till, app: Any, world: Any) -> None:
    till.settings(four_eyes_over=1000)
    payment = till.paid(till.invoice(5000))
    bill, ada, sam = (sign_in(app, world, name) for name in ("bill", "ada", "sam"))
    assert bill.get("/admin/payments/").status_code == 200
    assert sam.get(f"/admin/payments/details/?id={payment}").status_code == 200
    assert sam.post(f"/admin/payments/{payment}/refund", {"reason": "x"}).status_code == 403
    assert bill.post(f"/admin/payments/{payment}/refund", {"reason": "", "amount": "20"}).status_code == 422
    assert bill.post(f"/admin/payments/{payment}/refund", {"reason": "Late", "amount": "20"}).status_code == 303
    refund = till.refunds(payment)[0]
    assert bill.post(f"/admin/payments/refunds/{refund.id}/decide", {"approve": "1"}).status_code == 409
    assert "Agree" in ada.get(f"/admin/payments/details/?id={payment}").get_data(as_text=True)
    assert ada.post(f"/admin/payments/refunds/{refund.id}/decide", {"approve": "1"}).status_code == 303
    assert till.payment(payment).refunded == 2000


def test_webhooks_are_kept_once_and_forged_ones_never(till: Till, app: Any, monkeypatch: Any) -> None:
    payment = till.pay(till.invoice(5000))
    intent = till.gateway.pay(till.payment(payment).session_id or "")
    seen = till.gateway.happened("payment_intent.succeeded", intent.id, intent.id)

    def construct(payload: bytes, signature: str | None) -> Any:
        if signature != "right" or payload != b'{"raw": true}':
            raise EventRefused("no secret fits the signature")
        return seen

    monkeypatch.setattr(till.gateway, "construct_event", construct, raising=False)
    client = app.test_client()

    def send(signature: str, body: bytes = b'{"raw": true}') -> int:
        # Whatever host the gateway reaches us by.
        return int(
            client.post(
                "/webhooks/stripe",
                data=body,
                base_url="http://hooks.example",
                headers={"Stripe-Signature": signature},
                content_type="application/json",
            ).status_code
        )

    assert [send("right") for _ in range(5)] == [204] * 5
    assert send("wrong") == 400
    assert send("right", b"x" * (256 * 1024 + 1)) == 413


def test_forms_may_lead_to_the_gateway(app: Any, settings: Any) -> None:
    assert "form-action 'self';" in app.test_client().get("/portal/login").headers["Content-Security-Policy"]
    with_key = replace(settings, stripe_secret_key="sk_live_x")
    app.config["SETTINGS"] = with_key
    try:
        policy = app.test_client().get("/portal/login").headers["Content-Security-Policy"]
    finally:
        app.config["SETTINGS"] = settings
    assert "form-action 'self' https://checkout.stripe.com https://hooks.stripe.com;" in policy
    assert replace(with_key, stripe_api_base="http://127.0.0.1:9").payment_origins == ("http://127.0.0.1:9",)
