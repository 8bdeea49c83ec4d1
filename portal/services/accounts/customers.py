"""Reads of companies and people for staff: lists with search, and a record with what belongs to it."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, func, or_, select, true, tuple_

from portal.authz import Actor, Permission, require
from portal.errors import NotFound
from portal.models import Company, Membership, Person, Role, User, UserKind, UserStatus
from portal.models.session import TenantSession


@dataclass(frozen=True)
class CompanyRow:
    """A company in a list; `people` are its contacts."""

    id: UUID
    name: str
    customer_number: str
    city: str | None
    country: str | None
    phone: str | None
    created_at: datetime
    people: int
    shares_tickets: bool


@dataclass(frozen=True)
class PersonRow:
    """A person with the login, if there is one, and its roles."""

    id: UUID
    name: str
    email: str
    phone: str | None
    title: str | None
    company_id: UUID | None
    company_name: str | None
    kind: UserKind | None
    status: UserStatus | None
    portal_access: bool
    last_login_at: datetime | None
    roles: tuple[Role, ...]


def list_companies(
    session: TenantSession,
    *,
    search: str = "",
    limit: int = 25,
    offset: int = 0,
    after: tuple[str, UUID] | None = None,
    actor: Actor,
) -> list[CompanyRow]:
    """Companies by name, those behind `after` (name, id); `search` looks at name, number and city. One statement."""
    require(actor, Permission.CUSTOMERS_READ)
    matches = _contains(search, Company.name, Company.customer_number, Company.city)
    if after is not None:
        matches &= tuple_(Company.name, Company.id) > after
    query = _company_columns().where(matches).order_by(Company.name, Company.id).limit(limit).offset(offset)
    return [CompanyRow(*row) for row in session.execute(query)]


def get_company(session: TenantSession, company_id: UUID, *, actor: Actor) -> CompanyRow:
    """One company; NotFound where the tenant has none of that id."""
    require(actor, Permission.CUSTOMERS_READ)
    row = session.execute(_company_columns().where(Company.id == company_id)).first()
    if row is None:
        raise NotFound("company")
    return CompanyRow(*row)


def list_people(
    session: TenantSession,
    *,
    search: str = "",
    kind: UserKind | None = None,
    company_id: UUID | None = None,
    limit: int = 25,
    offset: int = 0,
    after: tuple[str, UUID] | None = None,
    actor: Actor,
) -> list[PersonRow]:
    """People by name, those behind `after` (name, id); `search` looks at name, address, phone and company."""
    require(actor, Permission.CUSTOMERS_READ)
    query = _person_columns().where(_contains(search, Person.name, Person.email, Person.phone, Company.name))
    if kind is not None:
        query = query.where(User.kind == kind)
    if company_id is not None:
        query = query.where(or_(Person.company_id == company_id, _is_member_of(company_id)))
    if after is not None:
        query = query.where(tuple_(Person.name, Person.id) > after)
    rows = session.execute(query.order_by(Person.name, Person.id).limit(limit).offset(offset))
    return [_person(row) for row in rows]


def get_person(session: TenantSession, person_id: UUID, *, actor: Actor) -> PersonRow:
    """One person; NotFound where the tenant has none of that id."""
    require(actor, Permission.CUSTOMERS_READ)
    row = session.execute(_person_columns().where(Person.id == person_id)).first()
    if row is None:
        raise NotFound("user")
    return _person(row)


def company_names(session: TenantSession, ids: Sequence[UUID], *, actor: Actor) -> dict[UUID, str]:
    """Names of some companies; ids the tenant does not have are left out."""
    require(actor, Permission.CUSTOMERS_READ)
    if not ids:
        return {}
    rows = session.execute(select(Company.id, Company.name).where(Company.id.in_(ids)).order_by(Company.name))
    return {row[0]: row[1] for row in rows}


def _contains(search: str, *columns: Any) -> ColumnElement[bool]:
    words = search.split()
    if not words:
        return true()
    return or_(*(column.icontains(" ".join(words), autoescape=True) for column in columns))


def _is_member_of(company_id: UUID) -> ColumnElement[bool]:
    return exists().where(
        Membership.tenant_id == User.tenant_id, Membership.user_id == User.id, Membership.company_id == company_id
    )


def _company_columns() -> Select[Any]:
    people = (
        select(func.count())
        .select_from(Person)
        .where(Person.tenant_id == Company.tenant_id, Person.company_id == Company.id)
        .correlate(Company)
        .scalar_subquery()
    )
    return select(
        Company.id,
        Company.name,
        Company.customer_number,
        Company.city,
        Company.country,
        Company.phone,
        Company.created_at,
        people,
        Company.shares_tickets,
    )


def _person_columns() -> Select[Any]:
    roles = (
        select(func.jsonb_agg(Membership.role.distinct()))
        .where(Membership.tenant_id == User.tenant_id, Membership.user_id == User.id)
        .correlate(User)
        .scalar_subquery()
    )
    columns: list[Any] = [
        Person.id,
        Person.name,
        Person.email,
        Person.phone,
        Person.title,
        Company.id,
        Company.name,
        User.kind,
        User.status,
        User.portal_access,
        User.last_login_at,
        roles,
    ]
    return (
        select(*columns)
        .select_from(Person)
        .outerjoin(Company, (Company.tenant_id == Person.tenant_id) & (Company.id == Person.company_id))
        .outerjoin(User, (User.tenant_id == Person.tenant_id) & (User.person_id == Person.id))
    )


def _person(row: Any) -> PersonRow:
    values = dict(zip((field.name for field in fields(PersonRow)), row, strict=True))
    values["portal_access"] = bool(values["portal_access"])
    values["roles"] = tuple(Role(role) for role in values["roles"] or ())
    return PersonRow(**values)
