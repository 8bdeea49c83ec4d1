"""Sending mail: one builder that nothing can slip a header into, to an SMTP server or to files."""

import os
import re
import smtplib
import tempfile
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import SplitResult, unquote, urlsplit

from portal.config import ConfigurationError, Settings

TIMEOUT_SECONDS = 10


class MailRefused(Exception):
    """This mail will never go out: its address or content is refused."""


class MailUnavailable(Exception):
    """The mail cannot go out now; later it may."""


@dataclass(frozen=True)
class EnclosedFile:
    """A file that leaves with a mail."""

    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True)
class OutgoingMail:
    """A mail as it leaves; `thread_id` is the Message-ID of the first mail of its conversation.

    Answers go to `reply_to`; `references` stand beside the first mail's, so that answers find back by either.
    """

    message_id: str
    sender_name: str
    sender_address: str
    recipient_name: str
    recipient: str
    subject: str
    text: str
    html: str
    language: str
    date: datetime
    thread_id: str | None = None
    reply_to: str = ""
    references: tuple[str, ...] = ()
    files: tuple[EnclosedFile, ...] = ()


class MailTransport(Protocol):
    """Takes a mail once or twice (the Message-ID tells); raises MailRefused or MailUnavailable."""

    def send(self, mail: OutgoingMail) -> None:
        """Hand the mail over."""
        ...


def build_transport(settings: Settings) -> MailTransport:
    """SMTP where PORTAL_SMTP_URL says so, else files under the data folder."""
    if settings.smtp_url:
        return SmtpMail(settings.smtp_url)
    return FileMail(settings.data_dir / "mail")


def build_message(mail: OutgoingMail) -> EmailMessage:
    """The MIME message; raises MailRefused where a header would hold control characters or a bad address."""
    names = (mail.message_id, mail.thread_id or "", *mail.references)
    for value in (*names, mail.sender_name, mail.recipient_name, mail.subject):
        if any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in value):
            raise MailRefused("control characters in a header")
    message = EmailMessage(policy=policy.SMTP)
    try:
        message["From"] = Address(mail.sender_name, addr_spec=mail.sender_address)
        message["To"] = Address(mail.recipient_name, addr_spec=mail.recipient)
        message["Subject"] = mail.subject
        message["Date"] = format_datetime(mail.date)
        message["Message-ID"] = mail.message_id
        if mail.reply_to:
            message["Reply-To"] = Address(mail.sender_name, addr_spec=mail.reply_to)
        earlier = [mail.thread_id] if mail.thread_id and mail.thread_id != mail.message_id else []
        if earlier:
            message["In-Reply-To"] = earlier[0]
        if earlier or mail.references:
            message["References"] = " ".join([*earlier, *mail.references])
        # By it we know our own mail when it comes back to us.
        message["X-Loop"] = mail.sender_address
        message["Content-Language"] = mail.language
        # RFC 3834: no vacation responder answers this.
        message["Auto-Submitted"] = "auto-generated"
        message["X-Auto-Response-Suppress"] = "All"
        message.set_content(mail.text)
        message.add_alternative(mail.html, subtype="html")
        for file in mail.files:
            kind, _, subtype = file.content_type.partition(";")[0].partition("/")
            told = {"charset": "utf-8"} if kind == "text" else {}
            message.add_attachment(file.content, kind, subtype, filename=file.name, params=told)
    except (ValueError, IndexError, UnicodeError, MessageError) as error:
        raise MailRefused(str(error)) from error
    return message


class FileMail:
    """Writes `<message id>.eml`; the same Message-ID is the same file, so a repeat is no second mail."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path_of(self, message_id: str) -> Path:
        """Where the mail with this Message-ID lies."""
        return self._folder / (re.sub(r"[^A-Za-z0-9@._-]", "_", message_id.strip("<>"))[:200] + ".eml")

    def send(self, mail: OutgoingMail) -> None:
        """Write the file whole or not at all."""
        data = build_message(mail).as_bytes()
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._folder, suffix=".part")
            try:
                with os.fdopen(handle, "wb") as stream:
                    stream.write(data)
                    stream.flush()
                    os.fsync(stream.fileno())
                Path(name).replace(self.path_of(mail.message_id))
            except OSError:
                Path(name).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise MailUnavailable(f"the mail folder cannot be written: {error.strerror}") from error


class SmtpMail:
    """Hands mails to a server: `smtps://` speaks TLS at once, `smtp://` upgrades where the server offers it.

    With user and password nothing is sent before the connection is encrypted.
    """

    def __init__(self, url: str) -> None:
        self._url = _checked(url)

    def send(self, mail: OutgoingMail) -> None:
        """One connection a mail; what the server refuses for good is MailRefused."""
        message = build_message(mail)
        try:
            with self._connect() as server:
                server.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            worst = max(code for code, _ in error.recipients.values())
            raise (MailRefused if worst >= 500 else MailUnavailable)(f"recipient refused ({worst})") from error
        except smtplib.SMTPResponseException as error:
            permanent = error.smtp_code >= 500 and not isinstance(error, smtplib.SMTPAuthenticationError)
            raise (MailRefused if permanent else MailUnavailable)(f"server said {error.smtp_code}") from error
        except smtplib.SMTPNotSupportedError as error:
            raise MailUnavailable(str(error)) from error
        except (smtplib.SMTPException, OSError) as error:
            raise MailUnavailable(type(error).__name__) from error

    def _connect(self) -> smtplib.SMTP:
        host, port = self._url.hostname or "", self._url.port
        if self._url.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, port or 465, timeout=TIMEOUT_SECONDS)
        else:
            server = smtplib.SMTP(host, port or 25, timeout=TIMEOUT_SECONDS)
            server.ehlo()
            if server.has_extn("starttls"):
                server.starttls()
                server.ehlo()
            elif self._url.username:
                server.close()
                raise smtplib.SMTPNotSupportedError("the server offers no TLS; the password is not sent in clear")
        if self._url.username:
            server.login(unquote(self._url.username), unquote(self._url.password or ""))
        return server


def _checked(url: str) -> SplitResult:
    parts = urlsplit(url)
    try:
        known = parts.scheme in ("smtp", "smtps") and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        known = False
    if not known:
        raise ConfigurationError("PORTAL_SMTP_URL must look like smtp://user:password@host:587 or smtps://host:465.")
    return parts
