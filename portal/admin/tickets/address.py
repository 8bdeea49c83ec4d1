"""What a queue page shows, read from its address and written back to it: Back works, views can be shared."""

from dataclasses import dataclass, replace
from typing import Any, TypeVar
from uuid import UUID

from werkzeug.datastructures import MultiDict

from portal.blueprints import http
from portal.errors import NotFound
from portal.models import TicketPriority, TicketStatus
from portal.services.tickets.listing import SORTS, STAFF_VIEWS, TicketFilter
from portal.services.tickets.saved_views import SavedView, get_saved_view

Value = TypeVar("Value")
DEFAULT_VIEW = "due_soon"
# What tells tickets apart while some are selected; all columns and the bar together would not stay under 40 KB.
SELECTING = ("priority", "number", "subject", "customer", "status", "promise", "assignee")
QUERY_LENGTH = 200
# Seventeen rows fill a screen and keep the page under 40 KB.
PAGE_SIZES = (17, 50, 100)
# Rows of a search also quote where its words stand; so many keep the page below 40 KB in Arabic, too.
SEARCHED = 15


@dataclass(frozen=True)
class QueueAddress:
    """The query of a queue page; what is not known there is left out."""

    view: str = DEFAULT_VIEW
    status: tuple[TicketStatus, ...] = ()
    priority: tuple[TicketPriority, ...] = ()
    category: tuple[str, ...] = ()
    assignee: str = ""
    company: UUID | None = None
    q: str = ""
    sort: str = ""
    limit: int = PAGE_SIZES[0]
    cursor: str = ""
    saved_id: UUID | None = None
    saved: SavedView | None = None
    select: bool = False

    @classmethod
    def read(cls, args: "MultiDict[str, str]") -> "QueueAddress":
        """From the query of a request."""
        query = args.get("q", "")[:QUERY_LENGTH].strip()
        view = args.get("view", "")
        sort = args.get("sort", "")
        assignee = args.get("assignee", "")
        limit = args.get("limit", "")
        return cls(
            # A search looks through everything unless a view was chosen with it.
            view=view if view in STAFF_VIEWS else ("all" if query else DEFAULT_VIEW),
            status=_known(TicketStatus, args.getlist("status")),
            priority=_known(TicketPriority, args.getlist("priority")),
            category=tuple(key[:50] for key in args.getlist("category") if key.isprintable())[:20],
            assignee=assignee if assignee in ("me", "none") or _uuid(assignee) else "",
            company=_uuid(args.get("company", "")),
            q=query,
            sort=sort if sort.removeprefix("-") in SORTS else "",
            limit=int(limit) if limit in map(str, PAGE_SIZES) else PAGE_SIZES[0],
            cursor=args.get("cursor", ""),
            saved_id=_uuid(view),
            select=args.get("select") == "1",
        )

    def opened(self) -> "QueueAddress":
        """With the saved view that it names, read by one statement; raises NotFound where there is none."""
        if self.saved_id is None:
            return self
        return replace(self, saved=get_saved_view(http.session(), self.saved_id, actor=http.actor()))

    def opened_or_standing(self) -> "QueueAddress":
        """The same; a view that is gone becomes the standing one, since what is shown beside a list stays there."""
        try:
            return self.opened()
        except NotFound:
            return replace(self, view=DEFAULT_VIEW, saved_id=None)

    @property
    def order(self) -> str:
        """The order in force: soonest promise first, in lists of finished work the newest first."""
        if self.saved is not None:
            return self.sort or self.saved.sort
        return self.sort or ("-updated" if self.view in ("solved", "all") else "due")

    @property
    def filtered(self) -> bool:
        """Whether anything but the view narrows the list."""
        return bool(self.status or self.priority or self.category or self.assignee or self.company or self.q)

    def wanted(self, me: UUID | None) -> TicketFilter:
        """The same for the service."""
        return TicketFilter(
            view=None if self.saved else self.view,
            saved=self.saved.filter if self.saved else None,
            status=self.status,
            priority=self.priority,
            category=self.category,
            assignee=me if self.assignee == "me" else _uuid(self.assignee),
            unassigned=self.assignee == "none",
            company=self.company,
            q=self.q,
            sort=self.order.removeprefix("-"),
            descending=self.order.startswith("-"),
            limit=SEARCHED if self.words and self.limit == PAGE_SIZES[0] else self.limit,
            cursor=self.cursor or None,
        )

    def query(self) -> dict[str, Any]:
        """The parameters of the address; what is standard stays out of it."""
        values: dict[str, Any] = {
            "view": str(self.saved_id)
            if self.saved_id
            else self.view
            if self.view != ("all" if self.q else DEFAULT_VIEW)
            else None,
            "status": tuple(status.value for status in self.status),
            "priority": tuple(priority.value for priority in self.priority),
            "category": self.category,
            "assignee": self.assignee,
            "company": self.company,
            "q": self.q,
            "sort": self.sort,
            "limit": self.limit if self.limit != PAGE_SIZES[0] else None,
            "cursor": self.cursor,
            "select": "1" if self.select else None,
        }
        return {name: value for name, value in values.items() if value}

    def url(self, **changes: Any) -> str:
        """The address with other values; any change but of the cursor begins at the first page."""
        changed = replace(self, **({"cursor": ""} | changes))
        return http.address_of("desk.index", **changed.query())

    @property
    def words(self) -> str:
        """What is searched for, by the saved view and by the reader."""
        return f"{self.saved.filter.text} {self.q}".strip() if self.saved else self.q

    @property
    def columns(self) -> tuple[str, ...] | None:
        """Columns to draw one by one; None where the standing ones do."""
        if self.saved is not None:
            return self.saved.columns
        return SELECTING if self.select else None

    def ticket_url(self, ticket_id: UUID, **more: Any) -> str:
        """A ticket's page that keeps this list beside it."""
        return http.ticket_address("desk.ticket", ticket_id, **self._place(), **more)

    def action_url(self, endpoint: str, ticket_id: UUID) -> str:
        """Where a form of the ticket's page is sent, the list kept."""
        return http.ticket_address(f"desk.{endpoint}", ticket_id, **self._place())

    def neighbour_url(self, ticket_id: UUID, *, back: bool = False) -> str:
        """The way to the ticket that follows in the list, or precedes."""
        more = {"back": "1"} if back else {}
        return http.ticket_address("desk.neighbour", ticket_id, **self._place(), **more)

    def _place(self) -> dict[str, Any]:
        """Where a ticket was opened from: selecting ends there."""
        values = self.query()
        values.pop("select", None)
        return values


def _known(kind: type[Value], values: list[str]) -> tuple[Value, ...]:
    allowed = {member.value: member for member in kind}  # type: ignore[attr-defined]
    return tuple(allowed[value] for value in dict.fromkeys(values) if value in allowed)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
