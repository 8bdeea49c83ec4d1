"""Rules of assignment for programs of the team."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from flask import Blueprint
from pydantic import AwareDatetime, Field

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.api.operations import operation
from portal.blueprints.api.schemas import SOME_TEXT, Body, Shape, UtcDateTime
from portal.blueprints.policies import permission
from portal.blueprints.tickets.requests import CategoryKey
from portal.models import AssignmentRule, TicketPriority
from portal.services.tickets.assignment import TeamMember, list_rules, load_team
from portal.services.tickets.assignment_rules import (
    MOST_OPEN,
    MOST_SKILLS,
    NAME_LENGTH,
    SKILL_LENGTH,
    ProfileForm,
    RuleForm,
    Trial,
    save_profile,
    save_rule,
    try_rules,
)

bp = Blueprint("assignment_api", __name__, url_prefix="/api/v1/staff/assignment")
Strategy = Literal["round_robin", "least_loaded", "person"]
Skill = Annotated[str, Field(max_length=SKILL_LENGTH, json_schema_extra=SOME_TEXT)]
# Years that every calendar and zone can hold.
Instant = Annotated[AwareDatetime, Field(ge=datetime(1970, 1, 1, tzinfo=UTC), le=datetime(9000, 1, 1, tzinfo=UTC))]
Skills = Annotated[list[Skill], Field(max_length=MOST_SKILLS)]


class RuleShape(Shape):
    """A rule; empty lists match every ticket and everybody who has the skills."""

    id: UUID
    name: str
    position: int
    active: bool
    match_categories: list[str]
    match_priorities: list[TicketPriority]
    match_companies: list[UUID]
    strategy: Strategy
    people: list[UUID]
    skills: list[str]
    only_working: bool
    version: int

    @classmethod
    def of(cls, rule: AssignmentRule) -> "RuleShape":
        """A stored rule."""
        return cls(**{name: getattr(rule, name) for name in cls.model_fields})


class Rules(Shape):
    """Every rule in the order in which they are tried."""

    items: list[RuleShape]


class RuleRequest(Body):
    """A rule as a whole."""

    name: Annotated[str, Field(max_length=NAME_LENGTH, json_schema_extra=SOME_TEXT)]
    strategy: Strategy = "round_robin"
    active: bool = True
    match_categories: list[CategoryKey] = []
    match_priorities: list[TicketPriority] = []
    match_companies: list[UUID] = []
    people: list[UUID] = []
    skills: Skills = []
    only_working: bool = True

    def form(self) -> RuleForm:
        """What the service takes."""
        values: dict[str, Any] = self.model_dump(mode="json")
        lists: dict[str, Any] = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
        return RuleForm(**values | lists)


class TrialShape(Shape):
    """What the rules would have done with a ticket."""

    ticket_id: UUID
    number: str
    rule: str | None
    chosen: str | None

    @classmethod
    def of(cls, trial: Trial) -> "TrialShape":
        """A ticket of a trial."""
        return cls(ticket_id=trial.ticket_id, number=trial.number, rule=trial.rule, chosen=trial.chosen)


class Trials(Shape):
    """The last tickets, newest first."""

    items: list[TrialShape]


class MemberShape(Shape):
    """What the rules know of somebody."""

    id: UUID
    name: str
    skills: list[str]
    calendar_id: UUID | None
    absent_from: UtcDateTime | None
    absent_until: UtcDateTime | None
    most_open: int | None
    open_tickets: int

    @classmethod
    def of(cls, member: TeamMember) -> "MemberShape":
        """A member of the team."""
        values = {name: getattr(member, name) for name in cls.model_fields if name not in ("id", "skills")}
        return cls(id=member.user_id, skills=sorted(member.skills), **values)


class Members(Shape):
    """Everybody who can be given tickets, by name."""

    items: list[MemberShape]


class MemberRequest(Body):
    """What the rules shall know of somebody, as a whole."""

    skills: Skills = []
    calendar_id: UUID | None = None
    absent_from: Instant | None = None
    absent_until: Instant | None = None
    most_open: Annotated[int, Field(ge=0, le=MOST_OPEN)] | None = None


@bp.get("/rules")
@permission(Permission.SLA_READ)
@operation("List the rules of assignment", answer=Rules)
def rules() -> Rules:
    """The first rule that covers a new ticket chooses who gets it."""
    return Rules(items=[RuleShape.of(rule) for rule in list_rules(http.session())])


@bp.post("/rules")
@permission(Permission.SLA_CONFIGURE)
@operation("Add a rule of assignment", body=RuleRequest, answer=RuleShape, status=201)
def add(body: RuleRequest) -> RuleShape:
    """It is tried last."""
    return RuleShape.of(save_rule(http.session(), None, form=body.form(), actor=http.actor(), now=http.now()))


@bp.put("/rules/<uuid:rule_id>")
@permission(Permission.SLA_CONFIGURE)
@operation("Change a rule of assignment", body=RuleRequest, answer=RuleShape)
def change(rule_id: UUID, body: RuleRequest) -> RuleShape:
    """Replaces it; what is left out has its standard value."""
    return RuleShape.of(save_rule(http.session(), rule_id, form=body.form(), actor=http.actor(), now=http.now()))


@bp.post("/rules/trial")
@permission(Permission.SLA_CONFIGURE)
@operation("Try a rule on the last tickets", body=RuleRequest, answer=Trials)
def trial(body: RuleRequest) -> Trials:
    """What the stored rules and this one after them would have done with the last twenty; changes nothing."""
    found = try_rules(http.session(), actor=http.actor(), draft=body.form())
    return Trials(items=[TrialShape.of(one) for one in found])


@bp.get("/people")
@permission(Permission.SLA_READ)
@operation("List who can be given tickets", answer=Members)
def people() -> Members:
    """With skills, hours, absence and how many open tickets they have."""
    return Members(items=[MemberShape.of(one) for one in load_team(http.session())])


@bp.put("/people/<uuid:user_id>")
@permission(Permission.SLA_CONFIGURE)
@operation("Say what somebody knows and when they are there", body=MemberRequest, answer=MemberShape)
def set_member(user_id: UUID, body: MemberRequest) -> MemberShape:
    """Replaces it; what is left out is forgotten."""
    form = ProfileForm(
        skills=tuple(body.skills),
        calendar_id=body.calendar_id,
        absent_from=body.absent_from,
        absent_until=body.absent_until,
        most_open=body.most_open,
    )
    session = http.session()
    save_profile(session, user_id, form=form, actor=http.actor(), now=http.now())
    session.flush()
    return MemberShape.of(next(one for one in load_team(session) if one.user_id == user_id))
