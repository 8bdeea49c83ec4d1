"""Statements as pages show them."""

from datetime import date
from typing import Any

from portal.blueprints.billing.presenters import money
from portal.blueprints.files.presenters import format_size
from portal.blueprints.localisation import current_locale, format_day, gettext
from portal.lib.wording.statements import FORMAT, REFUSALS, STATE
from portal.models import StatementState
from portal.services.statements.queries import StatementRow
from portal.services.statements.words import statement_title

BADGES = {
    StatementState.QUEUED: ("warn", "half"),
    StatementState.READY: ("ok", "check"),
    StatementState.FAILED: ("err", "failed"),
}
# How many years back the form of a year offers.
YEARS = 6


def present_statement(row: StatementRow) -> dict[str, Any]:
    """A line of the list."""
    statement = row.statement
    tone, shape = BADGES[statement.state]
    return {
        "id": statement.id,
        "title": statement_title(statement, current_locale()),
        "span": f"{format_day(statement.start_on)} – {format_day(statement.end_on)}",
        "company": row.company_name,
        "asked_by": row.asked_by,
        "format": FORMAT[statement.format.value],
        "badge": {"label": gettext(STATE[statement.state.value]), "tone": tone, "shape": shape},
        "ready": statement.state is StatementState.READY,
        "size": format_size(statement.size) if statement.size else "",
        "as_of": statement.as_of,
        "closing": [money(one["closing"], one["currency"]) for one in statement.figures],
        "why": gettext(REFUSALS.get(statement.failure, REFUSALS["statement_not_made"])) if statement.failure else "",
    }


def form_choices(today: date) -> dict[str, Any]:
    """What the forms offer, and the days that they begin with: the month until today."""
    return {
        "formats": list(FORMAT.items()),
        "years": [(str(today.year - back), str(today.year - back)) for back in range(YEARS)],
        "usual": {"start": today.replace(day=1).isoformat(), "end": today.isoformat(), "year": str(today.year)},
    }
