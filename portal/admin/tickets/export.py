"""A list of the queue as CSV; written while it is sent, however long it is."""

from flask import Response, current_app, request
from flask.typing import ResponseReturnValue

from portal.admin.base import ServiceView, route
from portal.admin.tickets.address import QueueAddress
from portal.authz import Permission
from portal.blueprints import http
from portal.lib.csv_export import MEDIA_TYPE, csv_chunks
from portal.models.session import TenantSessions
from portal.services.tickets.desk_exporting import begin_ticket_export, read_ticket_export
from portal.services.tickets.rows import TicketRow

COLUMNS = (
    "number",
    "subject",
    "customer",
    "requester",
    "category",
    "priority",
    "status",
    "assignee",
    "tags",
    "source",
    "promise_state",
    "promise_due_at",
    "first_response_at",
    "resolved_at",
    "rating",
    "created_at",
    "updated_at",
    "id",
)


class ExportView(ServiceView):
    """What the address of the queue finds, as a file."""

    policy = Permission.DESK_EXPORT

    @route("/")
    def index(self) -> ResponseReturnValue:
        """The file; its rows are read by transactions of their own, after the note of the export is stored."""
        actor = http.actor()
        address = QueueAddress.read(request.args).opened()
        wanted = address.wanted(actor.user_id)
        export = begin_ticket_export(http.session(), wanted, saved=address.saved, actor=actor, now=http.now())
        http.commit()
        sessions = TenantSessions(current_app.extensions["portal_engine"])
        pages = read_ticket_export(sessions, export, actor=actor)
        answer = Response(csv_chunks(COLUMNS, (map(_cells, page) for page in pages)), content_type=MEDIA_TYPE)
        answer.headers["Content-Disposition"] = f'attachment; filename="tickets-{export.now:%Y-%m-%d}.csv"'
        return answer


def _cells(row: TicketRow) -> tuple[object, ...]:
    ticket = row.ticket
    moments = (ticket.sla_due_at, ticket.first_response_at, ticket.resolved_at)
    due, answered, resolved = (at.isoformat() if at else None for at in moments)
    return (
        ticket.ticket_number,
        ticket.subject,
        row.company_name,
        row.requester_name,
        ticket.category,
        ticket.priority.value,
        ticket.status.value,
        row.assignee_name,
        ", ".join(ticket.tags),
        ticket.source,
        ticket.sla_state,
        due,
        answered,
        resolved,
        ticket.satisfaction_rating,
        ticket.created_at.isoformat(),
        ticket.updated_at.isoformat(),
        ticket.id,
    )
