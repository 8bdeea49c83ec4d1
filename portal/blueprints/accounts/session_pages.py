"""Where somebody is signed in, and was: the same page at both doors (H9.8, AUTH-19)."""

from typing import Any
from uuid import UUID

from flask import flash, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.accounts.forms import device_text, place_text
from portal.blueprints.accounts.routes import account
from portal.blueprints.localisation import gettext, ngettext
from portal.blueprints.policies import permission
from portal.errors import Invalid
from portal.lib.wording.accounts import EVENTS, METHODS
from portal.services.accounts.login_history import SignIn, list_sign_ins
from portal.services.accounts.own_sessions import OpenSession, end_other_sessions, end_session, list_sessions


@account.get("/account/sessions")
@permission(Permission.PROFILE_EDIT)
def sessions() -> ResponseReturnValue:
    """What a customer is signed in with."""
    return sessions_page("accounts/sessions.html", "account.sessions")


@account.post("/account/sessions/<uuid:session_id>/end")
@permission(Permission.PROFILE_EDIT)
def end_one_session(session_id: UUID) -> ResponseReturnValue:
    """End one of them."""
    return end_and_return(session_id, "account.sessions")


@account.post("/account/sessions/end-others")
@permission(Permission.PROFILE_EDIT)
def end_sessions_elsewhere() -> ResponseReturnValue:
    """End all but this one."""
    return end_others_and_return("account.sessions")


def sessions_page(template: str, endpoint: str) -> ResponseReturnValue:
    """What is signed in now, and a page of the history."""
    actor, now = http.actor(), http.now()
    living = list_sessions(
        http.session(), actor=actor, now=now, current=http.session_id(), idle=http.tenant().sign_in.idle
    )
    try:
        history = list_sign_ins(http.session(), actor=actor, now=now, cursor=request.args.get("cursor"))
    except Invalid:
        # A cursor of an old version: the first page is the best answer.
        return http.see_other(endpoint)
    return render_template(
        template,
        living=[_living(row) for row in living],
        history=[_past(row) for row in history.items],
        earlier=url_for(endpoint, cursor=history.previous_cursor) if history.previous_cursor else None,
        later=url_for(endpoint, cursor=history.next_cursor) if history.next_cursor else None,
        others=sum(not row.current for row in living),
    )


def end_and_return(session_id: UUID, endpoint: str) -> ResponseReturnValue:
    """End one session, this one too; the page then leads to the sign-in by itself."""
    end_session(http.session(), session_id, actor=http.actor(), now=http.now())
    http.commit()
    flash(gettext("Session ended"), "ok")
    return http.see_other(endpoint)


def end_others_and_return(endpoint: str) -> ResponseReturnValue:
    """End every session but this one."""
    ended = end_other_sessions(http.session(), keep=http.session_id(), actor=http.actor(), now=http.now())
    http.commit()
    flash(ngettext("%(num)d session ended", "%(num)d sessions ended", ended), "ok")
    return http.see_other(endpoint)


def _living(row: OpenSession) -> dict[str, Any]:
    return {
        "id": row.id,
        "program": row.kind.value == "program",
        "device": device_text(row.user_agent),
        "place": place_text(row.ip),
        "ip": row.ip,
        "method": _method(row.method),
        "started_at": row.started_at,
        "last_active_at": row.last_active_at,
        "current": row.current,
    }


def _past(row: SignIn) -> dict[str, Any]:
    return {
        "id": row.id,
        "kind": row.kind.value,
        "what": gettext(EVENTS[row.kind.value]),
        "at": row.at,
        "device": device_text(row.user_agent) if row.kind.value != "refused" else "",
        "place": place_text(row.ip),
        "ip": row.ip,
        "method": _method(row.method) if row.method else "",
        "ended_at": row.ended_at,
    }


def _method(method: str) -> str:
    return gettext(METHODS[method]) if method in METHODS else method
