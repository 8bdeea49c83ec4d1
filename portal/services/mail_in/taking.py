"""A mail comes in: noted once, whatever way and however often it is delivered, and decided in the same transaction."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from portal.authz import system_actor
from portal.errors import DomainError
from portal.events import audit
from portal.lib.mail_bodies import text_of
from portal.lib.mail_parsing import MailUnreadable, ReceivedMail, parse_mail
from portal.lib.mail_tokens import plain_address
from portal.lib.vault import Vault
from portal.models import InboundMail
from portal.models.session import TenantSession
from portal.services.files.uploading import FilePlace
from portal.services.mail_in.deciding import Delivery, decide
from portal.services.mail_in.writing import Written

# What is kept of a held message; a longer one can only be asked for once more.
HELD_BYTES = 10 * 1024 * 1024
NOTED_TEXT = 4_000
KEY_LENGTH = 255
# Nobody wants back what came in a flood.
_NOT_KEPT = frozenset({"rate_sender", "rate_tenant", "too_large"})


@dataclass(frozen=True)
class MailTools:
    """What taking mail needs besides the database."""

    vault: Vault
    place: FilePlace


@dataclass(frozen=True)
class Taken:
    """What became of a mail; `repeated` where it had come in before."""

    mail_id: UUID
    outcome: str
    reason: str = ""
    ticket_id: UUID | None = None
    repeated: bool = False


def take_mail(session: TenantSession, raw: bytes, *, recipient: str, tools: MailTools, now: datetime) -> Taken:
    """Take a message of the session's tenant in; a second delivery of it gives what became of the first.

    What is wrong with a message is no error: it is noted, and held for the team where that makes sense.
    """
    mail, unreadable = _read(raw)
    mail_id = _claim(session, mail, raw, recipient, now=now)
    if mail_id is None:
        return _earlier(session, mail, raw)
    if mail is None:
        written = Written("held" if unreadable != "too_large" else "failed", unreadable)
    else:
        written = _deliver(session, Delivery(mail, plain_address(recipient), recipient, mail_id), tools, now=now)
    finish(session, mail_id, written, raw=raw, now=now)
    return Taken(mail_id, written.outcome, written.reason, written.ticket_id)


def note_broken(session: TenantSession, raw: bytes, *, recipient: str, now: datetime) -> Taken:
    """Note a message that nothing could be done with, without looking into it; the team sees it among the held."""
    mail_id = _claim(session, None, raw, recipient, now=now)
    if mail_id is None:
        return _earlier(session, None, raw)
    written = Written("held", "error")
    finish(session, mail_id, written, raw=raw, now=now)
    return Taken(mail_id, written.outcome, written.reason)


def finish(session: TenantSession, mail_id: UUID, written: Written, *, raw: bytes | None, now: datetime) -> None:
    """Note what became of a mail; while it is held, the whole message is kept."""
    held = written.outcome == "held"
    keep = held and raw is not None and len(raw) <= HELD_BYTES and written.reason not in _NOT_KEPT
    session.execute(
        update(InboundMail)
        .where(InboundMail.id == mail_id)
        .values(
            outcome=written.outcome,
            reason=written.reason[:60],
            ticket_id=written.ticket_id,
            message_id=written.message_id,
            details={"refused": list(written.refused)} if written.refused else {},
            raw=raw if keep else None,
        ),
        execution_options={"synchronize_session": False},
    )
    if held:
        actor = system_actor(session.tenant_id)
        audit(session, "inbound_mail.held", "inbound_mail", mail_id, actor=actor, now=now,
              after={"reason": written.reason})  # fmt: skip


def _deliver(session: TenantSession, delivery: Delivery, tools: MailTools, *, now: datetime) -> Written:
    try:
        # What is refused halfway leaves nothing behind but the note about it.
        with session.begin_nested():
            return decide(session, delivery, vault=tools.vault, place=tools.place, now=now)
    except DomainError as refusal:
        return Written("held", refusal.code)


def _read(raw: bytes) -> tuple[ReceivedMail | None, str]:
    try:
        return parse_mail(raw), ""
    except MailUnreadable as error:
        return None, error.code


def mail_key(mail: ReceivedMail | None, raw: bytes) -> str:
    """What makes two deliveries the same message: its Message-ID, else a hash of the whole."""
    if mail is not None and 0 < len(mail.message_id) <= KEY_LENGTH:
        return mail.message_id
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"


def _claim(
    session: TenantSession, mail: ReceivedMail | None, raw: bytes, recipient: str, *, now: datetime
) -> UUID | None:
    """Note the message; None where it is noted already. Whoever comes at the same moment waits here."""
    return session.scalar(
        insert(InboundMail)
        .values(
            id=uuid4(),
            tenant_id=session.tenant_id,
            mail_key=mail_key(mail, raw),
            sender=next(iter(mail.senders), "") if mail else "",
            recipient=recipient.strip().lower()[:254],
            subject=mail.subject if mail else "",
            outcome="held",
            text=text_of(mail)[:NOTED_TEXT] if mail else "",
            received_at=now,
        )
        .on_conflict_do_nothing(index_elements=["tenant_id", "mail_key"])
        .returning(InboundMail.id)
    )


def _earlier(session: TenantSession, mail: ReceivedMail | None, raw: bytes) -> Taken:
    row = session.scalars(select(InboundMail).where(InboundMail.mail_key == mail_key(mail, raw))).one()
    return Taken(row.id, row.outcome, row.reason, row.ticket_id, repeated=True)
