"""Sent mail: the log, and each mail as it was sent."""

from typing import Any
from uuid import UUID

from flask import Response, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext

from portal.admin.base import ServiceModelView, route
from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.localisation import gettext
from portal.models import MailMessage, MailState
from portal.services.notifications.sent_mail import get_mail, list_mails

# The mail's own styles are inline; scripts, forms, frames and anything from outside stay out.
MAIL_CSP = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data: 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'"
)


def mail_tabs() -> list[dict[str, Any]]:
    """Tabs by state."""
    state = request.args.get("state", "")
    tabs = (
        ("", gettext("All")),
        ("queued", gettext("Waiting")),
        ("sent", gettext("Sent")),
        ("failed", gettext("Failed")),
    )
    return [
        {"label": label, "url": url_for("mail.index_view", state=key or None), "current": state == key}
        for key, label in tabs
    ]


class MailView(ServiceModelView):
    """What the tenant's people were sent."""

    policy = Permission.MAIL_READ
    helpers = {"mail_tabs": mail_tabs}
    routes = frozenset({"index_view", "details_view", "html_view"})
    record = "mail"
    columns = (
        ("recipient", lazy_gettext("To")),
        ("subject", lazy_gettext("Subject")),
        ("locale", lazy_gettext("Language")),
        ("state", lazy_gettext("State")),
        ("created_at", lazy_gettext("Written")),
    )
    column_searchable_list = ("recipient", "subject")
    list_template = "admin/mail/list.html"
    details_template = "admin/mail/details.html"

    def __init__(self) -> None:
        super().__init__(MailMessage, lazy_gettext("Sent mail"), "mail", "mail")

    def find_rows(self, search: str, *, limit: int, offset: int) -> list[Any]:
        """Mails, the newest first, in one state where the tab says so."""
        state = request.args.get("state", "")
        wanted = MailState(state) if state in set(MailState) else None
        return list_mails(http.session(), search=search, state=wanted, limit=limit, offset=offset, actor=http.actor())

    def find_one(self, record_id: UUID) -> Any:
        """A mail."""
        return get_mail(http.session(), record_id, actor=http.actor())

    @route("/<uuid:mail_id>/html")
    def html_view(self, mail_id: UUID) -> ResponseReturnValue:
        """The HTML part, shut in a sandbox of its own."""
        answer = Response(self.find_one(mail_id).html, mimetype="text/html")
        answer.headers["Content-Security-Policy"] = MAIL_CSP
        answer.headers["X-Frame-Options"] = "SAMEORIGIN"
        return answer
