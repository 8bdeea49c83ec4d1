"""What the API takes and gives about logins."""

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import ConfigDict, Field

from portal.blueprints.api.schemas import ANY_TEXT, SOME_TEXT, Body, Named, Shape, UtcDateTime, left_out
from portal.models import Role, UserKind
from portal.services.accounts.registration import COMPANY_LENGTH, NAME_LENGTH, TITLE_LENGTH

Code = Annotated[str, Field(min_length=1, max_length=64, json_schema_extra=ANY_TEXT)]
Secret = Annotated[str, Field(min_length=1, max_length=1024, json_schema_extra=ANY_TEXT)]

NewPassword = Annotated[
    str,
    Field(
        max_length=1024,
        description="8 to 128 characters, not well known and not made of the person's own words.",
        json_schema_extra=ANY_TEXT,
    ),
]


class SignIn(Body):
    """Who signs in and the password; or, where a second factor is owed, the challenge and the code for it."""

    may_be_missing: ClassVar[bool] = False
    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [
                {"required": ["identifier", "password"], "properties": {"challenge": False, "code": False}},
                {"required": ["challenge", "code"], "properties": {"identifier": False, "password": False}},
            ]
        }
    )

    identifier: Annotated[str, Field(max_length=254, json_schema_extra=SOME_TEXT)] = left_out(
        description="Email address or phone number."
    )
    password: Secret = left_out()
    challenge: Secret = left_out(description="From the answer `second_factor_required`; good for ten minutes.")
    code: Code = left_out(description="Six digits of the authenticator, or a recovery code.")


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


class FactorsRequest(Body):
    """The password proves that it is still you."""

    password: Secret


class CodeRequest(Body):
    """The first code of a new authenticator."""

    code: Code


class FactorsOffRequest(Body):
    """Password and code: without a second factor the login is protected by less."""

    password: Secret
    code: Code


class FactorStatus(Shape):
    """What protects the login besides its password."""

    enabled: bool = Field(description="Whether signing in takes a second factor.")
    authenticator: bool
    passkeys: int
    recovery_codes_left: int
    required: bool = Field(description="Whether the organisation requires a second factor of you.")
    due_at: UtcDateTime | None = Field(description="From when on nothing works without one; null where none is owed.")


class FactorSecret(Shape):
    """What an authenticator needs: as an address (for a QR code), and as a key to type."""

    otpauth_url: str
    secret: str = Field(description="Base32.")


class RecoveryCodes(Shape):
    """Ten codes for the day the authenticator is lost; each works once as `code`. They are not shown again."""

    recovery_codes: list[str]


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
