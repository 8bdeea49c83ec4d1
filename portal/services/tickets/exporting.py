"""Lists of tickets as files: whatever their reader may see of what a list shows, written while it is sent."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Uuid, any_, literal, tuple_
from sqlalchemy.dialects.postgresql import ARRAY

from portal.authz import Actor, Permission, require
from portal.events import audit
from portal.lib.csv_export import csv_chunks
from portal.models import Ticket
from portal.models.session import TenantSession, TenantSessions
from portal.services.tickets.listing import TicketFilter, filter_conditions, find_words
from portal.services.tickets.queries import visible_to
from portal.services.tickets.rows import TicketRow, build_listed, select_list

PAGE = 500
# A document is set as a whole, so it has an end; CSV has none.
PDF_ROWS = 1_000
CUSTOMER_COLUMNS = (
    *("number", "subject", "category", "status", "priority", "requester", "assignee"),
    *("opened", "updated", "first_response_due", "resolution_due", "resolved", "rating"),
)
STAFF_COLUMNS = ("number", "company", *CUSTOMER_COLUMNS[1:])


@dataclass(frozen=True)
class ExportWords:
    """What a file says in its reader's language and zone; collected beforehand, since files outlive their request."""

    headers: Mapping[str, str]
    statuses: Mapping[str, str]
    priorities: Mapping[str, str]
    locale: str
    fallback: str
    zone: ZoneInfo


def begin_export(
    session: TenantSession, wanted: TicketFilter, *, ids: Sequence[UUID] = (), form: str, actor: Actor, now: datetime
) -> None:
    """Note in the trail that somebody takes tickets out as a file. Raises Forbidden.

    The caller commits before the first row leaves.
    """
    require(actor, Permission.DESK_READ if actor.is_staff else Permission.TICKETS_READ)
    after = {"format": form, "chosen": len(ids), "filtered": bool(wanted.narrowed or wanted.q)}
    audit(session, "tickets.exported", "ticket", None, actor=actor, now=now, after=after)


def read_export(
    sessions: TenantSessions,
    wanted: TicketFilter,
    *,
    ids: Sequence[UUID] = (),
    actor: Actor,
    now: datetime,
) -> Iterator[Sequence[TicketRow]]:
    """What the list shows (of `ids` only, where some are given), newest first, by pages of 500.

    Each page is a short transaction of its own; tickets keep their places, since when they were opened never changes.
    """
    conditions: list[ColumnElement[bool]] = [visible_to(actor), *filter_conditions(wanted, actor, now)]
    if ids:
        conditions.append(_among(ids))
    with sessions.begin(actor.tenant_id) as session:
        found = find_words(session, wanted, actor)
    if found is not None:
        conditions.append(_among(found.ids))
    place = tuple_(Ticket.created_at, Ticket.id)
    query = select_list(staff=actor.is_staff, whole=False).where(*conditions)
    query = query.order_by(Ticket.created_at.desc(), Ticket.id.desc()).limit(PAGE)
    below: list[ColumnElement[bool]] = []
    while True:
        with sessions.begin(actor.tenant_id) as session:
            page = [build_listed(row) for row in session.execute(query.where(*below))]
        if page:
            yield page
        if len(page) < PAGE:
            return
        below = [place < (page[-1].ticket.created_at, page[-1].ticket.id)]


def write_csv(pages: Iterable[Sequence[TicketRow]], columns: Sequence[str], words: ExportWords) -> Iterator[str]:
    """The pages as pieces of a CSV file in UTF-8 without a mark; nothing in it is computed by a spreadsheet."""
    header = [words.headers[name] for name in columns]
    return csv_chunks(header, ([cells_of(row, columns, words) for row in page] for page in pages), mark=False)


def cells_of(row: TicketRow, columns: Sequence[str], words: ExportWords) -> list[Any]:
    """The named columns of a ticket, times by the reader's clock."""
    ticket = row.ticket
    values: dict[str, Any] = {
        "number": ticket.ticket_number,
        "subject": ticket.subject,
        "category": row.category.name_in(words.locale, words.fallback),
        "status": words.statuses.get(ticket.status.value, ticket.status.value),
        "priority": words.priorities.get(ticket.priority.value, ticket.priority.value),
        "company": row.company_name,
        "requester": row.requester_name,
        "assignee": row.assignee_name,
        "opened": _local(ticket.created_at, words),
        "opened_on": ticket.created_at.astimezone(words.zone).date().isoformat(),
        "updated": _local(ticket.updated_at, words),
        "first_response_due": _local(ticket.first_response_due_at, words),
        "resolution_due": _local(ticket.resolution_due_at, words),
        "resolved": _local(ticket.resolved_at, words),
        "rating": ticket.satisfaction_rating,
    }
    return [values[name] for name in columns]


def _local(at: datetime | None, words: ExportWords) -> str | None:
    return at.astimezone(words.zone).isoformat(sep=" ", timespec="seconds") if at else None


def _among(ids: Sequence[UUID]) -> ColumnElement[bool]:
    return Ticket.id == any_(literal(list(ids), ARRAY(Uuid())))
