"""The customer's quotes: the list, one of them, and several side by side (H6.1, H6.2, H6.10)."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from flask import render_template, request
from flask.typing import ResponseReturnValue

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.localisation import format_count, gettext
from portal.blueprints.policies import permission
from portal.blueprints.quotes import answers as _answers
from portal.blueprints.quotes import limits as _limits
from portal.blueprints.quotes import wishes as _wishes
from portal.blueprints.quotes.blueprint import bp
from portal.blueprints.quotes.document import send_document, send_signed
from portal.blueprints.quotes.presenters import comparison_view, list_row, request_view
from portal.blueprints.quotes.rows import draw_rows
from portal.blueprints.quotes.views import follow_up, show_quote
from portal.errors import Invalid
from portal.lib.wording.quotes import STATUS_FOR_CUSTOMERS
from portal.models import QuoteStatus
from portal.services.quotes.comparing import MOST, compare_quotes
from portal.services.quotes.detail import get_quote_detail
from portal.services.quotes.listing import QuoteFilter, count_by_status, list_quotes
from portal.services.quotes.requests import list_requests
from portal.services.quotes.viewing import add_time, record_view

# The writing parts of the blueprint register themselves when they are imported.
__all__ = ["_answers", "_limits", "_wishes", "bp"]
WAITING = 4


@bp.get("")
@permission(Permission.QUOTES_READ)
def index() -> ResponseReturnValue:
    """The list; state and words are in the address."""
    actor, session, now = http.actor(), http.session(), http.now()
    chosen = _state(request.args.get("status"))
    words = request.args.get("q", "")[:200]
    cursor = request.args.get("cursor")
    wanted = QuoteFilter(status=(chosen,) if chosen else (), q=words, cursor=cursor)
    try:
        page = list_quotes(session, wanted, actor=actor, now=now)
    except Invalid:
        return http.see_other("quotes.index")
    counts = count_by_status(session, actor=actor, now=now)
    kept = {"status": chosen.value if chosen else None, "q": words or None}
    return render_template(
        "quotes/index.html",
        rows=[list_row(row, now) for row in page.items],
        page=page,
        tab_items=_tabs(counts, chosen),
        words=words,
        status=chosen.value if chosen else "",
        kept={name: value for name, value in kept.items() if value},
        has_any=bool(counts),
        wishes=[request_view(row) for row in list_requests(session, waiting=True, actor=actor)] if not cursor else [],
        draw_rows=draw_rows,
        may_ask=actor.may(Permission.QUOTES_REQUEST),
        may_rule=actor.may(Permission.COMPANY_MANAGE),
    )


@bp.get("/<uuid:quote_id>")
@permission(Permission.QUOTES_READ)
def detail(quote_id: UUID) -> ResponseReturnValue:
    """One version; that it is looked at is noted. An open page of an accepted one asks for what has come of it."""
    found = get_quote_detail(http.session(), quote_id, actor=http.actor(), now=http.now())
    if http.wants_fragment():
        return render_template("quotes/_follow_up.html", follow_up=follow_up(found))
    if request.method != "HEAD":
        record_view(http.session(), found.quote, actor=http.actor(), now=http.now())
        http.commit()
    return show_quote(found)


@bp.post("/<uuid:quote_id>/time")
@permission(Permission.QUOTES_READ)
def time_spent(quote_id: UUID) -> ResponseReturnValue:
    """The open page says how many more seconds it was looked at."""
    given = request.form.get("seconds", "")
    seconds = int(given) if given.isascii() and given.isdigit() and len(given) < 4 else 0
    add_time(http.session(), quote_id, seconds=seconds, actor=http.actor(), now=http.now())
    http.commit()
    return "", 204


@bp.get("/<uuid:quote_id>/pdf")
@permission(Permission.QUOTES_READ)
def pdf(quote_id: UUID) -> ResponseReturnValue:
    """The version as a download."""
    return send_document(get_quote_detail(http.session(), quote_id, actor=http.actor(), now=http.now()))


@bp.get("/<uuid:quote_id>/signed.pdf")
@permission(Permission.QUOTES_READ)
def signed(quote_id: UUID) -> ResponseReturnValue:
    """The accepted version with the evidence of its signature, sealed."""
    return send_signed(quote_id)


@bp.get("/compare")
@permission(Permission.QUOTES_READ)
def compare() -> ResponseReturnValue:
    """Several quotes or versions side by side."""
    try:
        found = compare_quotes(http.session(), _ids(request.args.getlist("ids")), actor=http.actor())
    except Invalid:
        # Whoever comes by the button with nothing chosen is told what to choose, and has done nothing wrong.
        page = render_template("quotes/compare.html", compared=None, most=MOST)
        return page, 422 if request.args.getlist("ids") else 200
    return render_template("quotes/compare.html", compared=comparison_view(found, http.now()), most=MOST)


@bp.get("/widget")
@permission(Permission.QUOTES_READ)
def widget() -> ResponseReturnValue:
    """The dashboard's part: the newest quotes, those that wait first (H1.8)."""
    page = list_quotes(http.session(), QuoteFilter(limit=25), actor=http.actor(), now=http.now())
    rows = sorted((list_row(row, http.now()) for row in page.items), key=lambda row: not row["waits"])
    return render_template("quotes/_widget.html", rows=rows[:WAITING])


def _ids(given: Collection[str]) -> list[UUID]:
    found = []
    for text in given:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found


def _state(given: str | None) -> QuoteStatus | None:
    return QuoteStatus(given) if given in STATUS_FOR_CUSTOMERS else None


def _tabs(counts: dict[str, int], chosen: QuoteStatus | None) -> list[dict[str, Any]]:
    tabs = [
        {
            "label": gettext("All"),
            "url": http.address_of("quotes.index"),
            "count": format_count(sum(counts.values())),
            "current": chosen is None,
        }
    ]
    for key, label in STATUS_FOR_CUSTOMERS.items():
        if counts.get(key) or (chosen and chosen.value == key):
            tabs.append(
                {
                    "label": gettext(label),
                    "url": http.address_of("quotes.index", status=key),
                    "count": format_count(counts.get(key, 0)),
                    "current": chosen is not None and chosen.value == key,
                }
            )
    return tabs
