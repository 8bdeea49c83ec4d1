"""From where and how a signer came, as the request shows it."""

from flask import g

from portal.blueprints import http
from portal.blueprints.localisation import current_locale
from portal.services.accounts.sessions import HeldSession
from portal.services.quotes.accepting import Evidence

_METHODS = {"password": "pwd", "passkey": "webauthn", "sso": "sso"}


def signer_evidence() -> Evidence:
    """Address, browser, language, and the factors of the session (of a program: its token)."""
    origin, held = http.origin(), g.get("auth_session")
    factors = "token"
    if isinstance(held, HeldSession):
        first = _METHODS.get(held.method, held.method)
        factors = f"{first} otp" if held.factor_at is not None and first != "webauthn" else first
    return Evidence(origin.ip, origin.user_agent, factors, current_locale())
