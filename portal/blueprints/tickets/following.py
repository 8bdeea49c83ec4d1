"""The customer's way on from a ticket that cannot be reopened any more."""

from uuid import UUID, uuid4

from flask import flash, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import IntegrityError

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.files.receiving import FIELD as FILES
from portal.blueprints.files.receiving import KEPT, receive_files, still_attached, takes_files
from portal.blueprints.localisation import gettext
from portal.blueprints.policies import permission
from portal.blueprints.tickets.blueprint import bp
from portal.blueprints.tickets.views import request_key, show_again
from portal.errors import Conflict, Invalid
from portal.lib.wording.errors import error_text
from portal.services.tickets.following_up import open_follow_up
from portal.services.tickets.opening import NewTicket
from portal.services.tickets.queries import get_ticket
from portal.services.tickets.reopening import may_follow_up
from portal.services.tickets.validation import SUBJECT_LENGTH


@bp.route("/<uuid:ticket_id>/follow-up", methods=["GET", "POST"])
@permission(Permission.TICKETS_CREATE)
@takes_files
def follow_up(ticket_id: UUID) -> ResponseReturnValue:
    """A new ticket that goes on from this one, its subject set; sent twice it still is one."""
    if request.method != "POST":
        return _page(ticket_id)
    form, key, received = request.form, request_key(), receive_files()
    wanted = NewTicket(form.get("subject", ""), form.get("description", ""), "", id=key, attachment_ids=received.ids)
    try:
        received.check()
        made = open_follow_up(http.session(), ticket_id, wanted, actor=http.actor(), now=http.now())
        http.commit()
    except Invalid as error:
        http.session().rollback()
        return _page(ticket_id, error, received.ids)
    except Conflict as error:
        return show_again(ticket_id, error)
    except IntegrityError:
        # The same form came before: lead to what it made.
        http.session().rollback()
        return http.see_other("tickets.detail", ticket_id=key)
    flash(gettext("Ticket %(number)s sent", number=made.ticket_number), "ok")
    return http.see_other("tickets.detail", ticket_id=made.id)


def _page(ticket_id: UUID, error: Invalid | None = None, files: tuple[UUID, ...] = ()) -> ResponseReturnValue:
    ticket = get_ticket(http.session(), ticket_id, actor=http.actor())
    if not may_follow_up(ticket, http.tenant().tickets, http.now()):
        # It can be answered or reopened; its own page says how.
        return http.see_other("tickets.detail", ticket_id=ticket_id)
    errors: dict[str, list[str]] = {}
    for item in error.errors if error else ():
        field = FILES if item.field == KEPT else item.field
        errors.setdefault(field, []).append(error_text(item.code, dict(item.params), gettext))
    page = render_template(
        "tickets/follow_up.html",
        ticket=ticket,
        form=request.form,
        subject=request.form.get("subject", ticket.subject),
        subject_length=SUBJECT_LENGTH,
        request_key=request.form.get("request_key") or str(uuid4()),
        errors=errors,
        kept_files=still_attached(files),
        file_limit=http.tenant().files.max_mb,
    )
    return page, 422 if error else 200
