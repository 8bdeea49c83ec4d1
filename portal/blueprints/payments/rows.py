"""Rows of the payment history: written out here, since by template they were most of the page's time."""

from collections.abc import Iterable, Mapping
from typing import Any

from markupsafe import Markup, escape

from portal.blueprints import http
from portal.blueprints.drawing import escaped, icon, shape
from portal.blueprints.localisation import gettext


def draw_rows(rows: Iterable[Mapping[str, Any]]) -> Markup:
    """The rows of `presenters.present_payment`."""
    base = http.address_of("payments.index")
    return Markup("".join([_row(row, f"{base}/{row['id']}") for row in rows]))  # noqa: S704 - escaped


# The end of a cell goes without saying in HTML.
def _row(row: Mapping[str, Any], url: str) -> str:
    numbers = ", ".join(one["number"] for one in row["invoices"])
    about = f"{row['number']} · {numbers}" if numbers else row["number"]
    badge = row["badge"]
    return (
        f'<tr class="is-linked" id="payment-{row["id"]}"><td class="hide-phone td-meta nowrap">{escaped(row["day"])}'
        f'<td class="td-fill"><a class="cell-link" href="{escape(url)}" dir="auto">'
        f'{escape(row["service"] or row["number"])}</a><span class="cell-sub">{escape(about)}</span>'
        f'<td class="td-end num"><bdi>{escaped(row["amount"])}</bdi>'
        f'<td class="hide-narrow nowrap"><bdi>{escaped(row["method"])}</bdi>'
        f'<td class="nowrap"><span class="badge tone-{badge["tone"]} plain">{shape(badge["shape"])}'
        f'{escaped(badge["label"])}</span><td class="td-end nowrap">{_receipt(row, url)}</tr>\n'
    )


def _receipt(row: Mapping[str, Any], url: str) -> str:
    if not row["has_receipt"]:
        return ""
    named = escape(gettext("Receipt of %(number)s", number=row["number"]))
    words = f'<span>PDF</span><span class="sr-only"> {named}</span>'
    return f'<a href="{escape(url)}/receipt" class="button button-quiet button-small">{icon("download")}{words}</a>'
