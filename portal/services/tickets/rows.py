"""Rows of lists of tickets: a ticket with the names around it, and what happens to it next."""

from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import defer

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
class SoonestStep:
    """Of a ticket's next steps the first, as far as lists show it."""

    kind: str
    at: datetime
    params: dict[str, Any]


@dataclass(frozen=True)
class TicketRow:
    """A ticket in a list, with the names around it; lists bring the soonest step, all others the whole `steps`."""

    ticket: Ticket
    company_name: str
    requester_name: str
    assignee_name: str | None
    category: CategoryName
    steps: list[NextStep] = field(default_factory=list)
    soonest: SoonestStep | None = None

    @property
    def next_step(self) -> NextStep | SoonestStep | None:
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


def select_rows(*options: Any) -> Select[Any]:
    """Ticket, company, requester, assignee and category in one statement.

    Names come from scalar subqueries: with joins the planner spent longer on their order (6 ms) than the
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
    columns = (company, _name_of(Ticket.requester_id), _name_of(Ticket.assigned_to), category)
    return select(Ticket, *columns).options(*options)


def _soonest_step(*, staff: bool) -> Any:
    """The first of a ticket's next steps that the reader may see, as kind, time and parameters."""
    step = (
        select(func.jsonb_build_array(NextStep.kind, NextStep.at, NextStep.params))
        .where(NextStep.tenant_id == Ticket.tenant_id, NextStep.record_id == Ticket.id)
        .order_by(NextStep.at, NextStep.key)
        .limit(1)
    )
    return (step if staff else step.where(NextStep.staff_only.is_(False))).correlate(Ticket).scalar_subquery()


def build_row(row: Any) -> TicketRow:
    """The list's row of a row of `select_rows`, with the soonest step where the statement brought it."""
    ticket, company, requester, assignee, names, *steps = row
    soonest = next(
        (SoonestStep(kind, datetime.fromisoformat(at), params) for kind, at, params in filter(None, steps)), None
    )
    return TicketRow(ticket, company, requester, assignee, CategoryName(ticket.category, names or {}), soonest=soonest)


# Pages' lists show neither the text of a ticket nor its clock's history.
_LIGHT = (
    defer(Ticket.description),
    defer(Ticket.description_html),
    defer(Ticket.clock_cycle),
    defer(Ticket.clock_fired),
    defer(Ticket.closed_at),
    defer(Ticket.custom_fields),
    defer(Ticket.escalation_level),
    defer(Ticket.satisfaction_comment),
)
_LABELS = (Ticket.source, Ticket.tags)


@cache
def select_list(*, staff: bool, whole: bool, labels: bool = False) -> Select[Any]:
    """The statement of lists: for pages without texts and with the soonest step, for the API (`whole`) all columns.

    `labels` brings tags and source to pages whose columns may show them.
    """
    if whole:
        return select_rows()
    left_out = () if labels else tuple(defer(column) for column in _LABELS)
    return select_rows(*_LIGHT, *left_out).add_columns(_soonest_step(staff=staff))
