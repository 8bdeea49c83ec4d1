"""Whom a contract can be sent to: companies, and who of them and of the team may sign."""

from uuid import UUID

from sqlalchemy import or_, select

from portal.authz import Actor, Permission, require
from portal.models import Company, Membership, Person, Role, User, UserKind, UserStatus
from portal.models.session import TenantSession

MOST = 500


def list_customers(session: TenantSession, *, actor: Actor) -> list[tuple[UUID, str]]:
    """The first companies by name (at most 500), as (id, name)."""
    require(actor, Permission.CONTRACTS_MANAGE)
    return [
        (key, name)
        for key, name in session.execute(select(Company.id, Company.name).order_by(Company.name).limit(MOST))
    ]


def list_signers(session: TenantSession, customer_id: UUID, *, actor: Actor) -> list[tuple[UUID, str, bool]]:
    """Logins that may sign for a company or for the team, as (id, name, of the team)."""
    require(actor, Permission.CONTRACTS_MANAGE)
    team = (Role.MANAGER, Role.BILLING, Role.TENANT_ADMIN)
    rows = session.execute(
        select(User.id, Person.name, User.kind)
        .join(Person, Person.id == User.person_id)
        .join(Membership, Membership.user_id == User.id)
        .where(
            User.status == UserStatus.ACTIVE,
            User.portal_access,
            or_(
                Membership.role.in_(team),
                (Membership.company_id == customer_id) & (Membership.role == Role.CUSTOMER_ADMIN),
            ),
        )
        .order_by(User.kind, Person.name)
        .limit(MOST)
    )
    return [(key, name, kind is UserKind.STAFF) for key, name, kind in rows]
