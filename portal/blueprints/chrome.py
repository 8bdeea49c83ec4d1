"""The frame of every page: brand, navigation, who is signed in; from what the request knows already, without SQL."""

from typing import Any

from babel import Locale
from flask import Flask, g, request, url_for
from flask_babel import gettext

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.guard import door
from portal.blueprints.localisation import format_count
from portal.blueprints.telemetry import csp_nonce


def init_chrome(app: Flask) -> None:
    """Give every template the frame's names."""
    app.jinja_env.globals["csp_nonce"] = csp_nonce
    app.context_processor(frame)


def frame() -> dict[str, Any]:
    """What the shells read (docs/components.md)."""
    if "tenant" not in g:
        return {}
    tenant = http.tenant()
    found = http.identity()
    counts = g.get("chrome_counts", (0, 0))
    return {
        "brand": {
            "name": tenant.name,
            "mark_letter": tenant.brand.get("mark_letter") or tenant.name[:1],
            "support_email": tenant.support_email,
            "support_phone": tenant.support_phone,
        },
        "actor": _signed_in(),
        "nav": _navigation(counts[0]) if found and door() == "portal" else [],
        "unread_count": format_count(counts[1]) if counts[1] else 0,
        "locales": [(code, native_name(code)) for code in tenant.locales],
        "urls": _links(),
        "flashes": [],
        "now": http.now(),
        "request_id": g.get("request_id", ""),
    }


def native_name(code: str) -> str:
    """A language's name in itself."""
    name = Locale.parse(code, sep="-").get_language_name(code) or code
    return name[:1].upper() + name[1:]


def initials(name: str) -> str:
    """Two letters for the round picture."""
    words = name.split()
    return "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words)).upper()


def _signed_in() -> dict[str, Any] | None:
    found = http.identity()
    if found is None:
        return None
    return {
        "display_name": found.person_name,
        "initials": initials(found.person_name),
        "company_name": found.company_name,
        "kind": found.user.kind.value,
    }


def _links() -> dict[str, str | None]:
    return {
        "home": url_for("dashboard.index"),
        "search": url_for("tickets.index"),
        "notifications": url_for("account.notifications"),
        "logout": url_for("access.logout"),
        "preferences": url_for("access.preferences"),
        "login": url_for("access.login"),
        "profile": url_for("account.settings"),
        "security": None,
        "counts": url_for("account.counts"),
        "socket": "/socket.io",
    }


def _navigation(open_tickets: int) -> list[dict[str, Any]]:
    groups = [(None, [("dashboard", gettext("Dashboard"), "layout-dashboard", "dashboard.index", None)])]
    actor = http.actor()
    if actor.may(Permission.TICKETS_READ) and http.tenant().has_feature("tickets"):
        count = format_count(open_tickets) if open_tickets else None
        groups.append((gettext("Support"), [("tickets", gettext("Tickets"), "ticket", "tickets.index", count)]))
    groups.append(("foot", [("help", gettext("Help and status"), "life-buoy", "access.help_page", None)]))
    return [
        {
            "label": None if label == "foot" else label,
            "foot": label == "foot",
            "items": [
                {
                    "key": key,
                    "label": text,
                    "icon": icon,
                    "url": url_for(endpoint),
                    "count": count,
                    "current": endpoint == request.endpoint or (request.blueprint == key and key == "tickets"),
                }
                for key, text, icon, endpoint, count in items
            ],
        }
        for label, items in groups
    ]

