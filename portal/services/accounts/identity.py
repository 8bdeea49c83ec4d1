"""From a login to an actor: roles and companies, read together with whatever proved the login."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select

from portal.authz import GRANTABLE, Actor, Permission, actor_kind_of
from portal.models import Company, Membership, Person, Role, StaffRole, TicketFollower, User, UserKind
from portal.models.session import TenantSession

# Digits (of any script) as people write them in phone numbers: +33 6 39-98 (00) 15, 0033.639/98.
_PHONE = re.compile(r"[+]?[ ()./\-\u00a0]*\d[\d ()./\-\u00a0]*")
_MEMBERSHIPS = (
    select(
        func.jsonb_agg(
            func.jsonb_build_array(
                Membership.role,
                Membership.company_id,
                Company.name,
                StaffRole.permissions,
                Company.shares_tickets,
                Company.decision_limit.is_not(None),
            )
        )
    )
    .select_from(Membership)
    .outerjoin(Company, (Company.tenant_id == Membership.tenant_id) & (Company.id == Membership.company_id))
    .outerjoin(StaffRole, (StaffRole.tenant_id == Membership.tenant_id) & (StaffRole.id == Membership.staff_role_id))
    .where(Membership.tenant_id == User.tenant_id, Membership.user_id == User.id)
    .correlate(User)
    .scalar_subquery()
)
# Whether tickets of others were shared with the login: only then do lists look for them.
_FOLLOWS = (
    select(TicketFollower.ticket_id)
    .where(TicketFollower.tenant_id == User.tenant_id, TicketFollower.user_id == User.id)
    .correlate(User)
    .exists()
)


@dataclass(frozen=True)
class Login:
    """What pages and rules need of a login's row, as it stood when the request began."""

    id: UUID
    tenant_id: UUID
    kind: UserKind
    locale: str | None
    theme: str
    timezone: str | None
    mail_preferences: dict[str, Any]
    previous_login_at: datetime | None
    second_factor_due_at: datetime | None
    shortcuts: bool


# Parallel to the fields of Login. Columns, not the entity: every request reads them, and loading doubles the cost.
_LOGIN = (
    User.id,
    User.tenant_id,
    User.kind,
    User.locale,
    User.theme,
    User.timezone,
    User.mail_preferences,
    User.previous_login_at,
    User.second_factor_due_at,
    User.shortcuts,
)
# The columns of `select_identity`; what is added to them comes after these.
_WIDTH = len(_LOGIN) + 4


@dataclass(frozen=True)
class Identity:
    """A login with all that pages and rules need to know about it."""

    user: Login
    person_name: str
    email: str
    actor: Actor
    companies: tuple[tuple[UUID, str], ...]

    @property
    def company_name(self) -> str | None:
        """The company shown in the frame: the first one."""
        return self.companies[0][1] if self.companies else None


def select_identity() -> Select[Any]:
    """Login, name, address and memberships in one row per login."""
    columns: tuple[Any, ...] = (*_LOGIN, Person.name, Person.email, _MEMBERSHIPS, _FOLLOWS)
    return select(*columns).join_from(User, Person, Person.id == User.person_id)


def build_identity(row: Sequence[Any], *, ip: str = "", request_id: str = "") -> Identity:
    """The identity of a row that begins with the columns of `select_identity`."""
    user = Login(*row[: len(_LOGIN)])
    name, email, memberships, follows = row[len(_LOGIN) : _WIDTH]
    companies: dict[UUID, str] = {}
    admin: list[UUID] = []
    shared: list[UUID] = []
    roles: set[Role] = set()
    granted: set[Permission] = set()
    for role, company_id, company_name, own_permissions, shares_tickets, all_decide in memberships or ():
        roles.add(Role(role))
        # A permission that this version does not know grants nothing.
        granted.update(Permission(name) for name in own_permissions or () if name in GRANTABLE)
        if company_id is not None:
            companies[UUID(company_id)] = company_name
            if role == Role.CUSTOMER_ADMIN.value:
                admin.append(UUID(company_id))
            if all_decide:
                # Up to the company's limit, which the services hold to.
                granted.add(Permission.QUOTES_DECIDE)
            if shares_tickets:
                shared.append(UUID(company_id))
    actor = Actor(
        kind=actor_kind_of(user.kind),
        tenant_id=user.tenant_id,
        name=name,
        user_id=user.id,
        roles=frozenset(roles),
        company_ids=tuple(companies),
        admin_company_ids=tuple(admin),
        shared_company_ids=tuple(shared),
        follows=follows,
        granted=frozenset(granted),
        ip=ip,
        request_id=request_id,
    )
    return Identity(user, name, email, actor, tuple(companies.items()))


def canonical_identifier(identifier: str) -> str:
    """What somebody typed to say who they are, in one spelling: an address, or a phone number with its +.

    Only text with an @ is an address and only digits with signs between them are a number, so that no two
    spellings are told apart by one lookup and taken for the same by another.
    """
    wanted = identifier.strip().lower()
    if "@" in wanted or not _PHONE.fullmatch(wanted):
        return wanted
    digits = "".join(str(int(char)) for char in wanted if char.isdecimal())
    return "+" + digits.removeprefix("00")


def find_login(session: TenantSession, identifier: str, kind: UserKind | None) -> User | None:
    """The login with this address or phone number (AUTH-01), of one kind where a door admits only one."""
    wanted = canonical_identifier(identifier)
    named = Person.phone == wanted if wanted.startswith("+") else Person.email == wanted
    query = select(User).join(Person, Person.id == User.person_id).where(named)
    if kind is not None:
        query = query.where(User.kind == kind)
    return session.scalar(query.limit(1))
