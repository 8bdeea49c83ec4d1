"""Rows of lists of tickets: a ticket with the names around it, and what happens to it next."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, cast

from sqlalchemy import Select, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from portal.models import Company, NextStep, Person, Ticket, TicketCategory, User


@dataclass(frozen=True)
class CategoryName:
    """A category's key and its names per language."""

    key: str
    names: dict[str, str]

    def name_in(self, locale: str, fallback: str = "en") -> str:
        """The name in `locale`, else in the tenant's language, else the key made readable."""
        return self.names.get(locale) or self.names.get(fallback) or self.key.replace("_", " ").capitalize()


@dataclass(frozen=True)
class ComingStep:
    """One of a ticket's next steps, as the statement brings it that reads the ticket."""

    kind: str
    at: datetime
    params: dict[str, Any]
    staff_only: bool


@dataclass(frozen=True)
class TicketRow:
    """A ticket in a list, with the names around it; lists bring the soonest step, all others the whole `steps`.

    In pages' lists `ticket` is a row of the columns that they show.
    """

    ticket: Ticket
    company_name: str
    requester_name: str
    assignee_name: str | None
    category: CategoryName
    steps: list[NextStep | ComingStep] = field(default_factory=list)
    soonest: ComingStep | None = None

    @property
    def next_step(self) -> NextStep | ComingStep | None:
        """The soonest step the reader may see."""
        return self.steps[0] if self.steps else self.soonest


def _name_of(login: Any) -> Any:
    person = (
        select(User.person_id)
        .where(User.id == login, User.tenant_id == Ticket.tenant_id)
        .correlate(Ticket)
        .scalar_subquery()
    )
    return (
        select(Person.name)
        .where(Person.id == person, Person.tenant_id == Ticket.tenant_id)
        .correlate(Ticket)
        .scalar_subquery()
    )


def select_rows() -> Select[Any]:
    """Ticket, company, requester, assignee and category in one statement."""
    return select(Ticket, *_names())


def _names() -> tuple[Any, ...]:
    """Names of company, requester, assignee and category.

    They come from scalar subqueries: with joins the planner spent longer on their order (6 ms) than the
    statement took.
    """
    company = (
        select(Company.name)
        .where(Company.id == Ticket.customer_id, Company.tenant_id == Ticket.tenant_id)
        .correlate(Ticket)
        .scalar_subquery()
    )
    category = (
        select(TicketCategory.names)
        .where(TicketCategory.key == Ticket.category, TicketCategory.tenant_id == Ticket.tenant_id)
        .correlate(Ticket)
        .scalar_subquery()
    )
    return company, _name_of(Ticket.requester_id), _name_of(Ticket.assigned_to), category


_STEP = func.jsonb_build_array(NextStep.kind, NextStep.at, NextStep.params, NextStep.staff_only)


def _steps_of_ticket(*, staff: bool) -> Any:
    """The ticket's next steps that the reader may see."""
    steps = select(NextStep.at, NextStep.key, _STEP.label("step")).where(
        NextStep.tenant_id == Ticket.tenant_id, NextStep.record_id == Ticket.id
    )
    return (steps if staff else steps.where(NextStep.staff_only.is_(False))).correlate(Ticket)


def steps_column(*, staff: bool) -> Any:
    """The steps of the ticket of an outer statement, soonest first, as one JSON value."""
    steps = _steps_of_ticket(staff=staff).subquery()
    return select(func.jsonb_agg(aggregate_order_by(steps.c.step, steps.c.at, steps.c.key))).scalar_subquery()


def read_steps(value: Iterable[Any] | None) -> list[ComingStep]:
    """What `steps_column` brought."""
    return [_read_step(step) for step in value or ()]


def _read_step(step: Any) -> ComingStep:
    kind, at, params, staff_only = step
    return ComingStep(kind, datetime.fromisoformat(at), params, staff_only)


def _soonest_step(*, staff: bool) -> Any:
    steps = _steps_of_ticket(staff=staff).with_only_columns(_STEP).order_by(NextStep.at, NextStep.key)
    return steps.limit(1).scalar_subquery()


def build_row(row: Any) -> TicketRow:
    """The row of a ticket with its names, as `select_rows` reads it."""
    ticket, company, requester, assignee, names = row
    return TicketRow(ticket, company, requester, assignee, CategoryName(ticket.category, names or {}))


def build_listed(row: Any) -> TicketRow:
    """The row of a page's list: columns instead of a ticket, which cost half as much to read (`select_list`)."""
    company, requester, assignee, names, step = row[-5:]
    soonest = _read_step(step) if step else None
    ticket = cast("Ticket", row)
    return TicketRow(ticket, company, requester, assignee, CategoryName(ticket.category, names or {}), soonest=soonest)


# Pages' lists show neither the text of a ticket nor its clock's history; reading what is not here is an error.
_LISTED = (
    Ticket.id,
    Ticket.tenant_id,
    Ticket.customer_id,
    Ticket.requester_id,
    Ticket.ticket_number,
    Ticket.subject,
    Ticket.category,
    Ticket.priority,
    Ticket.status,
    Ticket.custom_status,
    Ticket.assigned_to,
    Ticket.sla_policy_id,
    Ticket.sla_policy_version,
    Ticket.sla_due_at,
    Ticket.sla_state,
    Ticket.first_response_due_at,
    Ticket.resolution_due_at,
    Ticket.next_response_due_at,
    Ticket.update_due_at,
    Ticket.customer_waits_since,
    Ticket.team_spoke_at,
    Ticket.first_response_at,
    Ticket.resolved_at,
    Ticket.clock_started_at,
    Ticket.clock_pauses,
    Ticket.satisfaction_rating,
    Ticket.last_message,
    Ticket.created_at,
    Ticket.updated_at,
)
_LABELS = (Ticket.source, Ticket.tags)


@cache
def select_list(*, staff: bool, whole: bool, labels: bool = False) -> Select[Any]:
    """The statement of lists: for the API (`whole`) tickets, for pages their columns and the soonest step.

    `labels` brings tags and source to pages whose columns may show them.
    """
    if whole:
        return select_rows()
    more = _LABELS if labels else ()
    columns: list[Any] = [*_LISTED, *more, *_names(), _soonest_step(staff=staff)]
    return select(*columns)
