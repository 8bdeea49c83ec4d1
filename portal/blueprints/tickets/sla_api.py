"""Promises for programs of the team: reading, changing with a preview, versions, and how they were kept."""

from datetime import date, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from flask import Blueprint
from pydantic import Field

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.api.operations import operation
from portal.blueprints.api.schemas import SOME_TEXT, Body, Query, Shape, UtcDateTime
from portal.blueprints.localisation import current_locale
from portal.blueprints.policies import permission
from portal.errors import NotFound
from portal.lib.sla_clock import Metric
from portal.models import SlaPolicy, TicketPriority, TicketStatus
from portal.services.tickets.policies import POLICY, PolicyRow, load_policies
from portal.services.tickets.promise_report import Grouping, ReportRow, report_promises
from portal.services.tickets.sla_checks import MAX_LEVELS, MAX_SECONDS, NAME_LENGTH
from portal.services.tickets.sla_forms import PolicyForm
from portal.services.tickets.sla_moves import MovedTicket, OpenTickets, preview_policy
from portal.services.tickets.sla_policies import restore_policy, save_policy
from portal.services.tickets.sla_versions import list_versions

bp = Blueprint("sla_api", __name__, url_prefix="/api/v1/staff/sla")
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


class VersionShape(Shape):
    """An earlier or the present version."""

    version: int
    saved_at: UtcDateTime
    saved_by: str
    current: bool
    form: dict[str, Any]


class Versions(Shape):
    """The versions of a promise, newest first."""

    items: list[VersionShape]


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


@bp.get("/policies")
@permission(Permission.SLA_READ)
@operation("List the promises", answer=Policies)
def policies() -> Policies:
    """In the order in which they are tried; the first that covers a ticket applies."""
    return Policies(items=[PolicyShape.of(row.policy) for row in load_policies(http.session())])


@bp.post("/policies")
@permission(Permission.SLA_CONFIGURE)
@operation("Add a promise", body=PolicySave, answer=PolicyShape, status=201)
def add(body: PolicySave) -> PolicyShape:
    """It is tried last."""
    return _save(None, body)


@bp.put("/policies/<uuid:policy_id>")
@permission(Permission.SLA_CONFIGURE)
@operation("Change a promise", body=PolicySave, answer=PolicyShape)
def change(policy_id: UUID, body: PolicySave) -> PolicyShape:
    """Replaces it; what is left out has its standard value. The version before is kept."""
    return _save(policy_id, body)


@bp.post("/policies/<uuid:policy_id>/preview")
@permission(Permission.SLA_CONFIGURE)
@operation("See what a change would move", body=PolicyRequest, answer=MovesShape)
def preview(policy_id: UUID, body: PolicyRequest) -> MovesShape:
    """Changes nothing: the due times of open tickets before and after."""
    form = body.form(_row(policy_id).policy.position)
    moves = preview_policy(http.session(), policy_id, form, actor=http.actor(), now=http.now())
    items = [MovedShape.of(one) for one in moves.tickets]
    return MovesShape(open_tickets=moves.open_tickets, newly_breached=moves.breached, moves=items)


@bp.get("/policies/<uuid:policy_id>/versions")
@permission(Permission.SLA_READ)
@operation("List a promise's versions", answer=Versions)
def versions(policy_id: UUID) -> Versions:
    """Who saved what when; the newest fifty."""
    _row(policy_id)
    found = list_versions(http.session(), POLICY, policy_id, actor=http.actor())
    items = [
        VersionShape(
            version=one.number,
            saved_at=one.saved_at,
            saved_by=one.saved_by_name,
            current=one.current,
            form=one.data["form"],
        )
        for one in found
    ]
    return Versions(items=items)


@bp.post("/policies/<uuid:policy_id>/versions/<int:version>/restore")
@permission(Permission.SLA_CONFIGURE)
@operation("Go back to a version", body=RestoreRequest, answer=PolicyShape)
def restore(policy_id: UUID, version: int, body: RestoreRequest) -> PolicyShape:
    """Saves the promise as it was, which makes a new version."""
    restored = restore_policy(
        http.session(), policy_id, version, actor=http.actor(), now=http.now(), open_tickets=body.open_tickets
    )
    return PolicyShape.of(restored)


@bp.get("/report")
@permission(Permission.SLA_READ)
@operation("Read how promises were kept", query=ReportQuery, answer=ReportShape)
def report(query: ReportQuery) -> ReportShape:
    """Per week, category, agent or promise; tickets count by the newest cycle of their clock."""
    until = query.until or http.now().date()
    since = query.since or max(until, date(1970, 6, 1)) - timedelta(days=90)
    found = report_promises(
        http.session(),
        by=query.by,
        since=since,
        until=until,
        zone=http.tenant().timezone,
        locale=current_locale(),
        actor=http.actor(),
        now=http.now(),
    )
    rows = [ReportRowShape.of(row) for row in found.rows]
    return ReportShape(by=found.by, since=since, until=until, total=ReportRowShape.of(found.total), items=rows)


def _row(policy_id: UUID) -> PolicyRow:
    found = next((row for row in load_policies(http.session()) if row.policy.id == policy_id), None)
    if found is None:
        raise NotFound(POLICY)
    return found


def _save(policy_id: UUID | None, body: PolicySave) -> PolicyShape:
    if policy_id is None:
        position = max((row.policy.position for row in load_policies(http.session())), default=-1) + 1
    else:
        position = _row(policy_id).policy.position
    saved = save_policy(
        http.session(),
        policy_id,
        form=body.form(position),
        actor=http.actor(),
        now=http.now(),
        open_tickets=body.open_tickets,
    )
    return PolicyShape.of(saved)
