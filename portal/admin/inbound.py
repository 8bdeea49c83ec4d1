"""Mail that came in: the log, what is held and waits for a decision, and addresses that take no mail."""

from typing import Any, ClassVar
from uuid import UUID

from flask import flash, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext

from portal.admin.base import ServiceModelView, route
from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.files.receiving import place
from portal.blueprints.localisation import gettext
from portal.blueprints.policies import permission
from portal.errors import Conflict, Invalid, NotFound
from portal.lib.mail_tokens import plain_address
from portal.lib.wording.errors import error_text
from portal.lib.wording.mail import OUTCOMES, outcome_text, reason_text
from portal.models import BouncedAddress, InboundMail
from portal.services.mail_in import holding
from portal.services.mail_in.queries import clear_bounced, get_inbound, list_bounced, list_inbound
from portal.services.mail_in.taking import MailTools

TABS = ("", "held", "opened", "appended", "bounce", "ignored")
STATES = {
    "held": ("warn", "hold"),
    "failed": ("err", "failed"),
    "bounce": ("warn", "failed"),
    "opened": ("ok", "check"),
    "appended": ("ok", "check"),
    "side": ("ok", "check"),
}


def inbound_tabs() -> list[dict[str, Any]]:
    """Tabs by outcome, and the addresses that take no mail."""
    chosen, listed = request.args.get("outcome", ""), request.blueprint == "inbound_mail"
    tabs = [
        {
            "label": gettext(OUTCOMES[key]) if key else gettext("All"),
            "url": url_for("inbound_mail.index_view", outcome=key or None),
            "current": listed and chosen == key,
        }
        for key in TABS
    ]
    bounced = {"label": gettext("Unreachable addresses"), "url": url_for("bounced_addresses.index_view")}
    return [*tabs, bounced | {"current": not listed}]


def outcome_badge(mail: InboundMail) -> tuple[str, str, str]:
    """Label, tone and mark of what became of a mail."""
    tone, mark = STATES.get(mail.outcome, ("neutral", "minus"))
    return outcome_text(mail.outcome, gettext), tone, mark


def refusal_text(code: str, name: str) -> str:
    """Why a file was not taken."""
    return error_text(code, {"name": name}, gettext)


def reason_of(mail: InboundMail) -> str:
    """Why it became that."""
    return reason_text(mail.reason, gettext) if mail.reason else ""


