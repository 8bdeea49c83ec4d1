"""Message-IDs that follow from what a mail is about, so that a repeat of a mail is the same mail."""

import re
from uuid import UUID

_TICKET_MAIL = re.compile(r"<ticket-(?P<ticket>[0-9a-f-]{36})(?:\.[0-9a-f]+)*@(?P<host>[^>]+)>")


def first_message_id(ticket_id: UUID, host: str) -> str:
    """Of the mail that confirms a ticket; the others of the ticket refer to it."""
    return f"<ticket-{ticket_id}@{host}>"


def message_id(ticket_id: UUID, event_id: UUID, user_id: UUID, host: str) -> str:
    """Of the mail that tells one person of one event."""
    return f"<ticket-{ticket_id}.{event_id.hex}.{user_id.hex[:12]}@{host}>"


def thread_of(message_id: str) -> str | None:
    """The first mail's Message-ID for one of ours."""
    found = _TICKET_MAIL.fullmatch(message_id)
    return first_message_id(UUID(found["ticket"]), found["host"]) if found else None


def ticket_of(message_id: str) -> UUID | None:
    """The ticket that one of our mails is about."""
    found = _TICKET_MAIL.fullmatch(message_id)
    return UUID(found["ticket"]) if found else None
