"""Settings → Mailbox: whom to believe, what becomes of strangers' mail, the mailbox and the webhook's key."""

from functools import partial
from typing import Any

from flask import flash, request
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext
from wtforms import BooleanField, Form, PasswordField, StringField

from portal.admin.base import ServiceView, route
from portal.admin.editing import error_list, show_errors
from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.accounts.confirm import fresh_proof
from portal.blueprints.localisation import current_locale, gettext, ngettext
from portal.blueprints.policies import permission
from portal.errors import Invalid
from portal.integrations.imap import ImapMailbox
from portal.lib.wording.errors import error_text
from portal.models import MailIntake
from portal.services.mail_in.mailbox_settings import MailboxForm, load_settings, save_settings
from portal.services.mail_in.polling import try_mailbox
from portal.services.mail_in.webhook import renew_key
from portal.services.tickets.queries import list_categories

TEXTS = ("trusted_host", "unknown_senders", "category", "host", "security", "username", "folder", "done_folder")
SWITCHES = ("verified_only", "staff_replies", "polled")


class MailboxEditForm(Form):
    """The rules; the password is only ever written."""

    trusted_host = StringField(lazy_gettext("Receiving server"))
    verified_only = BooleanField(lazy_gettext("Only proved senders"))
    staff_replies = BooleanField(lazy_gettext("Answers of the team by mail"))
    unknown_senders = StringField(lazy_gettext("Mail of unknown senders"))
    stand_in_email = StringField(lazy_gettext("Stand-in"))
    category = StringField(lazy_gettext("Category"))
    polled = BooleanField(lazy_gettext("Empty the mailbox"))
    host = StringField(lazy_gettext("Server"))
    port = StringField(lazy_gettext("Port"))
    security = StringField(lazy_gettext("Encryption"))
    username = StringField(lazy_gettext("User name"))
    password = PasswordField(lazy_gettext("Password"))
    folder = StringField(lazy_gettext("Folder"))
    done_folder = StringField(lazy_gettext("Folder for taken messages"))

    def fill(self, intake: MailIntake, stand_in: str) -> None:
        """Show the stored rules."""
        for name in (*TEXTS, *SWITCHES):
            self[name].data = getattr(intake, name)
        self.port.data, self.stand_in_email.data = str(intake.port), stand_in

    def read(self) -> MailboxForm:
        """What the service takes."""
        digits = (self.port.data or "").strip()
        values: dict[str, Any] = {name: self[name].data or "" for name in (*TEXTS, "stand_in_email", "password")}
        values |= {name: bool(self[name].data) for name in SWITCHES}
        return MailboxForm(
            **values,
            port=int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 6 else None,
        )


class MailboxView(ServiceView):
    """How mail comes in."""

    policy = Permission.MAIL_CONFIGURE

    @route("/", methods=("GET", "POST"))
    @permission(Permission.MAIL_CONFIGURE)
    @fresh_proof
    def index(self) -> ResponseReturnValue:
        """The form, or what was sent with it."""
        form = MailboxEditForm(request.form if request.method == "POST" else None)
        if request.method == "POST":
            try:
                save_settings(http.session(), form.read(), vault=http.vault(), actor=http.actor(), now=http.now())
            except Invalid as error:
                http.session().rollback()
                show_errors(form, error)
            else:
                http.commit()
                flash(gettext("Saved"), "ok")
                return http.see_other("mailbox.index")
        return self._page(form, filled=request.method == "POST")

    @route("/test", methods=("POST",))
    @permission(Permission.MAIL_CONFIGURE)
    @fresh_proof
    def test(self) -> ResponseReturnValue:
        """Try the stored mailbox."""
        opened = partial(ImapMailbox, allow_private=not http.settings().production)
        try:
            unread = try_mailbox(
                http.session(), vault=http.vault(), open_mailbox=opened, actor=http.actor(), now=http.now()
            )
        except Invalid as refused:
            texts = [error_text(one.code, dict(one.params), gettext) for one in refused.errors]
            flash(" ".join(texts), "err")
        else:
            flash(ngettext("It works: %(num)d unread message", "It works: %(num)d unread messages", unread), "ok")
        http.commit()
        return http.see_other("mailbox.index")

    @route("/key", methods=("POST",))
    @permission(Permission.MAIL_CONFIGURE)
    @fresh_proof
    def key(self) -> ResponseReturnValue:
        """Make a new key for the webhook; it is shown on this one page."""
        secret = renew_key(http.session(), vault=http.vault(), actor=http.actor(), now=http.now())
        http.commit()
        return self._page(MailboxEditForm(None), filled=False, secret=secret)

    def _page(self, form: MailboxEditForm, *, filled: bool, secret: str = "") -> ResponseReturnValue:
        intake, stand_in = load_settings(http.session(), actor=http.actor())
        if not filled:
            form.fill(intake, stand_in)
        names = [(row.key, row.name_in(current_locale())) for row in list_categories(http.session())]
        page = self.render(
            "admin/inbound/settings.html",
            form=form,
            form_errors=error_list(form),
            intake=intake,
            categories=names,
            secret=secret,
            last_error=error_text(intake.last_error, {}, gettext) if intake.last_error else "",
            webhook=f"{request.scheme}://{request.host}/api/v1/mail/in/{http.tenant().slug}",
        )
        return page, 422 if form.errors else 200
