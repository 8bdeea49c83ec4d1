"""For people who cannot get in, at either door: a new password by mail, and "this was not me"."""

from collections.abc import Callable

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.blueprints import http
from portal.blueprints.accounts.doors import IDENTIFIER_LENGTH, Door
from portal.blueprints.accounts.forms import error_texts, site, stranger
from portal.blueprints.api.limits import count_request
from portal.blueprints.localisation import gettext
from portal.blueprints.policies import public
from portal.errors import Conflict, Invalid
from portal.lib.user_agents import describe
from portal.services.accounts.access_requests import request_reset
from portal.services.accounts.disowning import disown_device, find_disowned
from portal.services.accounts.recovery import find_reset, reset_password

GONE, UNACCEPTABLE = 410, 422


def add_recovery(bp: Blueprint, door: Door) -> None:
    """Give a door its pages for getting back in; `bp` holds the door's sign-in."""
    base = door.prefix.removeprefix(bp.url_prefix or "")
    for name, path, view in (
        ("forgot", "forgot", lambda: _forgot(door)),
        ("reset", "reset/<token>", lambda token: _reset(door, token)),
        ("not_me", "not-me/<token>", lambda token: _not_me(door, token)),
    ):
        _add(bp, name, f"{base}{path}", view, "GET", "POST")
    for name, path, template in (
        ("forgot_sent", "forgot/sent", "accounts/forgot_sent.html"),
        ("disowned", "not-me/done", "accounts/disowned.html"),
    ):
        _add(bp, name, f"{base}{path}", lambda template=template: _render(door, template), "GET")


def _add(bp: Blueprint, name: str, path: str, view: Callable[..., ResponseReturnValue], *methods: str) -> None:
    bp.add_url_rule(path, name, public(view), methods=list(methods))


def _forgot(door: Door) -> ResponseReturnValue:
    """Ask for the address or number, and lead to the same page whoever it is of."""
    if request.method != "POST":
        return _render(door, "accounts/forgot.html", identifier="", errors={})
    identifier = request.form.get("identifier", "")[:IDENTIFIER_LENGTH]
    count_request()
    try:
        request_reset(http.session(), identifier, vault=http.vault(), actor=stranger(), now=http.now())
    except Invalid as error:
        page = _render(door, "accounts/forgot.html", identifier=identifier, errors=error_texts(error))
        return page, UNACCEPTABLE
    http.commit()
    return http.see_other(door.at("forgot_sent"))


def _reset(door: Door, token: str) -> ResponseReturnValue:
    """Looking at the link uses nothing up; the new password does."""
    try:
        find_reset(http.session(), token, now=http.now())
        if request.method != "POST":
            return _render(door, "accounts/reset.html", token=token, errors={})
        reset_password(
            http.session(),
            token,
            request.form.get("password", ""),
            passwords=http.passwords(),
            site=site(),
            origin=http.origin(),
            now=http.now(),
        )
    except Conflict:
        return _expired(door)
    except Invalid as error:
        http.session().rollback()
        return _render(door, "accounts/reset.html", token=token, errors=error_texts(error)), UNACCEPTABLE
    http.commit()
    flash(gettext("Password changed. Sign in with the new one."), "ok")
    return http.see_other(door.endpoint)


def _not_me(door: Door, token: str) -> ResponseReturnValue:
    """What was done on the device, and the way to end it."""
    try:
        if request.method != "POST":
            device = find_disowned(http.session(), token, now=http.now())
            return _render(door, "accounts/not_me.html", device=device, device_name=describe(device.user_agent).text)
        disown_device(http.session(), token, origin=http.origin(), now=http.now())
    except Conflict:
        return _expired(door)
    http.commit()
    return http.see_other(door.at("disowned"))


def _expired(door: Door) -> ResponseReturnValue:
    http.session().rollback()
    return _render(door, "accounts/link_expired.html"), GONE


def _render(door: Door, template: str, **context: object) -> str:
    return render_template(template, login_url=url_for(door.endpoint), forgot_url=url_for(door.at("forgot")), **context)
