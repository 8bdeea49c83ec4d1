"""Pages about a ticket among other tickets: links, merging, splitting, follow-ups, incidents of a problem."""

from typing import Any
from uuid import UUID, uuid4

from flask import flash, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import IntegrityError

from portal.admin.base import ServiceView, route
from portal.admin.live import live_part
from portal.admin.sla.forms import valid_uuid
from portal.admin.tickets.refusals import Refusal, by_field, status_of, texts_of
from portal.admin.tickets.relation_rows import candidate_row, linked_row
from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.files.presenters import file_views
from portal.blueprints.localisation import gettext, ngettext
from portal.blueprints.policies import permission
from portal.errors import Conflict, Invalid
from portal.lib.wording.errors import error_text
from portal.lib.wording.tickets import RELATIONS
from portal.models import ACTIVE, FINAL, Ticket, TicketStatus
from portal.services.tickets.copying import list_public
from portal.services.tickets.following_up import open_follow_up
from portal.services.tickets.incidents import list_open_incidents, solve_incidents
from portal.services.tickets.links import BY_HAND, Relation, add_link, list_links, remove_link
from portal.services.tickets.listing import TicketFilter, list_tickets
from portal.services.tickets.merging import merge_tickets
from portal.services.tickets.opening import NewTicket
from portal.services.tickets.queries import get_ticket
from portal.services.tickets.reopening import may_follow_up
from portal.services.tickets.rows import TicketRow
from portal.services.tickets.side_conversations import SideThread, list_side_threads
from portal.services.tickets.splitting import split_ticket
from portal.services.tickets.validation import SUBJECT_LENGTH

CANDIDATES = 10
QUERY_LENGTH = 200
# What a ticket can be merged into.
_OPEN = tuple(status for status in TicketStatus if status not in FINAL)


