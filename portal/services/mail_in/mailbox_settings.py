"""How a tenant takes mail, as its administrators set it; passwords are written, never read back."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from portal.authz import Actor, Permission, require
from portal.errors import FieldError, Invalid
from portal.events import audit
from portal.lib.text import has_forbidden_characters
from portal.lib.vault import Vault
from portal.models import MailIntake, Person, TicketCategory, User, UserKind, UserStatus
from portal.models.session import TenantSession
from portal.services.mail_in.intake import default_intake

UNKNOWN_SENDERS = ("hold", "open")
SECURITIES = ("tls", "starttls")
LENGTHS = {"trusted_host": 253, "host": 253, "username": 254, "folder": 120, "done_folder": 120, "password": 512}
_AUDITED = (
    "trusted_host", "verified_only", "staff_replies", "unknown_senders", "stand_in_id", "category", "polled", "host",
    "port", "security", "username", "folder", "done_folder",
)  # fmt: skip


@dataclass(frozen=True)
class MailboxForm:
    """The rules as they are edited; an empty password keeps the stored one, a port that is no number is None."""

    trusted_host: str = ""
    verified_only: bool = False
    staff_replies: bool = True
    unknown_senders: str = "hold"
    stand_in_email: str = ""
    category: str = ""
    polled: bool = False
    host: str = ""
    port: int | None = 993
    security: str = "tls"
    username: str = ""
    password: str = ""
    folder: str = "INBOX"
    done_folder: str = ""


def load_settings(session: TenantSession, *, actor: Actor) -> tuple[MailIntake, str]:
    """The rules as they are stored, and the address of the login for strangers' tickets. Raises Forbidden."""
    require(actor, Permission.MAIL_CONFIGURE)
    intake = session.scalar(select(MailIntake)) or default_intake(session.tenant_id)
    email = select(Person.email).join(User, User.person_id == Person.id).where(User.id == intake.stand_in_id)
    return intake, (session.scalar(email) or "") if intake.stand_in_id else ""


def lock_intake(session: TenantSession) -> MailIntake:
    """The tenant's row, locked; made where there is none."""
    session.execute(insert(MailIntake).values(tenant_id=session.tenant_id).on_conflict_do_nothing())
    return session.scalars(select(MailIntake).with_for_update().execution_options(populate_existing=True)).one()


def save_settings(
    session: TenantSession, form: MailboxForm, *, vault: Vault, actor: Actor, now: datetime
) -> MailIntake:
    """Store the rules. Raises Forbidden and Invalid per field.

    Another server or user is another mailbox: its password has to be given anew, lest the stored one be sent to a
    server of somebody's choice, and its messages are counted from the beginning.
    """
    require(actor, Permission.MAIL_CONFIGURE)
    intake = lock_intake(session)
    form = _trimmed(form)
    moved = (intake.host, intake.username) != (form.host, form.username)
    values = _checked(session, form, password_needed=form.polled and (moved or intake.password is None))
    before = _audited(intake)
    if moved or intake.folder != form.folder:
        intake.uid_validity, intake.last_uid = None, 0
    for name, value in values.items():
        setattr(intake, name, value)
    if form.password:
        intake.password = vault.encrypt(form.password.encode())
    elif moved:
        intake.password = None
    intake.last_error = ""
    after = _audited(intake) | {"password_changed": bool(form.password)}
    audit(session, "mail_intake.saved", "mail_intake", session.tenant_id, actor=actor, now=now,
          before=before, after=after)  # fmt: skip
    return intake


def _audited(intake: MailIntake) -> dict[str, Any]:
    return {name: getattr(intake, name) for name in _AUDITED}


def _trimmed(form: MailboxForm) -> MailboxForm:
    texts = {name: str(getattr(form, name)).strip() for name in LENGTHS if name != "password"}
    lower = {name: texts[name].lower() for name in ("trusted_host", "host")}
    return MailboxForm(**{**form.__dict__, **texts, **lower, "folder": texts["folder"] or "INBOX"})


def _checked(session: TenantSession, form: MailboxForm, *, password_needed: bool) -> dict[str, Any]:
    errors: list[FieldError] = []
    for name, limit in LENGTHS.items():
        value = getattr(form, name)
        if len(value) > limit:
            errors.append(FieldError(name, "too_long", (("limit", limit),)))
        elif has_forbidden_characters(value) or (name != "password" and any(char in value for char in "\r\n\t")):
            errors.append(FieldError(name, "characters_forbidden"))
    for name, allowed in (("unknown_senders", UNKNOWN_SENDERS), ("security", SECURITIES)):
        if getattr(form, name) not in allowed:
            errors.append(FieldError(name, "unknown_choice"))
    if form.port is None or not 1 <= form.port <= 65535:
        errors.append(FieldError("port", "out_of_range", (("low", 1), ("high", 65535))))
    if form.polled:
        needed = ("host", "username", *(("password",) if password_needed else ()))
        errors += [FieldError(name, "required") for name in needed if not getattr(form, name)]
    if form.verified_only and not form.trusted_host:
        errors.append(FieldError("trusted_host", "required"))
    errors += _check_references(session, form)
    stand_in = _stand_in(session, form.stand_in_email)
    if form.unknown_senders == "open" and stand_in is None:
        errors.append(FieldError("stand_in_email", "mail_no_such_customer"))
    if errors:
        raise Invalid(*errors)
    kept = {name: getattr(form, name) for name in _AUDITED if name != "stand_in_id"}
    return {**kept, "stand_in_id": stand_in}


def _check_references(session: TenantSession, form: MailboxForm) -> list[FieldError]:
    if not form.category or has_forbidden_characters(form.category):
        return [FieldError("category", "characters_forbidden")] if form.category else []
    known = select(TicketCategory.id).where(TicketCategory.key == form.category, TicketCategory.active)
    return [] if session.scalar(known) else [FieldError("category", "unknown_category")]


def _stand_in(session: TenantSession, email: str) -> Any:
    wanted = email.strip().lower()
    if not wanted or has_forbidden_characters(wanted):
        return None
    query = select(User.id).join(Person, Person.id == User.person_id)
    active = (User.kind == UserKind.CUSTOMER, User.status == UserStatus.ACTIVE, User.portal_access.is_(True))
    return session.scalar(query.where(Person.email == wanted, *active))
