"""Live pages over Socket.IO: who is connected, which rooms the server puts them in, what they are told.

Clients only listen. Rooms follow from the session cookie and are never asked for; entries carry ids and a
kind, and the page fetches what it may see by its own address.
"""

from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, current_app, request
from flask import session as cookie
from flask_socketio import SocketIO
from socketio.exceptions import ConnectionRefusedError as Refused
from werkzeug.middleware.proxy_fix import ProxyFix

from portal.authz import visitor
from portal.blueprints import http
from portal.blueprints.denials import note_denial
from portal.blueprints.guard import cookie_name
from portal.blueprints.live_hub import LiveHub, Visitor
from portal.blueprints.policies import PUBLIC, SIGNED_IN
from portal.config import Settings
from portal.extensions import socketio
from portal.services.accounts.sessions import DOORS
from portal.services.audit.denials import Denial
from portal.services.tenants.directory import TenantDirectory, TenantProfile

MESSAGE_BYTES = 4_096
_NOTED = "portal.foreign_page_noted"
Handler = Callable[..., Any]
_declared: dict[str, str] = {}


def live_event(name: str, policy: str) -> Callable[[Handler], Handler]:
    """Handle a client's event; `policy` says who may send it (PUBLIC: the handler decides itself)."""

    def register(handler: Handler) -> Handler:
        _declared[name] = policy

        def guarded(*args: Any) -> Any:
            if policy == SIGNED_IN and _hub().visitor_of(_sid()) is None:
                return None
            return handler(*args)

        socketio.on(name)(guarded)
        return handler

    return register


def init_realtime(app: Flask, settings: Settings) -> None:
    """Serve `/socket.io`; RuntimeError when an event handler declares no policy."""
    require_event_policies(socketio)
    hub = LiveHub(app.extensions["portal_engine"], settings.database_url, socketio)
    app.extensions["portal_live"] = hub
    socketio.init_app(  # type: ignore[call-arg]
        app,
        async_mode="threading",
        transports=["websocket"],
        manage_session=False,
        cors_allowed_origins=partial(_may_open, app),  # type: ignore[arg-type]
        max_http_buffer_size=MESSAGE_BYTES,
        ping_interval=20,
        ping_timeout=20,
        always_connect=False,
    )
    if settings.proxy_hops:
        # Socket.IO stands before the application and would not see what its own ProxyFix corrects.
        hops = settings.proxy_hops
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]


def require_event_policies(server: SocketIO) -> None:
    """Refuse to start while a handler was registered around `live_event`."""
    registered: set[str] = {name for name, _, _ in server.handlers}  # type: ignore[attr-defined]
    missing = sorted(registered - _declared.keys())
    if missing:
        raise RuntimeError(f"No policy is declared for the live events: {', '.join(missing)}")
    if server.namespace_handlers:  # type: ignore[attr-defined]
        raise RuntimeError("Live events are declared one by one, not by a namespace class.")


def is_same_origin(origin: str | None, environ: dict[str, Any]) -> bool:
    """Whether a browser's page of this very site opens the socket; forwarded headers count only behind ProxyFix."""
    if origin is None:
        return True  # Not a browser; the cookie decides.
    parts = urlsplit(origin)
    return (parts.scheme, parts.netloc.lower()) == (
        environ.get("wsgi.url_scheme"),
        str(environ.get("HTTP_HOST", "")).lower(),
    )


def _may_open(app: Flask, origin: str | None, environ: dict[str, Any]) -> bool:
    if is_same_origin(origin, environ):
        return True
    # Engine.IO asks more than once about the same request.
    if not environ.get(_NOTED):
        environ[_NOTED] = True
        with app.request_context(environ):
            _note_foreign_page()
    return False


def _note_foreign_page() -> None:
    """A page of another site asked for somebody's live events: write down in whose browser."""
    tenant = _tenant()
    if tenant is None:
        return
    ip = http.origin().ip
    token, door = _proof(None)
    found = _hub().find_identity(tenant.id, token, door, ip) if token else None
    denial = Denial(door="live", endpoint="connect", code="foreign_page")
    note_denial(denial, found.actor if found else visitor(tenant.id, ip=ip))


@live_event("connect", PUBLIC)
def connect(auth: Any = None) -> None:
    """Let in who has a living session at this tenant's door, and put them into their rooms."""
    if not is_same_origin(request.headers.get("Origin"), request.environ):
        _note_foreign_page()
        raise Refused("forbidden")
    tenant = _tenant()
    token, door = _proof(auth)
    if tenant is None or token is None:
        raise Refused("authentication_required")
    if _hub().admit(_sid(), tenant, token, door) is None:
        raise Refused("session_expired")


@live_event("disconnect", PUBLIC)
def disconnect(*_: Any) -> None:
    """Forget the socket."""
    _hub().forget(_sid())


@live_event("ping", SIGNED_IN)
def ping(*_: Any) -> str:
    """Answer a page that asks whether the line is alive."""
    return "pong"


def _proof(auth: Any) -> tuple[str | None, str]:
    """The session token and its door: the one the page names, else the one it has a cookie of."""
    named = auth.get("door") if isinstance(auth, dict) else None
    doors = [named] if named in DOORS else list(DOORS)
    for door in doors:
        token = cookie.get(cookie_name(str(door)))
        if isinstance(token, str):
            return token, str(door)
    return None, ""


def _tenant() -> TenantProfile | None:
    directory: TenantDirectory = current_app.extensions["portal_tenants"]
    return directory.by_host(request.host.rsplit(":", 1)[0])


def _hub() -> LiveHub:
    hub: LiveHub = current_app.extensions["portal_live"]
    return hub


def _sid() -> str:
    return str(request.sid)  # type: ignore[attr-defined]


__all__ = ["LiveHub", "Visitor", "init_realtime", "live_event", "require_event_policies"]
