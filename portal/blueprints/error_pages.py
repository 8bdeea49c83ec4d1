"""What people see of a refusal: what happened, what it means for them, and one way on (PLT-11)."""

from typing import Any

from flask import Response, current_app, g, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.blueprints import http
from portal.blueprints.denials import asked_for
from portal.blueprints.guard import door
from portal.blueprints.localisation import gettext
from portal.lib.wording.errors import MESSAGES, error_text

OWN_TEMPLATE = frozenset({403, 404, 405, 409, 410, 413, 429, 500, 503})
# Codes that say no more than their status does; its template has the better words.
_GENERAL = frozenset(
    {
        "bad_request",
        "changed_meanwhile",
        "internal_error",
        "method_not_allowed",
        "not_found",
        "rate_limited",
        "too_large",
        "unavailable",
        "unsupported_media_type",
    }
)
_MAY_PASS = frozenset({429, 500, 503})


def error_page(status: int, code: str, params: dict[str, Any] | None = None) -> ResponseReturnValue:
    """The page of a refusal, in the frame of its door."""
    text = error_text(_code_for_readers(code), params or {}, gettext)
    if "tenant" not in g:
        return Response(f"{text}\n", status=status, mimetype="text/plain")
    page = {
        "title": None if code in _GENERAL else text,
        "text": None,
        "code": code,
        "at_desk": door() == "admin",
        # Only what broke carries its number, for people to quote.
        "request_id": g.get("request_id") if status >= 500 else None,
    }
    template = f"errors/{status if status in OWN_TEMPLATE else 400}.html"
    return render_template(template, **page, **_way_on(status, code)), status


def _code_for_readers(code: str) -> str:
    """Who only looked at something was not about to do anything."""
    if code != "not_allowed" or request.method != "GET":
        return code
    named = f"no_access_to_{asked_for()[0]}"
    return named if named in MESSAGES else "no_access"


def _way_on(status: int, code: str) -> dict[str, Any]:
    """Back to the list, back to the form that was sent, once more, or back to where everything begins."""
    listed = f"{request.blueprint}.index"
    if code.endswith("_not_found"):
        for endpoint in (listed, f"{listed}_view"):
            if endpoint in current_app.view_functions:
                return {"action_url": url_for(endpoint), "action_label": gettext("Return to list")}
    if status in _MAY_PASS and request.method == "GET":
        again = request.full_path.rstrip("?")
        return {"action_url": again, "action_label": gettext("Try again"), "action_kind": "primary"}
    if request.method == "POST" and status != 403 and (form := http.own_referrer()):
        return {"action_url": form, "action_label": gettext("Go back")}
    if door() == "admin":
        return {"action_url": url_for("admin.index"), "action_label": gettext("Back to the start")}
    label = gettext("Back to dashboard") if http.identity() else gettext("Back to the start")
    return {"action_url": url_for("dashboard.index"), "action_label": label}
