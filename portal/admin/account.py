"""What belongs to the member of staff: the bell's notices, language and theme."""

from uuid import UUID

from flask import flash, redirect, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue

from portal.admin.base import ServiceView, route
from portal.admin.live import live_part
from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.accounts.bell import notice_rows
from portal.blueprints.accounts.forms import refusal_texts
from portal.blueprints.accounts.keyboard_pages import switch_keys
from portal.blueprints.accounts.profile_pages import uploaded_picture
from portal.blueprints.localisation import current_locale, current_theme, gettext
from portal.blueprints.policies import while_enrolling
from portal.blueprints.uploads import takes_file
from portal.errors import Invalid
from portal.integrations.pictures import MAX_BYTES
from portal.lib.wording.keyboard import FOR_STAFF
from portal.services.accounts.avatars import remove_avatar, save_avatar
from portal.services.accounts.preferences import THEMES, save_mail_preferences, save_preferences
from portal.services.accounts.profile import get_profile
from portal.services.notifications.bell import list_notifications, mark_all_read, mark_read

# What a notice is about -> its page, and how the page's address names the record.
_PAGES = {
    "ticket": ("desk.ticket", "ticket_id"),
    "invoice": ("staff_invoices.detail", "invoice_id"),
    "quote": ("staff_quotes.detail", "quote_id"),
    "quote_request": ("staff_quotes.request_page", "request_id"),
    "contract": ("staff_contracts.detail", "contract_id"),
    "payment": ("staff_payments.details_view", "id"),
    "dispute": ("staff_disputes.detail", "dispute_id"),
    "extension_request": ("staff_disputes.extension", "wish_id"),
    "payment_plan": ("staff_plans.detail", "plan_id"),
    "statement": ("staff_statements.open", "statement_id"),
}


class NotificationsView(ServiceView):
    """The bell's page."""

    policy = Permission.NOTIFICATIONS_READ

    @route("/")
    def index(self) -> ResponseReturnValue:
        """The newest notices, or only their list where the open page asks again."""
        rows = notice_rows(list_notifications(http.session(), actor=http.actor()))
        if http.wants_fragment():
            return live_part(self.render("admin/_notifications.html", notices=rows))
        return self.render("admin/notifications.html", notices=rows)

    @route("/read", methods=("POST",))
    def read_all(self) -> ResponseReturnValue:
        """Everything was read."""
        mark_all_read(http.session(), actor=http.actor(), now=http.now())
        http.commit()
        return http.see_other("staff_notifications.index")

    @route("/<uuid:notification_id>", methods=("POST",))
    def open(self, notification_id: UUID) -> ResponseReturnValue:
        """Go to what a notice is about; it is read then."""
        notice = mark_read(http.session(), notification_id, actor=http.actor(), now=http.now())
        http.commit()
        if notice.record_type not in _PAGES:
            return http.see_other("staff_notifications.index")
        endpoint, name = _PAGES[notice.record_type]
        return http.see_other(endpoint, **{name: notice.record_id})


class PreferencesView(ServiceView):
    """Own language and theme."""

    policy = Permission.PREFERENCES_EDIT

    @route("/")
    @while_enrolling
    def index(self) -> ResponseReturnValue:
        """The page; the account menu of every page does the same for language and theme."""
        return self._page({})

    def _page(self, errors: dict[str, str]) -> str:
        found = http.identity()
        return self.render(
            "admin/preferences.html",
            profile=get_profile(http.session(), actor=http.actor()),
            errors=errors,
            chosen_locale=current_locale(),
            chosen_theme=current_theme(),
            ticket_mails=bool(found and found.user.mail_preferences.get("tickets", True)),
        )

    @route("/save", methods=("POST",))
    @while_enrolling
    def save(self) -> ResponseReturnValue:
        """Store what was chosen and go back to where it was chosen."""
        locale, theme = request.form.get("locale") or None, request.form.get("theme") or None
        save_preferences(
            http.session(),
            locale=locale,
            theme=theme,
            locales=http.tenant().locales,
            actor=http.actor(),
            now=http.now(),
        )
        http.commit()
        # The sign-in page of this browser looks and speaks the same.
        if theme in THEMES:
            cookie["theme"] = theme
        if locale:
            cookie["locale"] = locale
        return redirect(_came_from(), code=303)

    @route("/keyboard")
    def keyboard(self) -> ResponseReturnValue:
        """What the keys do, as a page or as the dialog that `?` opens."""
        return self.render(
            "accounts/_keyboard.html" if http.wants_fragment() else "admin/keyboard.html",
            keys=[(key, gettext(text)) for key, text in FOR_STAFF],
            save_url=url_for("staff_preferences.switch_keyboard"),
        )

    @route("/keyboard", methods=("POST",))
    def switch_keyboard(self) -> ResponseReturnValue:
        """Switch the keys on or off."""
        switch_keys()
        return http.see_other("staff_preferences.keyboard")

    @route("/picture", methods=("POST",))
    @takes_file(MAX_BYTES)
    def save_picture(self) -> ResponseReturnValue:
        """Another picture of oneself, which customers see beside answers."""
        try:
            save_avatar(http.session(), uploaded_picture(), actor=http.actor(), now=http.now())
        except Invalid as error:
            http.session().rollback()
            return self._page(refusal_texts(error)), 422
        http.commit()
        flash(gettext("Picture saved"), "ok")
        return http.see_other("staff_preferences.index")

    @route("/picture/remove", methods=("POST",))
    def remove_picture(self) -> ResponseReturnValue:
        """No picture any more."""
        remove_avatar(http.session(), actor=http.actor(), now=http.now())
        http.commit()
        flash(gettext("Picture removed"), "ok")
        return http.see_other("staff_preferences.index")

    @route("/mail", methods=("POST",))
    def save_mail(self) -> ResponseReturnValue:
        """Switch the mails about tickets on or off."""
        wanted = request.form.get("tickets") == "1"
        save_mail_preferences(http.session(), tickets=wanted, actor=http.actor(), now=http.now())
        http.commit()
        flash(gettext("Saved"), "ok")
        return http.see_other("staff_preferences.index")


def _came_from() -> str:
    """The page of ours that the form stood on."""
    standard = url_for("staff_preferences.index")
    referrer = request.referrer or ""
    prefix = request.host_url
    target = f"/{referrer.removeprefix(prefix)}" if referrer.startswith(prefix) else ""
    return http.safe_target(target, standard) if target.startswith("/admin") else standard
