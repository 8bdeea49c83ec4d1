"""The page after signing in."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.dashboard import calendar as _calendar
from portal.blueprints.dashboard import invoices as _invoices
from portal.blueprints.dashboard import quotes as _quotes
from portal.blueprints.dashboard import tickets as _tickets
from portal.blueprints.dashboard.widgets import visible_actions, visible_parts
from portal.blueprints.localisation import current_locale
from portal.blueprints.policies import permission

# Each domain's module registers its parts when it is imported.
__all__ = ["_calendar", "_invoices", "_quotes", "_tickets", "bp"]
bp = Blueprint("dashboard", __name__, url_prefix="/portal")


@bp.get("/")
@permission(Permission.DASHBOARD_VIEW)
def index() -> ResponseReturnValue:
    """Greeting, what needs this person, figures, recent tickets and activities (H1.1 to H1.4)."""
    found = http.identity()
    name = found.person_name if found else ""
    parts = visible_parts()
    context = {
        "name": name.split()[0] if name.split() else name,
        "last_login": found.user.previous_login_at if found else None,
        "welcome": http.tenant().welcome_in(current_locale()),
        "parts": parts,
        "needs": sum(part.values.get("needs_you", 0) for part in parts),
        "quick_actions": visible_actions(),
    }
    return http.render_live("dashboard/index.html", "dashboard/_live.html", context)
