"""The customer's tickets: list, new, one ticket, and what can be done to it."""

from typing import Any
from uuid import UUID, uuid4

from flask import Blueprint, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.exc import IntegrityError

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.localisation import format_count, format_moment
from portal.blueprints.policies import permission
from portal.blueprints.tickets import presenters
from portal.blueprints.tickets.filters import LIMITS, TABS, ListAddress
from portal.errors import Conflict, DomainError, Invalid
from portal.lib.wording.errors import error_text
from portal.lib.wording.tickets import PRIORITY, STATUS_FOR_CUSTOMERS
from portal.services.tickets import conversation, lifecycle
from portal.services.tickets.detail import TicketDetail, get_ticket_detail
from portal.services.tickets.listing import list_tickets, read_list_head
from portal.services.tickets.opening import NewTicket, create_ticket
from portal.services.tickets.queries import list_categories
from portal.services.tickets.validation import SUBJECT_LENGTH

bp = Blueprint("tickets", __name__, url_prefix="/portal/tickets")


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
    rows = [presenters.list_row(row, actor.user_id, fallback, now) for row in page.items]
    head = read_list_head(session, TABS, actor=actor, now=now)
    counts, categories = head.counts, dict(presenters.categories_for(head.categories, fallback))
    context = {
        "rows": rows,
        "page": page,
        "address": address,
        "tab_items": _tabs(address, counts),
        "chips": address.chips(categories),
        "categories": list(categories.items()),
        "statuses": [(key, gettext(label)) for key, label in STATUS_FOR_CUSTOMERS.items()],
        "priorities": [(key, gettext(label)) for key, label in PRIORITY.items()],
        "limits": (address.limit, [(n, address.url(limit=n)) for n in LIMITS]),
        "summary": _summary(len(rows), counts[address.view]),
        "has_any": counts["all"] > 0,
    }
    return _live("tickets/index.html", "tickets/_list.html", context)


@bp.route("/new", methods=["GET", "POST"])
@permission(Permission.TICKETS_CREATE)
def new() -> ResponseReturnValue:
    """The form for a new ticket; sent twice it still makes one."""
    if request.method == "GET":
        return _new_page(request.args, request_key=str(uuid4()))
    key = _request_key()
    form = request.form
    wanted = NewTicket(
        subject=form.get("subject", ""),
        description=form.get("description", ""),
        category=form.get("category", ""),
        priority=form.get("priority") or "normal",
        id=key,
    )
    try:
        ticket = create_ticket(http.session(), wanted, actor=http.actor(), now=http.now())
        http.commit()
    except Invalid as error:
        http.session().rollback()
        return _new_page(form, request_key=str(key), error=error)
    except IntegrityError:
        # The same form came before: lead to what it made.
        http.session().rollback()
        return http.see_other("tickets.detail", ticket_id=key)
    return http.see_other("tickets.detail", ticket_id=ticket.id)


@bp.get("/<uuid:ticket_id>")
@permission(Permission.TICKETS_READ)
def detail(ticket_id: UUID) -> ResponseReturnValue:
    """One ticket with its promise, what happens next, and the conversation."""
    found = get_ticket_detail(http.session(), ticket_id, actor=http.actor())
    return _live("tickets/detail.html", "tickets/_live.html", _detail_context(found))


@bp.post("/<uuid:ticket_id>/reply")
@permission(Permission.TICKETS_REPLY)
def reply(ticket_id: UUID) -> ResponseReturnValue:
    """Add an answer; what cannot be sent stays in the box."""
    message = request.form.get("message", "")
    try:
        entry = conversation.reply_as_customer(
            http.session(),
            ticket_id,
            message=message,
            actor=http.actor(),
            now=http.now(),
            message_id=_request_key(),
        )
        http.commit()
    except (Invalid, Conflict) as error:
        return _again(ticket_id, error, reply=message)
    except IntegrityError:
        http.session().rollback()
        return http.see_other("tickets.detail", ticket_id=ticket_id)
    return http.see_other("tickets.detail", ticket_id=ticket_id, _anchor=f"message-{entry.id}")


@bp.post("/<uuid:ticket_id>/close")
@permission(Permission.TICKETS_CLOSE)
def close(ticket_id: UUID) -> ResponseReturnValue:
    """Close the ticket."""
    return _act(ticket_id, lifecycle.close_ticket)


@bp.post("/<uuid:ticket_id>/reopen")
@permission(Permission.TICKETS_CLOSE)
def reopen(ticket_id: UUID) -> ResponseReturnValue:
    """Take the ticket up again."""
    return _act(ticket_id, lifecycle.reopen_ticket)


