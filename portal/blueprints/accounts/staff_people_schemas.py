"""What the API takes and gives staff about companies and people."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from portal.blueprints.accounts.people_schemas import PROOF, Email, Line, Name, Phone, Proof
from portal.blueprints.api.schemas import (
    ANY_TEXT,
    SOME_TEXT,
    Body,
    ListOf,
    Named,
    PageQuery,
    Shape,
    UtcDateTime,
    left_out,
)
from portal.models import Role, UserKind, UserStatus
from portal.services.accounts import team
from portal.services.accounts.customers import CompanyRow, PersonRow
from portal.services.accounts.factor_reset import REASON_LENGTH
from portal.services.accounts.mass_sign_out import Whose

Search = Annotated[str, Field(max_length=200, json_schema_extra=ANY_TEXT)]
CompanyName = Annotated[str, Field(max_length=160, json_schema_extra=SOME_TEXT)]
Number = Annotated[str, Field(max_length=20, json_schema_extra=SOME_TEXT)]
Country = Annotated[str, Field(max_length=2, json_schema_extra=ANY_TEXT)]


class StaffCompany(Shape):
    """A customer organisation."""

    id: UUID
    name: str
    customer_number: str
    phone: str | None
    city: str | None
    country: str | None
    people: int = Field(description="How many contacts.")
    created_at: UtcDateTime

    @classmethod
    def of(cls, row: CompanyRow) -> "StaffCompany":
        """A company of a list."""
        return cls(**{name: getattr(row, name) for name in cls.model_fields})


class StaffCompanies(ListOf[StaffCompany]):
    """Companies by name."""


class StaffPerson(Shape):
    """A person with the login, if there is one."""

    id: UUID
    name: str
    email: str
    phone: str | None
    title: str | None
    company_id: UUID | None
    company_name: str | None
    kind: UserKind | None = Field(description="null without a login.")
    status: UserStatus | None
    portal_access: bool
    roles: list[Role]
    last_seen_at: UtcDateTime | None

    @classmethod
    def of(cls, row: PersonRow) -> "StaffPerson":
        """A person of a list."""
        plain = {name: getattr(row, name) for name in cls.model_fields if name not in ("roles", "last_seen_at")}
        return cls(**plain, roles=sorted(row.roles), last_seen_at=row.last_login_at)


class StaffPeople(ListOf[StaffPerson]):
    """People by name."""


class CompanySearch(PageQuery):
    """Which companies."""

    q: Search = Field("", description="In name, number and city.")


class PersonSearch(PageQuery):
    """Which people."""

    q: Search = Field("", description="In name, address, phone and company.")
    kind: UserKind | None = Field(None, description="Those with a login of this kind.")
    company: UUID | None = Field(None, description="Contacts and members of this company.")


class CompanyRequest(Body):
    """A new customer organisation."""

    name: CompanyName
    customer_number: Number
    phone: Phone | None = left_out()
    city: Line | None = left_out()
    country: Country | None = left_out(description="ISO 3166-1 alpha-2.")


class CompanyPatch(Body):
    """What changes about a company."""

    name: CompanyName = left_out()
    customer_number: Number = left_out()
    phone: Phone | None = left_out()
    city: Line | None = left_out()
    country: Country | None = left_out(description="ISO 3166-1 alpha-2.")


class PersonRequest(Body):
    """A new contact of a company."""

    company_id: UUID
    name: Name
    email: Email
    phone: Phone | None = left_out()
    title: Line | None = left_out()


class PersonPatch(Body):
    """What changes about a contact. A new address or phone signs a login out everywhere."""

    name: Name = left_out()
    email: Email = left_out()
    phone: Phone | None = left_out()
    title: Line | None = left_out()


class StaffInvitationRequest(Body):
    """Whom to invite: a contact who is known, or a name and an address."""

    person_id: UUID = left_out()
    name: Name = left_out()
    email: Email = left_out()
    role: Role = Field(Role.CUSTOMER, description="`customer` or `customer.admin`.")
    locale: str = left_out(max_length=10, description="Language of the mail.", json_schema_extra=ANY_TEXT)


class TeamInvitationRequest(Body):
    """Whom to invite to the team, as something that grants no more than you have."""

    name: Name
    email: Email
    role: Role = left_out(description="A built-in role, or")
    staff_role_id: UUID = left_out(description="one of your own making.")
    locale: str = left_out(max_length=10, description="Language of the mail.", json_schema_extra=ANY_TEXT)
    password: Proof = left_out(description=PROOF)


class FactorReset(Body):
    """Why somebody's second factors are cleared, and the proof that it is you who does it."""

    reason: Annotated[str, Field(max_length=REASON_LENGTH, json_schema_extra=SOME_TEXT)] = Field(
        description="How you made sure of the person; it stays in the audit log."
    )
    password: Proof = left_out(description=PROOF)


class EndSessionsRequest(Body):
    """Whose sessions end, and the proof that it is you who ends them."""

    whose: Whose = Field(description="`customers`, `team` or `everybody`.")
    password: Proof = left_out(description=PROOF)


class RoleRequest(Body):
    """What somebody is in a company; null takes the login out of it."""

    company_id: UUID
    role: Role | None = Field(description="`customer`, `customer.admin`, or null.")


class TeamRolesRequest(Body):
    """Exactly the roles that a member of the team has from now on."""

    roles: list[Role] = Field(max_length=10)
    staff_role_ids: list[UUID] = Field(default_factory=list, max_length=20, description="Of your own making.")
    password: Proof = left_out(description=PROOF)


class TeamMember(Shape):
    """Somebody of the staff."""

    id: UUID
    name: str
    email: str
    phone: str | None
    title: str | None
    status: UserStatus
    roles: list[Role]
    own_roles: list[Named] = Field(description="Roles of your own making.")
    last_seen_at: UtcDateTime | None

    @classmethod
    def of(cls, row: team.TeamMember) -> "TeamMember":
        """A member of the list."""
        plain = {name: getattr(row, name) for name in ("id", "name", "email", "phone", "title", "status")}
        own = [Named(id=own_id, name=name) for own_id, name in row.own_roles]
        return cls(**plain, roles=list(row.roles), own_roles=own, last_seen_at=row.last_login_at)


class TeamMembers(ListOf[TeamMember]):
    """The staff by name, on one page."""


class Done(Shape):
    """How many there were."""

    count: int
