"""Pages and forms of the desk; each parses, calls one service and answers."""

from typing import Any
from uuid import UUID, uuid4

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue

from portal.admin.base import route
from portal.admin.live import live_part
from portal.admin.tickets import presenters as show
from portal.admin.tickets.address import QueueAddress
from portal.admin.tickets.bulk import bulk_choices
from portal.admin.tickets.columns import draw_list
from portal.admin.tickets.messages import MessagePages
from portal.admin.tickets.own_choices import read_status
from portal.admin.tickets.page import TicketPage, thread_context
from portal.admin.tickets.replying import chosen_macro, send_reply
from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.files.receiving import receive_files, still_attached, takes_files
from portal.blueprints.localisation import current_locale, format_count, gettext
from portal.blueprints.policies import permission
from portal.errors import Conflict, DomainError, FieldError, Invalid
from portal.lib.wording.errors import error_text
from portal.lib.wording.tickets import PRIORITY, STATUS_FOR_STAFF
from portal.models import TicketPriority
from portal.services.tickets.choosing import find_neighbour
from portal.services.tickets.collisions import answers_since
from portal.services.tickets.conversation import add_note
from portal.services.tickets.counting import count_views
from portal.services.tickets.desk import TicketChanges, assign_ticket, update_ticket
from portal.services.tickets.desk_terms import DeskTerms, load_desk_terms
from portal.services.tickets.detail import get_ticket_detail
from portal.services.tickets.listing import list_tickets


