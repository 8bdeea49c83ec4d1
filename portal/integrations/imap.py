"""A mailbox by IMAP: what is unread in a folder, message by message, settled once it was taken."""

import ipaddress
import socket
import ssl
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Protocol, Self

from imapclient import SEEN, IMAPClient, SocketTimeout
from imapclient.exceptions import IMAPClientError, LoginError

CONNECT_SECONDS, READ_SECONDS = 5, 30
_FAILURES = (IMAPClientError, OSError, ValueError, IndexError)


class MailboxError(Exception):
    """The mailbox cannot be read; `code` says why in words of ours, never in the server's."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class MailboxLogin:
    """Where a mailbox is; `security` is `tls`, `starttls` or, on this machine while testing, `none`."""

    host: str
    port: int
    security: str
    username: str
    password: str = field(repr=False)
    folder: str = "INBOX"
    done_folder: str = ""


class Mailbox(Protocol):
    """An open folder; raises MailboxError."""

    @property
    def uid_validity(self) -> int:
        """Changes when the server numbers its messages anew (RFC 3501, 2.3.1.1)."""
        ...

    def unread(self) -> list[int]:
        """Numbers of unread messages, the oldest first."""
        ...

    def fetch(self, uid: int, limit: int) -> bytes | None:
        """The first `limit` bytes of a message, which stays unread; None where it is gone."""
        ...

    def settle(self, uid: int) -> None:
        """Mark a message as read, and move it where a folder for that is set."""
        ...


OpenMailbox = Callable[[MailboxLogin], AbstractContextManager[Mailbox]]


class ImapMailbox:
    """One connection; private networks are refused unless `allow_private` says otherwise."""

    def __init__(self, login: MailboxLogin, *, allow_private: bool) -> None:
        self._login = login
        self._allow_private = allow_private
        self._client: IMAPClient | None = None
        self._uid_validity = 0

    def __enter__(self) -> Self:
        _refuse_private(_addresses(self._login), self._allow_private)
        try:
            self._client = self._connect()
            self._open_folders(self._client)
        except BaseException:
            self._leave()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()

    @property
    def uid_validity(self) -> int:
        """As the server said when the folder was opened."""
        return self._uid_validity

    def unread(self) -> list[int]:
        """Numbers of unread messages."""
        found: list[int] = sorted(self._ask(lambda client: client.search(["UNSEEN", "UNDELETED"])))
        return found

    def fetch(self, uid: int, limit: int) -> bytes | None:
        """The beginning of a message."""
        found = self._ask(lambda client: client.fetch([uid], [f"BODY.PEEK[]<0.{limit}>"]))
        bodies = [value for key, value in found.get(uid, {}).items() if key.startswith(b"BODY[")]
        return bodies[0] if bodies and isinstance(bodies[0], bytes) else None

    def settle(self, uid: int) -> None:
        """Mark as read; move or copy away."""
        self._ask(lambda client: client.add_flags([uid], [SEEN]))
        if not self._login.done_folder:
            return
        if self._ask(lambda client: client.has_capability("MOVE")):
            self._ask(lambda client: client.move([uid], self._login.done_folder))
            return
        self._ask(lambda client: client.copy([uid], self._login.done_folder))
        self._ask(lambda client: client.delete_messages([uid]))
        self._ask(lambda client: client.expunge([uid]))

    def _ask(self, call: Callable[[IMAPClient], Any]) -> Any:
        if self._client is None:
            raise MailboxError("mailbox_unreachable")
        try:
            return call(self._client)
        except _FAILURES as error:
            raise MailboxError("mailbox_unreachable") from error

    def _connect(self) -> IMAPClient:
        login = self._login
        if login.security not in ("tls", "starttls") and not self._allow_private:
            raise MailboxError("mailbox_untrusted")
        try:
            client = IMAPClient(
                login.host,
                login.port,
                ssl=login.security == "tls",
                ssl_context=ssl.create_default_context() if login.security == "tls" else None,
                timeout=SocketTimeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
            )
            # The name may lead elsewhere by now; nothing has been said yet.
            _refuse_private([client.socket().getpeername()[0]], self._allow_private)
            if login.security == "starttls":
                client.starttls(ssl.create_default_context())
            client.login(login.username, login.password)
        except (ssl.SSLError, ssl.CertificateError) as error:
            raise MailboxError("mailbox_untrusted") from error
        except LoginError as error:
            raise MailboxError("mailbox_refused") from error
        except _FAILURES as error:
            raise MailboxError("mailbox_unreachable") from error
        return client

    def _open_folders(self, client: IMAPClient) -> None:
        try:
            if self._login.done_folder and not client.folder_exists(self._login.done_folder):
                raise MailboxError("mailbox_no_folder")
            opened = client.select_folder(self._login.folder)
        except IMAPClientError as error:
            raise MailboxError("mailbox_no_folder") from error
        except (OSError, ValueError) as error:
            raise MailboxError("mailbox_unreachable") from error
        self._uid_validity = int(opened.get(b"UIDVALIDITY", 0))

    def _leave(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with suppress(*_FAILURES):
                client.logout()


def _addresses(login: MailboxLogin) -> list[str]:
    try:
        found = socket.getaddrinfo(login.host, login.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise MailboxError("mailbox_unreachable") from error
    return [str(entry[4][0]) for entry in found]


def _refuse_private(addresses: list[str], allow_private: bool) -> None:
    """What the tenant types must not reach servers inside of our own network (reliability.md, G8)."""
    for text in addresses:
        address = ipaddress.ip_address(text.partition("%")[0])
        mapped = getattr(address, "ipv4_mapped", None)
        if not allow_private and not (mapped or address).is_global:
            raise MailboxError("mailbox_unreachable")
