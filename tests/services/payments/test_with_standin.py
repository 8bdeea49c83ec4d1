"""The ledger against a real stand-in process: pages, 3-D Secure, saved cards, refunds, and processes that die."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import requests
from sqlalchemy import update

from portal.config import ROOT
from portal.models import GatewayCustomer
from portal.services.payments.applying import Desk
from portal.services.payments.inbox import list_waiting, look_into
from portal.services.payments.looking import look_at_payment
from portal.services.payments.methods import list_methods
from portal.services.payments.reconciling import compare_books, fetch_missed
from portal.services.payments.setups import begin_setup, open_setup_page, return_from_setup
from tests.services.payments.at_the_standin import gateway_at
from tests.services.payments.test_coming_back import refund
from tests.stripe_contract.standin import Standin
from tests.tills import BASE_URL

GOOD, DECLINED, ASKS = "4242424242424242", "4000000000009995", "4000002500003155"


@pytest.fixture(scope="module")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standin]:
    """A stand-in that sends no webhooks: what it knows is fetched."""
    found = Standin(tmp_path_factory.mktemp("stripe"))
    yield found
    found.kill()


@pytest.fixture
def real(till: Any, standin: Standin) -> Iterator[Any]:
    """The till at the real process, which knows no customer that another gateway made."""
    till.gateway = gateway_at(standin.url)
    till.desk = Desk(till.desk.sessions, till.gateway, till.world.demo, BASE_URL)
    forget_customers(till)
    yield till
    forget_customers(till)


def forget_customers(till: Any) -> None:
    with till.begin() as session:
        session.execute(update(GatewayCustomer).values(gateway_id=None, key=uuid4().hex))


def type_card(url: str, number: str) -> requests.Response:
    """Send the hosted page's form, and go nowhere."""
    form = {"number": number, "exp": "12/34", "cvc": "123", "exp_month": "12", "exp_year": "2034"}
    return requests.post(url, data=form, timeout=20, allow_redirects=False)


def test_a_hosted_payment_declined_then_paid(real: Any) -> None:
    invoice = real.invoice(12050)
    payment_id = real.pay(invoice)
    page = real.payment(payment_id).redirect_url
    type_card(page, DECLINED)
    assert real.apply(payment_id) == "open"
    assert real.payment(payment_id).failure_code == "insufficient_funds"
    type_card(page, GOOD)
    assert real.apply(payment_id) == "succeeded"
    assert (real.get_invoice(invoice).status, real.owed(invoice)) == ("paid", 0)
    assert real.payment(payment_id).method["last4"] == "4242"
    refund(real, payment_id, 2050)
    assert real.get_invoice(invoice).paid == 10000
    assert compare_books(real.office, now=real.now + timedelta(seconds=5)) == []


def test_a_lost_webhook_and_a_closed_browser_are_found_by_the_list(real: Any) -> None:
    invoice = real.invoice(5000)
    payment_id = real.pay(invoice)
    type_card(real.payment(payment_id).redirect_url, GOOD)
    fetch_missed(real.office, now=real.now)
    for event_id in list_waiting(real.desk.sessions, now=real.now + timedelta(hours=1), batch=500):
        look_into(real.office, event_id, now=real.now)
    assert real.get_invoice(invoice).status == "paid"


def test_the_chosen_way_is_what_the_page_takes(real: Any) -> None:
    real.settings(payment_methods=["card", "net_banking", "bank_debit", "upi"])
    rupees = real.invoice(5000, currency="INR")
    payment_id = real.pay(rupees, choice="upi")
    page = real.payment(payment_id).redirect_url
    assert type_card(page, GOOD).status_code == 402
    app = requests.post(page, data={"type": "upi"}, timeout=20, allow_redirects=False).headers["Location"]
    requests.post(app, data={"decision": "fail"}, timeout=20, allow_redirects=False)
    assert real.apply(payment_id) == "open"
    assert real.payment(payment_id).failure_code == "payment_intent_payment_attempt_failed"
    app = requests.post(page, data={"type": "upi"}, timeout=20, allow_redirects=False).headers["Location"]
    requests.post(app, data={"decision": "approve"}, timeout=20, allow_redirects=False)
    assert {real.apply(payment_id) for _ in range(3)} == {"succeeded"}
    assert (real.entries(payment_id), real.owed(rupees)) == ([("paid", -5000)], 0)
    assert real.payment(payment_id).method["kind"] == "upi"


def test_a_debit_is_on_its_way_and_pays_days_later(real: Any, standin: Standin) -> None:
    dollars = real.invoice(5000, currency="USD")
    payment_id = real.pay(dollars, choice="bank_debit")
    form = {"type": "us_bank_account", "account": "000123456789"}
    requests.post(real.payment(payment_id).redirect_url, data=form, timeout=20, allow_redirects=False)
    assert real.apply(payment_id) == "processing"
    assert (real.entries(payment_id), real.get_invoice(dollars).reserved) == ([], 5000)
    standin.control(f"debits/{real.payment(payment_id).intent_id}", outcome="succeeded")
    assert {real.apply(payment_id) for _ in range(3)} == {"succeeded"}
    assert (real.entries(payment_id), real.get_invoice(dollars).status) == ([("paid", -5000)], "paid")


def save(real: Any, number: str) -> UUID:
    with real.begin() as session:
        company = begin_setup(session, None, actor=real.actor("alice"))
    page = open_setup_page(real.desk, company, actor=real.actor("alice"), now=real.now)
    type_card(page.url, number)
    found = return_from_setup(real.desk, page.id, actor=real.actor("alice"), now=real.now)
    assert found is not None
    return UUID(str(found.id))


def test_a_saved_card_pays_again_and_again(real: Any) -> None:
    method = save(real, GOOD)
    for _ in range(2):
        invoice = real.invoice(3300)
        assert real.payment(real.pay(invoice, method_id=method)).status == "succeeded"
        assert real.get_invoice(invoice).status == "paid"
    with real.begin() as session:
        shown = next(one for one in list_methods(session, actor=real.actor("alice")) if one.id == method)
        assert (shown.brand, shown.last4) == ("visa", "4242")


@pytest.mark.parametrize("point", ["pay.pre_call", "pay.post_charge", "pay.pre_commit", "pay.post_commit"])
def test_a_process_that_dies_around_the_call_charges_once(
    real: Any, standin: Standin, settings: Any, point: str
) -> None:
    method = save(real, GOOD)
    invoice = real.invoice(4400)
    payment_id = real.start(invoice, method_id=method)
    words = [sys.executable, "-m", "tests.services.payments.at_the_standin", settings.database_url, standin.url]
    words += [str(real.world.demo), str(payment_id)]
    died = subprocess.run(words, cwd=ROOT, env=os.environ | {"PORTAL_FAULT": point}, capture_output=True, check=False)
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()
    look = look_at_payment(real.desk, payment_id, now=real.now + timedelta(seconds=31))
    assert look.at is None
    assert (real.payment(payment_id).status, real.get_invoice(invoice).paid) == ("succeeded", 4400)
    mine = [one for one in real.gateway.list_intents() if one.metadata.get("payment_id") == str(payment_id)]
    assert [(one.status, one.amount_received) for one in mine] == [("succeeded", 4400)]
    assert real.entries(payment_id) == [("paid", -4400)]
