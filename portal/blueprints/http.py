"""What every view needs: the tenant, who is asking, the session, the commit, the answer."""

import ipaddress
from collections.abc import Hashable
from datetime import datetime
from functools import lru_cache
from typing import Any, cast
from urllib.parse import urlsplit
from uuid import UUID

from flask import current_app, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.authz import Actor
from portal.config import Settings
from portal.errors import Unauthenticated
from portal.extensions import db
from portal.integrations.places import Places
from portal.lib.clock import utcnow
from portal.lib.vault import Vault
from portal.models.session import TenantSession
from portal.services.accounts.api_tokens import TokenSigner
from portal.services.accounts.identity import Identity
from portal.services.accounts.own import Letterhead
from portal.services.accounts.passwords import Passwords
from portal.services.accounts.sessions import Origin
from portal.services.tenants.directory import TenantProfile

_NO_TICKET = UUID(int=0)


def settings() -> Settings:
    """The application's settings."""
    return cast(Settings, current_app.config["SETTINGS"])


def passwords() -> Passwords:
    """The password hasher at the configured cost."""
    return cast(Passwords, current_app.extensions["portal_passwords"])


def vault() -> Vault:
    """What encrypts fields and makes one-time secrets."""
    return cast(Vault, current_app.extensions["portal_vault"])


def token_signer() -> TokenSigner:
    """The signer of access tokens."""
    return cast(TokenSigner, current_app.extensions["portal_token_signer"])


def places() -> Places:
    """What knows where addresses on the network are."""
    return cast(Places, current_app.extensions["portal_places"])


def letterhead() -> Letterhead:
    """What mails about an account of this tenant are written with."""
    return Letterhead(tenant(), settings().base_url, vault())


def session_id() -> UUID | None:
    """What is signed in here: the browser's session, or the family of the program's token."""
    held = g.get("auth_session")
    return cast("UUID | None", held.id if held is not None else g.get("token_family"))


def tenant() -> TenantProfile:
    """The tenant of the request's host."""
    return cast(TenantProfile, g.tenant)


def session() -> TenantSession:
    """The request's database session, bound to its tenant."""
    return cast(TenantSession, db.session)


def now() -> datetime:
    """The instant of this request: one value from its first to its last row."""
    if "now" not in g:
        g.now = utcnow()
    return cast(datetime, g.now)


def origin() -> Origin:
    """Where the request came from."""
    return Origin(
        ip=_callers_address(),
        user_agent=request.headers.get("User-Agent", ""),
        request_id=g.get("request_id", ""),
    )


def _callers_address() -> str:
    """The caller's address without a zone; behind a proxy it is a text of somebody's, so only addresses count."""
    try:
        return str(ipaddress.ip_address((request.remote_addr or "").partition("%")[0]))
    except ValueError:
        return ""


def identity() -> Identity | None:
    """Who is signed in at this door, or None."""
    return cast("Identity | None", g.get("identity"))


def actor() -> Actor:
    """Who acts; Unauthenticated where nobody is signed in."""
    found = identity()
    if found is None:
        raise Unauthenticated("authentication_required")
    return found.actor


def commit() -> None:
    """The one commit of a request; routes call it when everything went well."""
    session().commit()


def see_other(endpoint: str, **values: Any) -> ResponseReturnValue:
    """303 to a page of ours, after a write."""
    return redirect(url_for(endpoint, **values), code=303)


def address_of(endpoint: str, **values: Hashable) -> str:
    """`url_for`, built once: for the addresses of lists and places, of which a page has dozens."""
    if endpoint.startswith("."):
        # Views that stand at both doors name each other so; the address differs by the door.
        endpoint = f"{request.blueprint}{endpoint}"
    return _address(request.script_root, endpoint, tuple(values.items()))


def ticket_address(endpoint: str, ticket_id: UUID, **values: Hashable) -> str:
    """The same for something of a ticket: addresses of two tickets differ by the id alone."""
    return address_of(endpoint, ticket_id=_NO_TICKET, **values).replace(str(_NO_TICKET), str(ticket_id), 1)


@lru_cache(maxsize=4096)
def _address(root: str, endpoint: str, values: tuple[tuple[str, Any], ...]) -> str:
    # `root` is where the application is mounted; all else that an address is made of is in the values.
    return url_for(endpoint, **dict(values))


def wants_fragment() -> bool:
    """Whether HTMX asks for a part of a page."""
    return request.headers.get("HX-Request") == "true"


def render_live(page: str, fragment: str, context: dict[str, Any]) -> ResponseReturnValue:
    """The page; or the part of it that an open page fetches again, with an ETag that answers 304."""
    if not wants_fragment() and request.headers.get("X-Portal-Live") != "1":
        return render_template(page, **context)
    answer = make_response(render_template(fragment, **context))
    answer.add_etag()
    return answer.make_conditional(request)


def safe_target(target: str | None, default: str) -> str:
    """`target` where it is a path of this site, else `default`: nobody is sent elsewhere after signing in."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")) or "\\" in target:
        return default
    parts = urlsplit(target)
    if parts.scheme or parts.netloc or any(ord(char) < 32 for char in target):
        return default
    return target


def own_referrer() -> str | None:
    """The address within this site that the browser says it comes from."""
    referrer = request.referrer or ""
    own = referrer.removeprefix(request.host_url.rstrip("/")) if referrer.startswith(request.host_url) else None
    return safe_target(own, "") or None
