"""Refusals become answers here and nowhere else: a page for people, problem+json for programs."""

from typing import Any

import structlog
from flask import Flask, Response, g, jsonify, make_response, redirect, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask_limiter import RateLimitExceeded
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from portal.blueprints import http
from portal.blueprints.denials import note_refusal
from portal.blueprints.error_pages import error_page
from portal.blueprints.guard import cookie_name, door
from portal.blueprints.localisation import gettext
from portal.errors import Conflict, DomainError, Forbidden, Invalid, NotFound, Unauthenticated
from portal.extensions import db
from portal.lib.wording.errors import error_text

log = structlog.get_logger()
STATUS: dict[type[DomainError], int] = {
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    Invalid: 422,
}
HTTP_CODES = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
    429: "rate_limited",
    503: "unavailable",
}


def init_errors(app: Flask) -> None:
    """Register the handlers."""
    app.register_error_handler(DomainError, _domain)
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(RateLimitExceeded, _rate_limited)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(IntegrityError, _crossed)
    app.register_error_handler(OperationalError, _unavailable)
    app.register_error_handler(PoolTimeout, _unavailable)
    app.register_error_handler(Exception, _unexpected)


def problem(
    status: int, code: str, params: dict[str, Any] | None = None, errors: list[dict[str, str]] | None = None
) -> Response:
    """An `application/problem+json` answer in the reader's language (RFC 9457).

    Of the parameters only a sign-in's `challenge` is told; the others are for the text.
    """
    params = params or {}
    text = error_text(code, params, gettext)
    answer = jsonify(
        type=f"about:blank#{code}",
        title=text,
        status=status,
        detail=text,
        code=code,
        errors=errors or [],
        request_id=g.get("request_id", ""),
        **{name: params[name] for name in ("challenge",) if name in params},
    )
    answer.status_code = status
    answer.mimetype = "application/problem+json"
    return answer


def field_errors(error: Invalid) -> list[dict[str, str]]:
    """The errors of fields with their texts."""
    return [
        {"field": item.field, "code": item.code, "message": error_text(item.code, dict(item.params), gettext)}
        for item in error.errors
    ]


def _status_of(error: DomainError) -> int:
    return next((status for kind, status in STATUS.items() if isinstance(error, kind)), 400)


def _roll_back() -> None:
    if "_sqlalchemy_sessions" in g:
        db.session.rollback()


def _domain(error: DomainError) -> ResponseReturnValue:
    _roll_back()
    if isinstance(error, Forbidden):
        note_refusal(error)
    status = _status_of(error)
    if door() == "api":
        errors = field_errors(error) if isinstance(error, Invalid) else []
        answer = problem(status, error.code, error.params, errors)
        if status == 401:
            answer.headers["WWW-Authenticate"] = "Bearer"
        if "retry_after" in error.params:
            answer.headers["Retry-After"] = str(error.params["retry_after"])
        return answer
    if isinstance(error, Unauthenticated):
        return _to_sign_in(error)
    return error_page(status, error.code, error.params)


def _to_sign_in(error: Unauthenticated) -> ResponseReturnValue:
    if http.wants_fragment() or request.headers.get("X-Portal-Live"):
        # The open page asks for the password in a dialog and keeps what was typed. The cookie stays: another
        # page may be getting a new token at this moment (step-up).
        return error_text("session_expired", {}, gettext), 401
    cookie.pop(cookie_name(door()), None)
    values: dict[str, Any] = {}
    if request.method == "GET" and request.path not in ("/", "/portal/", "/admin/"):
        values["next"] = request.full_path.rstrip("?")
    if error.code == "session_expired":
        values["expired"] = "1"
    return redirect(url_for(f"{'admin_access' if door() == 'admin' else 'access'}.login", **values), code=303)


def _csrf(error: CSRFError) -> ResponseReturnValue:
    _roll_back()
    return problem(400, "csrf_failed") if door() == "api" else error_page(400, "csrf_failed")


def _rate_limited(error: RateLimitExceeded) -> ResponseReturnValue:
    _roll_back()
    answer = problem(429, "rate_limited") if door() == "api" else make_response(error_page(429, "rate_limited"))
    retry = error.get_response().headers.get("Retry-After")
    answer.headers["Retry-After"] = retry or str(int(error.limit.limit.get_expiry()) if error.limit else 60)
    return answer


def _http(error: HTTPException) -> ResponseReturnValue:
    _roll_back()
    if error.response is not None:
        return error.response
    status = error.code or 500
    if status in (301, 302, 303, 307, 308):
        return error.get_response()
    code = HTTP_CODES.get(status, "internal_error" if status >= 500 else "bad_request")
    answer = problem(status, code) if door() == "api" else make_response(error_page(status, code))
    for name in ("Allow", "Retry-After"):
        value = error.get_response().headers.get(name)
        if value:
            answer.headers[name] = value
    return answer


def _crossed(error: IntegrityError) -> ResponseReturnValue:
    """Two changes met, and the database let one through: the other may try again on what is there now."""
    _roll_back()
    log.warning("changes_crossed", constraint=getattr(error.orig, "sqlstate", ""), request_id=g.get("request_id", ""))
    return problem(409, "changed_meanwhile") if door() == "api" else error_page(409, "changed_meanwhile")


def _unavailable(error: Exception) -> ResponseReturnValue:
    log.warning("database_unavailable", error=type(error).__name__, request_id=g.get("request_id", ""))
    g.pop("_sqlalchemy_sessions", None)
    answer = problem(503, "unavailable") if door() == "api" else make_response(error_page(503, "unavailable"))
    answer.headers["Retry-After"] = "5"
    return answer


def _unexpected(error: Exception) -> ResponseReturnValue:
    log.exception("request_failed", path=request.path, request_id=g.get("request_id", ""))
    _roll_back()
    return problem(500, "internal_error") if door() == "api" else error_page(500, "internal_error")
