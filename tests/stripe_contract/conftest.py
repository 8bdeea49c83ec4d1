"""One suite for the stand-in and, where a key of Stripe's is set, for a real sandbox (pages and controls skipped)."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
import stripe

from tests.stripe_contract.standin import Receiver, Standin

SANDBOX_KEY = os.environ.get("STRIPE_SECRET_KEY", "")
IN_SANDBOX = SANDBOX_KEY.startswith("sk_test_") and not SANDBOX_KEY.startswith("sk_test_standin")
RETURN = "https://portal.example/back"


@pytest.fixture(scope="session")
def receiver() -> Iterator[Receiver]:
    taking = Receiver()
    yield taking
    taking.close()


@pytest.fixture(scope="session")
def _standin(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> Iterator[Standin | None]:
    started = None if IN_SANDBOX else Standin(tmp_path_factory.mktemp("stripe"), receiver.url)
    yield started
    if started:
        started.kill()


@pytest.fixture
def standin(_standin: Standin | None) -> Standin:
    """Controls and pages of the stand-in; a sandbox has none that a test could press."""
    if _standin is None:
        pytest.skip("a sandbox has no controls, and its pages are for browsers")
    return _standin


@pytest.fixture(scope="session")
def client(_standin: Standin | None) -> stripe.StripeClient:
    """The unmodified SDK, at whichever Stripe this run is about."""
    return _standin.client() if _standin else stripe.StripeClient(SANDBOX_KEY, max_network_retries=2)


@pytest.fixture
def customer(client: stripe.StripeClient) -> stripe.Customer:
    return client.v1.customers.create({"name": "Acme", "email": "ana@acme.example", "metadata": {"a": "1"}})


def card_payment(customer_id: str | None, method: str, **more: Any) -> Any:
    """Parameters of a payment with one card, confirmed at once."""
    params: dict[str, Any] = {
        "amount": 1000, "currency": "eur", "payment_method": method, "confirm": True, "return_url": RETURN,
        "allowed_payment_method_types": ["card"],
    }  # fmt: skip
    if customer_id:
        params["customer"] = customer_id
    return params | more
