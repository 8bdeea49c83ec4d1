"""The month of payments on the dashboard: a place that fills itself once the page is there (H1.7)."""

from typing import Any

from portal.authz import Permission
from portal.blueprints.dashboard.widgets import widget


@widget(
    "calendar",
    order=60,
    area="main",
    permission=Permission.INVOICES_READ,
    feature="billing",
    template="payments/_calendar_place.html",
)
def calendar() -> dict[str, Any]:
    """Only the place; the month is asked for by the page itself."""
    return {"lazy": True}
