"""Rows of the customer's list: written out here, since twenty of them by template were most of the page's time."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from markupsafe import Markup, escape

from portal.blueprints.drawing import next_step, time_tag

Draw = Callable[..., Markup]


def draw_rows(rows: Iterable[Mapping[str, Any]], badge: Draw, priority: Draw, avatar: Draw) -> Markup:
    """The rows of `presenters.list_row`, with the components of the list's template."""
    return Markup("").join(_row(item, badge, priority, avatar) for item in rows)


def _row(item: Mapping[str, Any], badge: Draw, priority: Draw, avatar: Draw) -> Markup:
    assignee = avatar(item["assignee"], "staff", 24, hidden=False) if item["assignee"] else "–"
    return Markup(  # noqa: S704 - escaped
        f'<tr class="is-linked" id="ticket-{item["id"]}" data-live-row>'
        f'<td class="td-number"><bdi>{escape(item["number"])}</bdi></td>'
        f'<td class="td-fill"><a class="cell-link" href="{escape(item["url"])}" dir="auto">'
        f"{escape(item['subject'])}</a>"
        f'<span class="cell-sub">{escape(item["category"])} · {escape(item["requester"])}</span></td>'
        f'<td class="nowrap">{badge(item["status"], plain=True, label=item["status_label"])}</td>'
        f'<td class="hide-rail">{priority(item["priority"], plain=True)}</td>'
        f'<td class="hide-narrow">{assignee}</td>'
        f'<td class="td-push">{next_step(item["step"])}</td>'
        f'<td class="td-end td-meta hide-narrow">{time_tag(item["updated_at"])}</td></tr>\n'
    )
