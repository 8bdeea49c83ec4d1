"""What the API takes and gives about companies, their people and invitations."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from portal.blueprints.accounts.schemas import Secret
from portal.blueprints.api.schemas import (
    ANY_TEXT,
    SOME_TEXT,
    Body,
    ListOf,
    PageQuery,
    Query,
    Shape,
    UtcDateTime,
    left_out,
)
from portal.models import Role, UserStatus
from portal.services.accounts.company_queries import CompanyPerson
from portal.services.accounts.invitation_queries import InvitationRow, InvitationState

Name = Annotated[str, Field(max_length=100, json_schema_extra=SOME_TEXT)]
Email = Annotated[str, Field(max_length=254, json_schema_extra=SOME_TEXT)]
Phone = Annotated[str, Field(max_length=40, json_schema_extra=ANY_TEXT)]
Line = Annotated[str, Field(max_length=80, json_schema_extra=ANY_TEXT)]
Proof = Annotated[str, Field(min_length=1, max_length=1024, json_schema_extra=ANY_TEXT)]
PROOF = "Your own password: what changes people's access asks for it."


class Invitation(Shape):
    """Somebody who was asked in."""

    id: UUID
    company_id: UUID | None = Field(description="null for the team.")
    name: str
    email: str
    role: Role
    role_name: str | None = Field(description="The name of a role of your own making.")
    invited_by: str | None
    state: InvitationState
    sent_at: UtcDateTime
    expires_at: UtcDateTime
    accepted_at: UtcDateTime | None
    revoked_at: UtcDateTime | None

    @classmethod
    def of(cls, row: InvitationRow) -> "Invitation":
        """An invitation as it stands."""
        return cls(**{name: getattr(row, name) for name in cls.model_fields})


class Invitations(ListOf[Invitation]):
    """Invitations, the newest first."""


class CompanyQuery(Query):
    """Which of several companies."""

    company: UUID | None = Field(None, description="The company; without it the first one of yours.")


class CompanyPageQuery(PageQuery):
    """The same, in pages."""

    company: UUID | None = Field(None, description="The company; without it the first one of yours.")


class InvitationRequest(Body):
    """Whom to invite into your company."""

    name: Name
    email: Email
    role: Role = Field(Role.CUSTOMER, description="`customer` or `customer.admin`.")
    locale: str = left_out(max_length=10, description="Language of the mail.", json_schema_extra=ANY_TEXT)
    company_id: UUID = left_out(description="Which of several companies.")
    password: Proof = left_out(description=PROOF)


class Member(Shape):
    """Somebody of your company; who may sign in and when they did is told to administrators."""

    id: UUID
    name: str
    email: str
    phone: str | None
    title: str | None
    role: Role | None = Field(description="null for a contact without a login.")
    status: UserStatus | None
    active: bool | None = Field(description="Whether this person may sign in.")
    last_seen_at: UtcDateTime | None

    @classmethod
    def of(cls, row: CompanyPerson, *, manages: bool) -> "Member":
        """A person; contacts only, for who does not manage the company."""
        return cls(
            id=row.id,
            name=row.name,
            email=row.email,
            phone=row.phone,
            title=row.title,
            role=row.role,
            status=row.status if manages and row.is_member else None,
            active=row.is_active if manages else None,
            last_seen_at=_seen(row) if manages else None,
        )


def _seen(row: CompanyPerson) -> datetime | None:
    return row.last_login_at if row.is_member else None


class Members(ListOf[Member]):
    """Everybody of a company by name, on one page."""


class ContactRequest(Body):
    """Somebody who needs no login."""

    name: Name
    email: Email
    phone: Phone = left_out()
    title: Line = left_out()
    company_id: UUID = left_out(description="Which of several companies.")
    password: Proof = left_out(description=PROOF)


class MemberPatch(Body):
    """What changes about somebody; address and phone only of contacts without a login."""

    name: Name = left_out()
    email: Email = left_out()
    phone: Phone | None = left_out()
    title: Line | None = left_out()
    role: Role = left_out(description="`customer` or `customer.admin`.")
    password: Proof = left_out(description=PROOF)


class ProofRequest(Body):
    """Nothing but the proof that it is you."""

    password: Proof = left_out(description=PROOF)


class LinkRequest(Body):
    """How a customer without a login is known to us: exactly one of both."""

    customer_number: str = left_out(max_length=40, json_schema_extra=SOME_TEXT)
    phone: Annotated[str, Field(max_length=40, json_schema_extra=SOME_TEXT)] = left_out()


class Asked(Shape):
    """The same for everybody: what was asked for was sent if there is such a customer."""

    challenge: UUID | None = Field(
        description="Give it with the code of the text message; null where a link is mailed."
    )
    expires_in: int = Field(description="Seconds that link or code work for.")


class CodeRequest(Body):
    """The code of the text message."""

    challenge: UUID
    code: str = Field(max_length=20, json_schema_extra=SOME_TEXT)


class LinkToken(Shape):
    """What the password is set with."""

    token: str


class OpenAccountRequest(Body):
    """The secret of the mail's link (or of a right code), and the password to be."""

    token: Secret
    password: Secret


class JoinRequest(Body):
    """The access code of an invitation, and who you are."""

    token: Secret
    name: Name
    password: Secret
