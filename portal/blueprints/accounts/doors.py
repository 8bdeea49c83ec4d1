"""The doors that people come in by, customers at one and staff at the other; one browser can stand at both."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import make_response, redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from portal.blueprints import http
from portal.blueprints.accounts.passkey_forms import passkey_site
from portal.blueprints.api.limits import count_wrong_guess, refuse_guessing
from portal.blueprints.denials import note_refused_login, note_refused_sign_in
from portal.blueprints.guard import cookie_name
from portal.blueprints.localisation import gettext
from portal.errors import Unauthenticated
from portal.lib.text import has_forbidden_characters
from portal.lib.wording.errors import error_text
from portal.models import User
from portal.services.accounts import sessions
from portal.services.accounts.devices import is_own_browser
from portal.services.accounts.sign_in import (
    Attempt,
    FactorOwed,
    PasswordOwed,
    SignedInNow,
    continue_sign_in,
    prove_password,
)
from portal.services.accounts.sso.flow import has_providers

IDENTIFIER_LENGTH = 254
DEVICE_LIFE = timedelta(days=400)
# What a browser keeps when somebody signs in, besides the sessions of other doors.
_KEPT = frozenset({"locale", "theme"})


@dataclass(frozen=True)
class Door:
    """One way in: `name` as in `sessions.DOORS`, its sign-in (template, endpoint) and what lies behind it.

    `verify` is the endpoint of the second step, `home` of the first page; `prefix` begins the address of every
    page behind the door. `sso` and `sso_start` lead to identity providers.
    """

    name: str
    template: str
    endpoint: str
    verify: str
    home: str
    prefix: str
    sso: str
    sso_start: str

    def at(self, view: str) -> str:
        """The endpoint of another page at this door: `forgot`, `reset`, …"""
        return f"{self.endpoint.rpartition('.')[0]}.{view}"

    def log_in(self) -> ResponseReturnValue:
        """The form, or what was sent with it; the wrong kind of login reads like a wrong password."""
        if request.method != "POST":
            if http.identity() is not None:
                return http.see_other(self.home)
            return self.page(expired=request.args.get("expired") == "1")
        identifier = request.form.get("identifier", "")[:IDENTIFIER_LENGTH]
        password = request.form.get("password", "")
        missing = "identifier" if not identifier.strip() else ("password" if not password else "")
        if missing:
            return self.page(identifier, field=missing, code="required", status=422)
        kind = sessions.DOORS[self.name]
        refuse_guessing(
            identifier,
            is_trusted=lambda: is_own_browser(http.session(), identifier, kind, device_token()),
        )
        try:
            user = self.prove(identifier, password)
        except Unauthenticated as error:
            return self.refuse(identifier, error)
        return self.let_in(user, method="password")

    def prove(self, identifier: str, password: str) -> User:
        """The login whose password this is; raises Unauthenticated `wrong_credentials` or `sign_in_locked`."""
        if has_forbidden_characters(identifier):
            raise Unauthenticated("wrong_credentials")
        attempt = Attempt(
            identifier=identifier,
            password=password,
            door=self.name,
            kind=sessions.DOORS[self.name],
            origin=http.origin(),
            device=device_token(),
        )
        user = prove_password(http.session(), attempt, passwords=http.passwords(), now=http.now())
        if user is None:
            # The failure is counted although the sign-in is refused.
            http.commit()
            raise Unauthenticated("wrong_credentials")
        return user

    def let_in(
        self, user: User, *, method: str, next_path: str | None = None, via: sessions.Via | None = None
    ) -> ResponseReturnValue:
        """What follows every first proof: the second step where one is owed, else the page that was wanted."""
        try:
            step = continue_sign_in(
                http.session(),
                user,
                door=self.name,
                method=method,
                origin=http.origin(),
                device=device_token(),
                now=http.now(),
                via=via,
            )
        except Unauthenticated as error:
            # What led here stands (a link taken, an account made); it only opens nothing.
            http.commit()
            return self.closed(user, error)
        http.commit()
        if isinstance(step, FactorOwed):
            return self.ask_for_factor(step, next_path)
        if isinstance(step, PasswordOwed):
            return render_template("accounts/reset_owed.html", login_url=url_for(self.endpoint)), 401
        return self.enter(step, next_path)

    def ask_for_factor(self, owed: FactorOwed, next_path: str | None = None) -> ResponseReturnValue:
        """Lead to the second step; the challenge in the cookie opens nothing else."""
        cookie[challenge_name(self.name)] = owed.challenge
        wanted = http.safe_target(next_path or request.values.get("next"), "") or None
        return http.see_other(self.verify, next=wanted)

    def enter(self, done: SignedInNow, next_path: str | None = None) -> ResponseReturnValue:
        """After every proof was given: a cookie of its own, and the page that was wanted."""
        self._renew_cookie(done.token)
        home = url_for(self.home)
        target = http.safe_target(next_path or request.values.get("next"), home)
        answer = redirect(target if target.startswith(self.prefix) else home, code=303)
        if done.device is not None:
            remember_device(answer, done.device)
        return answer

    def closed(self, user: User, error: Unauthenticated) -> ResponseReturnValue:
        """What follows a right proof that is not the way in prescribed for this login (`sso_required`)."""
        note_refused_login(user.id)
        return self.page(code=error.code, params=error.params, status=401)

    def refuse(self, identifier: str, error: Unauthenticated) -> ResponseReturnValue:
        """What follows a proof that does not hold: it counts, is audited, and the form comes back."""
        http.session().rollback()
        count_wrong_guess(identifier)
        note_refused_sign_in(identifier)
        answer = make_response(self.page(identifier, code=error.code, params=error.params, status=401))
        if "retry_after" in error.params:
            answer.headers["Retry-After"] = str(error.params["retry_after"])
        return answer

    def page(
        self,
        identifier: str = "",
        *,
        field: str = "",
        code: str = "",
        params: dict[str, Any] | None = None,
        status: int = 200,
        expired: bool = False,
    ) -> ResponseReturnValue:
        """The form with what was typed, never the password; `code` says what is wrong, with `field` where."""
        text = error_text(code, params or {}, gettext) if code else ""
        page = render_template(
            self.template,
            identifier=identifier,
            errors=[(field or "identifier", text)] if text else [],
            field_error=field,
            next=http.safe_target(request.values.get("next"), ""),
            expired=expired,
            passkeys=self.passkey_addresses(),
            sso_url=url_for(self.sso) if has_providers(http.session(), self.name) else None,
        )
        return page, status

    def passkey_addresses(self) -> dict[str, str] | None:
        """Where the question and the answer of a passkey go; None where browsers have none."""
        if passkey_site() is None:
            return None
        bp = self.endpoint.rpartition(".")[0]
        return {"question": url_for(f"{bp}.passkey_question"), "answer": url_for(f"{bp}.passkey")}

    def log_out(self) -> ResponseReturnValue:
        """End this door's session for good; the other door's stays."""
        token = cookie.pop(cookie_name(self.name), None)
        if isinstance(token, str):
            sessions.sign_out(http.session(), token, actor=http.actor(), now=http.now())
            http.commit()
        return http.see_other(self.endpoint)

    def _renew_cookie(self, token: str) -> None:
        """Whatever was planted in the cookie before, such as a forms' token that somebody else knows, is dropped."""
        kept = _KEPT | {cookie_name(name) for name in sessions.DOORS}
        found = {name: value for name, value in cookie.items() if name in kept}
        cookie.clear()
        cookie.update(found | {cookie_name(self.name): token})


def challenge_name(door: str) -> str:
    """The key of a door's unfinished sign-in within the signed cookie."""
    return f"{door}_challenge"


def device_token() -> str | None:
    """What the browser shows of having been here before."""
    return request.cookies.get(_device_cookie())


def remember_device(answer: Response, token: str) -> None:
    """Have the browser keep the device's token, beyond sessions, at this site alone."""
    answer.set_cookie(
        _device_cookie(),
        token,
        max_age=int(DEVICE_LIFE.total_seconds()),
        secure=http.settings().secure_cookies,
        httponly=True,
        samesite="Lax",
        path="/",
    )


def _device_cookie() -> str:
    return "__Host-portico_device" if http.settings().secure_cookies else "portico_device"
