"""A company as its own people see it: who belongs to it, with or without a login (H9.5, ACC-08)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, exists, func, or_, select
from sqlalchemy.orm import aliased

from portal.authz import Actor
from portal.errors import NotFound
from portal.models import Company, Membership, Person, Role, User, UserStatus
from portal.models.session import TenantSession

PEOPLE_SHOWN = 500


@dataclass(frozen=True)
class CompanyPerson:
    """Somebody of a company; `role` is None for contacts without a login here.

    `elsewhere` says that the login belongs to another company, too, whose administrators have a say as well.
    """

    id: UUID
    name: str
    email: str
    phone: str | None
    title: str | None
    user_id: UUID | None
    role: Role | None
    status: UserStatus | None
    portal_access: bool
    last_login_at: datetime | None
    elsewhere: bool

    @property
    def is_member(self) -> bool:
        """Whether the login of this person belongs to the company."""
        return self.role is not None

    @property
    def is_active(self) -> bool:
        """Whether this person may sign in."""
        return self.is_member and self.status is UserStatus.ACTIVE and self.portal_access

    def without_login(self) -> "CompanyPerson":
        """The same person once the login belongs to the company no more."""
        return replace(self, role=None, status=None, portal_access=False)


def get_own_company(session: TenantSession, company_id: UUID | None, *, actor: Actor) -> Company:
    """A company the actor belongs to (the first one without an id); NotFound for every other."""
    wanted = company_id or (actor.company_ids[0] if actor.company_ids else None)
    if not actor.is_customer or wanted not in actor.company_ids:
        raise NotFound("company")
    company = session.scalar(select(Company).where(Company.id == wanted))
    if company is None:
        raise NotFound("company")
    return company


def list_company_people(session: TenantSession, company_id: UUID, *, actor: Actor) -> Sequence[CompanyPerson]:
    """Everybody of an own company by name; NotFound for every other company. One statement."""
    _require_own(company_id, actor)
    query = _people(company_id).order_by(Person.name, Person.id).limit(PEOPLE_SHOWN)
    return [_person(row) for row in session.execute(query)]


def get_company_person(session: TenantSession, company_id: UUID, person_id: UUID, *, actor: Actor) -> CompanyPerson:
    """Somebody of an own company; NotFound for everybody else."""
    _require_own(company_id, actor)
    row = session.execute(_people(company_id).where(Person.id == person_id)).first()
    if row is None:
        raise NotFound("contact")
    return _person(row)


def _require_own(company_id: UUID, actor: Actor) -> None:
    if actor.is_customer and company_id not in actor.company_ids:
        raise NotFound("company")


def _people(company_id: UUID) -> Select[*tuple[Any, ...]]:
    """Members of the company, and its contacts whose login (if any) belongs to no other one."""
    other = aliased(Membership)
    elsewhere = exists().where(
        other.tenant_id == User.tenant_id, other.user_id == User.id, other.company_id != company_id
    )
    member = (Membership.tenant_id == User.tenant_id) & (Membership.user_id == User.id)
    return (
        select(
            Person.id,
            Person.name,
            Person.email,
            Person.phone,
            Person.title,
            User.id,
            Membership.role,
            User.status,
            func.coalesce(User.portal_access, False),
            User.last_login_at,
            elsewhere,
        )
        .select_from(Person)
        .outerjoin(User, (User.tenant_id == Person.tenant_id) & (User.person_id == Person.id))
        .outerjoin(Membership, member & (Membership.company_id == company_id))
        .where(or_(Membership.id.is_not(None), (Person.company_id == company_id) & ~elsewhere))
    )


def _person(row: Any) -> CompanyPerson:
    return CompanyPerson(*row)
