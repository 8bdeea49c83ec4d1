"""What a saved view asks of a ticket: kept by name, checked when it is saved, made into conditions of a statement."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, ColumnElement, and_, false, literal, literal_column, or_, select
from sqlalchemy.dialects.postgresql import JSONB

from portal.errors import FieldError
from portal.lib.text import clean_text
from portal.models import (
    ACTIVE,
    ACTIVE_SQL,
    Company,
    CustomStatus,
    Ticket,
    TicketCategory,
    TicketPriority,
    TicketStatus,
)
from portal.models.session import TenantSession
from portal.services.tickets.ordering import due_at
from portal.services.tickets.queries import list_assignable
from portal.services.tickets.validation import checked_text
from portal.services.tickets.view_conditions import check_condition, condition_clause

ME, NOBODY = "me", "none"
SLA_STATES = ("breached", "due", "paused", "none")
LONGEST_DAYS = 3_650
LONGEST_HOURS = 2_000
MOST_VALUES = 50
TEXT_LENGTH = 200
TAG_LENGTH = 40
_NEVER: ColumnElement[Any] = literal_column("'infinity'::timestamptz")
# In the words of the partial indexes.
_active: ColumnElement[bool] = literal_column(ACTIVE_SQL.text, Boolean)


@dataclass(frozen=True)
class ViewFilter:
    """Every field narrows; several values of one field mean any of them, except `tags`, of which all are asked for.

    `assignee` holds ids of logins, `me` or `none`; `sla` are states of the promise: missed, running, paused, none.
    `due_hours` asks for promises due within so many hours, the `days` for what happened within so many days,
    `idle_days` for tickets on which nothing happened for as long. `condition` is a question in CEL
    (view_conditions.py), asked beside all others.
    """

    status: tuple[str, ...] = ()
    custom_status: tuple[str, ...] = ()
    priority: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    assignee: tuple[str, ...] = ()
    company: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    sla: tuple[str, ...] = ()
    due_hours: int | None = None
    created_days: int | None = None
    updated_days: int | None = None
    idle_days: int | None = None
    text: str = ""
    condition: str = ""

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "ViewFilter":
        """The filter of a stored view, whose names and values were checked when it was saved."""
        values: dict[str, Any] = {}
        for field in fields(cls):
            if (value := stored.get(field.name)) is not None:
                values[field.name] = tuple(value) if isinstance(value, list) else value
        return cls(**values)

    def stored(self) -> dict[str, Any]:
        """What of it is set, as JSON."""
        found: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if value not in ((), None, ""):
                found[field.name] = list(value) if isinstance(value, tuple) else value
        return found


def check_filter(session: TenantSession, given: ViewFilter, errors: list[FieldError]) -> ViewFilter:
    """The filter with tidy texts; what the tenant does not have is added to `errors` by field."""
    known: dict[str, Iterable[str]] = {
        "status": [status.value for status in TicketStatus],
        "priority": [priority.value for priority in TicketPriority],
        "sla": SLA_STATES,
    }
    if given.category:
        known["category"] = session.scalars(select(TicketCategory.key)).all()
    if given.custom_status:
        known["custom_status"] = session.scalars(select(CustomStatus.key)).all()
    if given.assignee:
        known["assignee"] = [ME, NOBODY, *(str(user_id) for user_id, _ in list_assignable(session))]
    if given.company:
        wanted = [UUID(value) for value in given.company if _is_id(value)]
        found = session.scalars(select(Company.id).where(Company.id.in_(wanted[:MOST_VALUES]))).all()
        known["company"] = [str(company_id) for company_id in found]
    for name, choices in known.items():
        if set(getattr(given, name)) - set(choices):
            errors.append(FieldError(name, "unknown_choice"))
    _check_spans(given, errors)
    for field in fields(given):
        value = getattr(given, field.name)
        if isinstance(value, tuple) and len(value) > MOST_VALUES:
            errors.append(FieldError(field.name, "too_many", (("limit", MOST_VALUES),)))
    tags = tuple(checked_text("tags", tag, limit=TAG_LENGTH, errors=errors) for tag in given.tags[:MOST_VALUES])
    text = checked_text("text", given.text, limit=TEXT_LENGTH, errors=errors, required=False)
    condition = clean_text(given.condition)
    if condition and (wrong := check_condition(condition)):
        errors.append(FieldError("condition", wrong.code, tuple(wrong.places().items())))
    values: dict[str, Any] = {field.name: getattr(given, field.name) for field in fields(given)}
    values |= {"tags": tuple(dict.fromkeys(tags)), "text": " ".join(text.split()), "condition": condition}
    return ViewFilter(**values)


def _check_spans(given: ViewFilter, errors: list[FieldError]) -> None:
    for name in ("due_hours", "created_days", "updated_days", "idle_days"):
        value = getattr(given, name)
        most = LONGEST_HOURS if name == "due_hours" else LONGEST_DAYS
        if value is not None and not 1 <= value <= most:
            errors.append(FieldError(name, "out_of_range", (("low", 1), ("high", most))))


def _is_id(value: str) -> bool:
    try:
        UUID(value)
    except ValueError:
        return False
    return True


def saved_conditions(wanted: ViewFilter, me: UUID | None, now: datetime) -> list[ColumnElement[bool]]:
    """What the filter asks of a ticket, apart from its words."""
    conditions = [*_state_conditions(wanted), *_time_conditions(wanted, now)]
    if wanted.category:
        conditions.append(Ticket.category.in_(wanted.category))
    if wanted.assignee:
        conditions.append(_assigned(wanted.assignee, me))
    if wanted.company:
        conditions.append(Ticket.customer_id.in_([UUID(value) for value in wanted.company]))
    if wanted.tags:
        conditions.append(Ticket.tags.op("@>")(literal(list(wanted.tags), JSONB)))
    if wanted.sla:
        conditions.append(or_(*(_promise(state, now) for state in wanted.sla)))
    if wanted.condition:
        conditions.append(condition_clause(wanted.condition, now))
    return conditions


def _state_conditions(wanted: ViewFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.status:
        conditions.append(Ticket.status.in_([TicketStatus(value) for value in wanted.status]))
    if wanted.custom_status:
        conditions.append(Ticket.custom_status.in_(wanted.custom_status))
    if wanted.priority:
        conditions.append(Ticket.priority.in_([TicketPriority(value) for value in wanted.priority]))
    only_open = bool(wanted.status) and all(TicketStatus(value) in ACTIVE for value in wanted.status)
    if only_open or wanted.due_hours or (wanted.sla and "none" not in wanted.sla):
        # Says what the rest implies, so that the indexes of open tickets serve.
        conditions.append(_active)
    return conditions


def _time_conditions(wanted: ViewFilter, now: datetime) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.due_hours:
        conditions.append(due_at < now + timedelta(hours=wanted.due_hours))
    if wanted.created_days:
        conditions.append(Ticket.created_at >= now - timedelta(days=wanted.created_days))
    if wanted.updated_days:
        conditions.append(Ticket.updated_at >= now - timedelta(days=wanted.updated_days))
    if wanted.idle_days:
        conditions.append(Ticket.updated_at < now - timedelta(days=wanted.idle_days))
    return conditions


def _assigned(values: tuple[str, ...], me: UUID | None) -> ColumnElement[bool]:
    people = [UUID(value) for value in values if value not in (ME, NOBODY)]
    if ME in values and me is not None:
        people.append(me)
    chosen: list[ColumnElement[bool]] = [Ticket.assigned_to.in_(people)] if people else []
    if NOBODY in values:
        chosen.append(Ticket.assigned_to.is_(None))
    return or_(*chosen) if chosen else false()


def _promise(state: str, now: datetime) -> ColumnElement[bool]:
    paused = Ticket.sla_state == "paused"
    return {
        "breached": and_(_active, due_at < now),
        "due": and_(_active, due_at >= now, due_at < _NEVER, ~paused),
        "paused": and_(_active, paused),
        "none": and_(due_at == _NEVER, ~paused),
    }[state]
