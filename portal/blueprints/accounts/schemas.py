"""What the API takes and gives about logins."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from portal.blueprints.api.schemas import ANY_TEXT, SOME_TEXT, Body, Named, Shape, left_out
from portal.models import Role, UserKind
from portal.services.accounts.registration import COMPANY_LENGTH, NAME_LENGTH, TITLE_LENGTH

Secret = Annotated[str, Field(min_length=1, max_length=1024, json_schema_extra=ANY_TEXT)]

NewPassword = Annotated[
    str,
    Field(
        max_length=1024,
        description="8 to 128 characters, not well known and not made of the person's own words.",
        json_schema_extra=ANY_TEXT,
    ),
]


class Credentials(Body):
    """Who signs in, and the proof."""

    identifier: str = Field(max_length=254, description="Email address or phone number.", json_schema_extra=SOME_TEXT)
    password: Secret


class RefreshRequest(Body):
    """The token that is exchanged; it is worth nothing afterwards."""

    refresh_token: Secret


class RevokeRequest(Body):
    """The sign-in that ends: the refresh token's, or without one the access token's own."""

    refresh_token: Secret = left_out()


class SignupRequest(Body):
    """Who wants an account; nothing is made before the address is proven."""

    name: str = Field(max_length=NAME_LENGTH, json_schema_extra=SOME_TEXT)
    email: str = Field(max_length=254, json_schema_extra=SOME_TEXT)
    company: str = Field(max_length=COMPANY_LENGTH, json_schema_extra=SOME_TEXT)


class SignupConfirmRequest(Body):
    """The token of the mailed link, and what the account is set up with; name and company as asked for if left out."""

    token: Secret
    password: NewPassword
    name: str = left_out(max_length=NAME_LENGTH, json_schema_extra=SOME_TEXT)
    company: str = left_out(max_length=COMPANY_LENGTH, json_schema_extra=SOME_TEXT)
    title: str = left_out(max_length=TITLE_LENGTH, json_schema_extra=ANY_TEXT)


class ResetRequest(Body):
    """Who forgot the password."""

    identifier: str = Field(max_length=254, description="Email address or phone number.", json_schema_extra=SOME_TEXT)


class ResetConfirmRequest(Body):
    """The token of the mailed link, and the new password."""

    token: Secret
    password: NewPassword


class Accepted(Shape):
    """What happens next, in words; the same whether or not there is such a person."""

    detail: str


class Tokens(Shape):
    """An access token for the Authorization header, and the refresh token for the next one."""

    access_token: str
    token_type: str = Field("Bearer", examples=["Bearer"])
    expires_in: int = Field(description="Seconds.")
    refresh_token: str


class Me(Shape):
    """Who the token stands for, as of now."""

    id: UUID
    name: str
    email: str
    kind: UserKind
    roles: list[Role]
    permissions: list[str]
    companies: list[Named] = Field(description="Empty for staff.")
    tenant: Named
    locale: str = Field(description="The language of texts in answers.")
    timezone: str = Field(description="IANA name.")
