"""Which keys go to which address, and that nothing ever falls back."""

import threading
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from portal.config import ConfigurationError, Settings
from portal.integrations.gateway_probe import GatewayProbe
from portal.integrations.stripe_gateway import build_payment_gateway

STANDIN = {
    "STRIPE_SECRET_KEY": "sk_test_standin",
    "STRIPE_WEBHOOK_SECRET": "whsec_x",
    "STRIPE_API_BASE": "http://127.0.0.1:12111",
}
MINE = {"STRIPE_SECRET_KEY": "sk_test_mine", "STRIPE_WEBHOOK_SECRET": "whsec_new whsec_old"}


@pytest.fixture
def read(monkeypatch):
    """Settings from an environment with these variables."""

    def with_variables(**variables):
        for name in ("STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "STRIPE_API_BASE"):
            monkeypatch.delenv(name, raising=False)
        for name, value in {
            "PORTAL_SECRET_KEY": "x" * 40, "PORTAL_DATABASE_URL": "postgresql://x@localhost/x", **variables,
        }.items():  # fmt: skip
            monkeypatch.setenv(name, value)
        return Settings.from_env()

    return with_variables


def test_without_a_key_payments_are_off_everywhere(read):
    for environment in ("development", "production"):
        settings = read(PORTAL_ENV=environment)
        assert build_payment_gateway(settings) is None
        assert (settings.payments_simulated, settings.payments_live) == (False, False)
        assert GatewayProbe(settings).state() == "off"


def test_the_stand_in_is_called_simulated(read):
    settings = read(**STANDIN)
    assert settings.payments_simulated
    assert build_payment_gateway(settings).simulated


def test_a_key_of_ones_own_is_not_and_two_secrets_may_rotate(read):
    settings = read(**MINE)
    assert (settings.payments_simulated, settings.payments_live) == (False, False)
    assert settings.stripe_webhook_secrets == ("whsec_new", "whsec_old")
    assert read(**(MINE | {"STRIPE_SECRET_KEY": "rk_live_mine"})).payments_live


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        (MINE | {"STRIPE_API_BASE": "http://127.0.0.1:1"}, "STRIPE_API_BASE"),
        (STANDIN | {"STRIPE_API_BASE": "http://stripe.example"}, "STRIPE_API_BASE"),
        (STANDIN | {"STRIPE_API_BASE": ""}, "STRIPE_API_BASE"),
        (STANDIN | {"PORTAL_ENV": "production"}, "STRIPE_SECRET_KEY"),
        ({"STRIPE_SECRET_KEY": "pk_test_published", "STRIPE_WEBHOOK_SECRET": "whsec_x"}, "STRIPE_SECRET_KEY"),
        (MINE | {"STRIPE_WEBHOOK_SECRET": ""}, "STRIPE_WEBHOOK_SECRET"),
    ],
)
def test_what_cannot_work_stops_the_start(read, variables, named):
    with pytest.raises(ConfigurationError, match=named):
        read(**variables)


def wait_for_state(probe, state):
    deadline = time.monotonic() + 30
    while probe.state() != state:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_probe_asks_in_the_background_and_remembers(read):
    asked = []

    class Page(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(404)
            self.end_headers()

        def log_message(self, *words):
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings = replace(read(**STANDIN), stripe_api_base=f"http://127.0.0.1:{server.server_port}")
    probe = GatewayProbe(settings)
    wait_for_state(probe, "ok")
    server.shutdown()
    server.server_close()
    assert (probe.state(), len(asked)) == ("ok", 1)
    gone = GatewayProbe(settings)
    assert gone.state() == "unavailable"
