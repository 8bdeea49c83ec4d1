"""Changing the tickets that are selected in the queue, how it went, and undoing it."""

from typing import Any
from uuid import UUID

from flask import redirect, request
from flask.typing import ResponseReturnValue

from portal.admin.base import ServiceView, route
from portal.admin.tickets import presenters as show
from portal.admin.tickets.address import QueueAddress
from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.localisation import current_locale, format_due, gettext, ngettext
from portal.errors import Conflict, FieldError, Invalid
from portal.lib.wording.errors import error_text
from portal.lib.wording.tickets import PRIORITY, STATUS_FOR_STAFF
from portal.models import BulkChange, TicketPriority, TicketStatus
from portal.services.tickets.bulk import MOST_TICKETS, UNDO_FOR, can_be_undone, change_tickets, get_change, undo_change
from portal.services.tickets.bulk_actions import BulkAction, BulkKind
from portal.services.tickets.choosing import list_ticket_ids
from portal.services.tickets.desk_terms import DeskTerms, load_desk_terms

Choices = list[tuple[str, list[tuple[str, str]]]]


def bulk_choices(terms: DeskTerms) -> Choices:
    """What can be done to selected tickets, in groups; a choice is `action:value`."""
    people = [("assign:me", gettext("Me")), ("assign:", gettext("Nobody"))]
    people += [(f"assign:{id_}", name) for id_, name in terms.team]
    categories = show.category_choices(terms, current_locale())
    may_trash = http.actor().may(Permission.DESK_TRASH)
    return [
        (gettext("Assign to"), people),
        (gettext("Status"), [(f"status:{key}", gettext(label)) for key, label in STATUS_FOR_STAFF.items()]),
        (gettext("Priority"), [(f"priority:{key}", gettext(label)) for key, label in PRIORITY.items()]),
        (gettext("Category"), [(f"category:{key}", name) for key, name in categories]),
        (gettext("Tags"), [("add_tags:", gettext("Add tags")), ("remove_tags:", gettext("Remove tags"))]),
        *([(gettext("Trash"), [("trash:", gettext("Put into the trash"))])] if may_trash else []),
    ]


def read_action(choice: str, tags: str, reason: str = "") -> BulkAction:
    """The action of a form; raises Invalid for one that was not offered."""
    name, _, value = choice.partition(":")
    try:
        kind = BulkKind(name)
        if kind is BulkKind.ASSIGN:
            user_id = http.actor().user_id if value == "me" else UUID(value) if value else None
            return BulkAction(kind, assignee_id=user_id)
        if kind in (BulkKind.ADD_TAGS, BulkKind.REMOVE_TAGS):
            return BulkAction(kind, tags=tuple(tag.strip() for tag in tags.split(",") if tag.strip()))
        if kind in (BulkKind.TRASH, BulkKind.RESTORE):
            return BulkAction(kind, reason=reason)
        if kind is BulkKind.STATUS:
            return BulkAction(kind, status=TicketStatus(value))
        if kind is BulkKind.PRIORITY:
            return BulkAction(kind, priority=TicketPriority(value))
        return BulkAction(kind, category=value)
    except ValueError:
        raise Invalid(FieldError("do", "bulk_value_missing")) from None


