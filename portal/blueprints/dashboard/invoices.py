"""What the domain of invoices adds to the dashboard: a place that fills itself once the page is there."""

from typing import Any

from portal.authz import Permission
from portal.blueprints.dashboard.widgets import widget


@widget(
    "invoices",
    order=35,
    area="side",
    permission=Permission.INVOICES_READ,
    feature="billing",
    template="billing/_widget.html",
)
def invoices() -> dict[str, Any]:
    """What is owed and how much credit is left (H1.5, DASH-01); read by a request of its own."""
    return {"lazy": True}
