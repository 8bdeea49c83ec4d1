"""Where a mail comes from: whether a person wrote it, whether its sender is who it says, what it belongs to."""

import re
from dataclasses import dataclass
from email.errors import MessageError
from email.message import Message
from enum import StrEnum

from portal.lib.mail_parsing import ReceivedMail, address_of, leaves

# RFC 5321, 6.3: more hops than this are a loop.
MAX_HOPS = 50
_BULK = frozenset({"bulk", "junk", "list", "auto_reply"})
_MESSAGE_ID = re.compile(rb"^message-id:\s*(<[^<>\s]{1,250}>)", re.IGNORECASE | re.MULTILINE)
_RESULT = re.compile(r"(?:^|;)\s*(dmarc|spf|dkim)\s*=\s*(\w+)([^;]*)", re.IGNORECASE)
_PROPERTY = re.compile(r"(?:header\.(?:from|d|i)|smtp\.(?:mailfrom|helo))\s*=\s*([^\s;]+)", re.IGNORECASE)
_QUOTED = re.compile(r"\"(?:[^\"\\]|\\.)*\"")
_COMMENT = re.compile(r"\([^()]*\)")


class Proof(StrEnum):
    """What the receiving server found out about the sender (RFC 8601)."""

    VERIFIED = "verified"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class BouncedRecipient:
    """An address that a report says did not take a mail; `hard` where it never will (RFC 3463, class 5)."""

    address: str
    hard: bool
    status: str


@dataclass(frozen=True)
class BounceReport:
    """A delivery status report (RFC 3464): about which mail, and about whom."""

    message_id: str
    recipients: tuple[BouncedRecipient, ...]


def machine_reason(mail: ReceivedMail) -> str:
    """Why no person is behind a mail: `auto_reply`, `bulk` or `hops`; empty where nothing says so.

    RFC 3834 (Auto-Submitted), RFC 2919 and 2369 (lists), and what was usual before them.
    """
    submitted = mail.header("auto-submitted").partition(";")[0].strip().lower()
    if submitted and submitted != "no":
        return "auto_reply"
    if any(name in mail.headers for name in ("x-autoreply", "x-autorespond", "x-autoresponder")):
        return "auto_reply"
    precedence = mail.header("precedence").strip().lower()
    if precedence in _BULK:
        return "auto_reply" if precedence == "auto_reply" else "bulk"
    if any(name in mail.headers for name in ("list-id", "list-unsubscribe", "list-post", "feedback-id")):
        return "bulk"
    return "hops" if len(mail.headers.get("received", ())) > MAX_HOPS else ""


def proof_of_sender(mail: ReceivedMail, sender: str, trusted_host: str) -> Proof:
    """What the host that the tenant trusts found out; without one nothing is known.

    Only the topmost result of that host counts: further down stands what others may have written.
    """
    results = _trusted_results(mail, trusted_host)
    if results is None:
        return Proof.UNKNOWN
    domain = sender.rpartition("@")[2]
    found: dict[str, list[tuple[str, str]]] = {}
    for method, value, properties in _RESULT.findall(results):
        named = next(iter(_PROPERTY.findall(properties)), "")
        found.setdefault(method.lower(), []).append((value.lower(), named.rpartition("@")[2].lower()))
    dmarc = {value for value, _ in found.get("dmarc", ())}
    if dmarc & {"pass", "fail"}:
        return Proof.VERIFIED if dmarc == {"pass"} else Proof.FAILED
    checks = found.get("spf", []) + found.get("dkim", [])
    if any(value == "pass" and _aligned(named, domain) for value, named in checks):
        return Proof.VERIFIED
    failed = any(value in ("fail", "softfail", "permerror") for value, _ in checks)
    return Proof.FAILED if failed else Proof.UNKNOWN


def bounce_report(mail: ReceivedMail) -> BounceReport | None:
    """The delivery status report that a mail is; None for every other mail."""
    message = mail.message
    kind = str(message.get_param("report-type", "")).lower()
    if message.get_content_type() != "multipart/report" or kind != "delivery-status":
        return None
    recipients: list[BouncedRecipient] = []
    about = ""
    for part in leaves(message):
        if part.get_content_type() == "message/delivery-status":
            recipients += _recipients(part)
        elif part.get_content_type() in ("message/rfc822", "text/rfc822-headers"):
            about = about or _message_id_within(part)
    return BounceReport(about, tuple(recipients[:50]))


def _trusted_results(mail: ReceivedMail, trusted_host: str) -> str | None:
    wanted = trusted_host.strip().lower()
    if not wanted:
        return None
    for text in mail.headers.get("authentication-results", ()):
        # Within quotation marks and comments stands what the sender chose.
        plain = _COMMENT.sub(" ", _QUOTED.sub("quoted", text))
        host, _, rest = plain.partition(";")
        if (host.split() or [""])[0].lower() == wanted:
            return ";" + rest
    return None


def _aligned(named: str, domain: str) -> bool:
    """Relaxed alignment as far as it goes without a list of public suffixes: the same domain, or one below it."""
    return bool(named) and (named == domain or named.endswith(f".{domain}"))


def _recipients(part: Message) -> list[BouncedRecipient]:
    groups = part.get_payload()
    found = []
    for group in groups if isinstance(groups, list) else []:
        if not isinstance(group, Message):
            continue
        address = _field(group, "Original-Recipient") or _field(group, "Final-Recipient")
        wanted = address_of(address) if address else None
        action, status = _field(group, "Action").lower(), _field(group, "Status")[:20]
        if wanted and action in ("failed", "delayed"):
            found.append(BouncedRecipient(wanted, action == "failed" and status.startswith("5"), status))
    return found


def _field(group: Message, name: str) -> str:
    try:
        return " ".join(str(group.get(name) or "").split())
    except (MessageError, ValueError, LookupError, IndexError, RecursionError):
        return ""


def _message_id_within(part: Message) -> str:
    payload = part.get_payload()
    try:
        if isinstance(payload, list):
            return _field(payload[0], "Message-ID") if payload and isinstance(payload[0], Message) else ""
        content = part.get_payload(decode=True)
    except (MessageError, ValueError, LookupError, RecursionError):
        return ""
    found = _MESSAGE_ID.search(content) if isinstance(content, bytes) else None
    return found[1].decode("ascii", "replace") if found else ""
