"""Signed thread tokens: by which an answer by mail finds its ticket, or the side conversation it belongs to.

A token names one record and is signed together with the tenant, so that it is worth nothing in another one. It
stands in the Reply-To address (`support+TOKEN@example.com`) and in References (`<thread-TOKEN@example.com>`).
It only says where an answer belongs: who may answer is for the service that takes the mail to decide.
"""

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from portal.lib.vault import Vault

_PURPOSE = b"mail threads"
_TICKET, _SIDE = b"t", b"s"
_SIGNATURE_BYTES = 12
_RAW_BYTES = 1 + 16 + _SIGNATURE_BYTES
# Base 32 without padding: mail servers may change the case of an address.
TOKEN_LENGTH = -(-_RAW_BYTES * 8 // 5)
# RFC 5321, 4.5.3.1.1.
LOCAL_PART_LENGTH = 64
LONGEST_MAILBOX = LOCAL_PART_LENGTH - 1 - TOKEN_LENGTH
_FALLBACK_MAILBOX = "reply"
_IN_ADDRESS = re.compile(rf"\+([a-z2-7]{{{TOKEN_LENGTH}}})@", re.IGNORECASE)
_IN_HEADER = re.compile(rf"<thread-([a-z2-7]{{{TOKEN_LENGTH}}})@", re.IGNORECASE)


@dataclass(frozen=True)
class Thread:
    """What a token names: a ticket, or one of its side conversations (the row of which knows the ticket)."""

    ticket_id: UUID | None = None
    side_conversation_id: UUID | None = None


def sign_thread(vault: Vault, tenant_id: UUID, ticket_id: UUID, side_conversation_id: UUID | None = None) -> str:
    """The token of a ticket or, where it is given, of its side conversation; the same every time."""
    named = _SIDE + side_conversation_id.bytes if side_conversation_id else _TICKET + ticket_id.bytes
    signature = vault.sign(_PURPOSE, tenant_id.bytes + named)[:_SIGNATURE_BYTES]
    return base64.b32encode(named + signature).rstrip(b"=").decode().lower()


def read_thread(vault: Vault, tenant_id: UUID, token: str) -> Thread | None:
    """What a token of this tenant names; None for everything that was not signed here."""
    if len(token) != TOKEN_LENGTH:
        return None
    try:
        raw = base64.b32decode(token.upper() + "=" * (-len(token) % 8))
    except ValueError:
        return None
    named, signature = raw[:17], raw[17:]
    if len(raw) != _RAW_BYTES or not vault.is_signed(_PURPOSE, tenant_id.bytes + named, signature):
        return None
    record_id = UUID(bytes=named[1:])
    return Thread(side_conversation_id=record_id) if named[:1] == _SIDE else Thread(ticket_id=record_id)


def reply_address(mailbox: str, token: str) -> str:
    """The address of `mailbox` (`support@example.com`) that carries a token; a name too long becomes `reply`."""
    name, _, domain = mailbox.rpartition("@")
    return f"{name if len(name) <= LONGEST_MAILBOX else _FALLBACK_MAILBOX}+{token}@{domain}"


def thread_reference(token: str, host: str) -> str:
    """The Message-ID that stands in References of every mail of the thread; no mail has it for its own."""
    return f"<thread-{token}@{host}>"


def plain_address(address: str) -> str:
    """The address without what follows a plus sign, in lower case: whose mailbox it is."""
    name, _, domain = address.strip().lower().rpartition("@")
    return f"{name.partition('+')[0]}@{domain}"


def tokens_of_addresses(addresses: Iterable[str]) -> list[str]:
    """Everything that looks like a token in addresses."""
    return [token for text in addresses for token in _IN_ADDRESS.findall(text)]


def tokens_of_references(headers: Iterable[str]) -> list[str]:
    """Everything that looks like a token in References and In-Reply-To."""
    return [token for text in headers for token in _IN_HEADER.findall(text)]
