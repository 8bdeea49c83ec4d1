"""Rows of the customer's list of quotes: written out here, since by template they were most of the page's time."""

from collections.abc import Iterable, Mapping
from typing import Any

from markupsafe import Markup, escape

from portal.blueprints.drawing import escaped, shape
from portal.blueprints.localisation import gettext


def draw_rows(rows: Iterable[Mapping[str, Any]]) -> Markup:
    """The rows of `presenters.list_row`."""
    return Markup("".join([_row(row) for row in rows]))  # noqa: S704 - escaped


# The end of a cell goes without saying in HTML.
def _row(row: Mapping[str, Any]) -> str:
    number, badge = row["number"], row["badge"]
    about = f"{number} · {gettext('Version %(number)s', number=row['version'])}" if row["version"] > 1 else number
    plain = "" if row["waits"] else " plain"
    return (
        f'<tr class="is-linked" id="quote-{row["id"]}" data-live-row><td class="select-cell">'
        f'<input class="check row-select" type="checkbox" name="ids" value="{row["id"]}"'
        f' aria-label="{escape(gettext("Compare %(number)s", number=number))}">'
        f'<td class="td-fill"><a class="cell-link" href="{escape(row["url"])}" dir="auto">{escape(row["title"])}</a>'
        f'<span class="cell-sub">{escape(about)}</span>'
        f'<td class="nowrap hide-phone">{escaped(row["date"])}'
        f'<td class="nowrap hide-phone">{escaped(row["valid_until"])}'
        f'<td class="nowrap"><span class="badge tone-{badge["tone"]}{plain}">{shape(badge["shape"])}'
        f'{escaped(badge["label"])}</span><td class="td-end num nowrap">{escaped(row["total"])}</tr>\n'
    )