class DeskView(MessagePages):
    """The queue, and a ticket at work."""

    policy = Permission.DESK_READ

    @route("/")
    def index(self) -> ResponseReturnValue:
        """The queue: one view with filters, or only its rows where the open page asks again."""
        address = QueueAddress.read(request.args).opened()
        session, actor, now = http.session(), http.actor(), http.now()
        page = list_tickets(session, address.wanted(actor.user_id), actor=actor, now=now)
        terms = load_desk_terms(session)
        context = {
            "address": address,
            "rows": draw_list(page, address, terms, now),
            "earlier": address.url(cursor=page.previous_cursor) if page.previous_cursor else None,
            "later": address.url(cursor=page.next_cursor) if page.next_cursor else None,
            "title": address.saved.name if address.saved else show.view_title(address.view),
            "approximate": page.approximate,
        }
        if http.wants_fragment():
            return live_part(self.render("admin/tickets/_rows.html", **context))
        counts = count_views(session, [key for key, *_ in show.VIEWS], actor=actor, now=now)
        return self.render(
            "admin/tickets/queue.html",
            search_value=address.q,
            views=_views(address, counts),
            lead=next(
                (gettext(lead) for key, _, _, lead in show.VIEWS if key == address.view and lead and not address.saved),
                "",
            ),
            total=_total(address, counts),
            chips=_chips(address, terms, page.items[0].company_name if page.items else ""),
            choices=_choices(terms),
            bulk=bulk_choices(terms) if address.select and actor.may(Permission.DESK_UPDATE) else None,
            **context,
        )

    @route("/<uuid:ticket_id>/next")
    def neighbour(self, ticket_id: UUID) -> ResponseReturnValue:
        """To the ticket that follows in the list (`back=1`: precedes), or back to the list at its end."""
        address = QueueAddress.read(request.args).opened_or_standing()
        actor, back = http.actor(), request.args.get("back") == "1"
        wanted = address.wanted(actor.user_id)
        found = find_neighbour(http.session(), ticket_id, wanted, back=back, actor=actor, now=http.now())
        return redirect(address.ticket_url(found) if found else address.url(), code=303)

    @route("/<uuid:ticket_id>")
    def ticket(self, ticket_id: UUID) -> ResponseReturnValue:
        """A ticket with its list beside it, or one part of the page."""
        part = request.args.get("part", "") if http.wants_fragment() else ""
        if part == "thread":
            detail = get_ticket_detail(http.session(), ticket_id, actor=http.actor())
            return live_part(self.render("admin/tickets/_thread.html", **thread_context(detail)))
        page = TicketPage.load(ticket_id, QueueAddress.read(request.args))
        if part in ("head", "panel"):
            return live_part(self.render(f"admin/tickets/_{part}.html", **page.context()))
        return self.render("admin/tickets/ticket.html", **page.context() | chosen_macro(ticket_id))

    @route("/<uuid:ticket_id>/reply", methods=("POST",))
    @permission(Permission.DESK_REPLY)
    @takes_files
    def reply(self, ticket_id: UUID) -> ResponseReturnValue:
        """A public answer; where somebody else answered meanwhile, the text comes back with theirs above it."""
        session, actor = http.session(), http.actor()
        text = request.form.get("message", "")
        message_id = _uuid(request.form.get("message_id")) or uuid4()
        missed = answers_since(session, ticket_id, seen=_uuid(request.form.get("seen")), actor=actor)
        if any(entry.id == message_id for entry in missed):
            # Sent twice: the first one counts.
            return self._back(ticket_id)
        received = receive_files()
        others = [entry.sender_name for entry in missed if entry.sender_id != actor.user_id]
        if others:
            return self._again(ticket_id, 409, received.ids, reply_value=text, crossed=others[-1])
        try:
            received.check()
            send_reply(ticket_id, message=text, message_id=message_id, files=received.ids)
        except (Invalid, Conflict) as error:
            return self._refused(ticket_id, error, files=received.ids, reply_value=text)
        http.commit()
        flash(gettext("Reply sent"), "ok")
        return self._back(ticket_id)

    @route("/<uuid:ticket_id>/note", methods=("POST",))
    @permission(Permission.DESK_NOTE)
    @takes_files
    def note(self, ticket_id: UUID) -> ResponseReturnValue:
        """An internal note."""
        text, received = request.form.get("message", ""), receive_files()
        try:
            received.check()
            add_note(
                http.session(),
                ticket_id,
                message=text,
                actor=http.actor(),
                now=http.now(),
                attachment_ids=received.ids,
            )
        except Invalid as error:
            return self._refused(ticket_id, error, files=received.ids, note_value=text, mode="note")
        http.commit()
        flash(gettext("Note added"), "ok")
        return self._back(ticket_id)

    @route("/<uuid:ticket_id>/assign", methods=("POST",))
    @permission(Permission.DESK_UPDATE)
    def assign(self, ticket_id: UUID) -> ResponseReturnValue:
        """Give the ticket to somebody, or to nobody."""
        given = request.form.get("assignee_id", "")
        assignee = http.actor().user_id if given == "me" else _uuid(given)
        try:
            if given and assignee is None:
                raise Invalid(FieldError("assignee_id", "unknown_assignee"))
            assign_ticket(http.session(), ticket_id, assignee_id=assignee, actor=http.actor(), now=http.now())
        except Invalid as error:
            return self._refused(ticket_id, error, mode="property")
        http.commit()
        return self._back(ticket_id)

    @route("/<uuid:ticket_id>/update", methods=("POST",))
    @permission(Permission.DESK_UPDATE)
    def update(self, ticket_id: UUID) -> ResponseReturnValue:
        """Change status, priority, category, subject or tags."""
        try:
            update_ticket(http.session(), ticket_id, changes=_changes(), actor=http.actor(), now=http.now())
        except (Invalid, Conflict) as error:
            return self._refused(ticket_id, error, mode="property")
        http.commit()
        return self._back(ticket_id)

    def _back(self, ticket_id: UUID) -> ResponseReturnValue:
        return http.see_other("desk.ticket", ticket_id=ticket_id, **QueueAddress.read(request.args).query())

    def _refused(
        self,
        ticket_id: UUID,
        error: DomainError,
        mode: str = "reply",
        files: tuple[UUID, ...] = (),
        **kept: Any,
    ) -> ResponseReturnValue:
        status = 409 if isinstance(error, Conflict) else 422
        if isinstance(error, Invalid):
            texts = [error_text(item.code, dict(item.params), gettext) for item in error.errors]
        else:
            texts = [error_text(error.code, error.params, gettext)]
        if mode == "property":
            return self._again(ticket_id, status, problem=" ".join(texts))
        return self._again(ticket_id, status, files, errors=texts, mode=mode, **kept)

    def _again(self, ticket_id: UUID, status: int, files: tuple[UUID, ...] = (), **kept: Any) -> ResponseReturnValue:
        http.session().rollback()
        kept["kept_files"] = still_attached(files)
        page = TicketPage.load(ticket_id, QueueAddress.read(request.args))
        return self.render("admin/tickets/ticket.html", **page.context() | chosen_macro(ticket_id) | kept), status


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _changes() -> TicketChanges:
    """The fields that a form sent; raises Invalid for values that are none of the offered ones."""
    form = request.form
    status, own = read_status(form.get("status"))
    try:
        priority = TicketPriority(form["priority"]) if "priority" in form else None
    except ValueError:
        raise Invalid(FieldError("priority", "unknown_choice")) from None
    written = [*form["tags"].split(","), *form.getlist("add_tags")] if "tags" in form else None
    tags = tuple(tag.strip() for tag in written if tag.strip()) if written is not None else None
    category, subject = form.get("category"), form.get("subject")
    return TicketChanges(status, priority, category, subject, tags, own)


