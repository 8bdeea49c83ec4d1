"""The list as a whole: chosen tickets closed, cancelled or taken out as files, and the reader's saved views."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.localisation import current_locale, gettext
from portal.blueprints.policies import permission
from portal.blueprints.tickets.blueprint import bp
from portal.blueprints.tickets.exporting import FORMATS, MOST_CHOSEN, send_tickets
from portal.blueprints.tickets.filters import ListAddress
from portal.blueprints.tickets.presenters import categories_for
from portal.blueprints.tickets.views import field_texts, offered_actions
from portal.errors import Conflict, Invalid
from portal.lib.wording.errors import error_text
from portal.lib.wording.tickets import STATUS_FOR_CUSTOMERS
from portal.services.tickets.ending import EndingResult, end_tickets
from portal.services.tickets.listing import TicketFilter, list_tickets
from portal.services.tickets.own_views import FILTERS, delete_view, list_own_views, rename_view, save_view
from portal.services.tickets.queries import get_ticket, list_categories

SELECTABLE = 100


@bp.get("/more")
@permission(Permission.TICKETS_READ)
def more() -> ResponseReturnValue:
    """What can be done with the whole list; a script shows it in a drawer."""
    return _more_page(ListAddress.read(request.args))


@bp.get("/select")
@permission(Permission.TICKETS_READ)
def select() -> ResponseReturnValue:
    """The list's tickets with a box before each; works without scripts and by touch."""
    address = ListAddress.read(request.args)
    return _select_page(address)


@bp.get("/bulk-bar")
@permission(Permission.TICKETS_CLOSE)
def bulk_bar() -> ResponseReturnValue:
    """The bar that a script shows below the list once something is chosen."""
    return render_template("tickets/_bulk_bar.html")


@bp.get("/<uuid:ticket_id>/menu")
@permission(Permission.TICKETS_READ)
def menu(ticket_id: UUID) -> ResponseReturnValue:
    """What can be done with one ticket in its state; a script shows it beside the row."""
    ticket = get_ticket(http.session(), ticket_id, actor=http.actor())
    return render_template("tickets/_menu.html", ticket=ticket, actions=offered_actions(ticket))


@bp.post("/bulk")
@permission(Permission.TICKETS_CLOSE)
def bulk() -> ResponseReturnValue:
    """Close or cancel what was chosen and say what came of each; cancelling asks for the reason first."""
    ids, action = _ids(request.form.getlist("ids")), request.form.get("action", "")
    if not ids or action not in ("close", "cancel"):
        flash(gettext("Choose at least one ticket."), "err")
        return http.see_other("tickets.select")
    if action == "cancel" and "reason" not in request.form:
        return render_template("tickets/bulk_reason.html", ids=ids, errors=[], reason="")
    reason = request.form.get("reason", "")
    try:
        results = end_tickets(
            http.session(),
            ids,
            action="close" if action == "close" else "cancel",
            reason=reason,
            actor=http.actor(),
            now=http.now(),
        )
    except Invalid as error:
        http.session().rollback()
        page = render_template("tickets/bulk_reason.html", ids=ids, errors=field_texts(error), reason=reason)
        return page, 422
    http.commit()
    return render_template(
        "tickets/bulk_result.html",
        results=[_told(result) for result in results],
        done=sum(result.ok for result in results),
    )


@bp.get("/export")
@permission(Permission.TICKETS_READ)
def export() -> ResponseReturnValue:
    """What the list shows, or what was chosen in it, as CSV or PDF."""
    address = ListAddress.read(request.args)
    ids = _ids(request.args.getlist("ids"))[:MOST_CHOSEN]
    form = request.args.get("format", "")
    categories = dict(categories_for(list_categories(http.session()), http.tenant().locale))
    # What was chosen is meant whatever the list's filters say.
    wanted = TicketFilter(view="all") if ids else address.filter()
    filters = {} if ids else {chip["field"]: chip["value"] for chip in address.chips(categories)}
    return send_tickets(form if form in FORMATS else "csv", wanted, ids, filters)


