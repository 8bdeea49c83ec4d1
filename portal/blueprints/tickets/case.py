"""What surrounds one ticket: editing an own message, related tickets, the ticket as a document."""

from typing import Any
from uuid import UUID

from flask import flash, render_template, request
from flask.typing import ResponseReturnValue

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.localisation import current_locale, gettext
from portal.blueprints.policies import permission
from portal.blueprints.tickets.blueprint import bp
from portal.blueprints.tickets.document import send_document
from portal.blueprints.tickets.views import field_texts, show_again
from portal.errors import Conflict, Forbidden, Invalid, NotFound
from portal.lib.wording.related import INWARD, OUTWARD, SAME_CATEGORY
from portal.models import TicketMessage
from portal.services.tickets.detail import TicketDetail, get_ticket_detail
from portal.services.tickets.editing import edit_message as replace_words
from portal.services.tickets.editing import edit_refusal
from portal.services.tickets.prepared import offer_replies
from portal.services.tickets.related import RelatedTicket, list_related


@bp.route("/<uuid:ticket_id>/messages/<uuid:message_id>/edit", methods=["GET", "POST"])
@permission(Permission.TICKETS_REPLY)
def edit_message(ticket_id: UUID, message_id: UUID) -> ResponseReturnValue:
    """Change the words of an own message while that is possible."""
    if request.method != "POST":
        return _edit_page(ticket_id, message_id)
    words = request.form.get("message", "")
    try:
        replace_words(http.session(), ticket_id, message_id, message=words, actor=http.actor(), now=http.now())
        http.commit()
    except Invalid as error:
        http.session().rollback()
        return _edit_page(ticket_id, message_id, words, error)
    except Conflict as error:
        return show_again(ticket_id, error, words)
    flash(gettext("Message changed"), "ok")
    return http.see_other("tickets.detail", ticket_id=ticket_id, _anchor=f"message-{message_id}")


@bp.get("/<uuid:ticket_id>/pdf")
@permission(Permission.TICKETS_READ)
def pdf(ticket_id: UUID) -> ResponseReturnValue:
    """The ticket with its public conversation as a document."""
    return send_document(get_ticket_detail(http.session(), ticket_id, actor=http.actor()))


@bp.get("/<uuid:ticket_id>/related")
@permission(Permission.TICKETS_READ)
def related(ticket_id: UUID) -> ResponseReturnValue:
    """Tickets that have to do with this one: a part of its page, and a page without scripts."""
    rows = list_related(http.session(), ticket_id, actor=http.actor())
    context = {"ticket_id": ticket_id, "related": [related_view(row) for row in rows]}
    return render_template("tickets/_related.html" if http.wants_fragment() else "tickets/related.html", **context)


def related_view(row: RelatedTicket) -> dict[str, Any]:
    """A related ticket with how it is related, in the reader's language."""
    words = OUTWARD if row.outward else INWARD
    return {
        "id": row.ticket.id,
        "number": row.ticket.ticket_number,
        "subject": row.ticket.subject,
        "status": row.ticket.status.value,
        "link": row.link,
        "relation": gettext(words[row.link.value] if row.link else SAME_CATEGORY),
    }


@bp.get("/<uuid:ticket_id>/prepared")
@permission(Permission.TICKETS_REPLY)
def prepared(ticket_id: UUID) -> ResponseReturnValue:
    """Prepared replies: what the composer's menu holds, and a page without scripts."""
    found = offer_replies(http.session(), ticket_id, locale=current_locale(), actor=http.actor())
    page = "tickets/_prepared.html" if http.wants_fragment() else "tickets/prepared.html"
    return render_template(page, ticket_id=ticket_id, prepared=found)


def _edit_page(
    ticket_id: UUID, message_id: UUID, words: str | None = None, error: Invalid | None = None
) -> ResponseReturnValue:
    found = get_ticket_detail(http.session(), ticket_id, actor=http.actor())
    entry = _own_message(found, message_id)
    if edit_refusal(found.ticket, entry, found.messages, http.tenant().tickets, now=http.now()):
        # Somebody has answered meanwhile; the ticket's page shows what.
        return http.see_other("tickets.detail", ticket_id=ticket_id)
    page = render_template(
        "tickets/edit_message.html",
        ticket=found.ticket,
        words=entry.message if words is None else words,
        errors=field_texts(error) if error else [],
    )
    return page, 422 if error else 200


def _own_message(found: TicketDetail, message_id: UUID) -> TicketMessage:
    for entry in found.messages:
        if entry.id == message_id:
            if entry.sender_id != http.actor().user_id:
                raise Forbidden("not_the_author")
            return entry
    raise NotFound("message")
