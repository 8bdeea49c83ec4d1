"""Handing a list of tickets out as rows: who took which list when is in the audit trail."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from portal.authz import Actor, Permission, require
from portal.events import audit
from portal.models.session import TenantSession, TenantSessions
from portal.services.tickets.listing import TicketFilter, list_tickets
from portal.services.tickets.rows import TicketRow
from portal.services.tickets.saved_views import SavedView

PAGE = 100
MOST_ROWS = 50_000
RECORD = "tickets"


@dataclass(frozen=True)
class TicketExport:
    """A begun export: what is read, and as of when its times count."""

    wanted: TicketFilter
    now: datetime


def begin_ticket_export(
    session: TenantSession, wanted: TicketFilter, *, saved: SavedView | None = None, actor: Actor, now: datetime
) -> TicketExport:
    """Note that somebody exports this list. Raises Forbidden.

    The caller commits before the first row leaves, so an export that was begun is always on record.
    """
    require(actor, Permission.DESK_EXPORT)
    told = {
        "view": saved.name if saved else wanted.view,
        "searched": bool(wanted.words.strip()),
        "status": [status.value for status in wanted.status],
        "priority": [priority.value for priority in wanted.priority],
        "category": list(wanted.category),
        "company": str(wanted.company) if wanted.company else None,
    }
    after = {name: value for name, value in told.items() if value}
    audit(session, "tickets.exported", RECORD, saved.id if saved else None, actor=actor, now=now, after=after)
    return TicketExport(replace(wanted, limit=PAGE, cursor=None), now)


def read_ticket_export(
    sessions: TenantSessions, export: TicketExport, *, actor: Actor
) -> Iterator[Sequence[TicketRow]]:
    """The list by pages, 50,000 tickets at most; each page is a short transaction of its own.

    A ticket that moves within the order while the file is read may be missing or be there twice.
    """
    wanted, left = export.wanted, MOST_ROWS
    while left > 0:
        with sessions.begin(actor.tenant_id) as session:
            page = list_tickets(session, wanted, actor=actor, now=export.now, whole=True)
            session.expunge_all()
        yield page.items
        left -= len(page.items)
        if page.next_cursor is None:
            return
        wanted = replace(wanted, cursor=page.next_cursor)