@bp.post("/views")
@permission(Permission.TICKETS_READ)
def keep_view() -> ResponseReturnValue:
    """Keep the list's filters under a name."""
    address = ListAddress.read(request.form)
    name = request.form.get("name", "")
    try:
        save_view(http.session(), name, address_filters(address), actor=http.actor(), now=http.now())
        http.commit()
    except (Invalid, Conflict) as error:
        http.session().rollback()
        return _more_page(address, name=name, error=error), 422 if isinstance(error, Invalid) else 409
    flash(gettext("View saved"), "ok")
    return redirect(address.url(), code=303)


@bp.post("/views/<uuid:view_id>/rename")
@permission(Permission.TICKETS_READ)
def rename_saved_view(view_id: UUID) -> ResponseReturnValue:
    """Give a view another name."""
    try:
        rename_view(http.session(), view_id, request.form.get("name", ""), actor=http.actor(), now=http.now())
        http.commit()
        flash(gettext("View renamed"), "ok")
    except Invalid as error:
        http.session().rollback()
        flash(" ".join(field_texts(error)), "err")
    return http.see_other("tickets.more")


@bp.post("/views/<uuid:view_id>/delete")
@permission(Permission.TICKETS_READ)
def delete_saved_view(view_id: UUID) -> ResponseReturnValue:
    """Forget a view."""
    delete_view(http.session(), view_id, actor=http.actor(), now=http.now())
    http.commit()
    flash(gettext("View deleted"), "ok")
    return http.see_other("tickets.more")


def address_filters(address: ListAddress) -> dict[str, str]:
    """What a view keeps of an address: what the address itself would say."""
    return {name: getattr(address, name) for name in FILTERS if getattr(address, name)}


def _more_page(address: ListAddress, *, name: str = "", error: Invalid | Conflict | None = None) -> str:
    errors: list[str] = []
    if isinstance(error, Invalid):
        errors = field_texts(error)
    elif error is not None:
        errors = [error_text(error.code, error.params, gettext)]
    fragment = http.wants_fragment() and error is None
    return render_template(
        "tickets/_more.html" if fragment else "tickets/more.html",
        views=[(view, ListAddress.read(_as_args(view.filters)).url()) for view in _own_views()],
        hidden=address_filters(address),
        select_url=list_url("tickets.select", address),
        csv_url=list_url("tickets.export", address, format="csv"),
        pdf_url=list_url("tickets.export", address, format="pdf"),
        name=name,
        errors=errors,
    )


def _own_views() -> list[Any]:
    return list_own_views(http.session(), actor=http.actor())


def _as_args(filters: dict[str, str]) -> MultiDict[str, str]:
    return MultiDict(filters)


def list_url(endpoint: str, address: ListAddress, **more: str) -> str:
    """The address of something about the list, with its filters."""
    query = address.url().partition("?")[2]
    own = http.address_of(endpoint, **more)
    return own + (("&" if "?" in own else "?") + query if query else "")


def _select_page(address: ListAddress) -> ResponseReturnValue:
    wanted = replace(address.filter(), limit=SELECTABLE, cursor=None)
    page = list_tickets(http.session(), wanted, actor=http.actor(), now=http.now())
    locale, fallback = current_locale(), http.tenant().locale
    rows = [
        {
            "id": row.ticket.id,
            "number": row.ticket.ticket_number,
            "subject": row.ticket.subject,
            "category": row.category.name_in(locale, fallback),
            "status": row.ticket.status.value,
        }
        for row in page.items
    ]
    return render_template(
        "tickets/select.html", rows=rows, back=address.url(), statuses=STATUS_FOR_CUSTOMERS, most=SELECTABLE
    )


def _ids(given: list[str]) -> list[UUID]:
    found = []
    for text in (part for one in given for part in one.split(",")):
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found


def _told(result: EndingResult) -> dict[str, Any]:
    words = {"closed": gettext("Closed"), "cancelled": gettext("Cancelled")}
    text = words.get(result.code) or error_text(result.code, result.params, gettext)
    return {"id": result.id, "number": result.number, "ok": result.ok, "text": text}