class RelationsView(ServiceView):
    """A ticket among others."""

    policy = Permission.DESK_READ

    @route("/")
    def index(self) -> ResponseReturnValue:
        """Without a ticket there is nothing to show: to the queue."""
        return http.see_other("desk.index")

    @route("/<uuid:ticket_id>")
    def ticket(self, ticket_id: UUID) -> ResponseReturnValue:
        """Links, side conversations and what can be done: a part of the ticket's page, or a page of its own."""
        return self._page(ticket_id)

    @route("/<uuid:ticket_id>/links", methods=("POST",))
    @permission(Permission.DESK_UPDATE)
    def link(self, ticket_id: UUID) -> ResponseReturnValue:
        """Link another ticket by its number."""
        form = request.form
        wanted = form.get("relation", "")
        relation = Relation(wanted) if wanted in [known.value for known in BY_HAND] else Relation.RELATED
        try:
            add_link(
                http.session(),
                ticket_id,
                number=form.get("number", ""),
                relation=relation,
                actor=http.actor(),
                now=http.now(),
            )
        except (Invalid, Conflict) as error:
            return self._page(ticket_id, error)
        http.commit()
        flash(gettext("Ticket linked"), "ok")
        return self._back(ticket_id)

    @route("/<uuid:ticket_id>/links/<uuid:link_id>/remove", methods=("POST",))
    @permission(Permission.DESK_UPDATE)
    def unlink(self, ticket_id: UUID, link_id: UUID) -> ResponseReturnValue:
        """Remove a link that was made by hand."""
        try:
            remove_link(http.session(), ticket_id, link_id, actor=http.actor(), now=http.now())
        except Conflict as error:
            return self._page(ticket_id, error)
        http.commit()
        flash(gettext("Link removed"), "ok")
        return self._back(ticket_id)

    @route("/<uuid:ticket_id>/merge", methods=("GET", "POST"))
    @permission(Permission.DESK_UPDATE)
    def merge(self, ticket_id: UUID) -> ResponseReturnValue:
        """Choose the other ticket, see what will happen, and merge."""
        if request.method != "POST":
            return self._merge_page(ticket_id, valid_uuid(request.args.get("into")))
        into = valid_uuid(request.form.get("into_id"))
        if into is None:
            return self._merge_page(ticket_id, None)
        try:
            target = merge_tickets(http.session(), ticket_id, into_id=into, actor=http.actor(), now=http.now())
        except (Invalid, Conflict) as error:
            return self._merge_page(ticket_id, None, error)
        http.commit()
        flash(gettext("Merged into %(number)s", number=target.ticket_number), "ok")
        return self._back(target.id)

    @route("/<uuid:ticket_id>/split", methods=("GET", "POST"))
    @permission(Permission.DESK_UPDATE)
    def split(self, ticket_id: UUID) -> ResponseReturnValue:
        """Choose messages that become a ticket of their own."""
        if request.method != "POST":
            return self._split_page(ticket_id)
        form = request.form
        try:
            made = split_ticket(
                http.session(),
                ticket_id,
                message_ids=[found for text in form.getlist("message_ids") if (found := valid_uuid(text))],
                subject=form.get("subject", ""),
                actor=http.actor(),
                now=http.now(),
                new_id=valid_uuid(form.get("request_key")),
            )
            http.commit()
        except (Invalid, Conflict) as error:
            return self._split_page(ticket_id, error)
        except IntegrityError:
            return self._made_before(ticket_id)
        flash(gettext("Ticket %(number)s opened", number=made.ticket_number), "ok")
        return self._back(made.id)

    @route("/<uuid:ticket_id>/follow-up", methods=("GET", "POST"))
    @permission(Permission.DESK_UPDATE)
    def follow_up(self, ticket_id: UUID) -> ResponseReturnValue:
        """Open the ticket that goes on from one which is over for good."""
        if request.method != "POST":
            return self._follow_up_page(ticket_id)
        form = request.form
        wanted = NewTicket(
            form.get("subject", ""),
            form.get("description", ""),
            "",
            id=valid_uuid(form.get("request_key")),
            source="staff",
        )
        try:
            made = open_follow_up(http.session(), ticket_id, wanted, actor=http.actor(), now=http.now())
            http.commit()
        except (Invalid, Conflict) as error:
            return self._follow_up_page(ticket_id, error)
        except IntegrityError:
            return self._made_before(ticket_id)
        flash(gettext("Ticket %(number)s opened", number=made.ticket_number), "ok")
        return self._back(made.id)

    @route("/<uuid:ticket_id>/incidents", methods=("GET", "POST"))
    @permission(Permission.DESK_REPLY)
    def incidents(self, ticket_id: UUID) -> ResponseReturnValue:
        """Answer every open incident of a problem at once; a result for each."""
        if request.method != "POST":
            return self._incidents_page(ticket_id)
        message = request.form.get("message", "")
        try:
            found = solve_incidents(http.session(), ticket_id, message=message, actor=http.actor(), now=http.now())
        except (Invalid, Conflict) as error:
            return self._incidents_page(ticket_id, error)
        http.commit()
        results = [
            {
                "number": one.number,
                "url": http.ticket_address("desk.ticket", one.ticket_id),
                "ok": one.ok,
                "text": gettext("Answered and solved")
                if one.ok
                else error_text(one.code, {"number": one.number}, gettext),
            }
            for one in found
        ]
        return self._incidents_page(ticket_id, results=results)

    def _page(self, ticket_id: UUID, error: Refusal | None = None) -> ResponseReturnValue:
        if error is not None:
            http.session().rollback()
        session, actor = http.session(), http.actor()
        ticket = get_ticket(session, ticket_id, actor=actor)
        links, threads = list_links(session, ticket_id, actor=actor), list_side_threads(session, ticket_id, actor=actor)
        context = {
            "ticket": ticket,
            "links": [linked_row(one) for one in links],
            "incidents": sum(one.relation is Relation.INCIDENT and one.status in ACTIVE for one in links),
            "threads": threads,
            "files": {one.conversation.id: _files_of(one) for one in threads},
            "relations": [(known.value, gettext(RELATIONS[known.value])) for known in BY_HAND],
            "follows": may_follow_up(ticket, http.tenant().tickets, http.now()),
            "errors": texts_of(error),
            "form": request.form,
        }
        if http.wants_fragment():
            return live_part(self.render("admin/tickets/_relations.html", **context))
        return self.render("admin/tickets/relations.html", **context), status_of(error)

    def _merge_page(self, ticket_id: UUID, into: UUID | None, error: Refusal | None = None) -> ResponseReturnValue:
        if error is not None:
            http.session().rollback()
        session, actor = http.session(), http.actor()
        ticket = get_ticket(session, ticket_id, actor=actor)
        words = request.args.get("q", "")[:QUERY_LENGTH].strip()
        context: dict[str, Any] = {"ticket": ticket, "q": words, "errors": texts_of(error), "into": None}
        if into is not None:
            context["into"] = get_ticket(session, into, actor=actor)
        else:
            context["candidates"] = [candidate_row(row) for row in self._candidates(ticket, words)]
        return self.render("admin/tickets/merge.html", **context), status_of(error)

    def _candidates(self, ticket: Ticket, words: str) -> list[TicketRow]:
        wanted = TicketFilter(
            company=ticket.customer_id, status=_OPEN, q=words, sort="updated", descending=True, limit=CANDIDATES + 1
        )
        page = list_tickets(http.session(), wanted, actor=http.actor(), now=http.now())
        return [row for row in page.items if row.ticket.id != ticket.id][:CANDIDATES]

    def _split_page(self, ticket_id: UUID, error: Refusal | None = None) -> ResponseReturnValue:
        if error is not None:
            http.session().rollback()
        ticket = get_ticket(http.session(), ticket_id, actor=http.actor())
        page = self.render(
            "admin/tickets/split.html",
            ticket=ticket,
            messages=list_public(http.session(), ticket_id),
            chosen=request.form.getlist("message_ids") or request.args.getlist("message_ids"),
            **_form(ticket, error),
        )
        return page, status_of(error)

    def _follow_up_page(self, ticket_id: UUID, error: Refusal | None = None) -> ResponseReturnValue:
        if error is not None:
            http.session().rollback()
        ticket = get_ticket(http.session(), ticket_id, actor=http.actor())
        page = self.render("admin/tickets/follow_up.html", ticket=ticket, **_form(ticket, error))
        return page, status_of(error)

    def _incidents_page(
        self, ticket_id: UUID, error: Refusal | None = None, results: list[dict[str, Any]] | None = None
    ) -> ResponseReturnValue:
        if error is not None:
            http.session().rollback()
        ticket = get_ticket(http.session(), ticket_id, actor=http.actor())
        found = list_open_incidents(http.session(), ticket_id, actor=http.actor())
        page = self.render(
            "admin/tickets/incidents.html",
            ticket=ticket,
            incidents=found,
            results=results,
            heading=ngettext("Answer %(num)d incident", "Answer %(num)d incidents", len(found)),
            form=request.form,
            errors=texts_of(error),
        )
        return page, status_of(error)

    def _made_before(self, ticket_id: UUID) -> ResponseReturnValue:
        """The same form came before: lead to what it made."""
        http.session().rollback()
        return self._back(valid_uuid(request.form.get("request_key")) or ticket_id)

    def _back(self, ticket_id: UUID) -> ResponseReturnValue:
        return http.see_other("desk.ticket", ticket_id=ticket_id)


def _form(ticket: Ticket, error: Refusal | None) -> dict[str, Any]:
    return {
        "form": request.form,
        "subject": request.form.get("subject", ticket.subject),
        "subject_length": SUBJECT_LENGTH,
        "request_key": request.form.get("request_key") or str(uuid4()),
        "errors": texts_of(error),
        "field_errors": by_field(error),
    }


def _files_of(thread: SideThread) -> list[dict[str, Any]]:
    return [file for entry in thread.messages for file in file_views(thread.files.get(entry.id, ()), "staff_files")]
