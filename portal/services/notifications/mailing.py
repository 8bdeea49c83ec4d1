"""Sending what is queued: a state that moves once, and a Message-ID that stays the same when it is tried twice."""

from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import select, update

from portal.integrations.mail import MailRefused, MailTransport, MailUnavailable, OutgoingMail
from portal.integrations.sms import OutgoingText, TextTransport
from portal.integrations.storage import FileStorage, StorageUnavailable
from portal.lib.clock import utcnow
from portal.lib.faults import crash_point
from portal.lib.vault import Vault
from portal.models import MailChannel, MailMessage, MailState, OneTimeLink, Person, Tenant, User
from portal.models.session import TenantSessions
from portal.services.accounts.messages import reveal
from portal.services.notifications.answering import is_unreachable, with_thread
from portal.services.notifications.enclosing import (
    FilesRefused,
    FilesUnchecked,
    StoredFile,
    find_enclosed,
    read_enclosed,
)
from portal.services.notifications.message_ids import thread_of

# With the workflow's pauses (doubling, at most half an hour) these last for about six hours.
MAX_ATTEMPTS = 22
SUPPRESSED = "not sent: earlier mails to this address came back"
# What tells that a payment has arrived.
RECEIPT = "payment_received"
FILE_REFUSED = "not sent: the virus scanner found something in a file"


class TransientMailError(Exception):
    """A mail did not go out but may later; it stays queued."""


@dataclass(frozen=True)
class Outlets:
    """By which ways messages leave, the vault that puts one-time secrets into them, and where their files lie."""

    mail: MailTransport
    texts: TextTransport
    vault: Vault
    files: FileStorage | None = None

    def send(self, message: OutgoingMail | OutgoingText) -> None:
        """Hand a message to its way out."""
        if isinstance(message, OutgoingText):
            self.texts.send(message)
        else:
            self.mail.send(message)


@dataclass(frozen=True)
class _Attempt:
    message: OutgoingMail | OutgoingText
    number: int
    files: tuple[StoredFile, ...] = ()
    template: str = ""

    def with_files(self, storage: FileStorage | None) -> OutgoingMail | OutgoingText:
        """The message as it leaves. Raises MailUnavailable: a mail goes with its files or not at all."""
        if not self.files or isinstance(self.message, OutgoingText):
            return self.message
        if storage is None:
            raise MailUnavailable("no storage is configured")
        try:
            return replace(self.message, files=read_enclosed(self.files, storage))
        except StorageUnavailable as error:
            raise MailUnavailable(f"the storage does not answer: {error}") from error


def send_mail(sessions: TenantSessions, tenant_id: UUID, mail_id: UUID, *, outlets: Outlets) -> bool:
    """Send a queued mail or text message; returns whether this call sent it.

    Raises TransientMailError to be tried again.

    Intent, call and result are three steps, so that no transaction waits for a mail server. A crash after the
    call sends the mail again under the same Message-ID.
    """
    try:
        attempt = _begin(sessions, tenant_id, mail_id, outlets.vault)
    except (_Suppressed, FilesRefused) as error:
        reason = SUPPRESSED if isinstance(error, _Suppressed) else FILE_REFUSED
        _finish(sessions, tenant_id, mail_id, MailState.FAILED, reason)
        return False
    except FilesUnchecked as error:
        # The attempt is rolled back with the transaction: waiting for the scanner is none.
        raise TransientMailError("a file is still being checked") from error
    if attempt is None:
        return False
    crash_point("mail.pre_send")
    try:
        outlets.send(attempt.with_files(outlets.files))
    except MailRefused as error:
        _finish(sessions, tenant_id, mail_id, MailState.FAILED, str(error))
        return False
    except MailUnavailable as error:
        if attempt.number >= MAX_ATTEMPTS:
            _finish(sessions, tenant_id, mail_id, MailState.FAILED, str(error))
            return False
        _finish(sessions, tenant_id, mail_id, MailState.QUEUED, str(error))
        raise TransientMailError(str(error)) from error
    crash_point("mail.post_send")
    is_sent = _finish(sessions, tenant_id, mail_id, MailState.SENT)
    if attempt.template == RECEIPT:
        crash_point("receipt.pre_report")
    return is_sent


class _Suppressed(Exception):
    """The address is known not to take mail."""


def _begin(sessions: TenantSessions, tenant_id: UUID, mail_id: UUID, vault: Vault) -> _Attempt | None:
    """Count the attempt and load the mail; None where it is not queued.

    What somebody has asked for this minute (a link, a code) is tried even at an address whose mails came back.
    """
    with sessions.begin(tenant_id) as session:
        number = session.scalar(
            update(MailMessage)
            .where(MailMessage.id == mail_id, MailMessage.state == MailState.QUEUED)
            .values(attempts=MailMessage.attempts + 1)
            .returning(MailMessage.attempts)
        )
        if number is None:
            return None
        mail, tenant, name, link = session.execute(
            select(MailMessage, Tenant, Person.name, OneTimeLink)
            .join(Tenant, Tenant.id == MailMessage.tenant_id)
            .outerjoin(User, User.id == MailMessage.user_id)
            .outerjoin(Person, Person.id == User.person_id)
            .outerjoin(OneTimeLink, OneTimeLink.id == MailMessage.link_id)
            .where(MailMessage.id == mail_id)
        ).one()
        text, html = (reveal(part, link, vault) for part in (mail.text, mail.html))
        if mail.channel is MailChannel.SMS:
            return _Attempt(OutgoingText(mail.id, tenant.name, mail.recipient, text), number)
        if mail.link_id is None and is_unreachable(session, mail.recipient):
            raise _Suppressed
        files = find_enclosed(session, mail)
        outgoing = with_thread(_outgoing(mail, text, html, tenant, name or ""), session, vault)
        return _Attempt(outgoing, number, files, mail.template)


def _outgoing(mail: MailMessage, text: str, html: str, tenant: Tenant, name: str) -> OutgoingMail:
    return OutgoingMail(
        message_id=mail.message_id,
        sender_name=" ".join(tenant.name.split()),
        sender_address=tenant.support_email,
        recipient_name=" ".join(name.split()),
        recipient=mail.recipient,
        subject=mail.subject,
        text=text,
        html=html,
        language=mail.locale,
        date=mail.created_at,
        thread_id=thread_of(mail.message_id),
    )


def _finish(
    sessions: TenantSessions, tenant_id: UUID, mail_id: UUID, state: MailState, error: str | None = None
) -> bool:
    with sessions.begin(tenant_id) as session:
        moved = session.execute(
            update(MailMessage)
            .where(MailMessage.id == mail_id, MailMessage.state == MailState.QUEUED)
            .values(
                state=state,
                last_error=error[:500] if error else None,
                sent_at=utcnow() if state is MailState.SENT else None,
            )
            .returning(MailMessage.id)
        ).first()
    return moved is not None
