"""Side conversations: mail with somebody outside about a ticket."""

from uuid import UUID, uuid4

from flask import flash, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import IntegrityError

from portal.admin.base import ServiceView, route
from portal.admin.tickets.refusals import Refusal, by_field, status_of, texts_of
from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.localisation import gettext
from portal.blueprints.policies import permission
from portal.errors import Conflict, Invalid
from portal.services.tickets.queries import get_ticket
from portal.services.tickets.side_conversations import (
    SUBJECT_LENGTH,
    SideLetter,
    close_side_conversation,
    get_side_thread,
    open_side_conversation,
    write_side_message,
)


class SideView(ServiceView):
    """Mail beside a ticket; every page of it is for the team."""

    policy = Permission.DESK_READ

    @route("/")
    def index(self) -> ResponseReturnValue:
        """Without a conversation there is nothing to show: to the queue."""
        return http.see_other("desk.index")

    @route("/new/<uuid:ticket_id>", methods=("GET", "POST"))
    @permission(Permission.DESK_REPLY)
    def new(self, ticket_id: UUID) -> ResponseReturnValue:
        """Write to somebody outside."""
        if request.method != "POST":
            return self._new_page(ticket_id)
        form, key = request.form, _uuid(request.form.get("request_key"))
        letter = SideLetter(form.get("recipient", ""), form.get("subject", ""), form.get("body", ""))
        try:
            made = open_side_conversation(
                http.session(),
                ticket_id,
                letter,
                tenant=http.tenant(),
                actor=http.actor(),
                now=http.now(),
                conversation_id=key,
            )
            http.commit()
        except Invalid as error:
            return self._new_page(ticket_id, error)
        except IntegrityError:
            # The same form came before.
            http.session().rollback()
            return http.see_other("desk.ticket", ticket_id=ticket_id)
        flash(gettext("Mail to %(address)s sent", address=made.recipient), "ok")
        return http.see_other("side.thread", conversation_id=made.id)

    @route("/<uuid:conversation_id>")
    def thread(self, conversation_id: UUID) -> ResponseReturnValue:
        """A conversation with its mails."""
        return self._thread_page(conversation_id)

    @route("/<uuid:conversation_id>/write", methods=("POST",))
    @permission(Permission.DESK_REPLY)
    def write(self, conversation_id: UUID) -> ResponseReturnValue:
        """Write once more."""
        body = request.form.get("body", "")
        try:
            write_side_message(
                http.session(),
                conversation_id,
                body=body,
                tenant=http.tenant(),
                actor=http.actor(),
                now=http.now(),
            )
        except (Invalid, Conflict) as error:
            return self._thread_page(conversation_id, error)
        http.commit()
        flash(gettext("Mail sent"), "ok")
        return http.see_other("side.thread", conversation_id=conversation_id)

    @route("/<uuid:conversation_id>/close", methods=("POST",))
    @permission(Permission.DESK_REPLY)
    def close(self, conversation_id: UUID) -> ResponseReturnValue:
        """Nothing more is expected from there."""
        try:
            close_side_conversation(http.session(), conversation_id, actor=http.actor(), now=http.now())
        except Conflict as error:
            return self._thread_page(conversation_id, error)
        http.commit()
        flash(gettext("Side conversation closed"), "ok")
        return http.see_other("side.thread", conversation_id=conversation_id)

    def _thread_page(self, conversation_id: UUID, error: Refusal | None = None) -> ResponseReturnValue:
        if error is not None:
            http.session().rollback()
        session, actor = http.session(), http.actor()
        found = get_side_thread(session, conversation_id, actor=actor)
        page = self.render(
            "admin/tickets/side_thread.html",
            ticket=get_ticket(session, found.conversation.ticket_id, actor=actor),
            conversation=found.conversation,
            messages=found.messages,
            may_write=actor.may(Permission.DESK_REPLY),
            body=request.form.get("body", ""),
            errors=texts_of(error),
            field_errors=by_field(error),
        )
        return page, status_of(error)

    def _new_page(self, ticket_id: UUID, error: Refusal | None = None) -> ResponseReturnValue:
        if error is not None:
            http.session().rollback()
        ticket = get_ticket(http.session(), ticket_id, actor=http.actor())
        page = self.render(
            "admin/tickets/side_new.html",
            ticket=ticket,
            form=request.form,
            subject=request.form.get("subject", ticket.subject)[:SUBJECT_LENGTH],
            subject_length=SUBJECT_LENGTH,
            request_key=request.form.get("request_key") or str(uuid4()),
            errors=texts_of(error),
            field_errors=by_field(error),
        )
        return page, status_of(error)


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
