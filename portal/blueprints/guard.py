"""Before each request: its number, its tenant, who asks, and whether they may; before any body is read."""

import re
from uuid import uuid4

from flask import Flask, Response, abort, current_app, g, request
from flask import session as cookie
from flask.typing import ResponseReturnValue

from portal.authz import Permission, require
from portal.blueprints import http
from portal.blueprints.policies import PUBLIC, SIGNED_IN, is_open_while_enrolling, policy_of
from portal.errors import Forbidden, Unauthenticated
from portal.extensions import db
from portal.services.accounts import api_keys, api_tokens, sessions
from portal.services.accounts.factor_policy import must_enrol_now
from portal.services.accounts.identity import Identity, build_identity
from portal.services.tenants.directory import TenantDirectory

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,40}")
_NO_TENANT = frozenset({"health.live", "health.ready", "static", "payment_webhook.take"})
API_PREFIX = "/api/"
ADMIN_PREFIX = "/admin"
# What a key of a program may be shown to, besides what is open to everybody (H9.9).
_KEYS_PREFIX = "/api/v1/portal/"
_KEYS_ENDPOINT = "auth_api.me"


def init_guard(app: Flask) -> None:
    """Register the checks; they run in this order and before every view."""
    app.before_request(_number_request)
    app.before_request(_find_tenant)
    app.before_request(_identify)
    app.before_request(_authorise)


def door() -> str:
    """Which door the request stands at: `admin`, `portal` or `api`."""
    if request.path.startswith(API_PREFIX):
        return "api"
    return "admin" if request.path.startswith(ADMIN_PREFIX) else "portal"


def cookie_name(at_door: str) -> str:
    """The key of a door's token within the signed cookie."""
    return f"{at_door}_token"


def _number_request() -> None:
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if _REQUEST_ID.fullmatch(given) else uuid4().hex


def _find_tenant() -> None:
    if request.endpoint in _NO_TENANT:
        return
    directory: TenantDirectory = current_app.extensions["portal_tenants"]
    host = request.host.rsplit(":", 1)[0] if not request.host.endswith("]") else request.host
    found = directory.by_host(host)
    # Read anew every few seconds for all requests together; it is not this page's cost.
    g.statements, g.statement_seconds = 0, 0.0
    if found is None:
        # Nothing about any tenant, nor that this is Portico.
        abort(Response("Not found\n", status=404, mimetype="text/plain"))
    g.tenant = found
    db.session.use_tenant(found.id)  # type: ignore[attr-defined]


def _identify() -> None:
    if "tenant" not in g:
        return
    at = door()
    if at == "api":
        g.identity = _from_bearer()
        return
    token = cookie.get(cookie_name(at))
    if isinstance(token, str):
        g.identity = _from_cookie(token, at)


def _from_cookie(token: str, at: str) -> Identity | None:
    framed = request.method == "GET"
    row = sessions.find_signed_in(
        http.session(), token, at, http.now(), idle=http.tenant().sign_in.idle, with_counts=framed
    )
    if row is None:
        g.session_ended = True
        return None
    where = http.origin()
    g.auth_session = sessions.held_session(row)
    if framed:
        g.chrome_counts, g.sign_of_life = tuple(row[-3:-1]), row[-1]
    found = build_identity(row, ip=where.ip, request_id=where.request_id)
    passive = request.headers.get("X-Portal-Live") == "1"
    # Polling of an open page is not activity (AUTH-04).
    if not passive and sessions.touch_session(http.session(), row, now=http.now()) and request.method == "GET":
        http.session().commit()
    return found


def _from_bearer() -> Identity | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        return None
    try:
        return _from_key(token.strip()) if api_keys.is_api_key(token.strip()) else _from_token(token.strip())
    except Unauthenticated:
        g.session_ended = True
        return None


def _from_token(token: str) -> Identity:
    family = http.token_signer().read(token, tenant_id=http.tenant().id, now=http.now())
    g.token_family = family
    return api_tokens.load_token_identity(http.session(), family, http.origin())


def _from_key(token: str) -> Identity:
    key = api_keys.find_key(http.session(), token, http.origin())
    g.api_key = key.id
    if api_keys.touch_key(http.session(), key, ip=http.origin().ip, now=http.now()):
        http.session().commit()
    return key.identity


def _refuse_beyond_reading(policy: Permission | str | None) -> None:
    """Keys read what their owner reads as a customer; nothing is changed, nor signed in or out, by one."""
    if "api_key" not in g:
        return
    reading = request.method in ("GET", "HEAD", "OPTIONS")
    mine = request.path.startswith(_KEYS_PREFIX) or request.endpoint == _KEYS_ENDPOINT or policy == PUBLIC
    if not reading or not mine:
        raise Forbidden("api_key_read_only")


def _authorise() -> ResponseReturnValue | None:
    if request.endpoint is None or request.endpoint in _NO_TENANT:
        return None
    policy = policy_of(current_app, request.endpoint)
    _refuse_beyond_reading(policy)
    if policy == PUBLIC:
        return None
    found = http.identity()
    if found is None:
        ended = "token_invalid" if door() == "api" else "session_expired"
        raise Unauthenticated(ended if g.get("session_ended") else "authentication_required")
    if must_enrol_now(http.tenant().sign_in, found.user, http.now()):
        refused = _lead_to_enrolment()
        if refused is not None:
            return refused
    if policy == SIGNED_IN:
        return None
    if not isinstance(policy, Permission):
        raise Forbidden("not_allowed")
    require(found.actor, policy)
    return None


def _lead_to_enrolment() -> ResponseReturnValue | None:
    """Whoever owes a second factor for too long sets one up before anything else (AUTH-16)."""
    if is_open_while_enrolling(current_app, str(request.endpoint)):
        return None
    if door() == "api":
        raise Forbidden("second_factor_enrolment_required")
    if http.wants_fragment() or request.headers.get("X-Portal-Live"):
        # A page that was open already: its next click leads there.
        return Response(status=403)
    return http.see_other("staff_security.page" if door() == "admin" else "security.page")
