"""Talking to OpenID Connect providers: discovery, the authorisation address, the exchange, the ID token.

Authlib does the protocol, `outbound` the connection. What is asked during a request is bounded: documents are
kept for an hour, a provider that does not answer is not asked again for ten seconds, and only a few requests wait
for one provider at a time, so that a slow one cannot take every thread of the portal (docs/decisions/0009).
"""

import base64
import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote_plus, urlsplit

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from portal.integrations.oidc_claims import LEEWAY_SECONDS, Demand, Subject, read_subject
from portal.integrations.oidc_documents import BROKEN, Documents, OidcError
from portal.integrations.oidc_logout import Logout, read_logout
from portal.integrations.outbound import WHOLE_SECONDS, OutboundSession

AT_ONCE_PER_PROVIDER, AT_ONCE = 8, 32
# Anybody can send a logout token: keys that do not fit it are read anew no more often than this.
PATIENCE_SECONDS = 30.0
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
# Signatures by the provider's private key only: a shared secret would let whoever holds it mint identities.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")


@dataclass(frozen=True)
class Metadata:
    """What a provider says of itself (OpenID Connect Discovery 1.0)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str
    secret_in_body: bool
    names_itself: bool


@dataclass(frozen=True)
class Client:
    """What the provider knows us as, and what we demand of it."""

    issuer: str
    client_id: str
    client_secret: str
    redirect_uri: str
    demand: Demand = field(default_factory=Demand)


@dataclass(frozen=True)
class Departure:
    """Where to send the browser, and what has to hold when it comes back; `state` comes back with it."""

    address: str
    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True)
class Return:
    """What the browser brought back: the code, and the issuer where the provider names itself (RFC 9207)."""

    code: str
    issuer: str | None


class OidcProviders:
    """Every provider of every tenant; what is kept of them is public."""

    def __init__(self, *, allow_loopback: bool, whole_seconds: float = WHOLE_SECONDS) -> None:
        self._allow_loopback = allow_loopback
        self._whole_seconds = whole_seconds
        self._lock = threading.Lock()
        self._documents = Documents(self.guard)
        self._asking: dict[str, int] = {}

    def is_acceptable(self, address: str) -> bool:
        """Whether an address may be talked to at all: https, or plain to this machine where that is allowed."""
        try:
            parts = urlsplit(address)
            host, _ = parts.hostname, parts.port
        except ValueError:
            return False
        printable = address.isascii() and address.isprintable() and " " not in address
        if not printable or not host or parts.query or parts.fragment or parts.username or parts.password:
            return False
        return parts.scheme == "https" or (self._allow_loopback and parts.scheme == "http" and host in LOOPBACK)

    def depart(self, client: Client, *, hint: str | None) -> Departure:
        """Where to send the browser: code flow with state, nonce and PKCE (S256). Raises OidcError."""
        with self._turn(client.issuer):
            metadata = self._discover(client.issuer)
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        with self._session(client, metadata) as session:
            address, _ = session.create_authorization_url(
                metadata.authorization_endpoint,
                state=state,
                nonce=nonce,
                code_challenge=create_s256_code_challenge(verifier),
                code_challenge_method="S256",
                **({"login_hint": hint} if hint else {}),
                **client.demand.asked(),
            )
        return Departure(str(address), state, nonce, verifier)

    def identify(self, client: Client, back: Return, *, nonce: str, verifier: str, now: datetime) -> Subject:
        """Exchange the code, and say whom the ID token proves once everything about it holds. Raises OidcError."""
        with self._turn(client.issuer):
            metadata = self._discover(client.issuer)
            # Another provider's answer must not reach this one's token endpoint (RFC 9207 §2.4).
            if back.issuer != metadata.issuer and (back.issuer is not None or metadata.names_itself):
                raise OidcError("sso_refused", "the answer comes from another issuer")
            tokens = self._exchange(metadata, client, back.code, verifier)
            claims = self._checked(metadata, client, tokens, nonce, now)
            client.demand.require_met(claims, now)
            if "email" not in claims and metadata.userinfo_endpoint:
                claims = self._with_userinfo(metadata, claims, tokens)
        return read_subject(metadata.issuer, client.client_id, claims)

    def read_logout(self, issuer: str, client_id: str, raw: str, *, now: datetime) -> Logout:
        """Whom a logout token signs out, once everything about it holds. Raises OidcError."""
        with self._turn(issuer):
            metadata = self._discover(issuer)
            try:
                token = self._decode(metadata, raw, patience=PATIENCE_SECONDS)
            except (JoseError, *BROKEN) as error:
                raise OidcError("logout_refused", type(error).__name__) from error
        return read_logout(metadata.issuer, client_id, token.header, token.claims, now)

    @contextmanager
    def _turn(self, issuer: str) -> Iterator[None]:
        """Wait for a provider as one of a few; the next one is told at once that it does not answer."""
        with self._lock:
            if self._asking.get(issuer, 0) >= AT_ONCE_PER_PROVIDER or sum(self._asking.values()) >= AT_ONCE:
                raise OidcError("sso_unreachable", "too many wait for an answer")
            self._asking[issuer] = self._asking.get(issuer, 0) + 1
        try:
            yield
        finally:
            with self._lock:
                self._asking[issuer] -= 1
                if not self._asking[issuer]:
                    del self._asking[issuer]

    def _discover(self, issuer: str) -> Metadata:
        """The provider's endpoints; the document has to be about this very issuer."""
        document = self._documents.find(issuer.rstrip("/") + "/.well-known/openid-configuration")
        if document.get("issuer") != issuer:
            raise OidcError("sso_misconfigured", "the document names another issuer")
        methods = document.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        if not isinstance(methods, list) or not {"client_secret_basic", "client_secret_post"} & set(map(str, methods)):
            raise OidcError("sso_misconfigured", "no way to show the client's secret")
        return Metadata(
            issuer=issuer,
            authorization_endpoint=self._endpoint(document, "authorization_endpoint"),
            token_endpoint=self._endpoint(document, "token_endpoint"),
            jwks_uri=self._endpoint(document, "jwks_uri"),
            userinfo_endpoint=self._endpoint(document, "userinfo_endpoint") if "userinfo_endpoint" in document else "",
            # Providers read a secret with special characters in two ways when it comes as Basic.
            secret_in_body="client_secret_post" in methods,
            names_itself=document.get("authorization_response_iss_parameter_supported") is True,
        )

    def _endpoint(self, document: Mapping[str, Any], name: str) -> str:
        address = document.get(name)
        if not isinstance(address, str) or not self.is_acceptable(address.split("?")[0]):
            raise OidcError("sso_misconfigured", f"{name} is not acceptable")
        return address

    def _exchange(self, metadata: Metadata, client: Client, code: str, verifier: str) -> Mapping[str, Any]:
        try:
            with self._session(client, metadata) as session:
                tokens: Mapping[str, Any] = session.fetch_token(
                    metadata.token_endpoint, grant_type="authorization_code", code=code, code_verifier=verifier
                )
        except requests.RequestException as error:
            raise OidcError("sso_unreachable", f"token: {type(error).__name__}") from error
        except (AuthlibBaseError, *BROKEN) as error:
            said = str(getattr(error, "error", ""))[:60]
            code = "sso_misconfigured" if said in ("invalid_client", "unauthorized_client") else "sso_refused"
            raise OidcError(code, f"token: {type(error).__name__} {said}") from error
        return tokens

    def _checked(
        self, metadata: Metadata, client: Client, tokens: Mapping[str, Any], nonce: str, now: datetime
    ) -> dict[str, Any]:
        raw = tokens.get("id_token")
        if not isinstance(raw, str):
            raise OidcError("sso_refused", "no ID token")
        try:
            decoded = self._decode(metadata, raw)
            claims = CodeIDToken(
                decoded.claims,
                decoded.header,
                {
                    "iss": {"essential": True, "value": metadata.issuer},
                    "aud": {"essential": True, "value": client.client_id},
                },
                {"nonce": nonce, "client_id": client.client_id, "access_token": tokens.get("access_token")},
            )
            claims.validate(now=int(now.timestamp()), leeway=LEEWAY_SECONDS)
        except (JoseError, AuthlibBaseError, *BROKEN) as error:
            raise OidcError("sso_refused", f"ID token: {type(error).__name__} {error}") from error
        return dict(claims)

    def _decode(self, metadata: Metadata, raw: str, *, patience: float = 0.0) -> jwt.Token:
        """The token under the provider's keys, which are read again once when they do not fit (rotation).

        Not if they were read within the last seconds of `patience`: strangers could have them asked for without end.
        """
        try:
            return jwt.decode(raw, self._keys(metadata), algorithms=list(ALGORITHMS))
        except (JoseError, *BROKEN):
            self._documents.forget(metadata.jwks_uri, older_than=patience)
            return jwt.decode(raw, self._keys(metadata), algorithms=list(ALGORITHMS))

    def _keys(self, metadata: Metadata) -> KeySet:
        return KeySet.import_key_set(self._documents.find(metadata.jwks_uri))  # type: ignore[arg-type]

    def _with_userinfo(self, metadata: Metadata, claims: dict[str, Any], tokens: Mapping[str, Any]) -> dict[str, Any]:
        """The claims with those that the provider only tells on asking, if they are about the same subject."""
        found = self._documents.read(
            metadata.userinfo_endpoint, {"Authorization": f"Bearer {tokens.get('access_token')}"}
        )
        if found.get("sub") != claims.get("sub"):
            raise OidcError("sso_refused", "user info is about somebody else")
        return {name: found[name] for name in ("email", "email_verified", "name") if name in found} | claims

    def _session(self, client: Client, metadata: Metadata) -> "_Session":
        session = _Session(
            client_id=client.client_id,
            client_secret=client.client_secret,
            redirect_uri=client.redirect_uri,
            scope="openid email profile",
            token_endpoint_auth_method="client_secret_post" if metadata.secret_in_body else "client_secret_basic",
        )
        session.register_client_auth_method(("client_secret_basic", _basic))
        self.guard(session)
        return session

    def forget(self) -> None:
        """Read every document anew the next time."""
        self._documents.forget()

    def guard(self, session: OutboundSession) -> None:
        """Put the bounds of this installation around a session."""
        session.guard(allow_loopback=self._allow_loopback, whole_seconds=self._whole_seconds)


class _Session(OutboundSession, OAuth2Session):  # type: ignore[misc]
    """Authlib's client over a guarded connection."""

    def __init__(self, **options: Any) -> None:
        OAuth2Session.__init__(self, **options)


def _basic(client: Any, method: str, uri: str, headers: Any, body: Any) -> tuple[str, Any, Any]:
    """Basic as RFC 6749 §2.3.1 has it: id and secret are form-encoded first, which Authlib leaves out."""
    named = f"{quote_plus(client.client_id)}:{quote_plus(client.client_secret)}"
    headers["Authorization"] = f"Basic {base64.b64encode(named.encode()).decode()}"
    return uri, headers, body
