"""Rows of the queue and of the list beside a ticket: by template they were most of their pages' time.

Which columns narrow screens drop is in `assets/css/admin-pages.css`.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from uuid import UUID

from markupsafe import Markup, escape

from portal.blueprints.drawing import escaped, promise, shape, stamped, step_icon, time_tag
from portal.blueprints.localisation import gettext
from portal.lib.wording.tickets import PRIORITY

Draw = Callable[..., Markup]
_MARKS = {"low": "priority-1", "normal": "priority-2", "high": "priority-3", "urgent": "priority-urgent"}


def draw_rows(rows: Iterable[Mapping[str, Any]], badge: Draw, avatar: Draw) -> Markup:
    """The rows of `presenters.queue_rows`, with the components of the queue's template."""
    return Markup("".join([_row(item, badge, avatar) for item in rows]))  # noqa: S704 - escaped


def _row(item: Mapping[str, Any], badge: Draw, avatar: Draw) -> Markup:
    level, name = item["priority"], item["assignee"]
    urgent = ' class="is-urgent"' if level == "urgent" else ""
    return Markup(  # noqa: S704 - escaped
        f'<tr id="{escape(item["key"])}" data-live-row>'
        f'<td{urgent}>{shape(_MARKS[level])}<span class="sr-only">{escaped(gettext(PRIORITY[level]))}</span></td>'
        f"<td><bdi>{escape(item['number'])}</bdi></td>"
        f'<td><div class="cell-line" dir="auto"><a class="cell-link" href="{escape(item["url"])}">'
        f"{escape(item['subject'])}</a> <bdi>{escape(item['snippet'])}</bdi></div></td>"
        f'<td dir="auto">{escaped(item["customer"])}</td>'
        f"<td>{badge(item['status'], 'staff', plain=True, label=item['status_label'])}</td>"
        f"<td>{promise(item['promise'])}</td>"
        f"<td>{draw_step(item['step'])}</td>"
        f"<td>{avatar(name, 'staff' if name else 'nobody', 24, hidden=False)}</td>"
        f"<td>{time_tag(item['active_at'])}</td></tr>\n"
    )


def draw_step(step: Mapping[str, Any] | None) -> str:
    """A next step in as few words as a table has room for."""
    if step is None:
        return ""
    words = f"{escaped(step['text'])} <b>{escaped(step['when'])}</b>"
    return f'<span class="next">{step_icon(step["kind"])}<time{stamped(step["at"])}>{words}</time></span>'


def draw_neighbours(rows: Iterable[Mapping[str, Any]], current: UUID, priority: Draw) -> Markup:
    """The same rows as short entries of a list, that of the ticket at work marked."""
    return Markup("".join([_neighbour(item, item["id"] == current, priority) for item in rows]))  # noqa: S704 - escaped


def _neighbour(item: Mapping[str, Any], here: bool, priority: Draw) -> Markup:
    step, marked = item["step"], ' aria-current="true"' if here else ""
    coming = f"{escaped(step['text'])} <time{stamped(step['at'])}>{escaped(step['when'])}</time>" if step else ""
    return Markup(  # noqa: S704 - escaped
        f'<li class="queue-item" id="near-{item["id"]}"><div class="queue-line">'
        f"{priority(item['priority'], icon_only=True)}<bdi>{escape(item['number'])}</bdi>"
        f"{promise(item['promise']) or '<span></span>'}</div>"
        f'<a class="queue-title" dir="auto" href="{escape(item["url"])}"{marked}>{escape(item["subject"])}</a>'
        f'<div class="queue-line"><span class="truncate" dir="auto"><bdi>{escaped(item["customer"])}</bdi> · '
        f"<bdi>{escaped(item['requester'])}</bdi></span><span>{coming}</span></div></li>\n"
    )
