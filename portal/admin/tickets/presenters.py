"""What the desk's templates show of a ticket: rows of the queue, thread, next steps."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any
from uuid import UUID

from markupsafe import Markup

from portal.admin.tickets.address import QueueAddress
from portal.admin.tickets.promise import queue_promise
from portal.blueprints import http
from portal.blueprints.files.presenters import file_views
from portal.blueprints.localisation import format_due, gettext
from portal.blueprints.tickets.hits import mark_fields
from portal.blueprints.tickets.labels import own_for_staff
from portal.blueprints.tickets.marks import message_marks
from portal.lib.text import excerpt
from portal.lib.wording import N_
from portal.lib.wording.tickets import ROLE, event_text, step_text
from portal.models import MOVES, NextStep, SenderType, TicketEvent, TicketMessage, TicketStatus
from portal.services.tickets.desk_terms import DeskTerms
from portal.services.tickets.detail import TicketDetail
from portal.services.tickets.editing import list_editable
from portal.services.tickets.rows import ComingStep, TicketRow

VIEWS: tuple[tuple[str, str, str, str], ...] = (
    ("mine", N_("My open tickets"), "circle-user", ""),
    ("unassigned", N_("Unassigned"), "inbox", ""),
    ("due_soon", N_("Due soon"), "timer", N_("The soonest promise first")),
    ("breached", N_("Promise missed"), "triangle-alert", N_("Due times that have passed")),
    ("with_customer", N_("With customer"), "pause", N_("The clock stands still until they answer")),
    ("open", N_("All open"), "layers", ""),
    ("solved", N_("Solved"), "circle-check", ""),
)
ALL_TICKETS = N_("All tickets")
ESCALATES = N_("Escalates")
# As much of the last message as a wide screen has room for.
SNIPPET = 56
_SEARCHED = ("subject", "number", "customer", "requester", "snippet")
_NEAR = timedelta(minutes=5)
# The thread shows these as messages.
_SPOKEN = frozenset({"created", "replied", "note_added", "message_edited"})
_EVENT_LOOK = {
    "escalated": ("triangle", "err"),
    "sla_warned": ("triangle", "warn"),
    "rated": ("check", "ok"),
    "status_changed": ("half", "accent"),
}
_SOURCES = {
    "portal": N_("Customer, in the portal"),
    "api": N_("Customer, by API"),
    "email": N_("Customer, by mail"),
    "staff": N_("Opened for the customer"),
}
# After a public reply; the first is what the button itself does.
AFTER_REPLY = (
    (TicketStatus.WAITING_CUSTOMER, N_("Send, wait for customer")),
    (TicketStatus.IN_PROGRESS, N_("Send, in progress")),
    (TicketStatus.RESOLVED, N_("Send, solved")),
)


def view_title(view: str) -> str:
    """The name of a view."""
    label: str = gettext(next((label for key, label, _, _ in VIEWS if key == view), ALL_TICKETS))
    return label


def queue_rows(
    rows: Iterable[TicketRow],
    address: QueueAddress,
    terms: DeskTerms,
    now: datetime,
    excerpts: Mapping[UUID, str] = MappingProxyType({}),
) -> list[dict[str, Any]]:
    """Rows of the queue and of the list beside a ticket; of a search with its hits and `excerpts` marked."""
    shown = [_queue_row(row, address.ticket_url(row.ticket.id), terms, now) for row in rows]
    if address.words:
        for item in shown:
            item["snippet"] = excerpts.get(item["id"], item["snippet"])
            mark_fields(item, _SEARCHED, address.words)
    return shown


def _queue_row(row: TicketRow, url: str, terms: DeskTerms, now: datetime) -> dict[str, Any]:
    ticket = row.ticket
    policy = terms.promises.get(ticket.sla_policy_id) if ticket.sla_policy_id else None
    return {
        "id": ticket.id,
        "url": url,
        "key": ticket.ticket_number,
        "number": ticket.ticket_number,
        "subject": ticket.subject,
        "snippet": excerpt(ticket.last_message, SNIPPET),
        "customer": row.company_name,
        "requester": row.requester_name,
        "status": ticket.status.value,
        "status_label": own_for_staff(ticket.custom_status),
        "priority": ticket.priority.value,
        "promise": queue_promise(ticket, policy, now),
        "step": queue_step(row.next_step, now),
        "assignee": row.assignee_name,
        "active_at": ticket.updated_at.replace(microsecond=0),
    }


def queue_step(step: NextStep | ComingStep | None, now: datetime) -> dict[str, Any] | None:
    """A next step in as few words as a table has room for; to the second only when it is near."""
    if step is None:
        return None
    if step.kind.endswith("_warning"):
        text, icon = gettext("Reminder"), "reminder"
    elif step.kind == "auto_close":
        text, icon = gettext("Closes"), "closing"
    else:
        text, icon = gettext(ROLE.get(str(step.params.get("role")), ESCALATES)), "escalation"
    at = step.at.replace(microsecond=0)
    when = format_due(at if abs(at - now) < _NEAR else at.replace(second=0))
    return {"kind": icon, "text": text, "at": at, "when": when}


def step_chips(steps: Sequence[NextStep | ComingStep], limit: int = 2) -> list[dict[str, Any]]:
    """The next steps as chips under the subject."""
    return [
        {"kind": _icon_of(step), "text": step_text(step.kind, step.params, gettext, staff=True), "at": step.at}
        for step in steps[:limit]
    ]


def coming(detail: TicketDetail) -> list[dict[str, Any]]:
    """What is now and what comes next, for the panel."""
    entries: list[dict[str, Any]] = []
    ticket = detail.ticket
    if ticket.is_active():
        name = detail.row.requester_name.split()[0] if detail.row.requester_name.split() else ""
        text = gettext("Your answer to %(name)s", name=name)
        if ticket.status is TicketStatus.WAITING_CUSTOMER:
            text = gettext("%(name)s answers", name=name)
        elif ticket.status is TicketStatus.AWAITING_PAYMENT:
            text = gettext("The payment arrives")
        entries.append({"state": "now", "text": text, "when": gettext("open")})
    entries.extend(
        {"state": "next", "text": step_text(step.kind, step.params, gettext, staff=True), "at": step.at}
        for step in detail.steps
    )
    return entries


def _icon_of(step: NextStep | ComingStep) -> str:
    if step.kind.endswith("_warning"):
        return "reminder"
    return "closing" if step.kind == "auto_close" else "escalation"


def thread_entries(detail: TicketDetail) -> list[dict[str, Any]]:
    """Description, messages, notes and events in order of time; each with `type` `message` or `event`."""
    company = detail.row.company_name
    editable = list_editable(detail.ticket, detail.messages, http.tenant().tickets, actor=http.actor(), now=http.now())
    marks = message_marks(detail.events)
    entries = [(entry.created_at, 1, _message(entry, company, detail, marks, editable)) for entry in detail.messages]
    entries.extend((event.at, 2, _event(event)) for event in detail.events if event.kind not in _SPOKEN)
    # What a merge brought or a split took along may be older than the ticket; its own text stands first all the same.
    return [_description(detail), *(shown for _, _, shown in sorted(entries, key=lambda entry: entry[:2]))]


def _description(detail: TicketDetail) -> dict[str, Any]:
    ticket = detail.ticket
    by_team = ticket.source == "staff"
    opener = next((event.actor_name for event in detail.events if event.kind == "created"), "")
    return {
        "type": "message",
        "id": f"{ticket.id}-0",
        "author_name": opener if by_team else detail.row.requester_name,
        "author_kind": "staff" if by_team else "customer",
        "role": gettext(_SOURCES.get(ticket.source, _SOURCES["portal"])),
        "at": ticket.created_at,
        "body_html": Markup(ticket.description_html),  # noqa: S704 - made safe by render_markdown when stored
        "attachments": file_views(detail.files_of(None), "staff_files"),
        "is_internal": False,
    }


def _message(
    entry: TicketMessage, company: str, detail: TicketDetail, marks: dict[str, str], editable: Collection[UUID]
) -> dict[str, Any]:
    staff = entry.sender_type is not SenderType.CUSTOMER
    return _edits(entry, editable) | {
        "type": "message",
        "id": entry.id,
        "author_name": entry.sender_name,
        "author_kind": "staff" if staff else "customer",
        "role": gettext("Public reply") if staff else gettext("Customer"),
        "channel": marks.get(str(entry.id)),
        "at": entry.created_at,
        "body_html": Markup(entry.message_html),  # noqa: S704 - made safe by render_markdown when stored
        "attachments": file_views(detail.files_of(entry.id), "staff_files"),
        "is_internal": entry.is_internal,
        "never_shown_to": company,
    }


def _edits(entry: TicketMessage, editable: Collection[UUID]) -> dict[str, Any]:
    """That a message was edited, where its earlier words are, and where its author can change it."""
    shown: dict[str, Any] = {}
    if entry.edited_at is not None:
        place = http.ticket_address("desk.earlier_words", entry.ticket_id, message_id=entry.id)
        shown = {"edited_at": entry.edited_at, "earlier_url": place}
    if entry.id in editable:
        shown["edit_url"] = http.ticket_address("desk.edit_message", entry.ticket_id, message_id=entry.id)
    return shown


def _event(event: TicketEvent) -> dict[str, Any]:
    shape, tone = _EVENT_LOOK.get(event.kind, ("half", "neutral"))
    if event.kind == "status_changed":
        shape, tone = _status_look(str(event.params.get("to")))
    return {
        "type": "event",
        "id": event.id,
        "text": event_text(event.kind, event.actor_name, event.params, gettext, staff=True, own=own_for_staff),
        "at": event.at,
        "shape": shape,
        "tone": tone,
    }


def _status_look(status: str) -> tuple[str, str]:
    looks = {
        "open": ("ring", "accent"),
        "in_progress": ("half", "accent"),
        "resolved": ("check", "ok"),
        "closed": ("minus", "neutral"),
        "cancelled": ("minus", "neutral"),
    }
    return looks.get(status, ("pause", "neutral"))


def reply_choices(current: TicketStatus) -> list[tuple[str, str]]:
    """What the ticket can be after an answer; staying as it is counts."""
    return [
        (status.value, gettext(label)) for status, label in AFTER_REPLY if status is current or status in MOVES[current]
    ]


def assignee_choices(terms: DeskTerms, current: UUID | None, current_name: str | None) -> list[tuple[str, str]]:
    """Nobody, then the team by name; whoever has the ticket is there even after leaving the team."""
    choices = [("", gettext("Nobody"))] + [(str(id_), name) for id_, name in terms.team]
    if current is not None and str(current) not in dict(choices):
        choices.append((str(current), current_name or str(current)))
    return choices


def category_choices(terms: DeskTerms, locale: str, current: str = "") -> list[tuple[str, str]]:
    """Categories that can be chosen, and the one the ticket has."""
    return [
        (category.key, category.name_in(locale))
        for category, active in terms.categories
        if active or category.key == current
    ]
