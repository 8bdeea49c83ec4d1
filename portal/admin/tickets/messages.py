"""A single message at the desk: changing an own answer, and what a message said before."""

from uuid import UUID

from flask import flash, request
from flask.typing import ResponseReturnValue

from portal.admin.base import ServiceView, route
from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.localisation import gettext
from portal.blueprints.policies import permission
from portal.errors import Conflict, Forbidden, Invalid, NotFound
from portal.lib.wording.errors import error_text
from portal.services.tickets.detail import get_ticket_detail
from portal.services.tickets.editing import edit_message as replace_words
from portal.services.tickets.editing import edit_refusal, list_earlier_texts


class MessagePages(ServiceView):
    """The desk's pages about one message of a ticket."""

    policy = Permission.DESK_READ

    @route("/<uuid:ticket_id>/messages/<uuid:message_id>")
    def earlier_words(self, ticket_id: UUID, message_id: UUID) -> ResponseReturnValue:
        """What a message says, and what it said before."""
        found = get_ticket_detail(http.session(), ticket_id, actor=http.actor())
        entry = next((row for row in found.messages if row.id == message_id), None)
        if entry is None:
            raise NotFound("message")
        texts = list_earlier_texts(http.session(), ticket_id, message_id, actor=http.actor())
        return self.render("admin/tickets/message.html", ticket=found.ticket, entry=entry, texts=texts)

    @route("/<uuid:ticket_id>/messages/<uuid:message_id>/edit", methods=("GET", "POST"))
    @permission(Permission.DESK_REPLY)
    def edit_message(self, ticket_id: UUID, message_id: UUID) -> ResponseReturnValue:
        """Change the words of an own public answer while the customer has not answered it."""
        if request.method != "POST":
            return self._edit_form(ticket_id, message_id)
        words = request.form.get("message", "")
        try:
            replace_words(http.session(), ticket_id, message_id, message=words, actor=http.actor(), now=http.now())
            http.commit()
        except Invalid as error:
            http.session().rollback()
            texts = [error_text(item.code, dict(item.params), gettext) for item in error.errors]
            return self._edit_form(ticket_id, message_id, words, texts, 422)
        except Conflict as error:
            http.session().rollback()
            return self._edit_form(ticket_id, message_id, words, [error_text(error.code, error.params, gettext)], 409)
        flash(gettext("Message changed"), "ok")
        return http.see_other("desk.ticket", ticket_id=ticket_id, _anchor=f"message-{message_id}")

    def _edit_form(
        self,
        ticket_id: UUID,
        message_id: UUID,
        words: str | None = None,
        errors: list[str] | None = None,
        status: int = 200,
    ) -> ResponseReturnValue:
        found = get_ticket_detail(http.session(), ticket_id, actor=http.actor())
        entry = next((row for row in found.messages if row.id == message_id and not row.is_internal), None)
        if entry is None:
            raise NotFound("message")
        if entry.sender_id != http.actor().user_id:
            raise Forbidden("not_the_author")
        if not errors and edit_refusal(found.ticket, entry, found.messages, http.tenant().tickets, now=http.now()):
            return http.see_other("desk.ticket", ticket_id=ticket_id)
        page = self.render(
            "admin/tickets/message_edit.html",
            ticket=found.ticket,
            words=entry.message if words is None else words,
            errors=errors or [],
        )
        return page, status
