"""Invitations of the demo world: one that waits, one whose time is over."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from portal.demo.content import DemoTenant, demo_uuid
from portal.models import Invitation, LinkPurpose, Person, Role, User, UserKind, UserStatus
from portal.models.session import TenantSession
from portal.services.accounts.one_time import LIFETIME


@dataclass(frozen=True)
class DemoInvitation:
    """Somebody who was asked in `days_ago`; `inviter` is an address."""

    company: str
    name: str
    email: str
    inviter: str
    role: Role
    days_ago: int


KESTREL_INVITATIONS = (
    DemoInvitation("acme", "Petra Simon", "petra@acme.example", "ana@acme.example", Role.CUSTOMER, 2),
    DemoInvitation("globex", "Hugo Martin", "hugo@globex.example", "chloe@globex.example", Role.CUSTOMER, 12),
)


def seed_invitations(session: TenantSession, tenant: DemoTenant, *, now: datetime) -> None:
    """Write pending logins with their invitations. No mail and no link: those come by "Send again"."""
    for invited in KESTREL_INVITATIONS if tenant.key == "demo" else ():
        company_id = demo_uuid(tenant.key, "company", invited.company)
        person_id = demo_uuid(tenant.key, "person", invited.email)
        user_id = demo_uuid(tenant.key, "user", invited.email)
        sent = now - timedelta(days=invited.days_ago)
        session.add(
            Person(
                id=person_id,
                tenant_id=session.tenant_id,
                company_id=company_id,
                name=invited.name,
                email=invited.email,
                created_at=sent,
            )
        )
        session.flush()
        session.add(
            User(
                id=user_id,
                tenant_id=session.tenant_id,
                person_id=person_id,
                kind=UserKind.CUSTOMER,
                status=UserStatus.PENDING,
                mail_preferences={},
                created_at=sent,
            )
        )
        session.flush()
        session.add(
            Invitation(
                id=demo_uuid(tenant.key, "invitation", invited.email),
                tenant_id=session.tenant_id,
                user_id=user_id,
                company_id=company_id,
                role=invited.role,
                name=invited.name,
                email=invited.email,
                invited_by=demo_uuid(tenant.key, "user", invited.inviter),
                created_at=sent,
                sent_at=sent,
                expires_at=sent + LIFETIME[LinkPurpose.INVITATION],
            )
        )
