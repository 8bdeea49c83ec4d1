"""What the API takes and gives about promises: the promise, what a change moves, how promises were kept."""

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from portal.blueprints.api.schemas import SOME_TEXT, Body, Query, Shape, UtcDateTime
from portal.lib.sla_clock import Metric
from portal.models import SlaPolicy, TicketPriority, TicketStatus
from portal.services.tickets.promise_report import Grouping, ReportRow
from portal.services.tickets.sla_checks import MAX_LEVELS, MAX_SECONDS, NAME_LENGTH
from portal.services.tickets.sla_forms import PolicyForm
from portal.services.tickets.sla_moves import MovedTicket, Moves, OpenTickets

Seconds = Annotated[int, Field(ge=1, le=MAX_SECONDS)]
Key = Annotated[str, Field(max_length=50)]


class LevelShape(Shape):
    """One level of the ladder."""

    metric: Metric
    after_seconds: int
    notify_role: str
    assign_role: str | None


class PolicyShape(Shape):
    """A promise; durations are working seconds, but for `auto_close_seconds`."""

    id: UUID
    name: str
    position: int
    active: bool
    calendar_id: UUID
    match_categories: list[str]
    match_priorities: list[TicketPriority]
    match_companies: list[UUID]
    first_response_seconds: int | None
    resolution_seconds: int | None
    next_response_seconds: int | None
    update_seconds: int | None
    warn_before_seconds: int | None
    auto_close_seconds: int | None
    pause_statuses: list[TicketStatus]
    levels: list[LevelShape]
    version: int

    @classmethod
    def of(cls, policy: SlaPolicy) -> "PolicyShape":
        """A stored policy."""
        values = {name: getattr(policy, name) for name in cls.model_fields if name != "levels"}
        levels = [LevelShape(**{"assign_role": None} | level) for level in policy.levels]
        return cls(**values, levels=levels)


class Policies(Shape):
    """Every promise in the order in which they are tried."""

    items: list[PolicyShape]


class LevelRequest(Body):
    """One level of the ladder; a role of the team is told, and another may get the ticket."""

    metric: Metric
    after_seconds: Annotated[int, Field(ge=0, le=MAX_SECONDS)]
    notify_role: Annotated[str, Field(max_length=20)]
    assign_role: Annotated[str, Field(max_length=20)] | None = None


class PolicyRequest(Body):
    """A promise as a whole."""

    name: Annotated[str, Field(max_length=NAME_LENGTH, json_schema_extra=SOME_TEXT)]
    calendar_id: UUID
    active: bool = True
    match_categories: list[Key] = []
    match_priorities: list[TicketPriority] = []
    match_companies: list[UUID] = []
    first_response_seconds: Seconds | None = None
    resolution_seconds: Seconds | None = None
    next_response_seconds: Seconds | None = Field(None, description="To each further question.")
    update_seconds: Seconds | None = Field(None, description="A word from the team at least this often.")
    warn_before_seconds: Seconds | None = None
    auto_close_seconds: Seconds | None = None
    pause_statuses: list[TicketStatus] = [TicketStatus.WAITING_CUSTOMER, TicketStatus.AWAITING_PAYMENT]
    levels: Annotated[list[LevelRequest], Field(max_length=MAX_LEVELS)] = []

    def form(self, position: int) -> PolicyForm:
        """What the service takes."""
        values = self.model_dump(mode="json", exclude={"open_tickets"})
        lists: dict[str, Any] = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
        return PolicyForm(**values | lists | {"calendar_id": self.calendar_id, "position": position})


class PolicySave(PolicyRequest):
    """A promise, and what open tickets do."""

    open_tickets: OpenTickets = Field("move", description="Move to the new times, or stay with what was promised.")


class RestoreRequest(Body):
    """What open tickets do when a version comes back."""

    open_tickets: OpenTickets = "move"


class MovedShape(Shape):
    """An open ticket that the change would move."""

    id: UUID
    number: str
    metric: Metric
    old_due_at: UtcDateTime | None
    new_due_at: UtcDateTime | None
    newly_breached: bool

    @classmethod
    def of(cls, moved: MovedTicket) -> "MovedShape":
        """A ticket of a preview."""
        return cls(**{name: getattr(moved, name) for name in cls.model_fields})


class MovesShape(Shape):
    """Everything a change would move; at most 2,000 open tickets are looked at."""

    open_tickets: int
    newly_breached: int
    moves: list[MovedShape]

    @classmethod
    def of_moves(cls, moves: Moves) -> "MovesShape":
        """A preview."""
        items = [MovedShape.of(one) for one in moves.tickets]
        return cls(open_tickets=moves.open_tickets, newly_breached=moves.breached, moves=items)


class ReportQuery(Query):
    """Which tickets, and how they are grouped."""

    by: Grouping = "week"
    since: date | None = Field(None, description="Ninety days before `until` unless given.")
    until: date | None = Field(None, description="Today unless given.")


class ReportRowShape(Shape):
    """Figures of a group."""

    key: str | None
    label: str | None
    tickets: int
    answers_met: int
    answers_missed: int
    solutions_met: int
    solutions_missed: int
    rounds_missed: int = Field(description="Late further answers and updates.")
    median_answer_seconds: float | None

    @classmethod
    def of(cls, row: ReportRow) -> "ReportRowShape":
        """A row of the report."""
        values = {name: getattr(row, name) for name in cls.model_fields if name != "median_answer_seconds"}
        median = None if row.median_answer is None else row.median_answer.total_seconds()
        return cls(**values, median_answer_seconds=median)


class ReportShape(Shape):
    """Promises kept, of the tickets opened in a span of days."""

    by: Literal["week", "category", "agent", "policy"]
    since: date
    until: date
    total: ReportRowShape
    items: list[ReportRowShape]
