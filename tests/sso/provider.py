"""An OpenID provider within the test process that does what it is told, right or wrong."""

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote_plus, urlencode, urlsplit

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

CLIENT_ID, SECRET = "portal client", "p+ss/w=rd:%41 é"
Answer = Callable[["Handler"], None]


def new_key(kid: str = "first") -> RSAKey:
    """A key as providers have them."""
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig", "alg": "RS256"})


FIRST_KEY, OTHER_KEY = new_key(), ECKey.generate_key("P-256", {"kid": "other", "use": "sig"})


@dataclass
class Provider:
    """What it says is right until a test says otherwise.

    `metadata`, `claims` and `header` are laid over what is right (None takes away); `id_token` makes the token
    from the right claims; `answers` replaces whole answers by path.
    """

    issuer: str = ""
    subject: str = "subject-1"
    person: dict[str, Any] = field(default_factory=lambda: {"email": "new@acme.example", "email_verified": True})
    metadata: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    key: Any = field(default_factory=lambda: FIRST_KEY)
    keys: list[Any] = field(default_factory=lambda: [FIRST_KEY])
    id_token: Callable[[dict[str, Any]], Any] | None = None
    answers: dict[str, Answer] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    client_id: str = CLIENT_ID
    secret: str = SECRET

    def document(self) -> dict[str, Any]:
        """The discovery document."""
        right = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        }
        return _laid_over(right, self.metadata)

    def authorize(self, address: str, **changes: str) -> dict[str, str]:
        """What a person's consent at `address` sends back to the portal."""
        asked = dict(parse_qsl(urlsplit(address).query))
        code = secrets.token_urlsafe(8)
        self.codes[code] = asked
        return {"code": code, "state": asked["state"]} | changes

    def tokens(self, form: dict[str, str], shown: tuple[str, str]) -> tuple[int, dict[str, Any]]:
        """The token endpoint: client, code (once), address and PKCE have to fit."""
        if shown != (self.client_id, self.secret):
            return 401, {"error": "invalid_client"}
        asked = self.codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if asked is None or (asked["code_challenge"], asked["redirect_uri"]) != (challenge, form["redirect_uri"]):
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        right = {
            "iss": self.issuer,
            "aud": self.client_id,
            "sub": self.subject,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            **self.person,
        }
        claims = _laid_over(right, self.claims)
        token = self.id_token(claims) if self.id_token else self.sign(claims)
        return 200, {"access_token": "access-token", "token_type": "Bearer", "expires_in": 60, "id_token": token}

    def sign(self, claims: dict[str, Any]) -> str:
        """An ID token under this provider's key."""
        header = _laid_over({"alg": "RS256", "kid": self.key.kid}, self.header)
        if header["alg"] == "RS256":
            return forge(header, claims, by_key(self.key))
        return jwt.encode(header, claims, self.key, algorithms=[header["alg"]])


def forge(header: dict[str, Any], claims: Any, sign: Callable[[bytes], bytes]) -> str:
    """A token of any header and claims; libraries refuse to make the odd ones."""
    signed = b".".join(base64url(json.dumps(part).encode()) for part in (header, claims))
    return (signed + b"." + base64url(sign(signed))).decode()


def base64url(raw: bytes) -> bytes:
    """As tokens have it, without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def by_key(key: RSAKey) -> Callable[[bytes], bytes]:
    """RS256."""
    return lambda signed: key.get_op_key("sign").sign(signed, PKCS1v15(), SHA256())


def by_secret(secret: bytes) -> Callable[[bytes], bytes]:
    """HS256."""
    return lambda signed: hmac.digest(secret, signed, "sha256")


def _laid_over(right: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in (right | changes).items() if value is not None}


class Handler(BaseHTTPRequestHandler):
    """One request to the provider of its server."""

    protocol_version = "HTTP/1.0"

    @property
    def provider(self) -> Provider:
        return self.server.provider  # type: ignore[attr-defined,no-any-return]

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        self.provider.asked.append(path)
        if path in self.provider.answers:
            self.provider.answers[path](self)
        elif path == "/.well-known/openid-configuration":
            self.json(self.provider.document())
        elif path == "/keys":
            self.json(KeySet(self.provider.keys).as_dict(private=False))
        elif path == "/me":
            self.json({"sub": self.provider.subject, "email": "told@acme.example", "email_verified": True})
        else:
            self.json({"error": "not_found"}, 404)

    def do_POST(self) -> None:
        path = urlsplit(self.path).path
        self.provider.asked.append(path)
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        if path in self.provider.answers:
            self.provider.answers[path](self)
            return
        form = {name: values[0] for name, values in parse_qs(raw).items()}
        shown = (form.get("client_id", ""), form.get("client_secret", ""))
        if (named := self.headers.get("Authorization", "")).startswith("Basic "):
            one, _, two = base64.b64decode(named[6:]).decode().partition(":")
            shown = (unquote_plus(one), unquote_plus(two))
        status, body = self.provider.tokens(form, shown)
        self.json(body, status)

    def json(self, body: Any, status: int = 200) -> None:
        """A whole answer."""
        self.raw(json.dumps(body).encode(), status)

    def raw(self, body: bytes, status: int = 200, **headers: str) -> None:
        """An answer of any bytes."""
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Tests read answers, not logs."""


def serve(provider: Provider) -> ThreadingHTTPServer:
    """The provider on a free port of this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.provider = provider  # type: ignore[attr-defined]
    provider.issuer = provider.issuer or f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    return server


def callback_path(door: str, back: dict[str, str]) -> str:
    """Where the provider sends the browser."""
    return f"/{door}/sso/callback?{urlencode(back)}"
