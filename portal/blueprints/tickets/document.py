"""A ticket as a document: what its customer sees of it, in the reader's language (H2.13)."""

import unicodedata
from typing import Any

from flask import Response

from portal.blueprints import http
from portal.blueprints.localisation import current_locale, format_moment, gettext
from portal.blueprints.tickets.answers import told_answers
from portal.blueprints.tickets.presenters import say, sorted_events
from portal.integrations.pdf import typeset
from portal.lib.colour import solid_accent
from portal.lib.wording.tickets import PRIORITY, STATUS_FOR_CUSTOMERS
from portal.models import SenderType
from portal.services.tickets.detail import TicketDetail
from portal.services.tickets.field_answers import read_answers

PDF = "application/pdf"
# About 150 pages; of longer conversations the newest messages are printed.
MOST_CHARACTERS = 400_000
_SPOKEN = frozenset({"created", "replied"})


def send_document(found: TicketDetail) -> Response:
    """The document as a download."""
    answer = Response(draw_document(found), mimetype=PDF)
    name = "".join(char if char.isascii() and char.isalnum() else "-" for char in found.ticket.ticket_number)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.pdf"'
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def draw_document(found: TicketDetail) -> bytes:
    """The PDF of a ticket that was read for a customer; internal notes and lines for staff never get into it."""
    tenant, ticket = http.tenant(), found.ticket
    entries, left_out = _newest(_entries(found))
    data = {
        "title": ticket.subject,
        "title_rtl": is_rtl(ticket.subject),
        "number": ticket.ticket_number,
        "foot": gettext("As of %(time)s", time=format_moment(http.now())),
        "facts": _facts(found),
        "conversation_title": gettext("Conversation"),
        "entries": entries,
        "left_out": gettext("Older messages are left out: %(number)s", number=left_out) if left_out else "",
        "timeline_title": gettext("What happened"),
        "timeline": _timeline(found),
    }
    return typeset(
        "ticket.typ",
        data,
        locale=current_locale(),
        tenant=tenant.name,
        accent=solid_accent(tenant.brand.get("accent")),
        now=http.now(),
    )


def is_rtl(text: str) -> bool:
    """Whether a text begins with a letter that is written from the right, as `dir="auto"` decides."""
    for char in text:
        kind = unicodedata.bidirectional(char)
        if kind in ("L", "R", "AL"):
            return kind != "L"
    return False


def _facts(found: TicketDetail) -> list[list[str]]:
    ticket, row = found.ticket, found.row
    rated = gettext("%(rating)s of 5", rating=ticket.satisfaction_rating) if ticket.satisfaction_rating else ""
    facts = [
        (gettext("Number"), ticket.ticket_number),
        (gettext("Status"), gettext(STATUS_FOR_CUSTOMERS[ticket.status.value])),
        (gettext("Priority"), gettext(PRIORITY[ticket.priority.value])),
        (gettext("Category"), row.category.name_in(current_locale(), http.tenant().locale)),
        *_answers(found),
        (gettext("Company"), row.company_name),
        (gettext("Opened by"), row.requester_name),
        (gettext("Opened"), format_moment(ticket.created_at)),
        (gettext("Handled by"), row.assignee_name or gettext("Nobody yet")),
        (gettext("Your rating"), rated),
    ]
    return [[label, str(value)] for label, value in facts if value]


def _answers(found: TicketDetail) -> list[tuple[str, str]]:
    if not found.ticket.custom_fields:
        return []
    answers = read_answers(
        http.session(), found.ticket.id, locale=current_locale(), fallback=http.tenant().locale, actor=http.actor()
    )
    return told_answers(answers)


def _entries(found: TicketDetail) -> list[dict[str, Any]]:
    row, ticket = found.row, found.ticket
    entries = [
        _entry(row.requester_name, row.company_name, format_moment(ticket.created_at), ticket.description, found, None)
    ]
    for message in found.messages:
        if message.is_internal:
            continue
        staff = message.sender_type is not SenderType.CUSTOMER
        at = format_moment(message.created_at)
        if message.edited_at is not None:
            at = gettext("%(time)s, edited", time=at)
        role = http.tenant().name if staff else row.company_name
        entries.append(_entry(message.sender_name, role, at, message.message, found, message.id))
    return entries


def _entry(author: str, role: str, at: str, body: str, found: TicketDetail, message_id: Any) -> dict[str, Any]:
    files = [file.filename for file in found.files_of(message_id)]
    return {"author": author, "role": role, "at": at, "body": body, "rtl": is_rtl(body), "files": files}


def _newest(entries: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], int]:
    """The newest entries that have room, and how many had none."""
    room = MOST_CHARACTERS
    kept: list[dict[str, Any]] = []
    for entry in reversed(entries):
        room -= len(entry["body"])
        if room < 0 and kept:
            break
        kept.append(entry)
    return kept[::-1], len(entries) - len(kept)


def _timeline(found: TicketDetail) -> list[dict[str, str]]:
    events = [event for event in sorted_events(found) if event.kind not in _SPOKEN and not event.staff_only]
    return [{"at": format_moment(event.at), "text": say(event)} for event in events]
