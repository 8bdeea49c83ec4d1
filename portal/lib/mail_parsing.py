"""Reading a mail that anybody may have written: bounded before it is parsed, tolerant of what is wrong in it.

The parser of the standard library does the work; what makes it slow or recurse too deep is refused beforehand, and
each header is read by itself, so that one that is broken costs only itself.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage, Message
from email.utils import getaddresses
from functools import cached_property
from itertools import islice

from portal.lib.email_addresses import normalise_email
from portal.lib.text import has_forbidden_characters

MAX_BYTES = 35 * 1024 * 1024
HEADER_BYTES = 256 * 1024
# Longer than any header people read; References of a long conversation come near it.
HEADER_LENGTH = 8_000
FROM_LENGTH = 2_000
FROM_COMMENTS = 20
MAX_HEADERS = 1_000
MAX_CONTAINERS = 60
MAX_PARTS = 200
MAX_DELIMITERS = 3_000
SUBJECT_LENGTH = 255
NAME_LENGTH = 100
_CONTAINER = re.compile(rb"boundary\s*\*?\d*\*?\s*=|message/rfc822", re.IGNORECASE)
_END_OF_HEADERS = re.compile(rb"\r?\n\r?\n")
_MESSAGE_ID = re.compile(r"<[^<>\s]{1,250}>")
# Marks that turn the direction of the text around them, and characters that cannot be seen (Unicode TR 9 and 36).
_INVISIBLE = re.compile("[\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


class MailUnreadable(Exception):
    """The message is not looked into; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class ReceivedMail:
    """A parsed message; headers are texts as they were decoded, by their names in lower case."""

    message: EmailMessage
    headers: dict[str, list[str]] = field(default_factory=dict)

    def header(self, name: str) -> str:
        """The first header of a name, empty where there is none."""
        return next(iter(self.headers.get(name, ())), "")

    @cached_property
    def message_id(self) -> str:
        """The Message-ID with its brackets, empty where there is no usable one."""
        found = _MESSAGE_ID.search(self.header("message-id"))
        return found[0] if found and not has_forbidden_characters(found[0]) else ""

    @cached_property
    def senders(self) -> list[str]:
        """Every different address of every From, in the spelling that is stored; more than one proves nothing."""
        return list(dict.fromkeys(address for _, address in self._from))

    @cached_property
    def sender_name(self) -> str:
        """How the first sender calls itself: for showing, never for recognising."""
        return next((name for name, _ in self._from), "")[:NAME_LENGTH]

    @cached_property
    def subject(self) -> str:
        """The subject on one line."""
        return visible_text(self.header("subject"))[:SUBJECT_LENGTH]

    @cached_property
    def _from(self) -> list[tuple[str, str]]:
        found = []
        for name, address in _addresses(self.headers.get("from", [])[:5]):
            wanted = normalise_email(address) if "@" in address else None
            if wanted:
                found.append((visible_text(name), wanted))
        return found


def parse_mail(raw: bytes) -> ReceivedMail:
    """The message; raises MailUnreadable for what is too large, too deep or no message at all."""
    _check_bounds(raw)
    try:
        message = message_from_bytes(raw, policy=policy.default)
        headers = _decoded(message)
    except (RecursionError, MessageError, ValueError, LookupError, UnicodeError, IndexError) as error:
        raise MailUnreadable("unreadable") from error
    if not headers:
        raise MailUnreadable("unreadable")
    return ReceivedMail(message, headers)


def visible_text(text: str) -> str:
    """One line without control characters and without marks that turn or hide what stands beside them."""
    return " ".join(_INVISIBLE.sub("", _CONTROLS.sub(" ", text)).split())


def storable_text(text: str) -> str:
    """Text of several lines as the database takes it: without control characters and marks that turn directions."""
    return _INVISIBLE.sub("", _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))


def leaves(message: Message) -> Iterable[Message]:
    """The parts that hold something, in their order; messages within the message are one part each."""
    waiting: list[Message] = [message]
    for _ in range(MAX_PARTS):
        if not waiting:
            return
        part = waiting.pop(0)
        payload = part.get_payload()
        if part.get_content_maintype() == "multipart" and isinstance(payload, list):
            waiting[:0] = [inner for inner in payload if isinstance(inner, Message)]
        else:
            yield part


def address_of(text: str) -> str | None:
    """The address of a header or of a report's field (`rfc822; bob@example.com`)."""
    return normalise_email(text.rpartition(";")[2].strip().strip("<>"))


def _check_bounds(raw: bytes) -> None:
    if len(raw) > MAX_BYTES:
        raise MailUnreadable("too_large")
    end = _END_OF_HEADERS.search(raw, 0, HEADER_BYTES)
    if end is None and len(raw) > HEADER_BYTES:
        raise MailUnreadable("header_flood")
    head = raw[: end.start() if end else HEADER_BYTES]
    if head.count(b"\n") > MAX_HEADERS * 3:
        raise MailUnreadable("header_flood")
    if len(list(islice(_CONTAINER.finditer(raw), MAX_CONTAINERS + 1))) > MAX_CONTAINERS:
        raise MailUnreadable("nested")
    if raw.count(b"\n--") > MAX_DELIMITERS:
        raise MailUnreadable("nested")


def _decoded(message: Message) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for count, (name, value) in enumerate(message.raw_items()):
        if count >= MAX_HEADERS:
            raise MailUnreadable("header_flood")
        found.setdefault(name.lower(), []).append(_one_header(name, str(value)[:HEADER_LENGTH]))
    return found


def _one_header(name: str, value: str) -> str:
    """The header's text with its encoded words read; the raw text where it is too broken for that."""
    plain = value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    if "=?" not in plain:
        return " ".join(plain.split())
    try:
        # Only as text: the readers of addresses are slow on what nobody sends in good faith.
        decoded = str(policy.default.header_factory("subject", " ".join(plain.split())))
    except (RecursionError, MessageError, ValueError, LookupError, UnicodeError, IndexError):
        return " ".join(plain.split())
    return _as_from(plain, decoded) if name.lower() == "from" else decoded


def _addresses(headers: list[str]) -> list[tuple[str, str]]:
    """Names and addresses; none where the text is longer or deeper than any that people send."""
    if any(len(text) > FROM_LENGTH or text.count("(") > FROM_COMMENTS for text in headers):
        return []
    return getaddresses(headers)


def _as_from(plain: str, decoded: str) -> str:
    """From with its name decoded: an encoded word may hold no address, whatever it decodes to (RFC 2047, 5)."""
    real = [address for _, address in _addresses([plain]) if "@" in address]
    if len(real) != 1:
        return plain
    name = visible_text(decoded.replace(real[0], "")).strip("<> \"'")
    try:
        return str(Address(name, addr_spec=real[0]))
    except (ValueError, IndexError, MessageError):
        return real[0]
