"""The page an invitation leads to, the same at both doors."""

from dataclasses import dataclass
from typing import Any

from flask import flash, render_template, request
from flask.typing import ResponseReturnValue

from portal.blueprints import http
from portal.blueprints.accounts.doors import Door
from portal.blueprints.localisation import gettext
from portal.errors import Conflict, Forbidden, Invalid
from portal.lib.wording.errors import error_text
from portal.lib.wording.tickets import ROLE
from portal.models import UserKind
from portal.services.accounts.joining import NewAccess, Offer, accept_offer, join, load_offer
from portal.services.accounts.sessions import DOORS

CODE_LENGTH = 200


@dataclass(frozen=True)
class Joining:
    """Following an invitation at a door."""

    door: Door

    @property
    def kind(self) -> UserKind:
        """The kind of login that this door is for."""
        return DOORS[self.door.name]

    def follow(self, token: str) -> ResponseReturnValue:
        """What is offered; or what was sent: somebody new, or somebody signed in who accepts."""
        try:
            offer = load_offer(http.session(), token, self.kind, now=http.now())
            if request.method != "POST":
                return self.page(offer)
            if offer.new_login:
                return self._join(offer, token)
            return self._accept(token)
        except Conflict as error:
            if error.code == "sign_in_to_accept":
                return http.see_other(request.endpoint or self.door.home, token=token)
            http.session().rollback()
            return self.dead()
        except Forbidden:
            # Somebody else is signed in; the page says so.
            http.session().rollback()
            return self.page(load_offer(http.session(), token, self.kind, now=http.now()), status=403)

    def _join(self, offer: Offer, token: str) -> ResponseReturnValue:
        form = NewAccess(request.form.get("name", ""), request.form.get("password", ""))
        try:
            user = join(
                http.session(),
                token,
                form,
                self.kind,
                tenant_name=http.tenant().name,
                passwords=http.passwords(),
                origin=http.origin(),
                now=http.now(),
            )
        except Invalid as error:
            return self.page(offer, name=form.name, error=error, status=422)
        return self.door.let_in(user, method="link")

    def _accept(self, token: str) -> ResponseReturnValue:
        accept_offer(http.session(), token, self.kind, actor=http.actor(), now=http.now())
        http.commit()
        flash(gettext("Invitation accepted"), "ok")
        return http.see_other(self.door.home)

    def page(
        self, offer: Offer, *, name: str | None = None, error: Invalid | None = None, status: int = 200
    ) -> ResponseReturnValue:
        """Who invites to what, and the way to take it; never the password that was typed."""
        found = http.identity()
        role = offer.role_name or gettext(ROLE.get(offer.invitation.role.value, offer.invitation.role.value))
        page = render_template(
            "accounts/join_invitation.html",
            offer=offer,
            role=role,
            name=offer.invitation.name if name is None else name,
            staff=self.kind is UserKind.STAFF,
            login=self.door.endpoint,
            logout=self.door.endpoint.replace(".login", ".logout"),
            own=found is not None and found.user.id == offer.invitation.user_id,
            signed_in_as=found.email if found else None,
            **shown_errors(error),
        )
        return page, status

    def dead(self) -> ResponseReturnValue:
        """A link that does not work (any more) is one that does not exist."""
        return render_template("accounts/join_over.html", login=self.door.endpoint), 404


def shown_errors(error: Invalid | None) -> dict[str, Any]:
    """What is wrong with a form: `errors` for the summary, `wrong` by field."""
    found = [(item.field, error_text(item.code, dict(item.params), gettext)) for item in error.errors] if error else []
    return {"errors": found, "wrong": {field: [text] for field, text in found}}


def typed_code(text: str) -> str:
    """The access code in what was typed or pasted, be it the whole link."""
    return text.strip()[:CODE_LENGTH].rstrip("/").rpartition("/")[2]
