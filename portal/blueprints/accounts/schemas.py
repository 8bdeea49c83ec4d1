"""What the API takes and gives about logins."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from portal.blueprints.api.schemas import ANY_TEXT, SOME_TEXT, Body, Named, Shape, left_out
from portal.models import Role, UserKind

Secret = Annotated[str, Field(min_length=1, max_length=1024, json_schema_extra=ANY_TEXT)]


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
