"""Mails and events as tests look at them."""

import email
import email.policy
from email.message import EmailMessage
from pathlib import Path

from portal.integrations.dns import LookupFailed
from portal.integrations.mail import FileMail, MailTransport
from portal.integrations.sms import OutgoingText
from portal.lib.vault import Vault
from portal.services.notifications.mailing import Outlets


def outlets_to(mail: MailTransport, texts: "Texts | None" = None) -> Outlets:
    """Mails to this transport, text messages to nobody unless said, secrets from a vault of the tests."""
    return Outlets(mail, texts or Texts(), Vault(["a secret of the tests' own vault, long enough"]))


class Records:
    """A DNS of a few TXT records, none to begin with; while `silent` it does not answer."""

    def __init__(self) -> None:
        self.texts: dict[str, list[str]] = {}
        self.silent = False
        self.asked: list[str] = []

    def find(self, name: str) -> list[str]:
        """What was put there."""
        self.asked.append(name)
        if self.silent:
            raise LookupFailed("silent")
        return self.texts.get(name, [])


class Texts:
    """Takes text messages and keeps them."""

    def __init__(self) -> None:
        self.taken: list[OutgoingText] = []

    def send(self, message: OutgoingText) -> None:
        """Keep it."""
        self.taken.append(message)


class FolderOfMails:
    """The files that mails become without a mail server."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.transport = FileMail(folder)

    def all(self) -> list[EmailMessage]:
        """Every mail, read back from its file."""
        found = []
        for path in sorted(self.folder.glob("*.eml")):
            message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            assert isinstance(message, EmailMessage)
            found.append(message)
        return found

    def to(self, address: str) -> list[EmailMessage]:
        """Mails to an address."""
        return [mail for mail in self.all() if mail["To"].addresses[0].addr_spec == address]


def body(mail: EmailMessage, kind: str = "plain") -> str:
    """The text or HTML part."""
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content())
