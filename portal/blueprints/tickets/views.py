"""What the ticket's page is drawn from, also after something could not be done."""

from typing import Any
from uuid import UUID, uuid4

from flask import render_template, request
from flask.typing import ResponseReturnValue

from portal.blueprints import http
from portal.blueprints.files.receiving import still_attached
from portal.blueprints.localisation import current_locale, format_moment, gettext
from portal.blueprints.tickets import presenters
from portal.blueprints.tickets.labels import own_for_customers
from portal.errors import DomainError, Invalid
from portal.lib.wording.errors import error_text
from portal.models import Ticket
from portal.services.tickets.detail import TicketDetail, get_ticket_detail
from portal.services.tickets.editing import list_editable
from portal.services.tickets.escalation_request import is_waiting
from portal.services.tickets.prepared import offer_replies
from portal.services.tickets.standing import decides


def detail_context(found: TicketDetail) -> dict[str, Any]:
    """The names that the ticket's page reads."""
    actor, now, tenant = http.actor(), http.now(), http.tenant()
    actions = offered_actions(found.ticket)
    if is_waiting(found.events, found.messages):
        actions.discard("escalate")
    return {
        "ticket": found.ticket,
        "status_label": own_for_customers(found.ticket.custom_status),
        "row": found.row,
        "category": found.row.category.name_in(current_locale(), tenant.locale),
        "step": presenters.step_view(found.row.next_step, now),
        "promise": presenters.promise_panel(found.ticket, now),
        "timeline_entries": presenters.timeline(found, now),
        "entries": presenters.conversation(found, actor.user_id, tenant.name, _editable(found)),
        "actions": actions,
        "opened": format_moment(found.ticket.created_at),
        "request_key": str(uuid4()),
        "reply": "",
        "reply_errors": [],
        "problem": None,
        "kept_files": [],
    }


def _editable(found: TicketDetail) -> set[UUID]:
    """The reader's messages that may still be edited."""
    return list_editable(found.ticket, found.messages, http.tenant().tickets, actor=http.actor(), now=http.now())


def offered_actions(ticket: Ticket) -> set[str]:
    """What the page offers this reader in this state: colleagues whom it is shared with may answer, no more."""
    actions = presenters.allowed_actions(ticket, http.tenant().tickets, http.now())
    return actions if decides(ticket, http.actor()) else actions & {"reply"}


def prepared_text(ticket_id: UUID, wanted: str) -> str:
    """A prepared reply that was picked without scripts; nothing for any other."""
    found = offer_replies(http.session(), ticket_id, locale=current_locale(), actor=http.actor())
    return next((item.text for item in found if str(item.id) == wanted), "")


def show_again(
    ticket_id: UUID, error: DomainError, reply: str = "", files: tuple[UUID, ...] = ()
) -> ResponseReturnValue:
    """The ticket as it is now, with what went wrong and what was typed."""
    http.session().rollback()
    context = detail_context(get_ticket_detail(http.session(), ticket_id, actor=http.actor()))
    context |= {"reply": reply, "kept_files": still_attached(files)}
    if isinstance(error, Invalid):
        context["reply_errors"] = field_texts(error)
        return render_template("tickets/detail.html", **context), 422
    context["problem"] = error_text(error.code, error.params, gettext)
    return render_template("tickets/detail.html", **context), 409


def field_texts(error: Invalid) -> list[str]:
    """What is wrong, in the reader's language."""
    return [error_text(item.code, dict(item.params), gettext) for item in error.errors]


def request_key() -> UUID:
    """The id that a form brings for what it makes; a new one where it brings none."""
    try:
        return UUID(request.form.get("request_key", ""))
    except ValueError:
        return uuid4()
