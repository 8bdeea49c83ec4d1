"""Real messages as people, machines and villains write them, made by the email package."""

from email.headerregistry import Address
from email.message import EmailMessage, MIMEPart
from itertools import count
from typing import Any

HELP = "help@demo.example"
_NUMBERS = count(1)


def letter(
    text: str = "It drops every hour.",
    *,
    sender: str = "bob@acme.example",
    subject: str = "VPN drops",
    to: str = HELP,
    **headers: Any,
) -> EmailMessage:
    """A plain mail; further headers by their names with underscores."""
    message = EmailMessage()
    name = sender.partition("@")[0].title()
    message["From"] = Address(name, addr_spec=sender)
    message["To"] = to
    message["Subject"] = subject
    message["Message-ID"] = headers.pop("message_id", f"<letter-{next(_NUMBERS)}@mail.example>")
    for key, value in headers.items():
        message[key.replace("_", "-")] = value
    message.set_content(text)
    return message


def with_file(message: EmailMessage, content: bytes, name: str, kind: str = "application/octet-stream") -> EmailMessage:
    """The mail with one more file."""
    main, _, sub = kind.partition("/")
    message.add_attachment(content, maintype=main, subtype=sub, filename=name)
    return message


def html_only(html: str, **fields: Any) -> EmailMessage:
    """A mail that has no plain text."""
    message = letter("", **fields)
    message.set_content(html, subtype="html")
    return message


def report(
    recipient: str, message_id: str, *, action: str = "failed", status: str = "5.1.1", **headers: Any
) -> EmailMessage:
    """A delivery status report (RFC 3464) about a mail of ours."""
    message = EmailMessage()
    message["From"] = "MAILER-DAEMON@mx.acme.example"
    message["To"] = HELP
    message["Subject"] = "Undelivered Mail Returned to Sender"
    message["Message-ID"] = f"<dsn-{next(_NUMBERS)}@mx.acme.example>"
    message["Auto-Submitted"] = "auto-replied"
    for key, value in headers.items():
        message[key.replace("_", "-")] = value
    message.make_mixed()
    message.attach(_text("I'm sorry to have to inform you that your message could not be delivered."))
    status_part = MIMEPart()
    status_part["Content-Type"] = "message/delivery-status"
    reporting, about = EmailMessage(), EmailMessage()
    reporting["Reporting-MTA"] = "dns; mx.acme.example"
    about["Final-Recipient"] = f"rfc822; {recipient}"
    about["Action"] = action
    about["Status"] = status
    status_part.set_payload([reporting, about])
    message.attach(status_part)
    original = MIMEPart()
    original["Content-Type"] = "text/rfc822-headers"
    original.set_payload(f"From: {HELP}\r\nTo: {recipient}\r\nMessage-ID: {message_id}\r\n")
    message.attach(original)
    message.replace_header("Content-Type", "multipart/report")
    message.set_param("report-type", "delivery-status")
    return message


def _text(text: str) -> MIMEPart:
    part = MIMEPart()
    part.set_content(text)
    return part
