"""Signing in through an identity provider, at both doors: choose, go there, come back (AUTH-17)."""

from uuid import UUID

import structlog
from flask import current_app, render_template, request
from flask import session as cookie
from flask.typing import ResponseReturnValue

from portal.blueprints import http
from portal.blueprints.accounts.doors import Door
from portal.blueprints.api.limits import count_wrong_guess, origin_key, refuse_guessing
from portal.blueprints.localisation import gettext
from portal.errors import Conflict, Unauthenticated
from portal.integrations.oidc import OidcError, OidcProviders
from portal.lib.text import has_forbidden_characters
from portal.lib.wording.errors import error_text
from portal.services.accounts.sso import flow

log = structlog.get_logger()
ADDRESS_LENGTH = 254
CODE_LENGTH = 4096


def oidc() -> OidcProviders:
    """The providers of every tenant."""
    found: OidcProviders = current_app.extensions["portal_oidc"]
    return found


def choose(door: Door) -> ResponseReturnValue:
    """The page that asks for the work address; what was sent finds the provider of its domain."""
    if request.method == "GET":
        return _page(door)
    address = request.form.get("identifier", "")[:ADDRESS_LENGTH].strip()
    if not address or "@" not in address or has_forbidden_characters(address):
        return _page(door, address, code="email_invalid", status=422)
    provider = flow.find_by_address(http.session(), address, door.name)
    if provider is None:
        return _page(door, address, code="sso_not_found", status=422)
    return _leave(door, provider.id, hint=address)


def start(door: Door, provider_id: UUID) -> ResponseReturnValue:
    """Go to a provider that is offered to everybody at the door."""
    return _leave(door, provider_id, hint=None)


def come_back(door: Door) -> ResponseReturnValue:
    """The provider sent the browser back: use the trip up, have the code exchanged, and let in who it is."""
    state, code = request.args.get("state", ""), request.args.get("code", "")
    refuse_guessing(f"sso:{origin_key()}")
    try:
        if not state or cookie.pop(_state_name(door), None) != state:
            # Another browser's trip: somebody would be signed in as somebody else without knowing.
            raise Conflict("sso_expired")
        arrival = flow.arrive(http.session(), state, door=door.name, vault=http.vault(), now=http.now())
        # Used up before anybody outside is asked.
        http.commit()
        if not code or len(code) > CODE_LENGTH:
            raise Conflict("sso_cancelled", name=arrival.provider.name)
        client = flow.client_of(arrival.provider, _site(), door.name, http.vault())
        claims = oidc().claims(client, code=code, nonce=arrival.nonce, verifier=arrival.verifier, now=http.now())
        user = flow.recognise(http.session(), arrival.provider, claims, now=http.now())
    except OidcError as error:
        log.warning("sso_failed", reason=str(error), request_id=http.origin().request_id)
        return _refuse(door, error.code, {})
    except (Conflict, Unauthenticated) as error:
        return _refuse(door, error.code, error.params)
    return door.let_in(user, method="sso", next_path=arrival.next)


def _leave(door: Door, provider_id: UUID, *, hint: str | None) -> ResponseReturnValue:
    try:
        departure = flow.depart(
            http.session(),
            provider_id,
            door=door.name,
            site=_site(),
            next_path=http.safe_target(request.values.get("next"), ""),
            hint=hint,
            oidc=oidc(),
            vault=http.vault(),
            now=http.now(),
        )
    except Conflict as error:
        return _page(door, hint or "", code=error.code, params=error.params, status=409)
    http.commit()
    cookie[_state_name(door)] = departure.state
    # A page of ours in between: the forms' policy forbids that a form leads to another site.
    return render_template("accounts/sso_leave.html", address=departure.address)


def _refuse(door: Door, code: str, params: dict[str, object]) -> ResponseReturnValue:
    http.session().rollback()
    count_wrong_guess(f"sso:{origin_key()}")
    return _page(door, code=code, params=params, status=401)


def _page(
    door: Door, address: str = "", *, code: str = "", params: dict[str, object] | None = None, status: int = 200
) -> ResponseReturnValue:
    text = error_text(code, dict(params or {}), gettext) if code else ""
    page = render_template(
        "accounts/sso.html",
        door=door,
        identifier=address,
        errors=[("identifier", text)] if text else [],
        providers=flow.list_offered(http.session(), door.name),
        next=http.safe_target(request.values.get("next"), ""),
    )
    return page, status


def _site() -> str:
    """Where the browser is: the guard has verified the host."""
    return f"{request.scheme}://{request.host}"


def _state_name(door: Door) -> str:
    return f"{door.name}_sso"