@bp.route("/<uuid:ticket_id>/cancel", methods=["GET", "POST"])
@permission(Permission.TICKETS_CLOSE)
def cancel(ticket_id: UUID) -> ResponseReturnValue:
    """Withdraw the ticket, with a reason."""
    if request.method == "GET":
        return _cancel_page(ticket_id)
    reason = request.form.get("reason", "")
    try:
        lifecycle.cancel_ticket(http.session(), ticket_id, reason=reason, actor=http.actor(), now=http.now())
        http.commit()
    except Invalid as error:
        http.session().rollback()
        return _cancel_page(ticket_id, reason=reason, error=error)
    except Conflict as error:
        return _again(ticket_id, error)
    return http.see_other("tickets.detail", ticket_id=ticket_id)


@bp.post("/<uuid:ticket_id>/rate")
@permission(Permission.TICKETS_RATE)
def rate(ticket_id: UUID) -> ResponseReturnValue:
    """Rate the solution, once."""
    given = request.form.get("rating", "")
    rating = int(given) if given.isascii() and given.isdigit() and len(given) == 1 else 0
    return _act(ticket_id, lifecycle.rate_ticket, rating=rating, comment=request.form.get("comment", ""))


def _act(ticket_id: UUID, service: Any, **fields: Any) -> ResponseReturnValue:
    try:
        service(http.session(), ticket_id, actor=http.actor(), now=http.now(), **fields)
        http.commit()
    except (Invalid, Conflict) as error:
        return _again(ticket_id, error)
    return http.see_other("tickets.detail", ticket_id=ticket_id)


def _again(ticket_id: UUID, error: DomainError, reply: str = "") -> ResponseReturnValue:
    """The ticket's page with what went wrong, and what was typed."""
    http.session().rollback()
    found = get_ticket_detail(http.session(), ticket_id, actor=http.actor())
    context = _detail_context(found)
    if isinstance(error, Invalid):
        texts = [error_text(item.code, dict(item.params), gettext) for item in error.errors]
        field = error.errors[0].field if error.errors else ""
        context |= {"reply_errors": texts} if field == "message" else {"problem": " ".join(texts)}
    else:
        context["problem"] = error_text(error.code, error.params, gettext)
    status = 422 if isinstance(error, Invalid) else 409
    return render_template("tickets/detail.html", **context | {"reply": reply}), status


def _request_key() -> UUID:
    try:
        return UUID(request.form.get("request_key", ""))
    except ValueError:
        return uuid4()


def _live(page: str, fragment: str, context: dict[str, Any]) -> ResponseReturnValue:
    """The page; or the part of it that an open page fetches again, with an ETag."""
    if not http.wants_fragment() and request.headers.get("X-Portal-Live") != "1":
        return render_template(page, **context)
    answer = make_response(render_template(fragment, **context))
    answer.add_etag()
    return answer.make_conditional(request)


def _detail_context(found: TicketDetail) -> dict[str, Any]:
    actor, now, tenant = http.actor(), http.now(), http.tenant()
    panel = presenters.promise_panel(found.ticket, now)
    return {
        "ticket": found.ticket,
        "row": found.row,
        "category": found.row.category.name_in(presenters.current_locale(), tenant.locale),
        "step": presenters.step_view(found.row.next_step, now),
        "promise": panel,
        "timeline_entries": presenters.timeline(found, now),
        "entries": presenters.conversation(found, actor.user_id, tenant.name),
        "actions": presenters.allowed_actions(found.ticket),
        "opened": format_moment(found.ticket.created_at),
        "request_key": str(uuid4()),
        "reply": "",
        "reply_errors": [],
        "problem": None,
    }


def _new_page(form: Any, *, request_key: str, error: Invalid | None = None) -> ResponseReturnValue:
    errors: dict[str, str] = {}
    for item in error.errors if error else ():
        errors.setdefault(item.field, error_text(item.code, dict(item.params), gettext))
    page = render_template(
        "tickets/new.html",
        form=form,
        errors=errors,
        request_key=request_key,
        categories=[(row["category_key"], row["category"]) for row in _category_options()],
        priorities=[(key, gettext(label)) for key, label in PRIORITY.items()],
        subject_length=SUBJECT_LENGTH,
    )
    return page, 422 if error else 200


def _cancel_page(ticket_id: UUID, reason: str = "", error: Invalid | None = None) -> ResponseReturnValue:
    found = get_ticket_detail(http.session(), ticket_id, actor=http.actor())
    texts = [error_text(item.code, dict(item.params), gettext) for item in error.errors] if error else []
    page = render_template("tickets/cancel.html", ticket=found.ticket, reason=reason, errors=texts)
    return page, 422 if error else 200


def _category_options() -> list[dict[str, str]]:
    rows = list_categories(http.session())
    names = presenters.categories_for(rows, http.tenant().locale)
    return [{"category_key": key, "category": name} for key, name in names]


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
            "url": url_for("tickets.index", **({"view": view} if view != "open" else {})),
            "count": format_count(counts[view]),
            "current": view == address.view and not address.status,
        }
        for view in TABS
    ]


def _summary(shown: int, total: int) -> str:
    return gettext("%(shown)s of %(total)s tickets", shown=shown, total=format_count(total))