class BulkView(ServiceView):
    """Takes what the queue's bar sends; a page of its own tells how it went."""

    policy = Permission.DESK_UPDATE

    @route("/bar")
    def bar(self) -> ResponseReturnValue:
        """The bar by itself, for a queue in which somebody begins to select."""
        address = QueueAddress.read(request.args)
        return self.render(
            "admin/tickets/_bulk.html", address=address, bulk=bulk_choices(load_desk_terms(http.session()))
        )

    @route("/ids")
    def ids(self) -> ResponseReturnValue:
        """Ids of everything in the list, 500 at most, for whoever changes them in steps."""
        return {"ids": [str(ticket_id) for ticket_id in self._whole()]}

    @route("/", methods=("POST",))
    def change(self) -> ResponseReturnValue:
        """Do it; then the page that tells of each, or numbers alone for the script that goes on with the next."""
        stepwise = request.accept_mimetypes.best == "application/json"
        try:
            wanted = self._whole() if request.form.get("whole") else _ids(request.form.getlist("ids"))
            row = change_tickets(
                http.session(),
                wanted,
                action=read_action(*(request.form.get(name, "") for name in ("do", "tags", "reason"))),
                actor=http.actor(),
                now=http.now(),
                change_id=next(iter(_ids([request.form.get("change", "")])), None),
            )
        except Invalid as error:
            text = " ".join(error_text(item.code, dict(item.params), gettext) for item in error.errors)
            if stepwise:
                return {"problem": text}, 422
            http.session().rollback()
            return self.render("admin/tickets/bulk_problem.html", problem=text, back=self._back()), 422
        http.commit()
        address = http.address_of("desk_bulk.result", change_id=row.id, **QueueAddress.read(request.args).query())
        if stepwise:
            return {"id": str(row.id), "done": len(row.results), "address": address}
        return redirect(address, code=303)

    @route("/<uuid:change_id>")
    def result(self, change_id: UUID) -> ResponseReturnValue:
        """How it went with each ticket, with the way back."""
        return self._tell(get_change(http.session(), change_id, actor=http.actor()))

    @route("/<uuid:change_id>/undo", methods=("POST",))
    def undo(self, change_id: UUID) -> ResponseReturnValue:
        """Put everything back to which nothing happened since."""
        try:
            undo_change(http.session(), change_id, actor=http.actor(), now=http.now())
        except Conflict as error:
            http.session().rollback()
            row = get_change(http.session(), change_id, actor=http.actor())
            return self._tell(row, problem=error_text(error.code, error.params, gettext)), 409
        http.commit()
        address = QueueAddress.read(request.args)
        return redirect(http.address_of("desk_bulk.result", change_id=change_id, **address.query()), code=303)

    def _whole(self) -> list[UUID]:
        address = QueueAddress.read(request.args).opened()
        actor, now = http.actor(), http.now()
        wanted = address.wanted(actor.user_id)
        return list(list_ticket_ids(http.session(), wanted, actor=actor, now=now, most=MOST_TICKETS))

    def _back(self) -> str:
        return QueueAddress.read(request.args).url(select=False)

    def _tell(self, row: BulkChange, problem: str = "") -> str:
        undone = row.undone_at is not None
        changed = sum(bool(result.get("undone" if undone else "changed")) for result in row.results)
        if undone:
            title = ngettext("%(num)d ticket put back", "%(num)d tickets put back", changed)
        else:
            title = ngettext("%(num)d ticket changed", "%(num)d tickets changed", changed)
        context: dict[str, Any] = {
            "row": row,
            "title": title,
            "problem": problem,
            "results": [_shown(result) for result in row.results],
            "undo_until": format_due(row.created_at + UNDO_FOR) if can_be_undone(row, http.now()) else None,
            "back": self._back(),
            "undo_url": http.address_of("desk_bulk.undo", change_id=row.id, **QueueAddress.read(request.args).query()),
        }
        template = "admin/tickets/_bulk_done.html" if http.wants_fragment() else "admin/tickets/bulk.html"
        return self.render(template, **context)


def _shown(result: dict[str, Any]) -> dict[str, Any]:
    """A result as the page tells it: the refusals in words, those that ask for attention marked."""
    code = result.get("undo_code") or result.get("code")
    if code:
        text, tone = error_text(str(code), {}, gettext), "warn"
    elif result.get("undone"):
        text, tone = gettext("Put back"), "ok"
    else:
        text, tone = (gettext("Changed"), "ok") if result.get("changed") else (gettext("Was so already"), "neutral")
    return {"id": result["id"], "number": result["number"], "text": text, "tone": tone}


def _ids(values: list[str]) -> list[UUID]:
    found = []
    for value in values:
        try:
            found.append(UUID(value))
        except ValueError:
            continue
    return found