def _total(address: QueueAddress, counts: dict[str, int]) -> str | None:
    if address.saved or address.filtered or address.view not in counts:
        return None
    return format_count(counts[address.view])


def _views(address: QueueAddress, counts: dict[str, int]) -> list[dict[str, Any]]:
    return [
        {
            "key": key,
            "label": gettext(label),
            "icon": icon,
            "count": format_count(counts[key]) if counts[key] else "",
            "url": QueueAddress(view=key).url(),
            "current": address.view == key and not address.q and not address.saved_id,
        }
        for key, label, icon, _ in show.VIEWS
    ]


def _choices(terms: DeskTerms) -> dict[str, list[tuple[str, str]]]:
    """Options of the filter panel."""
    anything = ("", gettext("Any"))
    mine = [("me", gettext("Me")), ("none", gettext("Nobody"))]
    return {
        "status": [anything, *((key, gettext(label)) for key, label in STATUS_FOR_STAFF.items())],
        "priority": [anything, *((key, gettext(label)) for key, label in PRIORITY.items())],
        "category": [anything, *show.category_choices(terms, current_locale())],
        "assignee": [anything, *mine, *((str(id_), name) for id_, name in terms.team)],
    }


def _chips(address: QueueAddress, terms: DeskTerms, company: str) -> list[dict[str, str]]:
    """Filters in force, each with the address without it."""
    names = dict(show.category_choices(terms, current_locale()))
    team = {str(id_): name for id_, name in terms.team} | {"me": gettext("Me"), "none": gettext("Nobody")}
    found = (
        ("q", gettext("Search"), address.q),
        ("status", gettext("Status"), ", ".join(gettext(STATUS_FOR_STAFF[value]) for value in address.status)),
        ("priority", gettext("Priority"), ", ".join(gettext(PRIORITY[value]) for value in address.priority)),
        ("category", gettext("Category"), ", ".join(names.get(key, key) for key in address.category)),
        ("assignee", gettext("Assignee"), team.get(address.assignee, address.assignee)),
        ("company", gettext("Customer"), (company or gettext("one company")) if address.company else ""),
    )
    empty: dict[str, Any] = {"q": "", "assignee": "", "company": None}
    return [
        {"field": label, "value": value, "remove": address.url(**{name: empty.get(name, ())})}
        for name, label, value in found
        if value
    ]
