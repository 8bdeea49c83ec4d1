"""Everything a ticket's page at the desk shows, by eight statements at most."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from portal.admin.tickets import presenters as show
from portal.admin.tickets.address import QueueAddress
from portal.admin.tickets.own_choices import status_options, status_value
from portal.admin.tickets.promise import panel_promises
from portal.admin.tickets.rows import draw_neighbours
from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.files.presenters import file_views
from portal.blueprints.localisation import current_locale
from portal.blueprints.tickets.labels import own_for_staff
from portal.lib.paging import Page
from portal.models import FINAL, MOVES, TicketStatus
from portal.services.tickets.desk_terms import DeskTerms, load_desk_terms
from portal.services.tickets.detail import TicketDetail, get_ticket_detail
from portal.services.tickets.listing import list_tickets
from portal.services.tickets.rows import TicketRow

NEIGHBOURS = 9


def thread_context(detail: TicketDetail) -> dict[str, Any]:
    """What the conversation shows; everybody who looks at it fetches it anew with each answer."""
    spoken = [entry for entry in detail.messages if not entry.is_internal]
    return {
        "ticket": detail.ticket,
        "entries": show.thread_entries(detail),
        "seen": spoken[-1].id if spoken else "",
        "chips": show.step_chips(detail.steps),
    }


@dataclass(frozen=True)
class TicketPage:
    """A ticket with the list it was opened from."""

    address: QueueAddress
    detail: TicketDetail
    terms: DeskTerms
    neighbours: Page[TicketRow]
    now: datetime

    @classmethod
    def load(cls, ticket_id: UUID, address: QueueAddress) -> "TicketPage":
        """Read it as the signed-in member of staff; raises NotFound."""
        session, actor, now = http.session(), http.actor(), http.now()
        address = address.opened_or_standing()
        detail = get_ticket_detail(session, ticket_id, actor=actor)
        terms = load_desk_terms(session, ticket_id=ticket_id)
        wanted = replace(address.wanted(actor.user_id), limit=NEIGHBOURS)
        return cls(address, detail, terms, list_tickets(session, wanted, actor=actor, now=now), now)

    def context(self) -> dict[str, Any]:
        """The names of the page's templates."""
        ticket, row, actor = self.detail.ticket, self.detail.row, http.actor()
        policy = self.terms.promises.get(ticket.sla_policy_id) if ticket.sla_policy_id else None
        may_update = actor.may(Permission.DESK_UPDATE)
        return {
            "address": self.address,
            "company": row.company_name,
            "requester": row.requester_name,
            "assignee": row.assignee_name,
            "customer": self.terms.customer,
            "neighbours": show.queue_rows(self.neighbours.items, self.address, self.terms, self.now),
            "draw_neighbours": draw_neighbours,
            "list_title": self.address.saved.name if self.address.saved else show.view_title(self.address.view),
            **thread_context(self.detail),
            "message_id": uuid4(),
            "coming": show.coming(self.detail),
            "promises": panel_promises(ticket, policy, self.now),
            "policy_name": policy.name if policy else None,
            "category_name": row.category.name_in(current_locale()),
            "statuses": status_options(ticket),
            "status_value": status_value(ticket),
            "status_label": own_for_staff(ticket.custom_status),
            "assignees": show.assignee_choices(self.terms, ticket.assigned_to, row.assignee_name),
            "categories": show.category_choices(self.terms, current_locale(), ticket.category),
            "reply_statuses": show.reply_choices(ticket.status),
            "may_reply": actor.may(Permission.DESK_REPLY) and ticket.status not in FINAL,
            "may_note": actor.may(Permission.DESK_NOTE),
            "may_update": may_update,
            "may_solve": may_update and TicketStatus.RESOLVED in MOVES[ticket.status],
            "may_take": may_update and ticket.is_active() and ticket.assigned_to != actor.user_id,
            "may_see_customer": actor.may(Permission.CUSTOMERS_READ),
            "reply_value": "",
            "note_value": "",
            "errors": [],
            "mode": "reply",
            "files": file_views(self.detail.files, "staff_files"),
            "kept_files": [],
            "may_attach": actor.may(Permission.DESK_NOTE),
            "macro": None,
            "edit_url": http.ticket_address("desk_tools.edit", ticket.id, **self.address.query()),
            "has_own_statuses": bool(http.tenant().statuses),
        }
