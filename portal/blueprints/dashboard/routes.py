"""The page after signing in."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.dashboard import tickets as _tickets
from portal.blueprints.dashboard.widgets import visible_widgets
from portal.blueprints.localisation import current_locale
from portal.blueprints.policies import permission

__all__ = ["_tickets", "bp"]
bp = Blueprint("dashboard", __name__, url_prefix="/portal")


@bp.get("/")
@permission(Permission.DASHBOARD_VIEW)
def index() -> ResponseReturnValue:
    """Greeting, what needs this person, figures, recent tickets and activities."""
    found = http.identity()
    name = found.person_name if found else ""
    widgets = visible_widgets()
    shown = {template: values for template, values in widgets}
    return render_template(
        "dashboard/index.html",
        name=name.split()[0] if name.split() else name,
        last_login=found.user.previous_login_at if found else None,
        welcome=http.tenant().welcome_in(current_locale()),
        widgets=shown,
        needs=len(shown.get("dashboard/_needs.html", {}).get("items", [])),
        may_open=http.actor().may(Permission.TICKETS_CREATE) and http.tenant().has_feature("tickets"),
    )
