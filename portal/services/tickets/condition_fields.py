"""The fields of a ticket that conditions of views may name."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import DateTime, Text, cast, literal, select

from portal.models import Company, Person, Ticket, TicketPriority, TicketStatus, User

# The map of answers to a category's questions (condition_answers.py).
ANSWERS = "custom_fields"
Kind = Literal["bool", "text", "number", "time", "span", "tags"]


@dataclass(frozen=True)
class Field:
    """What it is, how it is read at an instant, and what alone it can be where that is known."""

    kind: Kind
    sql: Callable[[datetime], Any]
    values: tuple[str, ...] = ()


def _plain(kind: Kind, column: Any, values: tuple[str, ...] = ()) -> Field:
    return Field(kind, lambda now: column, values)


def _since(column: Any) -> Field:
    return Field("span", lambda now: literal(now, DateTime(timezone=True)) - column)


def _person(login: Any, column: Any) -> Any:
    return (
        select(column)
        .join(User, User.person_id == Person.id)
        .where(User.id == login, User.tenant_id == Ticket.tenant_id, Person.tenant_id == Ticket.tenant_id)
        .correlate(Ticket)
        .scalar_subquery()
    )


_company = (
    select(Company.name)
    .where(Company.id == Ticket.customer_id, Company.tenant_id == Ticket.tenant_id)
    .correlate(Ticket)
    .scalar_subquery()
)
_STATUSES = tuple(status.value for status in TicketStatus)
_PRIORITIES = tuple(priority.value for priority in TicketPriority)

FIELDS: dict[str, Field] = {
    "number": _plain("text", Ticket.ticket_number),
    "subject": _plain("text", Ticket.subject),
    "status": _plain("text", cast(Ticket.status, Text), _STATUSES),
    "custom_status": _plain("text", Ticket.custom_status),
    "priority": _plain("text", cast(Ticket.priority, Text), _PRIORITIES),
    "category": _plain("text", Ticket.category),
    "source": _plain("text", Ticket.source),
    "tags": _plain("tags", Ticket.tags),
    "company": _plain("text", _company),
    "requester": _plain("text", _person(Ticket.requester_id, Person.name)),
    "requester_email": _plain("text", cast(_person(Ticket.requester_id, Person.email), Text)),
    "assignee": _plain("text", _person(Ticket.assigned_to, Person.name)),
    "escalation_level": _plain("number", Ticket.escalation_level),
    "minutes_spent": _plain("number", Ticket.minutes_spent),
    "rating": _plain("number", Ticket.satisfaction_rating),
    "created_at": _plain("time", Ticket.created_at),
    "updated_at": _plain("time", Ticket.updated_at),
    "resolved_at": _plain("time", Ticket.resolved_at),
    "due_at": _plain("time", Ticket.sla_due_at),
    "age": _since(Ticket.created_at),
    "idle": _since(Ticket.updated_at),
    "waiting": _since(Ticket.customer_waits_since),
}
