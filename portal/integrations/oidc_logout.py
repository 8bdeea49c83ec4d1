"""Logout tokens: a provider says that somebody has signed out there (OpenID Connect Back-Channel Logout 1.0 §2.6)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from portal.integrations.oidc_claims import LEEWAY_SECONDS, stored_text
from portal.integrations.oidc_documents import OidcError

EVENT = "http://schemas.openid.net/event/backchannel-logout"
TYPE = "logout+jwt"
# Older ones are refused, whatever end they give themselves; so a token has to be remembered no longer than this.
LONGEST_LIFE = timedelta(minutes=5)


@dataclass(frozen=True)
class Logout:
    """Whom a valid logout token signs out: a provider's session, everybody's of a subject there, or both together."""

    token_id: str
    subject: str | None
    sid: str | None
    forgotten_at: datetime


def read_logout(
    issuer: str, client_id: str, header: Mapping[str, Any], claims: Mapping[str, Any], now: datetime
) -> Logout:
    """What a token says whose signature holds. Raises OidcError `logout_refused` unless all of it is as it must be.

    It must say itself what it is (`typ`, `events`) and hold no `nonce`, so that neither an ID token nor an access
    token of the same provider passes for one (ASVS 10.5.5).
    """
    audience = claims.get("aud")
    events = claims.get("events")
    checks = {
        "typ": str(header.get("typ", "")).lower().removeprefix("application/") == TYPE,
        "iss": claims.get("iss") == issuer,
        "aud": audience == client_id or (isinstance(audience, list) and client_id in audience),
        "events": isinstance(events, dict) and isinstance(events.get(EVENT), dict),
        "nonce": "nonce" not in claims,
        "jti": stored_text(claims.get("jti")) is not None,
        "sub": "sub" not in claims or stored_text(claims["sub"]) is not None,
        "sid": "sid" not in claims or stored_text(claims["sid"]) is not None,
        "sub or sid": bool({"sub", "sid"} & set(claims)),
    }
    wrong = [name for name, holds in checks.items() if not holds]
    if wrong:
        raise OidcError("logout_refused", ", ".join(wrong))
    issued = _time(claims, "iat")
    _require_current(issued, _time(claims, "exp"), now.timestamp())
    return Logout(
        token_id=str(claims["jti"]),
        subject=stored_text(claims.get("sub")),
        sid=stored_text(claims.get("sid")),
        forgotten_at=datetime.fromtimestamp(issued, UTC) + LONGEST_LIFE + timedelta(seconds=2 * LEEWAY_SECONDS),
    )


def _require_current(issued: int, ends: int, present: float) -> None:
    oldest = present - LONGEST_LIFE.total_seconds() - LEEWAY_SECONDS
    if not oldest <= issued <= present + LEEWAY_SECONDS:
        raise OidcError("logout_refused", "iat")
    if ends < present - LEEWAY_SECONDS:
        raise OidcError("logout_refused", "exp")


def _time(claims: Mapping[str, Any], name: str) -> int:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise OidcError("logout_refused", name)
    return value
