"""What an ID token says of somebody, once its signature holds: who it is, and how they were asked."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from portal.integrations.oidc_documents import OidcError
from portal.lib.text import has_forbidden_characters

LEEWAY_SECONDS = 60
SUBJECT_LENGTH, NAME_LENGTH = 255, 100
# What a browser takes for an address (HTML Living Standard), of ASCII alone: other letters can look like these.
_EMAIL = re.compile(r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?=.{3,253}\Z)[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?")


@dataclass(frozen=True)
class Subject:
    """Whom the provider has proved; `email` only where it says that it has verified it, in lower case.

    `sid` is the provider's name for its own session, where it has one (OpenID Connect Back-Channel Logout 1.0 §2.1).
    """

    issuer: str
    client_id: str
    subject: str
    email: str | None
    name: str
    sid: str | None = None


@dataclass(frozen=True)
class Demand:
    """How the provider must have asked (ASVS 6.8.4); what is empty is not demanded.

    One of the classes `acr`, at least one of the methods `amr` (RFC 8176), at most `max_age` seconds ago.
    """

    acr: tuple[str, ...] = ()
    amr: tuple[str, ...] = ()
    max_age: int | None = None

    def asked(self) -> dict[str, str]:
        """What the authorisation request says of it."""
        wanted = {"acr_values": " ".join(self.acr)} if self.acr else {}
        return wanted | ({"max_age": str(self.max_age)} if self.max_age is not None else {})

    def require_met(self, claims: Mapping[str, Any], now: datetime) -> None:
        """Raise OidcError `sso_weak` unless the ID token itself says that it was so: asking alone proves nothing."""
        if self.acr and claims.get("acr") not in self.acr:
            raise OidcError("sso_weak", "acr")
        methods = claims.get("amr")
        if self.amr and not (isinstance(methods, list) and any(method in self.amr for method in methods)):
            raise OidcError("sso_weak", "amr")
        if self.max_age is None:
            return
        at, present = claims.get("auth_time"), now.timestamp()
        if isinstance(at, bool) or not isinstance(at, int):
            raise OidcError("sso_weak", "no auth_time")
        if not present - self.max_age - LEEWAY_SECONDS <= at <= present + LEEWAY_SECONDS:
            raise OidcError("sso_weak", "auth_time")


def read_subject(issuer: str, client_id: str, claims: Mapping[str, Any]) -> Subject:
    """The claims that count, as text that can be stored. Raises OidcError."""
    subject, name = stored_text(claims.get("sub")), claims.get("name")
    if subject is None:
        raise OidcError("sso_refused", "no subject")
    if not isinstance(name, str) or has_forbidden_characters(name):
        name = ""
    shown = " ".join(name.split())[:NAME_LENGTH]
    return Subject(issuer, client_id, subject, _verified_email(claims), shown, stored_text(claims.get("sid")))


def stored_text(value: Any) -> str | None:
    """An identifier of the provider's if it can be stored and compared, else None."""
    usable = isinstance(value, str) and 0 < len(value) <= SUBJECT_LENGTH and not has_forbidden_characters(value)
    return value if usable else None


def _verified_email(claims: Mapping[str, Any]) -> str | None:
    email = claims.get("email")
    if claims.get("email_verified") is not True or not isinstance(email, str) or not email.isascii():
        return None
    email = email.lower()
    return email if _EMAIL.fullmatch(email) else None
