"""What the API takes and gives about the caller's own account (ledger API-08, H9.9)."""

import re
from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from portal.blueprints.accounts.schemas import Secret
from portal.blueprints.api.schemas import ANY_TEXT, SOME_TEXT, Body, PageQuery, Shape, UtcDateTime, left_out
from portal.lib import email_addresses, phones
from portal.models import Address, ApiKey
from portal.services.accounts.api_keys import NAME_LENGTH as KEY_NAME_LENGTH
from portal.services.accounts.api_keys import NewKey
from portal.services.accounts.completeness import Piece
from portal.services.accounts.device_notices import NoticeWay
from portal.services.accounts.login_history import SignInKind
from portal.services.accounts.own_sessions import SessionKind
from portal.services.accounts.profile import NAME_LENGTH, TITLE_LENGTH

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
Theme = Literal["system", "light", "dark", "contrast"]


def _day(value: object) -> object:
    """A date as text in full; numbers, which pydantic would take for seconds, are none."""
    if value is None:
        return None
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise PydanticCustomError("date_invalid", "not a date")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise PydanticCustomError("date_invalid", "not a date") from None


Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
Name = Annotated[str, Field(max_length=NAME_LENGTH, json_schema_extra=SOME_TEXT)]
Title = Annotated[str, Field(max_length=TITLE_LENGTH, json_schema_extra=ANY_TEXT)]


class ProfileRequest(Body):
    """What changes; what is left out stays.

    Another `email` or `phone` is only asked for by this: it takes effect once the link, or the code, that is sent
    to it has come back. Both need `password`.
    """

    name: Name = left_out()
    title: Title | None = left_out(description="null takes it away.")
    date_of_birth: Day | None = left_out(description="null takes it away.")
    locale: Annotated[str, Field(max_length=10, json_schema_extra=SOME_TEXT)] = left_out(
        description="One of the portal's languages."
    )
    timezone: Annotated[str, Field(max_length=60, json_schema_extra=SOME_TEXT)] = left_out(description="IANA name.")
    theme: Theme = left_out()
    email: Annotated[str, Field(max_length=email_addresses.EMAIL_LENGTH, json_schema_extra=SOME_TEXT)] = left_out()
    phone: Annotated[str, Field(max_length=phones.LENGTH, json_schema_extra=SOME_TEXT)] | None = left_out(
        description="null takes it away."
    )
    password: Secret = left_out(description="The current one; needed with another `email` or `phone`.")


class PhoneCodeRequest(Body):
    """The code that came by text message."""

    code: Annotated[str, Field(max_length=10, json_schema_extra=SOME_TEXT)]


class PasswordRequest(Body):
    """The password that is, and the one that shall be."""

    current_password: Secret
    new_password: Secret


class MailSettings(Body):
    """Which mails are sent; the bell shows everything."""

    tickets: bool = Field(description="About your tickets: arrived, answered, changed.", strict=True)


class SecurityNotices(Body):
    """How you are told what concerns your login; that it is told cannot be switched off."""

    new_device: NoticeWay = Field(
        description="A sign-in from a new device: `mail`, `text` or `both`. Text messages need a verified phone number."
    )


class NotificationSettingsRequest(Body):
    """The settings as they shall be; `security` stays as it is where it is left out."""

    mail: MailSettings
    security: SecurityNotices = left_out()


class NotificationSettings(Shape):
    """The settings."""

    mail: MailSettings
    security: SecurityNotices


class MissingPiece(Shape):
    """Something that a profile lacks, and what it would be good for."""

    key: Piece
    label: str
    why: str


class ProfileCompleteness(Shape):
    """How complete a profile is."""

    percent: int
    missing: list[MissingPiece]


class PendingChange(Shape):
    """An address or number that waits to be proved."""

    value: str
    expires_at: UtcDateTime


class PostalAddress(Shape):
    """Where somebody is reached by post."""

    id: UUID
    label: str
    street: str
    postal_code: str
    city: str
    country: str = Field(description="ISO 3166-1 alpha-2.")
    landmark: str | None
    primary: bool
    verified: bool

    @classmethod
    def of(cls, row: Address) -> "PostalAddress":
        """An address as it is shown."""
        return cls(
            id=row.id,
            label=row.label,
            street=row.street,
            postal_code=row.postal_code,
            city=row.city,
            country=row.country,
            landmark=row.landmark,
            primary=row.is_primary,
            verified=row.verified_at is not None,
        )


class ProfileShape(Shape):
    """The caller's own profile."""

    id: UUID
    person_id: UUID
    name: str
    email: str
    email_verified: bool
    pending_email: PendingChange | None
    phone: str | None = Field(description="E.164.")
    phone_verified: bool
    pending_phone: PendingChange | None
    title: str | None
    date_of_birth: date | None
    locale: str
    timezone: str
    theme: Theme
    picture_url: str | None = Field(description="For browsers that are signed in.")
    addresses: list[PostalAddress]
    completeness: ProfileCompleteness


class Session(Shape):
    """Something that is signed in."""

    id: UUID
    kind: SessionKind
    device: str
    place: str = Field(description="Roughly, in the reader's language.")
    ip: str
    method: str
    created_at: UtcDateTime
    last_active_at: UtcDateTime
    current: bool = Field(description="The one that asks.")


class Sessions(Shape):
    """Everything that is signed in, this one first."""

    items: list[Session]
    next_cursor: None = None


class SignInQuery(PageQuery):
    """A page of the history."""


class SignInShape(Shape):
    """A sign-in, or a try that was refused."""

    id: UUID
    kind: SignInKind
    device: str
    place: str
    ip: str
    method: str
    at: UtcDateTime
    ended_at: UtcDateTime | None


class SignIns(Shape):
    """Sign-ins of the last 90 days, newest first."""

    items: list[SignInShape]
    next_cursor: str | None


class ApiKeyRequest(Body):
    """A new key."""

    name: Annotated[str, Field(max_length=KEY_NAME_LENGTH, json_schema_extra=SOME_TEXT)]
    password: Secret = left_out(description="The current one; without it the call is refused (403).")


class ApiKeyShape(Shape):
    """A key, without what makes it work."""

    id: UUID
    name: str
    prefix: str = Field(description="What the key begins with.")
    created_at: UtcDateTime
    last_used_at: UtcDateTime | None
    last_used_ip: str | None

    @classmethod
    def of(cls, row: ApiKey) -> "ApiKeyShape":
        """A key as it is shown."""
        return cls(
            id=row.id,
            name=row.name,
            prefix=row.prefix,
            created_at=row.created_at,
            last_used_at=row.last_used_at,
            last_used_ip=row.last_used_ip or None,
        )


class NewApiKey(ApiKeyShape):
    """A key that was just made."""

    key: str = Field(description="Shown this once; send it as `Authorization: Bearer …`.")

    @classmethod
    def of_new(cls, made: NewKey) -> "NewApiKey":
        """A key with its secret."""
        return cls(key=made.secret, **ApiKeyShape.of(made.key).model_dump())


class ApiKeys(Shape):
    """The keys that work, newest first."""

    items: list[ApiKeyShape]
    next_cursor: None = None
