"""The rail of the back office: what a member of staff may open, and nothing else."""

from dataclasses import dataclass
from typing import Any, Literal

from babel.dates import get_day_names
from flask import Flask, g, get_flashed_messages, request

from portal.authz import Actor, Permission
from portal.blueprints import http
from portal.blueprints.guard import door
from portal.blueprints.localisation import current_locale, gettext
from portal.lib.i18n import babel_locale
from portal.lib.wording import N_


@dataclass(frozen=True)
class Place:
    """One icon of the rail; `blueprints` are the views that belong to it."""

    key: str
    label: str
    icon: str
    endpoint: str
    needed: Permission
    blueprints: tuple[str, ...]


@dataclass(frozen=True)
class SettingsPage:
    """One page of the settings, in the column of their own."""

    blueprint: str
    label: str
    icon: str
    endpoint: str
    needed: Permission


PLACES = (
    Place(
        "tickets",
        N_("Tickets"),
        "inbox",
        "desk.index",
        Permission.DESK_READ,
        ("desk", "desk_views", "desk_bulk", "ticket_clock", "relations", "side", "circle"),
    ),
    Place("trash", N_("Trash"), "trash-2", "trash.index", Permission.DESK_TRASH, ("trash",)),
    Place(
        "customers",
        N_("Customers"),
        "building-2",
        "companies.index_view",
        Permission.CUSTOMERS_READ,
        ("companies", "people"),
    ),
    Place("quotes", N_("Quotes"), "file-pen-line", "staff_quotes.index", Permission.SALES_READ, ("staff_quotes",)),
    Place(
        "contracts",
        N_("Contracts"),
        "file-pen",
        "staff_contracts.index",
        Permission.CONTRACTS_SEE,
        ("staff_contracts",),
    ),
    Place(
        "invoices",
        N_("Invoices"),
        "receipt-text",
        "staff_invoices.index",
        Permission.BILLING_READ,
        ("staff_invoices", "staff_statements"),
    ),
    Place("satisfaction", N_("Satisfaction"), "star", "satisfaction.index", Permission.DESK_READ, ("satisfaction",)),
    Place(
        "payments",
        N_("Payments"),
        "credit-card",
        "staff_payments.index_view",
        Permission.BILLING_READ,
        ("staff_payments",),
    ),
    Place(
        "receivables",
        N_("Receivables"),
        "chart-no-axes-column",
        "receivables.index",
        Permission.BILLING_READ,
        ("receivables", "bank_transfers", "bank_statements", "write_offs"),
    ),
    Place(
        "disputes",
        N_("Disputes"),
        "gavel",
        "staff_disputes.index",
        Permission.BILLING_READ,
        ("staff_disputes", "staff_plans"),
    ),
    Place("mail", N_("Sent mail"), "mail", "mail.index_view", Permission.MAIL_READ, ("mail",)),
    Place(
        "inbound",
        N_("Mail in"),
        "mail-check",
        "inbound_mail.index_view",
        Permission.MAIL_READ,
        ("inbound_mail", "bounced_addresses"),
    ),
    Place("audit", N_("Audit log"), "scroll-text", "audit.index", Permission.AUDIT_READ, ("audit",)),
)
SETTINGS = (
    SettingsPage("sla_policies", N_("Promises"), "timer", "sla_policies.index_view", Permission.SLA_READ),
    SettingsPage(
        "sla_calendars", N_("Working hours"), "calendar-clock", "sla_calendars.index_view", Permission.SLA_READ
    ),
    SettingsPage("promise_report", N_("Promises kept"), "shield-check", "promise_report.index", Permission.SLA_READ),
    SettingsPage("assignment_rules", N_("Assignment"), "user-plus", "assignment_rules.index_view", Permission.SLA_READ),
    SettingsPage("ticket_categories", N_("Categories"), "tag", "ticket_categories.index_view", Permission.SLA_READ),
    SettingsPage(
        "ticket_settings",
        N_("Customers’ tickets"),
        "ticket",
        "ticket_settings.index",
        Permission.SLA_CONFIGURE,
    ),
    SettingsPage("ticket_statuses", N_("Statuses"), "list-checks", "ticket_statuses.index_view", Permission.SLA_READ),
    SettingsPage("macros", N_("Macros"), "zap", "macros.index_view", Permission.SLA_READ),
    SettingsPage("mail_words", N_("Mail texts"), "mail", "mail_words.index", Permission.SLA_READ),
    SettingsPage("team", N_("Team"), "users", "team.index", Permission.STAFF_MANAGE),
    SettingsPage("staff_roles", N_("Roles"), "shield-check", "staff_roles.index_view", Permission.ROLES_CONFIGURE),
    SettingsPage("sign_in_policy", N_("Sign-in"), "lock", "sign_in_policy.index", Permission.SIGN_IN_CONFIGURE),
    SettingsPage(
        "identity_providers",
        N_("Single sign-on"),
        "key-round",
        "identity_providers.index_view",
        Permission.SIGN_IN_CONFIGURE,
    ),
    SettingsPage("tenant_domains", N_("Domains"), "globe", "tenant_domains.index", Permission.SIGN_IN_CONFIGURE),
    SettingsPage("mailbox", N_("Mailbox"), "mail", "mailbox.index", Permission.MAIL_CONFIGURE),
    SettingsPage(
        "billing_settings", N_("Billing"), "receipt-text", "billing_settings.index", Permission.BILLING_CONFIGURE
    ),
    SettingsPage(
        "billing_catalogue",
        N_("Catalogue and taxes"),
        "package",
        "billing_catalogue.index",
        Permission.BILLING_CONFIGURE,
    ),
    SettingsPage(
        "signing_settings",
        N_("Signing and sealing"),
        "file-pen",
        "signing_settings.index",
        Permission.BILLING_CONFIGURE,
    ),
)


