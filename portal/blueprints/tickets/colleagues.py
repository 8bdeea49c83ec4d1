"""Colleagues on a ticket (CC): a page of its own, which a script shows in a drawer beside the ticket."""

from uuid import UUID

from flask import flash, render_template, request
from flask.typing import ResponseReturnValue

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.localisation import gettext
from portal.blueprints.policies import permission
from portal.blueprints.tickets.blueprint import bp
from portal.errors import Conflict, NotFound
from portal.lib.wording.errors import error_text
from portal.services.tickets.followers import add_follower, read_circle, remove_follower


@bp.get("/<uuid:ticket_id>/colleagues")
@permission(Permission.TICKETS_READ)
def colleagues(ticket_id: UUID) -> ResponseReturnValue:
    """Who hears of the ticket, and who could."""
    circle = read_circle(http.session(), ticket_id, actor=http.actor())
    page = "tickets/_colleagues.html" if http.wants_fragment() else "tickets/colleagues.html"
    options = [(one.user_id, f"{one.name} · {one.email}") for one in circle.others]
    return render_template(page, circle=circle, ticket=circle.ticket, options=options, me=http.actor().user_id)


@bp.post("/<uuid:ticket_id>/colleagues")
@permission(Permission.TICKETS_REPLY)
def add_colleague(ticket_id: UUID) -> ResponseReturnValue:
    """Let a colleague follow."""
    try:
        user_id = UUID(request.form.get("user_id", ""))
    except ValueError:
        user_id = UUID(int=0)
    try:
        added = add_follower(http.session(), ticket_id, user_id, actor=http.actor(), now=http.now())
        http.commit()
        flash(gettext("%(name)s hears of this ticket now", name=added.name), "ok")
    except (Conflict, NotFound) as error:
        if error.code == "ticket_not_found":
            raise
        http.session().rollback()
        flash(error_text(error.code, error.params, gettext), "err")
    return http.see_other("tickets.detail", ticket_id=ticket_id)


@bp.post("/<uuid:ticket_id>/colleagues/<uuid:user_id>/remove")
@permission(Permission.TICKETS_REPLY)
def remove_colleague(ticket_id: UUID, user_id: UUID) -> ResponseReturnValue:
    """End a colleague's following, or one's own."""
    actor = http.actor()
    remove_follower(http.session(), ticket_id, user_id, actor=actor, now=http.now())
    http.commit()
    if user_id == actor.user_id:
        # The ticket may be out of sight now.
        flash(gettext("You do not follow this ticket any more"), "ok")
        return http.see_other("tickets.index")
    flash(gettext("The ticket is not shared with this person any more"), "ok")
    return http.see_other("tickets.detail", ticket_id=ticket_id)
