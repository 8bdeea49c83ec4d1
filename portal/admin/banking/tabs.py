"""What the pages about money that comes have in common."""

from typing import Any

from portal.blueprints import http
from portal.blueprints.localisation import gettext


def money_tabs(current: str) -> list[dict[str, Any]]:
    """Receivables, transfers and write-offs, beside one another."""
    places = (
        ("receivables", gettext("Receivables")),
        ("bank_transfers", gettext("Bank transfers")),
        ("write_offs", gettext("Write-offs")),
    )
    return [
        {"label": label, "url": http.address_of(f"{name}.index"), "current": name == current} for name, label in places
    ]