class InboundView(ServiceModelView):
    """The log of mail that came in, each message with what became of it."""

    policy = Permission.MAIL_READ
    helpers: ClassVar[dict[str, Any]] = {
        "inbound_tabs": inbound_tabs,
        "outcome_badge": outcome_badge,
        "reason_of": reason_of,
        "refusal_text": refusal_text,
        "plain_address": plain_address,
    }
    routes = frozenset({"index_view", "details_view", "release_view", "open_view", "reject_view"})
    record = "inbound_mail"
    columns = (("sender", lazy_gettext("From")), ("subject", lazy_gettext("Subject")))
    column_searchable_list = ("sender", "subject")
    list_template = "admin/inbound/list.html"
    details_template = "admin/inbound/details.html"

    def __init__(self) -> None:
        super().__init__(InboundMail, lazy_gettext("Mail in"), "inbound_mail", "inbound")

    def find_rows(self, search: str, *, limit: int, offset: int) -> list[Any]:
        """Mail, the newest first, of one outcome where the tab says so."""
        outcome = request.args.get("outcome", "")
        wanted = outcome if outcome in OUTCOMES else ""
        return list_inbound(
            http.session(), search=search, outcome=wanted, limit=limit, offset=offset, actor=http.actor()
        )

    def find_one(self, record_id: UUID) -> Any:
        """A mail with its ticket's number, and whether the whole message is kept."""
        return get_inbound(http.session(), record_id, actor=http.actor())

    @route("/details/")
    def details_view(self) -> ResponseReturnValue:
        """One mail."""
        return self._page(self.get_one(request.args.get("id")))

    @route("/<uuid:mail_id>/release", methods=("POST",))
    @permission(Permission.MAIL_DECIDE)
    def release_view(self, mail_id: UUID) -> ResponseReturnValue:
        """Let a held mail in."""
        tools = MailTools(http.vault(), place())
        try:
            mail = holding.release_mail(http.session(), mail_id, tools=tools, actor=http.actor(), now=http.now())
        except Conflict as refused:
            if refused.code == "mail_decided":
                raise
            return self._refused(mail_id, refused)
        return self._decided(mail, gettext("Mail released"))

    @route("/<uuid:mail_id>/open", methods=("POST",))
    @permission(Permission.MAIL_DECIDE)
    def open_view(self, mail_id: UUID) -> ResponseReturnValue:
        """Open a held mail as a customer's ticket."""
        tools, requester = MailTools(http.vault(), place()), request.form.get("requester", "")
        try:
            mail = holding.open_held_mail(
                http.session(), mail_id, requester=requester, tools=tools, actor=http.actor(), now=http.now()
            )
        except Invalid as refused:
            http.session().rollback()
            errors = [error_text(one.code, dict(one.params), gettext) for one in refused.errors]
            return self._page(self.find_one(mail_id), requester=requester, errors=errors), 422
        except Conflict as refused:
            if refused.code == "mail_decided":
                raise
            return self._refused(mail_id, refused)
        return self._decided(mail, gettext("Ticket opened"))

    @route("/<uuid:mail_id>/reject", methods=("POST",))
    @permission(Permission.MAIL_DECIDE)
    def reject_view(self, mail_id: UUID) -> ResponseReturnValue:
        """Turn a held mail away."""
        mail = holding.reject_mail(http.session(), mail_id, actor=http.actor(), now=http.now())
        return self._decided(mail, gettext("Mail rejected"))

    def _page(self, found: tuple[InboundMail, str, bool], *, requester: str = "", errors: Any = ()) -> str:
        mail, number, kept = found
        return self.render(
            self.details_template,
            model=mail,
            number=number,
            kept=kept,
            releasable=mail.reason not in holding.NOBODY_S,
            requester=requester,
            errors=list(errors),
        )

    def _decided(self, mail: InboundMail, text: str) -> ResponseReturnValue:
        ticket_id = mail.ticket_id
        http.commit()
        flash(text, "ok")
        if ticket_id and mail.outcome in ("opened", "appended") and http.actor().may(Permission.DESK_READ):
            return http.see_other("desk.ticket", ticket_id=ticket_id)
        return http.see_other("inbound_mail.index_view", outcome="held")

    def _refused(self, mail_id: UUID, refused: Conflict) -> ResponseReturnValue:
        http.session().rollback()
        flash(error_text(refused.code, {}, gettext), "err")
        return http.see_other("inbound_mail.details_view", id=mail_id)


class BouncedView(ServiceModelView):
    """Addresses whose mails came back."""

    policy = Permission.MAIL_READ
    helpers: ClassVar[dict[str, Any]] = {"inbound_tabs": inbound_tabs}
    routes = frozenset({"index_view", "clear_view"})
    record = "bounced_address"
    columns = (("address", lazy_gettext("Address")), ("last_at", lazy_gettext("Last time")))
    column_searchable_list = ("address",)
    list_template = "admin/inbound/bounced.html"

    def __init__(self) -> None:
        super().__init__(
            BouncedAddress, lazy_gettext("Unreachable addresses"), "bounced_addresses", "inbound/addresses"
        )

    def find_rows(self, search: str, *, limit: int, offset: int) -> list[Any]:
        """Addresses, the newest first."""
        return list_bounced(http.session(), search=search, limit=limit, offset=offset, actor=http.actor())

    def find_one(self, record_id: UUID) -> Any:
        """Addresses have no page of their own."""
        raise NotFound(self.record)

    @route("/<uuid:address_id>/clear", methods=("POST",))
    @permission(Permission.MAIL_DECIDE)
    def clear_view(self, address_id: UUID) -> ResponseReturnValue:
        """Send there again."""
        clear_bounced(http.session(), address_id, actor=http.actor(), now=http.now())
        http.commit()
        flash(gettext("Mails are sent there again"), "ok")
        return http.see_other("bounced_addresses.index_view")
