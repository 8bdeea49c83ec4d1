"""Rows of the customer's list: written out here, since twenty of them by template were most of the page's time."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from markupsafe import Markup, escape

from portal.blueprints.drawing import escaped, next_step, time_tag

Draw = Callable[..., Markup]


def draw_rows(rows: Iterable[Mapping[str, Any]], badge: Draw, priority: Draw, avatar: Draw) -> Markup:
    """The rows of `presenters.list_row`, with the components of the list's template."""
    return Markup("".join([_row(item, badge, priority, avatar) for item in rows]))  # noqa: S704 - escaped


# The end of a cell goes without saying in HTML; twenty rows of them made the page too large.
def _row(item: Mapping[str, Any], badge: Draw, priority: Draw, avatar: Draw) -> Markup:
    assignee = avatar(item["assignee"], "staff", 24, hidden=False) if item["assignee"] else "–"
    excerpt = f'<span class="cell-sub" dir="auto">{escape(item["excerpt"])}</span>' if item.get("excerpt") else ""
    return Markup(  # noqa: S704 - escaped
        f'<tr class="is-linked" id="{item["id"]}" data-live-row>'
        f'<td class="td-number"><bdi>{escaped(item["number"])}</bdi>'
        f'<td class="td-fill"><a class="cell-link" href="{escaped(item["url"])}" dir="auto">'
        f"{escape(item['subject'])}</a>"
        f'<span class="cell-sub">{escaped(item["category"])} · {escaped(item["requester"])}</span>{excerpt}'
        f'<td class="nowrap">{badge(item["status"], plain=True, label=item["status_label"])}'
        f'<td class="hide-rail">{priority(item["priority"], plain=True)}'
        f'<td class="hide-narrow">{assignee}'
        f'<td class="td-push">{next_step(item["step"])}'
        f'<td class="td-when">{time_tag(item["updated_at"])}</tr>\n'
    )
