"""The queue's rows with columns of one's own, and with boxes to select them; the standing ones are in `rows.py`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from markupsafe import Markup, escape

from portal.admin.tickets import presenters as show
from portal.admin.tickets.address import QueueAddress
from portal.admin.tickets.rows import draw_rows, draw_step
from portal.blueprints.drawing import promise, shape, time_tag
from portal.blueprints.localisation import current_locale, gettext
from portal.blueprints.tickets.hits import find_excerpts
from portal.lib.paging import Page
from portal.lib.wording import N_
from portal.lib.wording.tickets import PRIORITY, SOURCE
from portal.services.tickets.desk_terms import DeskTerms
from portal.services.tickets.rows import TicketRow

Draw = Callable[..., Markup]
Item = Mapping[str, Any]
TAGS_SHOWN = 3
# Short names in each cell: wide screens only (n), all but phones (p); see `assets/css/admin-pages.css`.
_WIDE = ' class="n"'
# Name, what it is called, the order it gives, and from which screen on it is dropped.
HEADS: dict[str, tuple[str, str, str]] = {
    "priority": (N_("Priority"), "-priority", ""),
    "number": (N_("Number"), "", "phone"),
    "subject": (N_("Subject"), "", ""),
    "customer": (N_("Customer"), "", ""),
    "requester": (N_("Asked by"), "", "narrow"),
    "category": (N_("Category"), "", "narrow"),
    "status": (N_("Status"), "status", ""),
    "promise": (N_("Promise"), "due", ""),
    "next_step": (N_("Next step"), "", "narrow"),
    "tags": (N_("Tags"), "", "narrow"),
    "source": (N_("Source"), "", "narrow"),
    "assignee": (N_("Assignee"), "", "phone"),
    "created": (N_("Opened"), "-created", "narrow"),
    "active": (N_("Active"), "-updated", "narrow"),
}
_MARKS = {"low": "priority-1", "normal": "priority-2", "high": "priority-3", "urgent": "priority-urgent"}


@dataclass(frozen=True)
class DrawnList:
    """Rows of the queue with what draws them: the standing columns, or those of `columns` one by one."""

    items: list[dict[str, Any]]
    columns: tuple[str, ...] | None
    select: bool = False

    def __len__(self) -> int:
        return len(self.items)

    def heads(self) -> tuple[tuple[str, str, str, str], ...]:
        """(name, label, order, from which screen on it is dropped) of each column."""
        return tuple((name, *HEADS[name]) for name in self.columns or ())

    def draw(self, badge: Draw, avatar: Draw) -> Markup:
        """The rows, with the components of the queue's template."""
        if self.columns is None:
            return draw_rows(self.items, badge, avatar)
        cells = [_CELLS[name] for name in self.columns]
        return Markup("").join(_row(item, cells, badge, avatar, select=self.select) for item in self.items)


def draw_list(page: Page[TicketRow], address: QueueAddress, terms: DeskTerms, now: datetime) -> DrawnList:
    """The rows of a page of the queue, as its address asks for them."""
    excerpts = find_excerpts(page, address.words, show.SNIPPET)
    items = show.queue_rows(page.items, address, terms, now, excerpts)
    if address.columns is not None:
        for item, row in zip(items, page.items, strict=True):
            ticket = row.ticket
            item |= {"category": row.category.name_in(current_locale()), "created_at": ticket.created_at}
            if address.saved is not None:
                item |= {"tags": ticket.tags, "source": ticket.source}
    return DrawnList(items, address.columns, address.select)


def _row(item: Item, cells: Sequence[Callable[..., str]], badge: Draw, avatar: Draw, *, select: bool) -> Markup:
    box = (
        f'<td class="select-cell"><input class="check row-select" type="checkbox" form="bulk" name="ids" '
        f'value="{item["id"]}" aria-label="{escape(item["key"])}"></td>'
        if select
        else ""
    )
    drawn = "".join(cell(item, badge, avatar) for cell in cells)
    head = f'<tr id="{escape(item["key"])}" data-live-row>'
    return Markup(f"{head}{box}{drawn}</tr>\n")  # noqa: S704 - escaped


def _priority(item: Item, badge: Draw, avatar: Draw) -> str:
    level = item["priority"]
    urgent = ' class="text-err"' if level == "urgent" else ""
    said = f'<span class="sr-only">{escape(gettext(PRIORITY[level]))}</span>'
    return f"<td{urgent}>{shape(_MARKS[level])}{said}</td>"


def _number(item: Item, badge: Draw, avatar: Draw) -> str:
    return f'<td class="p"><bdi>{escape(item["number"])}</bdi></td>'


def _subject(item: Item, badge: Draw, avatar: Draw) -> str:
    return (
        f'<td class="td-fill"><div class="cell-line" dir="auto"><a class="cell-link" href="{escape(item["url"])}">'
        f"{escape(item['subject'])}</a> <bdi>{escape(item['snippet'])}</bdi></div>"
        "</td>"
    )


def _text(name: str, css: str = "") -> Callable[..., str]:
    return lambda item, badge, avatar: f'<td{css} dir="auto">{escape(item[name])}</td>'


def _status(item: Item, badge: Draw, avatar: Draw) -> str:
    return f"<td>{badge(item['status'], 'staff', plain=True, label=item['status_label'])}</td>"


def _promise(item: Item, badge: Draw, avatar: Draw) -> str:
    return f"<td>{promise(item['promise'])}</td>"


def _step(item: Item, badge: Draw, avatar: Draw) -> str:
    return f'<td class="n">{draw_step(item["step"])}</td>'


def _tags(item: Item, badge: Draw, avatar: Draw) -> str:
    tags = item.get("tags", ())
    shown = "".join(f'<span class="tag"><bdi>{escape(tag)}</bdi></span> ' for tag in tags[:TAGS_SHOWN])
    more = f"+{len(tags) - TAGS_SHOWN}" if len(tags) > TAGS_SHOWN else ""
    return f'<td class="n">{shown}{more}</td>'


def _source(item: Item, badge: Draw, avatar: Draw) -> str:
    source = str(item.get("source", ""))
    return f'<td class="n">{escape(gettext(SOURCE[source]) if source in SOURCE else source)}</td>'


def _assignee(item: Item, badge: Draw, avatar: Draw) -> str:
    name = item["assignee"]
    return f'<td class="p">{avatar(name, "staff" if name else "nobody", 24, hidden=False)}</td>'


def _moment(name: str) -> Callable[..., str]:
    return lambda item, badge, avatar: f'<td class="n">{time_tag(item[name])}</td>'


_CELLS: dict[str, Callable[..., str]] = {
    "priority": _priority,
    "number": _number,
    "subject": _subject,
    "customer": _text("customer"),
    "requester": _text("requester", _WIDE),
    "category": _text("category", _WIDE),
    "status": _status,
    "promise": _promise,
    "next_step": _step,
    "tags": _tags,
    "source": _source,
    "assignee": _assignee,
    "created": _moment("created_at"),
    "active": _moment("active_at"),
}
