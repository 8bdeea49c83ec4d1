"""Colleagues of a customer who follow a ticket: shown to the team, added and taken away by it."""

from uuid import UUID

from flask import flash, request
from flask.typing import ResponseReturnValue

from portal.admin.base import ServiceView, route
from portal.admin.sla.forms import valid_uuid
from portal.admin.tickets.refusals import status_of, texts_of
from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.localisation import gettext
from portal.blueprints.policies import permission
from portal.errors import Conflict, NotFound
from portal.services.tickets.followers import add_follower, read_circle, remove_follower


class CircleView(ServiceView):
    """A part of the ticket's page, fetched when it is opened, and a page of its own."""

    policy = Permission.DESK_READ
    helpers = {"colleagues": lambda people: [(one.user_id, one.name) for one in people]}

    @route("/")
    def index(self) -> ResponseReturnValue:
        """The parts belong to tickets, which are in the queue."""
        return http.see_other("desk.index")

    @route("/<uuid:ticket_id>")
    def ticket(self, ticket_id: UUID) -> ResponseReturnValue:
        """Who of the customer follows, and who could."""
        return self._page(ticket_id)

    @route("/<uuid:ticket_id>/add", methods=("POST",))
    @permission(Permission.DESK_UPDATE)
    def add(self, ticket_id: UUID) -> ResponseReturnValue:
        """Let a colleague follow."""
        wanted = valid_uuid(request.form.get("user_id"))
        if wanted is None:
            raise NotFound("colleague")
        try:
            added = add_follower(http.session(), ticket_id, wanted, actor=http.actor(), now=http.now())
        except Conflict as error:
            return self._page(ticket_id, error)
        http.commit()
        flash(gettext("Shared with %(name)s", name=added.name), "ok")
        return http.see_other("desk.ticket", ticket_id=ticket_id)

    @route("/<uuid:ticket_id>/remove", methods=("POST",))
    @permission(Permission.DESK_UPDATE)
    def remove(self, ticket_id: UUID) -> ResponseReturnValue:
        """Let a colleague follow no more."""
        wanted = valid_uuid(request.form.get("user_id"))
        if wanted is None:
            raise NotFound("colleague")
        remove_follower(http.session(), ticket_id, wanted, actor=http.actor(), now=http.now())
        http.commit()
        flash(gettext("Shared no more"), "ok")
        return http.see_other("desk.ticket", ticket_id=ticket_id)

    def _page(self, ticket_id: UUID, error: Conflict | None = None) -> ResponseReturnValue:
        if error is not None:
            http.session().rollback()
        circle = read_circle(http.session(), ticket_id, actor=http.actor())
        template = "admin/tickets/_circle.html" if http.wants_fragment() else "admin/tickets/circle.html"
        return self.render(template, ticket=circle.ticket, circle=circle, errors=texts_of(error)), status_of(error)
