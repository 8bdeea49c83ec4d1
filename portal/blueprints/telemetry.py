"""What every answer carries: its number, its time, and the headers that keep browsers strict."""

import secrets
import time
from typing import Any

from flask import Flask, Response, current_app, g, request
from sqlalchemy import Engine, event
from sqlalchemy.orm import SessionTransaction

from portal.models.session import TenantSession

CSP = (
    "default-src 'self'; script-src 'self' 'nonce-{nonce}'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self' {sockets}; object-src 'none'; base-uri 'none'; "
    "form-action 'self'{forms}; frame-ancestors 'none'"
)
_FIXED = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
}


def csp_nonce() -> str:
    """The nonce of this request's inline scripts."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return str(g.csp_nonce)


def init_telemetry(app: Flask, engine: Engine) -> None:
    """Count statements per request and finish every response."""
    event.listen(engine, "before_cursor_execute", _statement_begins)
    event.listen(engine, "after_cursor_execute", _statement_ends)
    if not event.contains(TenantSession, "after_begin", _transaction_begins):
        event.listen(TenantSession, "after_begin", _transaction_begins)
    app.before_request(_start_clock)
    app.after_request(_finish)


def _start_clock() -> None:
    g.started = time.perf_counter()
    g.statements = 0
    g.statement_seconds = 0.0


def _transaction_begins(session: TenantSession, transaction: SessionTransaction, connection: Any) -> None:
    # Naming the tenant travels with BEGIN, past the events of statements; it counts as the statement it is.
    if "tenant_id" in session.info and not transaction.nested and g and "statements" in g:
        g.statements += 1


def _statement_begins(connection: Any, *_: Any) -> None:
    connection.info["began"] = time.perf_counter()


def _statement_ends(connection: Any, *_: Any) -> None:
    if g and "statements" in g:
        g.statements += 1
        g.statement_seconds += time.perf_counter() - connection.info["began"]


def _finish(response: Response) -> Response:
    response.headers["X-Request-Id"] = g.get("request_id", "")
    for name, value in _FIXED.items():
        response.headers.setdefault(name, value)
    settings = current_app.config["SETTINGS"]
    if settings.secure_cookies:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
    if response.mimetype == "text/html":
        # Safari did not take 'self' for WebSockets until lately, so the socket's address is spelled out.
        scheme = "wss" if request.is_secure else "ws"
        forms = "".join(f" {origin}" for origin in settings.payment_origins)
        policy = CSP.format(nonce=csp_nonce(), sockets=f"{scheme}://{request.host}", forms=forms)
        response.headers.setdefault("Content-Security-Policy", policy)
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
        response.vary.add("Cookie")
    if not settings.production and "started" in g:
        app_ms = (time.perf_counter() - g.started) * 1000
        db_ms = g.statement_seconds * 1000
        response.headers["Server-Timing"] = f'app;dur={app_ms:.1f}, db;dur={db_ms:.1f};desc="{g.statements}"'
    return response
