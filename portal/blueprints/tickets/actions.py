"""What a customer does to a ticket: answer, close, reopen, cancel, rate (TKT-09).

Each question (close it? why cancel? how was it?) is a page of its own; a script shows the same form as a dialog.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import flash, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import IntegrityError

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.files.receiving import receive_files, takes_files
from portal.blueprints.localisation import gettext
from portal.blueprints.policies import permission
from portal.blueprints.tickets import presenters
from portal.blueprints.tickets.blueprint import bp
from portal.blueprints.tickets.views import field_texts, request_key, show_again
from portal.errors import Conflict, Invalid
from portal.services.tickets import conversation, lifecycle
from portal.services.tickets.queries import get_ticket


@bp.post("/<uuid:ticket_id>/reply")
@permission(Permission.TICKETS_REPLY)
@takes_files
def reply(ticket_id: UUID) -> ResponseReturnValue:
    """Add an answer; what cannot be sent stays in the box."""
    message, received = request.form.get("message", ""), receive_files()
    try:
        received.check()
        entry = conversation.reply_as_customer(
            http.session(),
            ticket_id,
            message=message,
            actor=http.actor(),
            now=http.now(),
            message_id=request_key(),
            attachment_ids=received.ids,
        )
        http.commit()
    except (Invalid, Conflict) as error:
        return show_again(ticket_id, error, message, received.ids)
    except IntegrityError:
        http.session().rollback()
        return http.see_other("tickets.detail", ticket_id=ticket_id)
    flash(gettext("Reply sent"), "ok")
    return http.see_other("tickets.detail", ticket_id=ticket_id, _anchor=f"message-{entry.id}")


@bp.post("/<uuid:ticket_id>/reopen")
@permission(Permission.TICKETS_CLOSE)
@takes_files
def reopen(ticket_id: UUID) -> ResponseReturnValue:
    """Take the ticket up again, together with what was written to it, in one transaction."""
    message, received = request.form.get("message", ""), receive_files()
    actor, now = http.actor(), http.now()
    try:
        received.check()
        lifecycle.reopen_ticket(http.session(), ticket_id, actor=actor, now=now)
        if message.strip() or received.ids:
            conversation.reply_as_customer(
                http.session(), ticket_id, message=message, actor=actor, now=now, attachment_ids=received.ids
            )
        http.commit()
    except (Invalid, Conflict) as error:
        return show_again(ticket_id, error, message, received.ids)
    flash(gettext("Ticket reopened"), "ok")
    return http.see_other("tickets.detail", ticket_id=ticket_id)


@bp.route("/<uuid:ticket_id>/close", methods=["GET", "POST"])
@permission(Permission.TICKETS_CLOSE)
def close(ticket_id: UUID) -> ResponseReturnValue:
    """Close the ticket."""
    if request.method != "POST":
        return _question(ticket_id, "close")
    return _act(ticket_id, "close", lifecycle.close_ticket, gettext("Ticket closed"))


@bp.route("/<uuid:ticket_id>/cancel", methods=["GET", "POST"])
@permission(Permission.TICKETS_CLOSE)
def cancel(ticket_id: UUID) -> ResponseReturnValue:
    """Withdraw the ticket, with a reason."""
    if request.method != "POST":
        return _question(ticket_id, "cancel")
    reason = request.form.get("reason", "")
    return _act(ticket_id, "cancel", lifecycle.cancel_ticket, gettext("Ticket cancelled"), reason=reason)


@bp.route("/<uuid:ticket_id>/rate", methods=["GET", "POST"])
@permission(Permission.TICKETS_RATE)
def rate(ticket_id: UUID) -> ResponseReturnValue:
    """Rate the solution, once."""
    if request.method != "POST":
        return _question(ticket_id, "rate")
    given = request.form.get("rating", "")
    rating = int(given) if given.isascii() and given.isdigit() and len(given) == 1 else 0
    comment = request.form.get("comment", "")
    return _act(ticket_id, "rate", lifecycle.rate_ticket, gettext("Thank you"), rating=rating, comment=comment)


def _act(ticket_id: UUID, question: str, service: Callable[..., Any], done: str, **fields: Any) -> ResponseReturnValue:
    try:
        service(http.session(), ticket_id, actor=http.actor(), now=http.now(), **fields)
        http.commit()
    except Invalid as error:
        http.session().rollback()
        return _question(ticket_id, question, error)
    except Conflict as error:
        return show_again(ticket_id, error)
    flash(done, "ok")
    return http.see_other("tickets.detail", ticket_id=ticket_id)


def _question(ticket_id: UUID, question: str, error: Invalid | None = None) -> ResponseReturnValue:
    ticket = get_ticket(http.session(), ticket_id, actor=http.actor())
    if question not in presenters.allowed_actions(ticket, http.tenant().tickets, http.now()):
        # The state has moved on; the ticket's page says where to.
        return http.see_other("tickets.detail", ticket_id=ticket_id)
    field = error.errors[0].field if error else ""
    page = render_template(
        "tickets/question.html",
        ticket=ticket,
        question=question,
        form=request.form,
        errors={field: field_texts(error)} if error else {},
    )
    return page, 422 if error else 200
