"""How satisfied customers were: ratings of solved tickets by week, category and agent, with what they wrote."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Date, Select, cast, func, select

from portal.authz import Actor, Permission, require
from portal.events import audit
from portal.models import Company, Person, Ticket, User
from portal.models.session import TenantSession

WEEKS = (4, 13, 26, 52)
COMMENTS = 25
GOOD = 4
# More rows than this are no file for a spreadsheet.
EXPORTED = 10_000


@dataclass(frozen=True)
class SatisfactionFilter:
    """Which ratings count: of tickets solved in the last `weeks`, of a category or an agent."""

    weeks: int = WEEKS[1]
    category: str = ""
    agent: UUID | None = None


@dataclass(frozen=True)
class Figures:
    """Ratings of one group: how many, their average (1 to 5), how many of them were 4 or 5."""

    count: int
    average: float | None
    good: int


@dataclass(frozen=True)
class Group:
    """A week (by its Monday), a category (by its key) or an agent (by id and name), with its figures."""

    key: str
    name: str
    figures: Figures


@dataclass(frozen=True)
class RatedTicket:
    """A rating with what was written to it."""

    ticket: Ticket
    company: str
    requester: str
    agent: str | None


@dataclass(frozen=True)
class Satisfaction:
    """The overview; `solved` is how many tickets were solved in the time, so that one sees how many answered."""

    whole: Figures
    solved: int
    weeks: list[Group]
    categories: list[Group]
    agents: list[Group]
    comments: list[RatedTicket]


def read_satisfaction(
    session: TenantSession, wanted: SatisfactionFilter, *, zone: str, actor: Actor, now: datetime
) -> Satisfaction:
    """The overview in six statements; weeks begin on Mondays in `zone`. Raises Forbidden."""
    require(actor, Permission.DESK_READ)
    rated = (*_scope(wanted, now), Ticket.satisfaction_rating.is_not(None))
    week = cast(func.date_trunc("week", func.timezone(zone, Ticket.resolved_at)), Date)
    whole = session.execute(select(*_figures()).where(*rated)).one()
    weeks = session.execute(select(week, *_figures()).where(*rated).group_by(week).order_by(week))
    categories = session.execute(
        select(Ticket.category, *_figures()).where(*rated).group_by(Ticket.category).order_by(func.count().desc())
    )
    agents = session.execute(
        select(Ticket.assigned_to, Person.name, *_figures())
        .outerjoin(User, User.id == Ticket.assigned_to)
        .outerjoin(Person, Person.id == User.person_id)
        .where(*rated)
        .group_by(Ticket.assigned_to, Person.name)
        .order_by(func.count().desc(), Person.name)
    )
    return Satisfaction(
        whole=_read(whole),
        solved=session.scalar(select(func.count()).select_from(Ticket).where(*_scope(wanted, now))) or 0,
        weeks=_every_week([Group(day.isoformat(), "", _read(rest)) for day, *rest in weeks]),
        categories=[Group(key, "", _read(rest)) for key, *rest in categories],
        agents=[Group(str(id_ or ""), name or "", _read(rest)) for id_, name, *rest in agents],
        comments=_rows(session, wanted, now, limit=COMMENTS, commented=True),
    )


def export_satisfaction(
    session: TenantSession, wanted: SatisfactionFilter, *, actor: Actor, now: datetime
) -> list[RatedTicket]:
    """Every rating that counts (at most 10,000), the newest first; leaves an audit row. Raises Forbidden."""
    require(actor, Permission.DESK_READ)
    rows = _rows(session, wanted, now, limit=EXPORTED, commented=False)
    told = {"weeks": wanted.weeks, "category": wanted.category, "agent": wanted.agent, "rows": len(rows)}
    audit(session, "satisfaction.exported", "tenant", session.tenant_id, actor=actor, now=now, after=told)
    return rows


def _scope(wanted: SatisfactionFilter, now: datetime) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [
        Ticket.resolved_at >= now - timedelta(weeks=wanted.weeks),
        Ticket.trashed_at.is_(None),
    ]
    if wanted.category:
        conditions.append(Ticket.category == wanted.category)
    if wanted.agent:
        conditions.append(Ticket.assigned_to == wanted.agent)
    return conditions


def _figures() -> tuple[ColumnElement[int], ColumnElement[float], ColumnElement[int]]:
    rating = Ticket.satisfaction_rating
    return func.count(rating), func.avg(rating), func.count(rating).filter(rating >= GOOD)


def _read(row: Sequence[object]) -> Figures:
    count, average, good = row
    return Figures(int(str(count)), None if average is None else float(str(average)), int(str(good)))


def _every_week(groups: list[Group]) -> list[Group]:
    """Weeks without a rating are shown as such between those that have one."""
    if not groups:
        return []
    known = {group.key: group for group in groups}
    return [known.get(day, Group(day, "", Figures(0, None, 0))) for day in _mondays(groups[0].key, groups[-1].key)]


def _mondays(first: str, last: str) -> Iterator[str]:
    day = date.fromisoformat(first)
    while day <= date.fromisoformat(last):
        yield day.isoformat()
        day += timedelta(days=7)


def _rows(
    session: TenantSession, wanted: SatisfactionFilter, now: datetime, *, limit: int, commented: bool
) -> list[RatedTicket]:
    conditions = [*_scope(wanted, now), Ticket.satisfaction_rating.is_not(None)]
    if commented:
        conditions.append(Ticket.satisfaction_comment.is_not(None))
    rows = session.execute(
        _with_names().where(*conditions).order_by(Ticket.resolved_at.desc(), Ticket.id.desc()).limit(limit)
    )
    return [RatedTicket(*row) for row in rows]


def _with_names() -> Select[Any]:
    agent = (
        select(Person.name)
        .join(User, (User.person_id == Person.id) & (User.tenant_id == Person.tenant_id))
        .where(User.id == Ticket.assigned_to, User.tenant_id == Ticket.tenant_id)
        .correlate(Ticket)
        .scalar_subquery()
    )
    requester = select(User.id, Person.name).join(Person, Person.id == User.person_id).subquery()
    return (
        select(Ticket, Company.name, requester.c.name, agent)
        .join(Company, Company.id == Ticket.customer_id)
        .join(requester, requester.c.id == Ticket.requester_id)
    )
