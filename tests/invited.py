"""What a person who was written to would find in the mail or on the phone."""

from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select

from portal.models import Invitation, LinkPurpose, MailMessage, OneTimeLink, Person, User
from portal.models.session import TenantSessions
from portal.services.accounts.delivery import Delivery
from portal.services.accounts.invitations import NewInvitation, invite_customer, invite_to_team
from tests.world import World

NEW_PASSWORD = "seventeen green ladders"


class Letterbox:
    """Secrets of what the application sent, and invitations sent from elsewhere; commits for real."""

    def __init__(self, app: Any, world: World) -> None:
        self.app, self.world = app, world
        self.vault = app.extensions["portal_vault"]
        self.sessions = TenantSessions(app.extensions["portal_engine"])

    def delivery(self, host: str = "127.0.0.1") -> Delivery:
        """What services send with."""
        tenant = self.app.extensions["portal_tenants"].by_host(host)
        return Delivery(self.vault, tenant, "http://127.0.0.1:8000")

    def invite(
        self, who: str, now: Any, *, company: str | None = "acme", email: str | None = None, **fields: Any
    ) -> UUID:
        """Send an invitation as somebody; to the team without a company."""
        actor = self.world.people[who].actor
        form = NewInvitation(fields.pop("name", "New Person"), email or self.address(), **fields)
        host = "nova.localhost" if actor.tenant_id == self.world.nova else "127.0.0.1"
        with self.sessions.begin(actor.tenant_id) as session:
            options = {"actor": actor, "delivery": self.delivery(host), "now": now}
            if company is None:
                return invite_to_team(session, form, **options).id
            return invite_customer(session, self.world.companies[company], form, **options).id

    @staticmethod
    def address(domain: str = "acme.example") -> str:
        """An address that nobody has."""
        return f"{uuid4().hex[:12]}@{domain}"

    def token(self, invitation_id: Any, tenant_id: UUID | None = None) -> str:
        """The secret of an invitation's newest link."""
        wanted = OneTimeLink.payload["invitation_id"].astext == str(invitation_id)
        with self.sessions.begin(tenant_id or self.world.demo) as session:
            link = session.scalars(
                select(OneTimeLink.id).where(wanted).order_by(OneTimeLink.created_at.desc()).limit(1)
            ).one()
        return self.vault.link_token(link)

    def link_for(self, address: str) -> str | None:
        """The secret of the account link that was mailed to an address last."""
        with self.sessions.begin(self.world.demo) as session:
            link = session.scalar(
                select(MailMessage.link_id)
                .join(OneTimeLink, OneTimeLink.id == MailMessage.link_id)
                .where(MailMessage.recipient == address, OneTimeLink.purpose == LinkPurpose.LINK_ACCOUNT)
                .order_by(MailMessage.created_at.desc())
                .limit(1)
            )
        return self.vault.link_token(link) if link else None

    def person_of(self, email: str) -> UUID:
        """A person's id by address."""
        with self.sessions.begin(self.world.demo) as session:
            return session.scalars(select(Person.id).where(Person.email == email)).one()

    def login_of(self, email: str) -> User:
        """A login by address."""
        with self.sessions.begin(self.world.demo) as session:
            return session.scalars(
                select(User).join(Person, Person.id == User.person_id).where(Person.email == email)
            ).one()

    def row(self, invitation_id: Any) -> Invitation:
        """An invitation as it is stored."""
        with self.sessions.begin(self.world.demo) as session:
            return session.scalars(select(Invitation).where(Invitation.id == UUID(str(invitation_id)))).one()
