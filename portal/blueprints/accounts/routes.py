"""Getting in and out of the customer portal, and how a person wants to see it."""

from uuid import UUID

from flask import Blueprint, flash, g, jsonify, redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.accounts.bell import PERIODS, notice_rows, notice_tabs, since
from portal.blueprints.accounts.doors import Door
from portal.blueprints.accounts.recovery import add_recovery
from portal.blueprints.accounts.second_step import add_second_step
from portal.blueprints.localisation import format_count, gettext
from portal.blueprints.policies import permission, public, signed_in, while_enrolling
from portal.errors import Invalid
from portal.lib.wording.notifications import CATEGORIES
from portal.services.accounts.preferences import THEMES, save_mail_preferences, save_preferences
from portal.services.notifications import bell

DOOR = Door(
    name="portal",
    template="accounts/login.html",
    endpoint="access.login",
    verify="access.verify",
    home="dashboard.index",
    prefix="/portal/",
    sso="sso.choose",
    sso_start="sso.start",
)
# What a notice is about -> its page, and how the page's address names the record (empty: not at all).
_PAGES = {
    "ticket": ("tickets.detail", "ticket_id"),
    "invoice": ("invoices.detail", "invoice_id"),
    "quote": ("quotes.detail", "quote_id"),
    "quote_request": ("quotes.request_state", "request_id"),
    "contract": ("contracts.detail", "contract_id"),
    "payment_method": ("payment_methods.index", ""),
    "payment": ("payments.detail", "payment_id"),
    "dispute": ("disputes.detail", "dispute_id"),
    "extension_request": ("disputes.extension", "wish_id"),
    "payment_plan": ("plans.detail", "plan_id"),
    "statement": ("statements.index", ""),
}
access = Blueprint("access", __name__)
account = Blueprint("account", __name__, url_prefix="/portal")
add_recovery(access, DOOR)
add_second_step(access, DOOR, "/portal/login")


@access.get("/")
@public
def root() -> ResponseReturnValue:
    """The dashboard, which leads to the sign-in where nobody is signed in."""
    return redirect(url_for("dashboard.index"), code=302)


@access.route("/portal/login", methods=["GET", "POST"])
@public
def login() -> ResponseReturnValue:
    """The sign-in of customers."""
    return DOOR.log_in()


@access.post("/portal/logout")
@while_enrolling
@signed_in
def logout() -> ResponseReturnValue:
    """End the session of a customer."""
    return DOOR.log_out()


@access.get("/portal/help")
@public
def help_page() -> ResponseReturnValue:
    """How to reach the team, what to do without a password or an account."""
    return render_template("accounts/help.html" if http.identity() else "accounts/help_signing_in.html")


@access.post("/portal/preferences")
@public
def preferences() -> ResponseReturnValue:
    """Language and theme: with the login where somebody is signed in, else in the browser's cookie."""
    locale, theme = request.form.get("locale") or None, request.form.get("theme") or None
    back = http.safe_target(request.form.get("next") or http.own_referrer(), url_for("dashboard.index"))
    if locale is not None and locale not in http.tenant().locales:
        raise Invalid(code="unknown_choice")
    if theme is not None and theme not in THEMES:
        raise Invalid(code="unknown_choice")
    if http.identity() is not None:
        save_preferences(
            http.session(),
            locale=locale,
            theme=theme,
            locales=http.tenant().locales,
            actor=http.actor(),
            now=http.now(),
        )
        http.commit()
    if locale:
        cookie["locale"] = locale
    if theme:
        cookie["theme"] = theme
    return redirect(back, code=303)


@account.route("/account/notifications", methods=["GET", "POST"])
@permission(Permission.PREFERENCES_EDIT)
def mail_settings() -> ResponseReturnValue:
    """Which mails to get; mails lead here."""
    found = http.identity()
    if request.method != "POST":
        wanted = bool(found and found.user.mail_preferences.get("tickets", True))
        return render_template("accounts/mail_settings.html", identity=found, ticket_mails=wanted)
    wanted = request.form.get("tickets") == "1"
    save_mail_preferences(http.session(), tickets=wanted, actor=http.actor(), now=http.now())
    http.commit()
    flash(gettext("Mail settings saved"), "ok")
    return http.see_other("account.mail_settings")


@account.get("/notifications")
@permission(Permission.NOTIFICATIONS_READ)
def notifications() -> ResponseReturnValue:
    """What the bell holds of the last seven days, by category; read ones quieter."""
    category, period = request.args.get("category", ""), request.args.get("period", "")
    category = category if category in CATEGORIES else ""
    period = period if period in PERIODS else PERIODS[0]
    rows = bell.list_notifications(
        http.session(), since=since(period, http.now()), category=category or None, actor=http.actor()
    )
    here = {name: value for name, value in (("category", category), ("period", period)) if value}
    context = {
        "notices": notice_rows(rows),
        "tab_items": notice_tabs("account.notifications", category, period),
        "here": http.address_of("account.notifications", **here),
        "period": period,
        "older": http.address_of("account.notifications", **here | {"period": "all"}),
    }
    return http.render_live("accounts/notifications.html", "accounts/_notices.html", context)


@account.post("/notifications/read")
@permission(Permission.NOTIFICATIONS_READ)
def read_all() -> ResponseReturnValue:
    """Mark everything read."""
    bell.mark_all_read(http.session(), actor=http.actor(), now=http.now())
    http.commit()
    return http.see_other("account.notifications")


@account.post("/notifications/<uuid:notification_id>/open")
@permission(Permission.NOTIFICATIONS_READ)
def open_notification(notification_id: UUID) -> ResponseReturnValue:
    """Note that a notice was read, and lead to the record it is about."""
    row = bell.mark_read(http.session(), notification_id, actor=http.actor(), now=http.now())
    http.commit()
    endpoint, name = _PAGES.get(row.record_type, ("account.notifications", ""))
    return http.see_other(endpoint, **({name: row.record_id} if name else {}))


@account.get("/counts")
@permission(Permission.NOTIFICATIONS_READ)
def counts() -> ResponseReturnValue:
    """The numbers in the frame, asked for again when something changed."""
    tickets, unread = g.get("chrome_counts", (0, 0))
    shown = {"tickets": tickets, "notifications": unread}
    return jsonify({name: format_count(number) if number else 0 for name, number in shown.items()})
