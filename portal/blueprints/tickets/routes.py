"""The customer's tickets: the list, a new one, and one ticket."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from flask import flash, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import IntegrityError

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.files.receiving import FIELD as FILES
from portal.blueprints.files.receiving import KEPT, receive_files, still_attached, takes_files
from portal.blueprints.localisation import format_count, gettext, ngettext
from portal.blueprints.policies import permission
from portal.blueprints.tickets import actions as _actions
from portal.blueprints.tickets import case as _case
from portal.blueprints.tickets import colleagues as _colleagues
from portal.blueprints.tickets import following as _following
from portal.blueprints.tickets import presenters
from portal.blueprints.tickets import several as _several
from portal.blueprints.tickets.answers import PREFIX, shown_questions, typed_answers
from portal.blueprints.tickets.blueprint import bp
from portal.blueprints.tickets.filters import LIMITS, TABS, ListAddress
from portal.blueprints.tickets.hits import find_excerpts, mark_fields
from portal.blueprints.tickets.rows import draw_rows
from portal.blueprints.tickets.views import detail_context, prepared_text, request_key
from portal.errors import Invalid, NotFound
from portal.lib.paging import Page
from portal.lib.wording.errors import error_text
from portal.lib.wording.tickets import PRIORITY, STATUS_FOR_CUSTOMERS
from portal.models import TicketPriority
from portal.services.tickets.categories import find_fields
from portal.services.tickets.counting import read_list_head
from portal.services.tickets.detail import get_ticket_detail
from portal.services.tickets.field_answers import FIELD
from portal.services.tickets.listing import list_tickets
from portal.services.tickets.merging import final_ticket_id
from portal.services.tickets.near_misses import find_near_miss
from portal.services.tickets.opening import NewTicket, create_ticket
from portal.services.tickets.promise_preview import preview_promise
from portal.services.tickets.queries import get_ticket, list_categories
from portal.services.tickets.rows import TicketRow
from portal.services.tickets.validation import SUBJECT_LENGTH

# As much of a message as a line of the list has room for.
EXCERPT = 72
# The writing half of the blueprint registers itself when it is imported.
__all__ = ["_actions", "_case", "_colleagues", "_following", "_several", "bp"]


@bp.get("")
@permission(Permission.TICKETS_READ)
def index() -> ResponseReturnValue:
    """The list; everything about it is in the address."""
    address = ListAddress.read(request.args)
    actor, session, now = http.actor(), http.session(), http.now()
    try:
        page = list_tickets(session, address.filter(), actor=actor, now=now)
    except Invalid:
        # A cursor of another list or of an old version: the first page is the best answer.
        return http.see_other("tickets.index")
    fallback = http.tenant().locale
    base = http.address_of("tickets.index")
    rows = [presenters.list_row(row, actor.user_id, fallback, now, base) for row in page.items]
    if address.q:
        _show_hits(rows, page, address.q)
    head = read_list_head(session, TABS, actor=actor, now=now)
    counts, categories = head.counts, dict(presenters.categories_for(head.categories, fallback))
    context = {
        "rows": rows,
        "draw_rows": draw_rows,
        "page": page,
        "address": address,
        "tab_items": _tabs(address, counts),
        "chips": address.chips(categories),
        "categories": list(categories.items()),
        "statuses": [(key, gettext(label)) for key, label in STATUS_FOR_CUSTOMERS.items()],
        "priorities": [(key, gettext(label)) for key, label in PRIORITY.items()],
        "limits": (address.limit, [(n, address.url(limit=n)) for n in LIMITS]),
        "summary": _summary(page, counts[address.view], filtered=bool(address.chips(categories))),
        "has_any": counts["all"] > 0,
        "near_miss": None if rows else find_near_miss(session, address.without(), actor=actor, now=now),
        "more_url": _several.list_url("tickets.more", address),
        "whole_company": bool(actor.whole_company_ids),
    }
    return http.render_live("tickets/index.html", "tickets/_list.html", context)


@bp.route("/new", methods=["GET", "POST"])
@permission(Permission.TICKETS_CREATE)
@takes_files
def new() -> ResponseReturnValue:
    """The form for a new ticket; sent twice it still makes one."""
    if request.method != "POST":
        return _new_page(request.args, request_key=str(uuid4()))
    key = request_key()
    form = request.form
    received = receive_files()
    wanted = NewTicket(
        subject=form.get("subject", ""),
        description=form.get("description", ""),
        category=form.get("category", ""),
        priority=form.get("priority") or "normal",
        id=key,
        attachment_ids=received.ids,
        custom_fields=typed_answers(form),
    )
    if form.get("do") == "questions":
        # Without scripts a change of the category asks for its questions this way.
        return _new_page(form, request_key=str(key), files=received.ids)
    try:
        received.check()
        ticket = create_ticket(http.session(), wanted, actor=http.actor(), now=http.now())
        http.commit()
    except Invalid as error:
        http.session().rollback()
        return _new_page(form, request_key=str(key), error=error, files=received.ids)
    except IntegrityError:
        # The same form came before: lead to what it made.
        http.session().rollback()
        return http.see_other("tickets.detail", ticket_id=key)
    flash(gettext("Ticket %(number)s sent", number=ticket.ticket_number), "ok")
    return http.see_other("tickets.detail", ticket_id=ticket.id)


@bp.get("/new/promise")
@permission(Permission.TICKETS_CREATE)
def promise() -> ResponseReturnValue:
    """What a ticket of this category and priority would be promised: the part of the form that follows both."""
    return render_template("tickets/_new_promise.html", promise=_promise(request.args))


@bp.get("/new/questions")
@permission(Permission.TICKETS_CREATE)
def questions() -> ResponseReturnValue:
    """What a ticket of this category is asked: the part of the form that follows it, with what was typed."""
    category = request.args.get("category", "")
    asked = shown_questions(find_fields(http.session(), category), request.args, {})
    return render_template("tickets/_questions.html", questions=asked, chosen_category=category)


@bp.get("/<uuid:ticket_id>")
@permission(Permission.TICKETS_READ)
def detail(ticket_id: UUID) -> ResponseReturnValue:
    """One ticket with its promise, what happens next, and the conversation."""
    found = get_ticket_detail(http.session(), ticket_id, actor=http.actor())
    if found.ticket.merged_into_id is not None and (onward := _onward(ticket_id)):
        return onward
    context = detail_context(found)
    if "prepared" in request.args:
        context["reply"] = prepared_text(ticket_id, request.args["prepared"])
    return http.render_live("tickets/detail.html", "tickets/_live.html", context)


def _show_hits(rows: list[dict[str, Any]], page: Page[TicketRow], words: str) -> None:
    excerpts = find_excerpts(page, words, EXCERPT)
    for row in rows:
        row["excerpt"] = excerpts.get(row["id"], "")
        mark_fields(row, ("subject", "number", "requester", "excerpt"), words)


def _onward(ticket_id: UUID) -> ResponseReturnValue | None:
    """To the ticket in which the conversation of a merged one goes on, where the reader may see it."""
    try:
        target = get_ticket(http.session(), final_ticket_id(http.session(), ticket_id), actor=http.actor())
    except NotFound:
        return None
    flash(gettext("Your ticket was merged into this one, %(number)s.", number=target.ticket_number), "ok")
    return http.see_other("tickets.detail", ticket_id=target.id)


def _new_page(
    form: Any, *, request_key: str, error: Invalid | None = None, files: tuple[UUID, ...] = ()
) -> ResponseReturnValue:
    errors: dict[str, str] = {}
    for item in error.errors if error else ():
        field = FILES if item.field == KEPT else item.field
        field = field.replace(f"{FIELD}.", PREFIX)
        text = error_text(item.code, dict(item.params), gettext)
        # Each file has its own reason; of every other field the first one is enough.
        errors[field] = f"{errors[field]} {text}" if field == FILES and field in errors else errors.get(field, text)
    rows = list_categories(http.session())
    categories = presenters.categories_for(rows, http.tenant().locale)
    chosen = form.get("category") or (categories[0][0] if categories else "")
    page = render_template(
        "tickets/new.html",
        form=form,
        errors=errors,
        request_key=request_key,
        categories=categories,
        promise=_promise({"category": chosen, "priority": form.get("priority")}),
        questions=shown_questions(next((row.fields for row in rows if row.key == chosen), ()), form, errors),
        chosen_category=chosen,
        priorities=[(key, gettext(PRIORITY[key])) for key in http.tenant().tickets.priorities],
        subject_length=SUBJECT_LENGTH,
        kept_files=still_attached(files),
        file_limit=http.tenant().files.max_mb,
    )
    return page, 422 if error else 200


def _promise(form: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = preview_promise(
        http.session(),
        category=str(form.get("category") or ""),
        priority=str(form.get("priority") or TicketPriority.NORMAL.value),
        actor=http.actor(),
        now=http.now(),
    )
    return presenters.promised(found, http.now())


def _tabs(address: ListAddress, counts: dict[str, int]) -> list[dict[str, Any]]:
    labels = {
        "open": gettext("Open"),
        "waiting": gettext("Waiting on you"),
        "solved": gettext("Resolved"),
        "all": gettext("All"),
    }
    return [
        {
            "label": labels[view],
            "url": ListAddress(view=view).url(),
            "count": format_count(counts[view]),
            "current": view == address.view and not address.status,
        }
        for view in TABS
    ]


def _summary(page: Page[TicketRow], total: int, *, filtered: bool) -> str:
    shown = len(page.items)
    if not filtered:
        return str(gettext("%(shown)s of %(total)s tickets", shown=shown, total=format_count(total)))
    text = str(ngettext("%(num)d ticket", "%(num)d tickets", shown))
    more = page.next_cursor or page.previous_cursor
    return str(gettext("%(tickets)s on this page", tickets=text)) if more else text
