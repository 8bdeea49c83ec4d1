"""What the domain of quotes adds to the dashboard: a part that is loaded once the page stands (H1.8)."""

from typing import Any

from portal.authz import Permission
from portal.blueprints.dashboard.widgets import QuickAction, add_quick_action, widget
from portal.lib.wording import N_

add_quick_action(
    QuickAction(
        "request_quote",
        order=20,
        permission=Permission.QUOTES_REQUEST,
        feature="quotes",
        label=N_("Request a quote"),
        icon="file-pen-line",
        endpoint="quotes.ask",
    )
)


@widget(
    "quotes",
    order=50,
    area="side",
    permission=Permission.QUOTES_READ,
    feature="quotes",
    template="dashboard/_quotes.html",
)
def quotes() -> dict[str, Any]:
    """Only the place; the quotes are asked for by the page itself."""
    return {"shown": True}
