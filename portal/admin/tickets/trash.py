"""The trash: into it with a reason, what lies there, and back."""

from uuid import UUID

from flask import flash, request
from flask.typing import ResponseReturnValue

from portal.admin.base import ServiceView, route
from portal.admin.tickets.refusals import Refusal, by_field, status_of, texts_of
from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.localisation import gettext
from portal.errors import Conflict, Invalid
from portal.services.tickets.queries import get_ticket
from portal.services.tickets.trash import KEPT_FOR, REASON_LENGTH, list_trash, restore_ticket, trash_ticket


class TrashView(ServiceView):
    """Tickets that nobody sees any more, for thirty days."""

    policy = Permission.DESK_TRASH

    @route("/")
    def index(self) -> ResponseReturnValue:
        """What lies there, the newest first."""
        try:
            page = list_trash(http.session(), actor=http.actor(), cursor=request.args.get("cursor"))
        except Invalid:
            return http.see_other("trash.index")
        return self.render("admin/tickets/trash.html", rows=page.items, page=page, days=KEPT_FOR.days)

    @route("/<uuid:ticket_id>", methods=("GET", "POST"))
    def put(self, ticket_id: UUID) -> ResponseReturnValue:
        """Put a ticket there, with a reason."""
        if request.method != "POST":
            return self._question(ticket_id)
        reason = request.form.get("reason", "")
        try:
            ticket = trash_ticket(http.session(), ticket_id, reason=reason, actor=http.actor(), now=http.now())
        except Invalid as error:
            return self._question(ticket_id, error)
        except Conflict:
            # Somebody was faster.
            return http.see_other("trash.index")
        http.commit()
        flash(gettext("%(number)s is in the trash", number=ticket.ticket_number), "ok")
        return http.see_other("desk.index" if http.actor().may(Permission.DESK_READ) else "trash.index")

    @route("/<uuid:ticket_id>/restore", methods=("POST",))
    def restore(self, ticket_id: UUID) -> ResponseReturnValue:
        """Bring a ticket back."""
        try:
            ticket = restore_ticket(http.session(), ticket_id, actor=http.actor(), now=http.now())
        except Conflict:
            return http.see_other("trash.index")
        http.commit()
        flash(gettext("%(number)s is back", number=ticket.ticket_number), "ok")
        if http.actor().may(Permission.DESK_READ):
            return http.see_other("desk.ticket", ticket_id=ticket_id)
        return http.see_other("trash.index")

    def _question(self, ticket_id: UUID, error: Refusal | None = None) -> ResponseReturnValue:
        if error is not None:
            http.session().rollback()
        page = self.render(
            "admin/tickets/trash_ticket.html",
            ticket=get_ticket(http.session(), ticket_id, actor=http.actor()),
            reason=request.form.get("reason", ""),
            reason_length=REASON_LENGTH,
            days=KEPT_FOR.days,
            errors=texts_of(error),
            field_errors=by_field(error),
        )
        return page, status_of(error)
