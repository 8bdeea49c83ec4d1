"""Signing in through an identity provider, at both doors: choose, go there, come back (AUTH-17)."""

from typing import Any
from uuid import UUID

import structlog
from flask import current_app, jsonify, render_template, request
from flask import session as cookie
from flask.typing import ResponseReturnValue
from limits import RateLimitItemPerMinute
from werkzeug.exceptions import TooManyRequests

from portal.blueprints import http
from portal.blueprints.accounts.doors import Door
from portal.blueprints.api.limits import count_failed_origin, refuse_failing_origin
from portal.blueprints.denials import note_refused_sign_in
from portal.blueprints.localisation import gettext
from portal.blueprints.rates import count, origin_key, seconds_to_wait
from portal.errors import Conflict, Unauthenticated
from portal.integrations.oidc import OidcProviders, Return
from portal.integrations.oidc_claims import Subject
from portal.integrations.oidc_documents import OidcError
from portal.lib.text import has_forbidden_characters
from portal.lib.wording.errors import error_text
from portal.services.accounts.sessions import Via
from portal.services.accounts.sso import flow, logout
from portal.services.accounts.sso.recognition import recognise

log = structlog.get_logger()
ADDRESS_LENGTH = 254
CODE_LENGTH, TOKEN_LENGTH = 4096, 16_384
# A whole company may begin its day behind one address; each trip is a row for a day. It may end it at once, too.
TRIPS = RateLimitItemPerMinute(300, namespace="sso-trips")
LOGOUTS = RateLimitItemPerMinute(600, namespace="sso-logouts")


def oidc() -> OidcProviders:
    """The providers of every tenant."""
    found: OidcProviders = current_app.extensions["portal_oidc"]
    return found


def choose(door: Door) -> ResponseReturnValue:
    """The page that asks for the work address; what was sent finds the provider of its domain."""
    if request.method != "POST":
        return _page(door)
    address = request.form.get("identifier", "")[:ADDRESS_LENGTH].strip()
    if not address or "@" not in address or has_forbidden_characters(address):
        return _page(door, address, code="email_invalid", status=422)
    refuse_failing_origin()
    provider_id = flow.find_by_address(http.session(), address, door.name)
    if provider_id is None:
        # Trying domains tells who is a customer here; a hundred and fifty a minute tell nothing.
        count_failed_origin()
        return _page(door, address, code="sso_not_found", status=422)
    return _leave(door, provider_id, hint=address)


def start(door: Door, provider_id: UUID) -> ResponseReturnValue:
    """Go to a provider that is offered to everybody at the door."""
    return _leave(door, provider_id, hint=None)


def come_back(door: Door) -> ResponseReturnValue:
    """The provider sent the browser back: use the trip up, have the code exchanged, and let in who it is."""
    refuse_failing_origin()
    proved: Subject | None = None
    try:
        arrival = _arrive(door)
        proved = _ask(arrival)
        user = recognise(http.session(), arrival.way.provider_id, proved, now=http.now())
    except OidcError as error:
        log.warning("sso_failed", reason=str(error), request_id=http.origin().request_id)
        return _refuse(door, error.code, {}, proved)
    except (Conflict, Unauthenticated) as error:
        return _refuse(door, error.code, error.params, proved)
    via = Via(arrival.way.provider_id, proved.sid)
    return door.let_in(user, method="sso", next_path=arrival.next, via=via)


