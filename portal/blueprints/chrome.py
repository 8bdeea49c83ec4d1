"""The frame of every page: brand, navigation, who is signed in; from what the request knows already, without SQL."""

from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any, cast

from babel import Locale
from flask import Flask, Response, g, get_flashed_messages, request
from flask import session as cookie

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.guard import door
from portal.blueprints.localisation import format_count, gettext
from portal.blueprints.telemetry import csp_nonce
from portal.services.accounts.factor_policy import factor_due

# The worker gives a sign of life every two seconds; one that is restarted is not worth a warning.
LIFE = timedelta(seconds=30)
MOST_FLASHES = 5


def init_chrome(app: Flask) -> None:
    """Give every template the frame's names."""
    app.jinja_env.globals["csp_nonce"] = csp_nonce
    app.context_processor(frame)
    app.after_request(_keep_newest_flashes)


def _keep_newest_flashes(answer: Response) -> Response:
    """What nobody reads (a page that is only ever asked for parts) must not fill the cookie until browsers drop it."""
    # Only an answer that wrote to the cookie can have added any; looking would make every other one vary by it.
    if cookie.modified and len(waiting := cookie.get("_flashes", ())) > MOST_FLASHES:
        cookie["_flashes"] = waiting[-MOST_FLASHES:]
    return answer


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
        "flashes": _flashes(),
        "system_state": _system_state() if found and door() == "portal" else None,
        "factor_due": factor_due(tenant.sign_in, found.user) if found else None,
        "shortcuts_off": found is not None and not found.user.shortcuts,
        "now": http.now(),
        "request_id": g.get("request_id", ""),
    }


def _flashes() -> list[tuple[str, str]]:
    """What the last request had to say; parts of an open page leave it for the next whole one."""
    if http.wants_fragment() or request.headers.get("X-Portal-Live"):
        return []
    return cast("list[tuple[str, str]]", get_flashed_messages(with_categories=True))


def _system_state() -> dict[str, str] | None:
    """Whether what happens by itself happens in time (H1.1); nothing where the request did not read it."""
    if "sign_of_life" not in g:
        return None
    late = g.sign_of_life is None or http.now() - g.sign_of_life > LIFE
    text = gettext("Automatic steps are delayed") if late else gettext("All systems normal")
    return {"tone": "warn" if late else "ok", "text": text, "url": http.address_of("access.help_page")}


@lru_cache
def native_name(code: str) -> str:
    """A language's name in itself."""
    name = Locale.parse(code, sep="-").get_language_name(code) or code
    return name[:1].upper() + name[1:]


def initials(name: str) -> str:
    """Two letters for the round picture."""
    words = name.split()
    chosen = [words[0], words[-1]] if len(words) > 1 else words
    return "".join(word[:1] for word in chosen).upper()


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
        "home": http.address_of("dashboard.index"),
        "search": http.address_of("tickets.index") if _has_tickets() else None,
        "notifications": http.address_of("account.notifications"),
        "logout": http.address_of("access.logout"),
        "preferences": http.address_of("access.preferences"),
        "login": http.address_of("access.login"),
        "profile": http.address_of("account.profile"),
        "security": http.address_of("security.page"),
        "counts": http.address_of("account.counts"),
        "socket": "/socket.io",
    }


def _has_tickets() -> bool:
    found = http.identity()
    return bool(found and found.actor.may(Permission.TICKETS_READ) and http.tenant().has_feature("tickets"))


@dataclass(frozen=True)
class _Place:
    """An entry of the navigation; `count` is live under the entry's key, None where nothing is counted."""

    key: str
    label: str
    icon: str
    endpoint: str
    count: int | None = None


def _navigation(open_tickets: int) -> list[dict[str, Any]]:
    """What exists and is switched on for this person; groups by their heading, the last one at the foot."""
    found = http.identity()
    groups = [_group(None, _Place("dashboard", gettext("Dashboard"), "layout-dashboard", "dashboard.index"))]
    if _has_tickets():
        tickets = _Place("tickets", gettext("Tickets"), "ticket", "tickets.index", open_tickets)
        groups.append(_group(gettext("Support"), tickets))
    if found and found.actor.may(Permission.INVOICES_READ) and http.tenant().has_feature("billing"):
        groups.append(
            _group(
                gettext("Billing"),
                _Place("invoices", gettext("Invoices"), "receipt-text", "invoices.index"),
                _Place("payments", gettext("Payments"), "credit-card", "payments.index"),
            )
        )
    help_page = _Place("help", gettext("Help and status"), "life-buoy", "access.help_page")
    company = _Place("company", gettext("Company"), "building-2", "company.index")
    return [*groups, _group(None, company, help_page) | {"foot": True}]


def _group(label: str | None, *places: _Place) -> dict[str, Any]:
    items = [
        {
            "key": place.key,
            "label": place.label,
            "icon": place.icon,
            "url": http.address_of(place.endpoint),
            # Zero is kept: the page shows the number once it is one.
            "count": place.count and format_count(place.count),
            "current": place.endpoint == request.endpoint
            or place.key == request.blueprint in ("tickets", "company", "invoices", "payments"),
        }
        for place in places
    ]
    return {"label": label, "foot": False, "items": items}
