"""Talking to OpenID Connect providers: discovery, the authorisation address, the exchange, the ID token.

Authlib does the protocol, requests-hardened the connection: addresses are resolved once and pinned, private
networks are refused, redirects are not followed, nothing waits longer than five seconds.
"""

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from requests_hardened.ip_filter_adapter import IPFilterAdapter

CONNECT_SECONDS, READ_SECONDS = 2, 5
MAX_DOCUMENT_BYTES = 256 * 1024
FRESH_FOR_SECONDS = 3600.0
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
# Signatures by the provider's private key only: a shared secret would let whoever holds it mint identities.
ALGORITHMS = ("RS256", "PS256", "ES256", "ES384", "EdDSA", "Ed25519")
LEEWAY_SECONDS = 60


class OidcError(Exception):
    """The provider cannot be reached, or what it says does not hold; `code` is for people, the text for logs."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code


@dataclass(frozen=True)
class Metadata:
    """What a provider says of itself (OpenID Connect Discovery 1.0)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    basic_auth: bool


@dataclass(frozen=True)
class Client:
    """What the provider knows us as."""

    issuer: str
    client_id: str
    client_secret: str
    redirect_uri: str


class OidcProviders:
    """Every provider of every tenant; documents are kept for an hour."""

    def __init__(self, *, allow_loopback: bool) -> None:
        self._allow_loopback = allow_loopback
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, dict[str, Any]]] = {}

    def is_acceptable(self, address: str) -> bool:
        """Whether an issuer's address may be talked to at all: https, or plain to this machine where that is allowed."""
        parts = urlsplit(address)
        if parts.query or parts.fragment or parts.username or not parts.hostname:
            return False
        return parts.scheme == "https" or (
            self._allow_loopback and parts.scheme == "http" and parts.hostname in LOOPBACK
        )

    def discover(self, issuer: str) -> Metadata:
        """The provider's endpoints; the document has to be about this very issuer."""
        document = self._document(issuer.rstrip("/") + "/.well-known/openid-configuration")
        if document.get("issuer") != issuer:
            raise OidcError("sso_misconfigured", "the document names another issuer")
        names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        endpoints = {name: str(document.get(name, "")) for name in names}
        for name, address in endpoints.items():
            if not self.is_acceptable(address.split("?")[0]):
                raise OidcError("sso_misconfigured", f"{name} is not acceptable")
        methods = document.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        return Metadata(issuer=issuer, basic_auth="client_secret_basic" in methods, **endpoints)

    def authorization_address(
        self, client: Client, *, state: str, nonce: str, verifier: str, hint: str | None = None
    ) -> str:
        """Where to send the browser: code flow with state, nonce and PKCE (S256)."""
        metadata = self.discover(client.issuer)
        more = {"login_hint": hint} if hint else {}
        with self._session(client) as session:
            address, _ = session.create_authorization_url(
                metadata.authorization_endpoint,
                state=state,
                nonce=nonce,
                code_challenge=create_s256_code_challenge(verifier),
                code_challenge_method="S256",
                **more,
            )
        return str(address)

    def claims(self, client: Client, *, code: str, nonce: str, verifier: str, now: datetime) -> dict[str, Any]:
        """Exchange the code and return the claims of the ID token, once everything about it holds."""
        metadata = self.discover(client.issuer)
        try:
            with self._session(client, metadata) as session:
                tokens = session.fetch_token(
                    metadata.token_endpoint, grant_type="authorization_code", code=code, code_verifier=verifier
                )
        except (AuthlibBaseError, requests.RequestException, ValueError) as error:
            raise OidcError("sso_refused", type(error).__name__) from error
        return self._checked(metadata, client, tokens, nonce, now)

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
        except (JoseError, AuthlibBaseError, ValueError, TypeError, KeyError) as error:
            raise OidcError("sso_refused", type(error).__name__) from error
        if not isinstance(claims.get("sub"), str) or not 0 < len(claims["sub"]) <= 255:
            raise OidcError("sso_refused", "no subject")
        return dict(claims)

    def _decode(self, metadata: Metadata, raw: str) -> jwt.Token:
        """The token under the provider's keys, which are read again once when they do not fit (rotation)."""
        try:
            return jwt.decode(raw, self._keys(metadata), algorithms=list(ALGORITHMS))
        except (JoseError, ValueError):
            with self._lock:
                self._known.pop(metadata.jwks_uri, None)
            return jwt.decode(raw, self._keys(metadata), algorithms=list(ALGORITHMS))

    def _keys(self, metadata: Metadata) -> KeySet:
        return KeySet.import_key_set(self._document(metadata.jwks_uri))  # type: ignore[arg-type]

    def _document(self, address: str) -> dict[str, Any]:
        with self._lock:
            known = self._known.get(address)
        if known and time.monotonic() - known[0] < FRESH_FOR_SECONDS:
            return known[1]
        found = self._fetch(address)
        with self._lock:
            if len(self._known) > 1000:
                self._known.clear()
            self._known[address] = (time.monotonic(), found)
        return found

    def _fetch(self, address: str) -> dict[str, Any]:
        if not self.is_acceptable(address.split("?")[0]):
            raise OidcError("sso_misconfigured", "the address is not acceptable")
        try:
            with (
                self._session() as session,
                session.get(
                    address,
                    withhold_token=True,
                    stream=True,
                    allow_redirects=False,
                    timeout=(CONNECT_SECONDS, READ_SECONDS),
                ) as answer,
            ):
                if answer.status_code != 200:
                    raise OidcError("sso_unreachable", f"status {answer.status_code}")
                body = answer.raw.read(MAX_DOCUMENT_BYTES + 1, decode_content=True)
                if len(body) > MAX_DOCUMENT_BYTES:
                    raise OidcError("sso_misconfigured", "the document is too large")
                found = json.loads(body)
        except (requests.RequestException, OSError) as error:
            raise OidcError("sso_unreachable", type(error).__name__) from error
        except ValueError as error:
            raise OidcError("sso_misconfigured", "no JSON") from error
        if not isinstance(found, dict):
            raise OidcError("sso_misconfigured", "no JSON object")
        return found

    def _session(self, client: Client | None = None, metadata: Metadata | None = None) -> OAuth2Session:
        method = "client_secret_basic" if metadata is None or metadata.basic_auth else "client_secret_post"
        session = OAuth2Session(
            client_id=client.client_id if client else None,
            client_secret=client.client_secret if client else None,
            redirect_uri=client.redirect_uri if client else None,
            scope="openid email profile",
            token_endpoint_auth_method=method,
            default_timeout=(CONNECT_SECONDS, READ_SECONDS),
        )
        session.max_redirects = 0
        session.trust_env = False
        for prefix in ("http://", "https://"):
            session.mount(
                prefix, IPFilterAdapter(is_https_proto=prefix == "https://", allow_loopback=self._allow_loopback)
            )
        return session
