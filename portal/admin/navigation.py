"""The rail of the back office: what a member of staff may open, and nothing else."""

from dataclasses import dataclass
from typing import Any, Literal

from babel.dates import get_day_names
from flask import Flask, g, get_flashed_messages, request, url_for

from portal.authz import Permission
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
    foot: bool = False


@dataclass(frozen=True)
class SettingsPage:
    """A page of the settings: the list of a view."""

    view: str
    label: str
    icon: str
    needed: Permission


SETTINGS = (
    SettingsPage("sla_policies", N_("Promises"), "timer", Permission.SLA_READ),
    SettingsPage("sla_calendars", N_("Working hours"), "calendar-clock", Permission.SLA_READ),
    SettingsPage("ticket_categories", N_("Categories"), "tag", Permission.SLA_READ),
    SettingsPage("identity_providers", N_("Single sign-on"), "key-round", Permission.SIGN_IN_CONFIGURE),
)
PLACES = (
    Place("tickets", N_("Tickets"), "inbox", "desk.index", Permission.DESK_READ, ("desk",)),
    Place(
        "customers",
        N_("Customers"),
        "building-2",
        "companies.index_view",
        Permission.CUSTOMERS_READ,
        ("companies", "people"),
    ),
    Place("mail", N_("Sent mail"), "mail", "mail.index_view", Permission.MAIL_READ, ("mail",)),
    Place("audit", N_("Audit log"), "scroll-text", "audit.index", Permission.AUDIT_READ, ("audit",)),
    Place(
        "settings",
        N_("Settings"),
        "settings-2",
        "sla_policies.index_view",
        Permission.SLA_READ,
        tuple(page.view for page in SETTINGS),
        foot=True,
    ),
)


def rail() -> list[dict[str, Any]]:
    """The rail's groups, for `layout/_rail.html`."""
    found = http.identity()
    if found is None:
        return []
    at = request.blueprint
    groups: list[dict[str, Any]] = []
    for foot in (False, True):
        items = [
            {
                "key": place.key,
                "label": gettext(place.label),
                "icon": place.icon,
                "url": url_for(endpoint),
                "current": at in place.blueprints,
            }
            for place in PLACES
            if place.foot is foot and (endpoint := _leads_to(place))
        ]
        if items:
            groups.append({"label": None, "foot": foot, "items": items})
    return groups


def _leads_to(place: Place) -> str | None:
    """The endpoint that a place leads the reader to; the settings open at the first page that they may read."""
    if place.key == "settings":
        own = _own_settings()
        return f"{own[0].view}.index_view" if own else None
    return place.endpoint if http.actor().may(place.needed) else None


def shell_links() -> dict[str, str | None]:
    """Addresses that the staff shell links to."""
    return {
        "home": url_for("admin.index"),
        "search": url_for("desk.index"),
        "login": url_for("admin_access.login"),
        "logout": url_for("admin_access.logout"),
        "notifications": url_for("staff_notifications.index"),
        "preferences": url_for("staff_preferences.save"),
        "profile": url_for("staff_preferences.index"),
        "security": None,
        "socket": "/socket.io",
        "counts": url_for("staff_counts.index"),
    }


def settings_pages() -> list[dict[str, Any]]:
    """The settings' own navigation."""
    return [
        {
            "label": gettext(page.label),
            "icon": page.icon,
            "url": url_for(f"{page.view}.index_view"),
            "current": request.blueprint == page.view,
        }
        for page in _own_settings()
    ]


def _own_settings() -> list[SettingsPage]:
    """The pages of the settings that the reader may open."""
    return [page for page in SETTINGS if http.actor().may(page.needed)]


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
    return http.actor().may(Permission(permission))


def weekday_name(day: int, width: Literal["abbreviated", "wide"] = "abbreviated") -> str:
    """The name of a weekday (Monday is 0) in the reader's language, standing alone."""
    return str(get_day_names(width, "stand-alone", babel_locale(current_locale()))[day])