def rail() -> list[dict[str, Any]]:
    """The rail's groups, for `layout/_rail.html`."""
    found = http.identity()
    if found is None:
        return []
    at = request.blueprint
    items = [
        _item(place.key, place.label, place.icon, place.endpoint, at in place.blueprints)
        for place in PLACES
        if found.actor.may(place.needed)
    ]
    groups: list[dict[str, Any]] = [{"label": None, "foot": False, "items": items}] if items else []
    pages = open_settings(found.actor)
    if pages:
        at_settings = at in {page.blueprint for page in SETTINGS}
        settings = _item("settings", N_("Settings"), "settings-2", pages[0].endpoint, at_settings)
        groups.append({"label": None, "foot": True, "items": [settings]})
    return groups


def _item(key: str, label: str, icon: str, endpoint: str, current: bool) -> dict[str, Any]:
    return {"key": key, "label": gettext(label), "icon": icon, "url": http.address_of(endpoint), "current": current}


def open_settings(actor: Actor) -> list[SettingsPage]:
    """The settings that somebody may open."""
    return [page for page in SETTINGS if actor.may(page.needed)]


def first_page(actor: Actor) -> str:
    """The endpoint of the first page that somebody may open: everybody of the team may open their own preferences."""
    places = [place.endpoint for place in PLACES if actor.may(place.needed)]
    return next(iter([*places, *(page.endpoint for page in open_settings(actor))]), "staff_preferences.index")


def shell_links() -> dict[str, str | None]:
    """Addresses that the staff shell links to."""
    return {
        "home": http.address_of("admin.index"),
        "search": http.address_of("desk.index") if _may(Permission.DESK_READ) else None,
        "login": http.address_of("admin_access.login"),
        "logout": http.address_of("admin_access.logout"),
        "notifications": http.address_of("staff_notifications.index"),
        "preferences": http.address_of("staff_preferences.save"),
        "profile": http.address_of("staff_preferences.index"),
        "security": http.address_of("staff_security.page"),
        "socket": "/socket.io",
        "counts": http.address_of("staff_counts.index"),
    }


def settings_pages() -> list[dict[str, Any]]:
    """The settings' own navigation."""
    return [
        {
            "label": gettext(page.label),
            "icon": page.icon,
            "url": http.address_of(page.endpoint),
            "current": request.blueprint == page.blueprint,
        }
        for page in open_settings(http.actor())
    ]


def init_navigation(app: Flask) -> None:
    """Give staff pages their rail and links; pages of customers keep theirs."""

    @app.context_processor
    def staff_shell() -> dict[str, Any]:
        if door() != "admin" or "tenant" not in g:
            return {}
        shown = {"nav": rail(), "urls": shell_links(), "settings_pages": settings_pages, "may": _may}
        if not http.wants_fragment():
            shown["flashes"] = get_flashed_messages(with_categories=True)
        return shown

    app.jinja_env.filters["weekday_name"] = weekday_name


def _may(permission: str) -> bool:
    """Whether the reader's roles grant `area:action`; what they do not is not offered."""
    found = http.identity()
    return found is not None and found.actor.may(Permission(permission))


def weekday_name(day: int, width: Literal["abbreviated", "wide"] = "abbreviated") -> str:
    """The name of a weekday (Monday is 0) in the reader's language, standing alone."""
    return str(get_day_names(width, "stand-alone", babel_locale(current_locale()))[day])
