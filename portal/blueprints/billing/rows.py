"""Rows of the customer's list of invoices: written out here, since by template they were most of the page's time."""

from collections.abc import Iterable, Mapping
from typing import Any

from markupsafe import Markup, escape

from portal.blueprints.drawing import escaped, icon, shape
from portal.blueprints.localisation import gettext


def draw_rows(rows: Iterable[Mapping[str, Any]]) -> Markup:
    """The rows of `presenters.list_row`."""
    return Markup("".join([_row(row) for row in rows]))  # noqa: S704 - escaped


# The end of a cell goes without saying in HTML.
def _row(row: Mapping[str, Any]) -> str:
    number, kind, left = escape(row["number"]), row["kind"], row["outstanding"]
    of_kind = f'<span class="cell-sub">{escaped(kind)}</span>' if kind else ""
    still_open = f'<span class="cell-sub">{escape(gettext("%(amount)s open", amount=left))}</span>' if left else ""
    return (
        f'<tr class="is-linked" id="invoice-{row["id"]}"><td class="select-cell"><input class="check" type="checkbox"'
        f' name="ids" form="archive" value="{row["id"]}" aria-label="{number}">'
        f'<td class="td-fill"><a class="cell-link" href="{escape(row["url"])}" dir="auto">{number}</a>{of_kind}'
        f'<td>{_badge(row["badge"])}<span class="cell-sub">{escaped(row["note"])}</span>'
        f'<td class="nowrap hide-phone">{escaped(row["issued_on"])}'
        f'<td class="nowrap hide-phone">{escaped(row["due_on"])}'
        f'<td class="td-end tabular nowrap"><bdi>{escaped(row["total"])}</bdi>{still_open}'
        f'<td class="td-end nowrap">{_action(row)}</tr>\n'
    )


def _badge(badge: Mapping[str, str]) -> str:
    return f'<span class="badge tone-{badge["tone"]}">{shape(badge["shape"])}{escaped(badge["label"])}</span>'


def _action(row: Mapping[str, Any]) -> str:
    url = escape(row["url"])
    if row["payable"]:
        label = gettext("Retry") if row["failed"] else gettext("Pay Now")
        return f'<a href="{url}#pay" class="button button-small"><span>{escaped(label)}</span></a>'
    named = escape(gettext("PDF of %(number)s", number=row["number"]))
    quiet = f'class="button button-quiet button-small" aria-label="{named}"'
    return f'<a href="{url}/pdf" {quiet}>{icon("download")}<span>PDF</span></a>'
