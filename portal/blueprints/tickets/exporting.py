"""A list of tickets as a file, for pages and programs alike."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Response, current_app

from portal.blueprints import http
from portal.blueprints.localisation import current_locale, format_moment, gettext, select_timezone
from portal.integrations.pdf import typeset
from portal.lib.colour import solid_accent
from portal.lib.csv_export import MEDIA_TYPE
from portal.lib.wording import N_
from portal.lib.wording.tickets import PRIORITY, STATUS_FOR_CUSTOMERS, STATUS_FOR_STAFF
from portal.models.session import TenantSessions
from portal.services.tickets.exporting import (
    CUSTOMER_COLUMNS,
    PDF_ROWS,
    STAFF_COLUMNS,
    ExportWords,
    begin_export,
    cells_of,
    read_export,
    write_csv,
)
from portal.services.tickets.listing import TicketFilter
from portal.services.tickets.rows import TicketRow

_LONG = re.compile(r"(\S{24})(?=\S)")
FORMATS = ("csv", "pdf")
MOST_CHOSEN = 200
PDF = "application/pdf"
_PRINTED = ("number", "subject", "category", "status", "priority", "opened_on")
_HEADERS = {
    "number": N_("Number"),
    "subject": N_("Subject"),
    "category": N_("Category"),
    "status": N_("Status"),
    "priority": N_("Priority"),
    "company": N_("Company"),
    "requester": N_("Opened by"),
    "assignee": N_("Handled by"),
    "opened": N_("Opened"),
    "opened_on": N_("Opened"),
    "updated": N_("Updated"),
    "first_response_due": N_("First answer due"),
    "resolution_due": N_("Solution due"),
    "resolved": N_("Resolved"),
    "rating": N_("Rating"),
}


def send_tickets(form: str, wanted: TicketFilter, ids: Sequence[UUID], filters: Mapping[str, str]) -> Response:
    """The reader's tickets as `csv` or `pdf`; `filters` say in words what narrows the list."""
    actor, now = http.actor(), http.now()
    begin_export(http.session(), wanted, ids=ids, form=form, actor=actor, now=now)
    http.commit()
    sessions = TenantSessions(current_app.extensions["portal_engine"])
    pages = read_export(sessions, wanted, ids=ids, actor=actor, now=now)
    words = _words(staff=actor.is_staff)
    if form == "pdf":
        answer = Response(_document(pages, words, filters), content_type=PDF)
    else:
        columns = STAFF_COLUMNS if actor.is_staff else CUSTOMER_COLUMNS
        answer = Response(write_csv(pages, columns, words), content_type=MEDIA_TYPE)
    answer.headers["Content-Disposition"] = f'attachment; filename="tickets-{now:%Y-%m-%d}.{form}"'
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer


def _words(*, staff: bool) -> ExportWords:
    statuses = STATUS_FOR_STAFF if staff else STATUS_FOR_CUSTOMERS
    return ExportWords(
        headers={key: gettext(label) for key, label in _HEADERS.items()},
        statuses={key: gettext(label) for key, label in statuses.items()},
        priorities={key: gettext(label) for key, label in PRIORITY.items()},
        locale=current_locale(),
        fallback=http.tenant().locale,
        zone=ZoneInfo(select_timezone()),
    )


def _document(pages: Iterator[Sequence[TicketRow]], words: ExportWords, filters: Mapping[str, str]) -> bytes:
    tenant, now = http.tenant(), http.now()
    rows = list(islice(chain.from_iterable(pages), PDF_ROWS + 1))
    facts: list[list[str]] = [[gettext("As of"), format_moment(now)], *([name, text] for name, text in filters.items())]
    data: dict[str, Any] = {
        "title": gettext("Tickets"),
        "facts": facts,
        "headers": [words.headers[name] for name in _PRINTED],
        "rows": [[_printed(cell) for cell in cells_of(row, _PRINTED, words)] for row in rows[:PDF_ROWS]],
        "empty": gettext("No ticket fits what you are looking for."),
        "note": gettext("Only the newest %(count)s tickets are shown.", count=PDF_ROWS) if len(rows) > PDF_ROWS else "",
    }
    accent = solid_accent(tenant.brand.get("accent"))
    return typeset("tickets.typ", data, locale=words.locale, tenant=tenant.name, accent=accent, now=now)


def _printed(cell: Any) -> str:
    """A word longer than its column gets places to break at."""
    return _LONG.sub("\\1\u200b", "" if cell is None else str(cell))
