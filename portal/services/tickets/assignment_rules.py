"""Rules of assignment and what they know of people: edited, ordered, tried on the last tickets."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select

from portal.authz import Actor, Permission, require
from portal.errors import FieldError, Invalid, NotFound
from portal.events import audit
from portal.models import (
    AssignmentRule,
    BusinessCalendar,
    Company,
    StaffProfile,
    Ticket,
    TicketCategory,
    TicketPriority,
)
from portal.models.session import TenantSession
from portal.services.tenants.config_versions import get_version, keep_version
from portal.services.tickets.assignment import STRATEGIES, TeamMember, choose, covers, list_rules, load_team
from portal.services.tickets.validation import checked_text

RULE = "assignment_rule"
NAME_LENGTH = 80
SKILL_LENGTH = 40
MOST_SKILLS = 20
MOST_OPEN = 1_000
TRIED_ON = 20


@dataclass(frozen=True)
class RuleForm:
    """A rule as staff edit it; empty lists match every ticket and everybody who has the skills."""

    name: str
    strategy: str = "round_robin"
    active: bool = True
    match_categories: tuple[str, ...] = ()
    match_priorities: tuple[str, ...] = ()
    match_companies: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()
    only_working: bool = True


@dataclass(frozen=True)
class ProfileForm:
    """What the rules know of a member of the team; `most_open` None is no limit."""

    skills: tuple[str, ...] = ()
    calendar_id: UUID | None = None
    absent_from: datetime | None = None
    absent_until: datetime | None = None
    most_open: int | None = None


@dataclass(frozen=True)
class Trial:
    """What the rules would have done with a ticket: `rule` None where none matches, `chosen` None for nobody."""

    ticket_id: UUID
    number: str
    subject: str
    rule: str | None
    chosen: str | None


def save_rule(
    session: TenantSession, rule_id: UUID | None, *, form: RuleForm, actor: Actor, now: datetime
) -> AssignmentRule:
    """Create (id None) or change a rule; a new one is tried last. Raises Forbidden, NotFound and Invalid per field."""
    require(actor, Permission.SLA_CONFIGURE)
    checked = _checked_rule(session, rule_id, form)
    if rule_id is None:
        last = max((row.position for row in list_rules(session)), default=-1)
        rule = AssignmentRule(id=uuid4(), tenant_id=session.tenant_id, position=last + 1, version=0)
        session.add(rule)
        before: dict[str, Any] = {}
    else:
        rule = get_rule(session, rule_id, lock=True)
        before = _visible(rule)
    for name, value in vars(checked).items():
        setattr(rule, name, list(value) if isinstance(value, tuple) else value)
    rule.version += 1
    data = {"form": _visible(rule)}
    keep_version(session, RULE, rule.id, version=rule.version, data=data, actor=actor, now=now)
    audit(session, "assignment_rule.saved", RULE, rule.id, actor=actor, now=now, before=before, after=_visible(rule))
    return rule


def restore_rule(session: TenantSession, rule_id: UUID, version: int, *, actor: Actor, now: datetime) -> AssignmentRule:
    """Save a rule as it was in an earlier version, which makes a new one; its place in the order stays.

    Raises Forbidden, NotFound, and Invalid where what it refers to is gone or its name is taken.
    """
    require(actor, Permission.SLA_CONFIGURE)
    kept = get_version(session, RULE, rule_id, version).data["form"]
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in kept.items()}
    return save_rule(session, rule_id, form=RuleForm(**values), actor=actor, now=now)


def delete_rule(session: TenantSession, rule_id: UUID, *, actor: Actor, now: datetime) -> None:
    """Take a rule away; tickets keep who they have. Raises Forbidden and NotFound."""
    require(actor, Permission.SLA_CONFIGURE)
    rule = get_rule(session, rule_id, lock=True)
    audit(session, "assignment_rule.deleted", RULE, rule.id, actor=actor, now=now, before=_visible(rule))
    session.delete(rule)


def get_rule(session: TenantSession, rule_id: UUID, *, lock: bool = False) -> AssignmentRule:
    """One rule; NotFound where the tenant has none of that id."""
    query = select(AssignmentRule).where(AssignmentRule.id == rule_id)
    rule = session.scalar(query.with_for_update() if lock else query)
    if rule is None:
        raise NotFound(RULE)
    return rule


def move_rule(session: TenantSession, rule_id: UUID, *, up: bool, actor: Actor, now: datetime) -> None:
    """Have a rule tried one place sooner or later; at the ends nothing happens. Raises Forbidden and NotFound."""
    require(actor, Permission.SLA_CONFIGURE)
    order = select(AssignmentRule).order_by(AssignmentRule.position, AssignmentRule.name).with_for_update()
    rows = list(session.scalars(order))
    index = next((i for i, row in enumerate(rows) if row.id == rule_id), None)
    if index is None:
        raise NotFound(RULE)
    other = index - 1 if up else index + 1
    if not 0 <= other < len(rows):
        return
    rows[index], rows[other] = rows[other], rows[index]
    for position, row in enumerate(rows):
        row.position = position
    audit(session, "assignment_rule.moved", RULE, rule_id, actor=actor, now=now, after={"position": other})


def try_rules(
    session: TenantSession,
    *,
    actor: Actor,
    draft: RuleForm | None = None,
    rule_id: UUID | None = None,
) -> list[Trial]:
    """What the rules would have done with the last 20 tickets, newest first; nothing is changed.

    `draft` stands for the rule of that id, or comes last. Hours and absences are those of each ticket's
    opening; how many tickets somebody has is counted from now on.
    """
    require(actor, Permission.SLA_READ)
    rules: list[Any] = [draft if draft and row.id == rule_id else row for row in list_rules(session)]
    if draft is not None and rule_id is None:
        rules.append(draft)
    team = {one.user_id: one for one in load_team(session)}
    turns: dict[int, UUID | None] = {index: getattr(rule, "last_person", None) for index, rule in enumerate(rules)}
    newest = select(Ticket).order_by(Ticket.created_at.desc(), Ticket.id).limit(TRIED_ON)
    trials = [_try(ticket, rules, team, turns) for ticket in reversed(list(session.scalars(newest)))]
    return trials[::-1]


def _try(ticket: Ticket, rules: Sequence[Any], team: dict[UUID, TeamMember], turns: dict[int, UUID | None]) -> Trial:
    facts: dict[str, Any] = {
        "category": ticket.category,
        "priority": ticket.priority.value,
        "company_id": ticket.customer_id,
    }
    index = next((index for index, rule in enumerate(rules) if covers(rule, **facts)), None)
    if index is None:
        return Trial(ticket.id, ticket.ticket_number, ticket.subject, None, None)
    chosen = choose(rules[index], list(team.values()), ticket.created_at, last_person=turns[index])
    if chosen is not None:
        turns[index] = chosen.user_id
        team[chosen.user_id] = replace(chosen, open_tickets=chosen.open_tickets + 1)
    return Trial(ticket.id, ticket.ticket_number, ticket.subject, rules[index].name, chosen.name if chosen else None)


def save_profile(
    session: TenantSession, user_id: UUID, *, form: ProfileForm, actor: Actor, now: datetime
) -> StaffProfile:
    """Change what the rules know of somebody. Raises Forbidden, NotFound for nobody of the team, Invalid per field."""
    require(actor, Permission.SLA_CONFIGURE)
    if user_id not in {one.user_id for one in load_team(session)}:
        raise NotFound("staff_profile")
    checked = _checked_profile(session, form)
    profile = session.scalar(select(StaffProfile).where(StaffProfile.user_id == user_id).with_for_update())
    before = {} if profile is None else _profile_values(profile)
    if profile is None:
        profile = StaffProfile(tenant_id=session.tenant_id, user_id=user_id, signature="")
        session.add(profile)
    profile.skills = list(checked.skills)
    profile.calendar_id, profile.most_open = checked.calendar_id, checked.most_open
    profile.absent_from, profile.absent_until = checked.absent_from, checked.absent_until
    after = _profile_values(profile)
    audit(session, "staff_profile.saved", "staff_profile", user_id, actor=actor, now=now, before=before, after=after)
    return profile


def known_skills(session: TenantSession) -> list[str]:
    """Every skill that somebody has or a rule asks for, in order."""
    of_people = session.scalars(select(StaffProfile.skills))
    of_rules = session.scalars(select(AssignmentRule.skills))
    return sorted({str(skill) for skills in (*of_people, *of_rules) for skill in skills})


def _profile_values(profile: StaffProfile) -> dict[str, Any]:
    names = ("skills", "calendar_id", "absent_from", "absent_until", "most_open")
    return {name: getattr(profile, name) for name in names}


def _visible(rule: AssignmentRule) -> dict[str, Any]:
    return {name: getattr(rule, name) for name in RuleForm.__dataclass_fields__}


def _checked_rule(session: TenantSession, rule_id: UUID | None, form: RuleForm) -> RuleForm:
    errors: list[FieldError] = []
    name = checked_text("name", form.name, limit=NAME_LENGTH, errors=errors)
    taken = session.scalar(select(AssignmentRule.id).where(AssignmentRule.name == name))
    if name and taken is not None and taken != rule_id:
        errors.append(FieldError("name", "name_taken"))
    if form.strategy not in STRATEGIES:
        errors.append(FieldError("strategy", "unknown_choice"))
    team = {str(one.user_id) for one in load_team(session)}
    if not set(form.people) <= team:
        errors.append(FieldError("people", "unknown_choice"))
    elif form.strategy == "person" and not form.people:
        errors.append(FieldError("people", "required"))
    if not set(form.match_priorities) <= {priority.value for priority in TicketPriority}:
        errors.append(FieldError("match_priorities", "unknown_choice"))
    categories = set(form.match_categories)
    if categories and not categories <= set(session.scalars(select(TicketCategory.key))):
        errors.append(FieldError("match_categories", "unknown_category"))
    if form.match_companies and not _are_companies(session, form.match_companies):
        errors.append(FieldError("match_companies", "unknown_choice"))
    skills = _checked_skills(form.skills, errors)
    if errors:
        raise Invalid(*errors)
    return replace(form, name=name, skills=skills)


def _are_companies(session: TenantSession, ids: Sequence[str]) -> bool:
    try:
        wanted = {UUID(id_) for id_ in ids}
    except ValueError:
        return False
    return wanted <= set(session.scalars(select(Company.id).where(Company.id.in_(wanted))))


def _checked_skills(given: Sequence[str], errors: list[FieldError]) -> tuple[str, ...]:
    if len(given) > MOST_SKILLS:
        errors.append(FieldError("skills", "too_many", (("limit", MOST_SKILLS),)))
    texts = [checked_text("skills", skill, limit=SKILL_LENGTH, errors=errors) for skill in given[:MOST_SKILLS]]
    return tuple(sorted({" ".join(text.casefold().split()) for text in texts}))


def _checked_profile(session: TenantSession, form: ProfileForm) -> ProfileForm:
    errors: list[FieldError] = []
    skills = _checked_skills(form.skills, errors)
    if form.calendar_id is not None:
        known = session.scalar(select(BusinessCalendar.id).where(BusinessCalendar.id == form.calendar_id))
        if known is None:
            errors.append(FieldError("calendar_id", "unknown_choice"))
    if form.absent_until is not None and (form.absent_from is None or form.absent_until <= form.absent_from):
        errors.append(FieldError("absent_until", "absence_ends_early"))
    if form.most_open is not None and not 0 <= form.most_open <= MOST_OPEN:
        errors.append(FieldError("most_open", "out_of_range", (("low", 0), ("high", MOST_OPEN))))
    if errors:
        raise Invalid(*errors)
    return replace(form, skills=skills)