def sign_out(provider_id: UUID) -> ResponseReturnValue:
    """A provider tells of a sign-out there: 200 once what it names has ended, 400 for what proves nothing.

    Nobody is signed in here and no cookie counts: the token's signature says who sends it.
    """
    refuse_failing_origin()
    if not count(LOGOUTS, origin_key()):
        raise TooManyRequests(retry_after=seconds_to_wait(LOGOUTS, origin_key()))
    sender = logout.find_sender(http.session(), provider_id)
    # No connection to the database is held while somebody outside is asked.
    http.commit()
    token = request.form.get("logout_token", "")
    try:
        if not token or len(token) > TOKEN_LENGTH:
            raise OidcError("logout_refused", "no token")
        named = oidc().read_logout(sender.issuer, sender.client_id, token, now=http.now())
        logout.take_logout(http.session(), sender, named, origin=http.origin(), now=http.now())
    except (OidcError, Conflict) as error:
        http.session().rollback()
        log.warning("sso_logout_refused", reason=str(error), request_id=http.origin().request_id)
        count_failed_origin()
        away = error.code in ("sso_unreachable", "sso_misconfigured")
        return _told(503 if away else 400, error="temporarily_unavailable" if away else "invalid_request")
    http.commit()
    return _told(200)


def _told(status: int, **body: str) -> ResponseReturnValue:
    answer = jsonify(body)
    answer.status_code, answer.headers["Cache-Control"] = status, "no-store"
    return answer


def _arrive(door: Door) -> flow.Arrival:
    """The trip that this browser began, used up for good before anybody outside is asked."""
    state = request.args.get("state", "")
    if not state or cookie.get(_state_name(door)) != state:
        # Another browser's trip: somebody would be signed in as somebody else without knowing.
        raise Conflict("sso_expired")
    del cookie[_state_name(door)]
    arrival = flow.arrive(http.session(), state, door=door.name, site=_site(), vault=http.vault(), now=http.now())
    http.commit()
    return arrival


def _ask(arrival: flow.Arrival) -> Subject:
    code = request.args.get("code", "")
    if not code or len(code) > CODE_LENGTH or "error" in request.args:
        raise Conflict("sso_cancelled", name=arrival.way.name)
    back = Return(code, request.args.get("iss"))
    return oidc().identify(arrival.way.client, back, nonce=arrival.nonce, verifier=arrival.verifier, now=http.now())


def _leave(door: Door, provider_id: UUID, *, hint: str | None) -> ResponseReturnValue:
    if not count(TRIPS, origin_key()):
        raise TooManyRequests(retry_after=seconds_to_wait(TRIPS, origin_key()))
    try:
        way = flow.find_way(http.session(), provider_id, door=door.name, site=_site(), vault=http.vault())
        # No connection to the database is held while somebody outside is asked.
        http.commit()
        leaving = oidc().depart(way.client, hint=hint)
    except (Conflict, OidcError) as error:
        log.warning("sso_failed", reason=str(error), request_id=http.origin().request_id)
        return _page(door, hint or "", code=error.code, status=409)
    next_path = http.safe_target(request.values.get("next"), "")
    flow.note_departure(
        http.session(), way, leaving, door=door.name, next_path=next_path, vault=http.vault(), now=http.now()
    )
    http.commit()
    cookie[_state_name(door)] = leaving.state
    # A page of ours in between: the forms' policy forbids that a form leads to another site.
    return render_template("accounts/sso_leave.html", address=leaving.address, name=way.name)


def _refuse(door: Door, code: str, params: dict[str, Any], proved: Subject | None) -> ResponseReturnValue:
    """What follows an arrival that does not hold: it counts, is audited, and the choice comes back."""
    http.session().rollback()
    count_failed_origin()
    note_refused_sign_in((proved.email if proved else None) or "")
    return _page(door, code=code, params=params, status=401)


def _page(
    door: Door, address: str = "", *, code: str = "", params: dict[str, Any] | None = None, status: int = 200
) -> ResponseReturnValue:
    text = error_text(code, params or {}, gettext) if code else ""
    # What is wrong with the address stands beside it; the rest is about the trip.
    field = "identifier" if status == 422 else ""
    page = render_template(
        "accounts/sso.html",
        door=door,
        identifier=address,
        errors=[(field, text)] if text else [],
        providers=flow.list_offered(http.session(), door.name),
        next=http.safe_target(request.values.get("next"), ""),
    )
    return page, status


def _site() -> str:
    """Where the browser is: the guard has verified the host."""
    return f"{request.scheme}://{request.host}"


def _state_name(door: Door) -> str:
    return f"{door.name}_sso"
