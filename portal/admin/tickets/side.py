"""Side conversations: mail with somebody outside about a ticket."""

from uuid import UUID, uuid4

from flask import flash, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import IntegrityError

from portal.admin.base import ServiceView, route
from portal.admin.tickets.refusals import Refusal, status_of, texts_of
from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.files.presenters import file_views
from portal.blueprints.files.receiving import FIELD, KEPT, receive_files, still_attached, takes_files
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
from portal.services.tickets.side_files import MOST_MB, list_unsent


class SideView(ServiceView):
    """Mail beside a ticket; every page of it is for the team."""

    policy = Permission.DESK_READ

    @route("/")
    def index(self) -> ResponseReturnValue:
        """Without a conversation there is nothing to show: to the queue."""
        return http.see_other("desk.index")

    @route("/new/<uuid:ticket_id>", methods=("GET", "POST"))
    @permission(Permission.DESK_REPLY)
    @takes_files
    def new(self, ticket_id: UUID) -> ResponseReturnValue:
        """Write to somebody outside."""
        if request.method != "POST":
            return self._new_page(ticket_id)
        form, key, received = request.form, _uuid(request.form.get("request_key")), receive_files()
        letter = SideLetter(form.get("recipient", ""), form.get("subject", ""), form.get("body", ""), received.ids)
        try:
            received.check()
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
            return self._new_page(ticket_id, error, received.ids)
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
    @takes_files
    def write(self, conversation_id: UUID) -> ResponseReturnValue:
        """Write once more."""
        body, received = request.form.get("body", ""), receive_files()
        try:
            received.check()
            write_side_message(
                http.session(),
                conversation_id,
                body=body,
                tenant=http.tenant(),
                actor=http.actor(),
                now=http.now(),
                attachment_ids=received.ids,
            )
        except (Invalid, Conflict) as error:
            return self._thread_page(conversation_id, error, received.ids)
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

    def _thread_page(
        self, conversation_id: UUID, error: Refusal | None = None, files: tuple[UUID, ...] = ()
    ) -> ResponseReturnValue:
        if error is not None:
            http.session().rollback()
        session, actor = http.session(), http.actor()
        found = get_side_thread(session, conversation_id, actor=actor)
        page = self.render(
            "admin/tickets/side_thread.html",
            ticket=get_ticket(session, found.conversation.ticket_id, actor=actor),
            conversation=found.conversation,
            messages=found.messages,
            files={entry: file_views(some, "staff_files") for entry, some in found.files.items()},
            unsent=list_unsent(session, found.messages),
            kept_files=still_attached(files),
            most_mb=MOST_MB,
            may_write=actor.may(Permission.DESK_REPLY),
            body=request.form.get("body", ""),
            errors=_told(error),
            field_errors=_by_field(error),
        )
        return page, status_of(error)

    def _new_page(
        self, ticket_id: UUID, error: Refusal | None = None, files: tuple[UUID, ...] = ()
    ) -> ResponseReturnValue:
        if error is not None:
            http.session().rollback()
        ticket = get_ticket(http.session(), ticket_id, actor=http.actor())
        page = self.render(
            "admin/tickets/side_new.html",
            ticket=ticket,
            form=request.form,
            subject=request.form.get("subject", ticket.subject)[:SUBJECT_LENGTH],
            subject_length=SUBJECT_LENGTH,
            kept_files=still_attached(files),
            most_mb=MOST_MB,
            request_key=request.form.get("request_key") or str(uuid4()),
            errors=_told(error),
            field_errors=_by_field(error),
        )
        return page, status_of(error)


def _told(error: Refusal | None) -> list[tuple[str, str]]:
    """What is wrong, by field; what is wrong with the files stands at the one field that takes them."""
    return [(FIELD if field == KEPT else field, text) for field, text in texts_of(error)]


def _by_field(error: Refusal | None) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for field, text in _told(error):
        found.setdefault(field, []).append(text)
    return found


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
