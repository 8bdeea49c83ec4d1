"""The doors that people come in by, customers at one and staff at the other; one browser can stand at both."""

from dataclasses import dataclass

from flask import redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue

from portal.blueprints import http
from portal.blueprints.api.limits import count_wrong_guess, refuse_guessing
from portal.blueprints.denials import note_refused_sign_in
from portal.blueprints.guard import cookie_name
from portal.blueprints.localisation import gettext
from portal.errors import Unauthenticated
from portal.lib.text import has_forbidden_characters
from portal.lib.wording.errors import error_text
from portal.models import User
from portal.services.accounts import sessions

IDENTIFIER_LENGTH = 254
# What a browser keeps when somebody signs in, besides the sessions of other doors.
_KEPT = frozenset({"locale", "theme"})


@dataclass(frozen=True)
class Door:
    """One way in: `name` as in `sessions.DOORS`, its sign-in (template, endpoint) and what lies behind it.

    `home` is the endpoint of the first page, `prefix` begins the address of every page behind the door.
    """

    name: str
    template: str
    endpoint: str
    home: str
    prefix: str

    def log_in(self) -> ResponseReturnValue:
        """The form, or what was sent with it; the wrong kind of login reads like a wrong password."""
        if request.method == "GET":
            if http.identity() is not None:
                return http.see_other(self.home)
            return self.page(expired=request.args.get("expired") == "1")
        identifier = request.form.get("identifier", "")[:IDENTIFIER_LENGTH]
        password = request.form.get("password", "")
        missing = "identifier" if not identifier.strip() else ("password" if not password else "")
        if missing:
            return self.page(identifier, field=missing, code="required", status=422)
        refuse_guessing(identifier)
        try:
            user = self.prove(identifier, password)
        except Unauthenticated as error:
            return self.refuse(identifier, error)
        return self.let_in(user)

    def prove(self, identifier: str, password: str) -> User:
        """The login whose password this is; raises Unauthenticated `wrong_credentials`."""
        if has_forbidden_characters(identifier):
            raise Unauthenticated("wrong_credentials")
        return sessions.authenticate(
            http.session(),
            identifier=identifier,
            password=password,
            kind=sessions.DOORS[self.name],
            passwords=http.passwords(),
        )

    def let_in(self, user: User) -> ResponseReturnValue:
        """What follows every proof, whichever it was: a session, a cookie of its own, and the page that was wanted."""
        token, _ = sessions.start_session(http.session(), user, door=self.name, origin=http.origin(), now=http.now())
        http.commit()
        self._renew_cookie(token)
        home = url_for(self.home)
        target = http.safe_target(request.values.get("next"), home)
        return redirect(target if target.startswith(self.prefix) else home, code=303)

    def refuse(self, identifier: str, error: Unauthenticated) -> ResponseReturnValue:
        """What follows a proof that does not hold: it counts, is audited, and the form comes back."""
        http.session().rollback()
        count_wrong_guess(identifier)
        note_refused_sign_in(identifier)
        return self.page(identifier, code=error.code, status=401)

    def page(
        self, identifier: str = "", *, field: str = "", code: str = "", status: int = 200, expired: bool = False
    ) -> ResponseReturnValue:
        """The form with what was typed, never the password; `code` says what is wrong, with `field` where."""
        text = error_text(code, {}, gettext) if code else ""
        page = render_template(
            self.template,
            identifier=identifier,
            errors=[(field or "identifier", text)] if text else [],
            field_error=field,
            next=http.safe_target(request.values.get("next"), ""),
            expired=expired,
        )
        return page, status

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
