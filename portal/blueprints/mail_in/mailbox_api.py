"""How mail comes in, under /api/v1/staff: the mailbox's rules; its password is written, never read back."""

from typing import Annotated, Any, Literal

from flask import Blueprint
from pydantic import Field

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.accounts.confirm import prove_again
from portal.blueprints.accounts.people_schemas import PROOF, Proof
from portal.blueprints.api.operations import operation
from portal.blueprints.api.schemas import ANY_TEXT, Body, Shape, UtcDateTime, left_out
from portal.blueprints.policies import permission
from portal.models import MailIntake
from portal.services.mail_in.mailbox_settings import LENGTHS, MailboxForm, load_settings, save_settings
from portal.services.mail_in.webhook import renew_key

bp = Blueprint("mailbox_api", __name__, url_prefix="/api/v1/staff/mailbox")
Unknown = Literal["hold", "open"]
Security = Literal["tls", "starttls"]


def _text(name: str) -> Any:
    return Annotated[str, Field(max_length=LENGTHS[name], json_schema_extra=ANY_TEXT)]


class MailboxRequest(Body):
    """The rules as a whole; what is left out has its standard value."""

    trusted_host: _text("trusted_host") = ""  # type: ignore[valid-type]
    verified_only: bool = False
    staff_replies: bool = True
    unknown_senders: Unknown = "hold"
    stand_in_email: Annotated[str, Field(max_length=254, json_schema_extra=ANY_TEXT)] = ""
    category: Annotated[str, Field(max_length=50, json_schema_extra=ANY_TEXT)] = ""
    polled: bool = False
    host: _text("host") = ""  # type: ignore[valid-type]
    port: Annotated[int, Field(ge=1, le=65535, strict=True)] = 993
    security: Security = "tls"
    username: _text("username") = ""  # type: ignore[valid-type]
    mailbox_password: _text("password") = Field("", description="Empty keeps the stored one.")  # type: ignore[valid-type]
    folder: _text("folder") = "INBOX"  # type: ignore[valid-type]
    done_folder: _text("done_folder") = ""  # type: ignore[valid-type]
    password: Proof = left_out(description=PROOF)

    def form(self) -> MailboxForm:
        """What the service takes."""
        values = self.model_dump(exclude={"password", "mailbox_password"})
        return MailboxForm(**values, password=self.mailbox_password)


class KeyRequest(Body):
    """The proof that a new key asks for."""

    password: Proof = left_out(description=PROOF)


class WebhookKey(Shape):
    """What a mail server signs the messages with that it hands over by HTTP."""

    key: str = Field(description="Shown this once.")


class MailboxShape(Shape):
    """The rules as they are stored."""

    trusted_host: str = Field(description="Whose Authentication-Results are believed.")
    verified_only: bool
    staff_replies: bool
    unknown_senders: Unknown
    stand_in_email: str = Field(description="The login that strangers' tickets are opened for.")
    category: str
    polled: bool
    host: str
    port: int
    security: Security
    username: str
    has_password: bool
    has_webhook_key: bool = Field(description="Without one nothing is taken by HTTP.")
    folder: str
    done_folder: str
    polled_at: UtcDateTime | None
    last_error: str = Field(description="The code of what went wrong the last time, empty where nothing did.")

    @classmethod
    def of(cls, intake: MailIntake, stand_in: str) -> "MailboxShape":
        """The stored row."""
        derived = {
            "stand_in_email": stand_in,
            "has_password": intake.password is not None,
            "has_webhook_key": intake.webhook_secret is not None,
        }
        values = {name: getattr(intake, name) for name in cls.model_fields if name not in derived}
        return cls(**values | derived)


@bp.get("")
@permission(Permission.MAIL_CONFIGURE)
@operation("Read how mail comes in", answer=MailboxShape)
def detail() -> MailboxShape:
    """Whom to believe, what becomes of strangers' mail, and the mailbox that is emptied."""
    return MailboxShape.of(*load_settings(http.session(), actor=http.actor()))


@bp.put("")
@permission(Permission.MAIL_CONFIGURE)
@operation("Change how mail comes in", body=MailboxRequest, answer=MailboxShape)
def change(body: MailboxRequest) -> MailboxShape:
    """Replaces the rules. Another server or user needs its password anew."""
    prove_again(body.password)
    save_settings(http.session(), body.form(), vault=http.vault(), actor=http.actor(), now=http.now())
    http.session().flush()
    return MailboxShape.of(*load_settings(http.session(), actor=http.actor()))


@bp.post("/key")
@permission(Permission.MAIL_CONFIGURE)
@operation(
    "Make a new key for the webhook of incoming mail", body=KeyRequest, answer=WebhookKey, status=201, sealed=True
)
def key(body: KeyRequest) -> WebhookKey:
    """Replaces the key that messages handed over by HTTP are signed with; the old one is worth nothing at once."""
    prove_again(body.password)
    return WebhookKey(key=renew_key(http.session(), vault=http.vault(), actor=http.actor(), now=http.now()))
