"""Who gets a ticket: the first rule that matches decides, among those who know how and are there.

Carried out once in each cycle of a ticket's clock, by the clock's own activity, so opening a ticket waits
for nobody. The rule's row is locked while somebody is chosen: tickets opened at the same time are dealt
out one after the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import func, select

from portal.authz import Actor
from portal.events import Event
from portal.events.tickets import TicketAssigned
from portal.lib.working_time import WorkingCalendar, is_working
from portal.models import (
    AssignmentRule,
    BusinessCalendar,
    Membership,
    Person,
    StaffProfile,
    Ticket,
    User,
    UserStatus,
)
from portal.models.session import TenantSession
from portal.services.tickets.calendars import working_calendar
from portal.services.tickets.clock import ASSIGNMENT
from portal.services.tickets.desk_terms import ASSIGNABLE
from portal.services.tickets.listing import is_active
from portal.services.tickets.timeline import add_line

STRATEGIES = ("round_robin", "least_loaded", "person")


class Rule(Protocol):
    """What choosing needs of a rule: a stored one, or one that is still a form."""

    active: Any
    match_categories: Any
    match_priorities: Any
    match_companies: Any
    strategy: Any
    people: Any
    skills: Any
    only_working: Any


@dataclass(frozen=True)
class TeamMember:
    """Somebody who can be given tickets; without a calendar of their own they are taken to work always."""

    user_id: UUID
    name: str
    skills: frozenset[str]
    calendar: WorkingCalendar | None
    absent_from: datetime | None
    absent_until: datetime | None
    most_open: int | None
    open_tickets: int
    calendar_id: UUID | None = None

    def is_absent(self, at: datetime) -> bool:
        """Whether `at` lies in the absence; an end that is not given is not in sight."""
        if self.absent_from is None or at < self.absent_from:
            return False
        return self.absent_until is None or at < self.absent_until

    def is_free(self, at: datetime, *, only_working: bool) -> bool:
        """Neither absent nor full, and within the hours where that is asked for."""
        if self.is_absent(at) or (self.most_open is not None and self.open_tickets >= self.most_open):
            return False
        return not only_working or self.calendar is None or is_working(self.calendar, at)


def load_team(session: TenantSession) -> list[TeamMember]:
    """Everybody who can be given tickets, with what the rules know of them, by one statement."""
    open_tickets = (
        select(func.count())
        .select_from(Ticket)
        .where(Ticket.tenant_id == User.tenant_id, Ticket.assigned_to == User.id, is_active())
        .correlate(User)
        .scalar_subquery()
    )
    serves = select(Membership.id).where(Membership.user_id == User.id, Membership.role.in_(ASSIGNABLE)).exists()
    rows = session.execute(
        select(User.id, Person.name, StaffProfile, BusinessCalendar, open_tickets)
        .join(Person, Person.id == User.person_id)
        .outerjoin(StaffProfile, StaffProfile.user_id == User.id)
        .outerjoin(BusinessCalendar, BusinessCalendar.id == StaffProfile.calendar_id)
        .where(User.status == UserStatus.ACTIVE, serves)
        .order_by(Person.name, User.id)
    )
    return [_member(*row) for row in rows]


def _member(
    user_id: UUID, name: str, profile: StaffProfile | None, calendar: BusinessCalendar | None, count: int
) -> TeamMember:
    return TeamMember(
        user_id,
        name,
        skills=frozenset(profile.skills) if profile else frozenset(),
        calendar=working_calendar(calendar) if calendar else None,
        absent_from=profile.absent_from if profile else None,
        absent_until=profile.absent_until if profile else None,
        most_open=profile.most_open if profile else None,
        open_tickets=count,
        calendar_id=profile.calendar_id if profile else None,
    )


def list_rules(session: TenantSession) -> list[AssignmentRule]:
    """Every rule in the order in which they are tried."""
    return list(session.scalars(select(AssignmentRule).order_by(AssignmentRule.position, AssignmentRule.name)))


def covers(rule: Rule, *, category: str, priority: str, company_id: UUID) -> bool:
    """Whether a rule decides about such a ticket; an empty list matches everything."""
    return bool(
        rule.active
        and (not rule.match_categories or category in rule.match_categories)
        and (not rule.match_priorities or priority in rule.match_priorities)
        and (not rule.match_companies or str(company_id) in rule.match_companies)
    )


def choose(
    rule: Rule, team: Sequence[TeamMember], at: datetime, *, last_person: UUID | None = None
) -> TeamMember | None:
    """Who gets the next ticket by this rule, None where nobody can; `last_person` is whose turn was last."""
    free = [one for one in team if _fits(rule, one) and one.is_free(at, only_working=rule.only_working)]
    if not free:
        return None
    if rule.strategy == "person":
        wanted = [str(person) for person in rule.people]
        return min(free, key=lambda one: wanted.index(str(one.user_id)) if str(one.user_id) in wanted else len(wanted))
    turns = _by_turn(free, last_person)
    if rule.strategy == "least_loaded":
        return min(turns, key=lambda one: one.open_tickets)
    return turns[0]


def _fits(rule: Rule, one: TeamMember) -> bool:
    named = not rule.people or str(one.user_id) in {str(person) for person in rule.people}
    return named and set(rule.skills) <= one.skills


def _by_turn(free: Sequence[TeamMember], last_person: UUID | None) -> list[TeamMember]:
    """In the fixed order of their ids, beginning after whose turn was last, be they there or not."""
    ordered = sorted(free, key=lambda one: one.user_id)
    if last_person is None:
        return ordered
    return [one for one in ordered if one.user_id > last_person] + [
        one for one in ordered if one.user_id <= last_person
    ]


def assign_by_rule(session: TenantSession, ticket: Ticket, *, actor: Actor, now: datetime) -> list[Event]:
    """Give a locked ticket to somebody, at most once in each cycle; the events that are still to be published.

    A ticket that somebody has stays with them, unless they are absent (it was taken up again meanwhile).
    """
    if ASSIGNMENT in ticket.clock_fired or not ticket.is_active():
        return []
    ticket.clock_fired = [*ticket.clock_fired, ASSIGNMENT]
    rules = list_rules(session)
    facts: dict[str, Any] = {
        "category": ticket.category,
        "priority": ticket.priority.value,
        "company_id": ticket.customer_id,
    }
    rule = next((one for one in rules if covers(one, **facts)), None)
    if rule is None:
        return []
    # Locked before the team is read: who was chosen a moment ago counts already.
    session.refresh(rule, with_for_update=True)
    team = load_team(session)
    holder = next((one for one in team if one.user_id == ticket.assigned_to), None)
    if ticket.assigned_to is not None and holder is not None and not holder.is_absent(now):
        return []
    chosen = choose(rule, [one for one in team if one is not holder], now, last_person=rule.last_person)
    if chosen is None:
        add_line(session, ticket, "rule_found_nobody", actor=actor, now=now, staff_only=True, rule=rule.name)
        return []
    rule.last_person = chosen.user_id
    return [_give(session, ticket, chosen, rule.name, actor=actor, now=now)]


def _give(
    session: TenantSession, ticket: Ticket, chosen: TeamMember, rule: str, *, actor: Actor, now: datetime
) -> Event:
    before = ticket.assigned_to
    ticket.assigned_to = chosen.user_id
    ticket.updated_at = now
    add_line(session, ticket, "assigned", actor=actor, now=now, to=str(chosen.user_id), to_name=chosen.name)
    # The name of a rule is between the team and its settings.
    add_line(session, ticket, "rule_applied", actor=actor, now=now, staff_only=True, rule=rule, to_name=chosen.name)
    return TicketAssigned.about(ticket, from_user=before, to_user=chosen.user_id)
