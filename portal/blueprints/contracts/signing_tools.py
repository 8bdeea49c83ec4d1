"""What signing needs of a request: who stands behind it and how it was proved, and where documents lie."""

from flask import current_app, g
from sqlalchemy import select

from portal.blueprints import http
from portal.blueprints.accounts.confirm import has_fresh_proof
from portal.blueprints.files.receiving import place
from portal.integrations.seal_check import Certificates, own_certificates
from portal.integrations.storage import FileStorage
from portal.models import TokenFamily
from portal.services.accounts.sessions import HeldSession
from portal.services.signing.signing import Circumstances

_METHODS = {"password": "pwd", "passkey": "webauthn", "sso": "sso"}
_KEY = "portal_seal_certificates"


def circumstances() -> Circumstances:
    """Where a signature comes from, and by which factors its session was begun."""
    return Circumstances(http.origin(), "+".join(_factors()))


def _factors() -> list[str]:
    held: HeldSession | None = g.get("auth_session")
    if held is None:
        with_code = http.session().scalar(select(TokenFamily.factor_at).where(TokenFamily.id == http.session_id()))
        return ["pwd", "otp"] if with_code else ["pwd"]
    first = _METHODS.get(held.method, "sso")
    factors = [first] if held.factor_at is None or first == "webauthn" else [first, "otp"]
    return [*factors, "recent"] if has_fresh_proof() else factors


def storage() -> FileStorage:
    """Where documents lie."""
    return place().storage


def certificates() -> Certificates:
    """Whose seals count as ours; read once."""
    if _KEY not in current_app.extensions:
        current_app.extensions[_KEY] = own_certificates(http.settings())
    found: Certificates = current_app.extensions[_KEY]
    return found
