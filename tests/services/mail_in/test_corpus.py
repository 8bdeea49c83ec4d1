"""The corpus: what becomes of each kind of message, honest, automatic, broken or hostile."""

from collections.abc import Callable
from email.message import EmailMessage
from types import SimpleNamespace
from typing import Any

import pytest

from tests.files import EXE
from tests.letters import HELP, html_only, letter, report, with_file
from tests.pictures import picture
from tests.services.mail_in.conftest import Mailbox

BOB, SAM = "bob@acme.example", "sam@demo.example"
TRUST = "mx.demo.example"
PASS = f"{TRUST}; dmarc=pass header.from=demo.example"
HEAD = b"From: Bob <bob@acme.example>\r\nTo: help@demo.example\r\nMessage-ID: <%s@x.example>\r\n"


def raw(name: str, rest: bytes) -> bytes:
    return HEAD % name.encode() + rest


def results(text: str) -> dict[str, str]:
    return {"Authentication_Results": text}


def answer(at: Any, text: str = "Yes, thanks.", **fields: Any) -> EmailMessage:
    return letter(text, to=at.address, subject="Re: Printer", **fields)


def renamed(message: EmailMessage, **headers: str | None) -> EmailMessage:
    for name, value in headers.items():
        del message[name]
        if value is not None:
            message[name] = value
    return message


def in_charset(charset: str, content: bytes, name: str) -> bytes:
    return raw(name, b"Subject: x\r\nContent-Type: text/plain; charset=" + charset.encode() + b"\r\n\r\n" + content)


def deep(levels: int, name: str) -> bytes:
    parts = (b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (at, at) for at in range(levels))
    return raw(name, b"".join(parts) + b"Content-Type: text/plain\r\n\r\nhi")


def two_from(name: str) -> bytes:
    return raw(name, b"From: mia@demo.example\r\nSubject: two\r\n\r\nhi")


# name -> (message, outcome, reason, rules, what else holds: a predicate of the place, or text of the ticket)
Row = tuple[Callable[[Any], Any], str, str]
CORPUS: dict[str, Row] = {
    # People who may.
    "a customer asks": (lambda at: letter(), "opened", ""),
    "html only": (lambda at: html_only("<p>It <b>drops</b></p><script>alert(1)</script>"), "opened", ""),
    "no subject": (lambda at: letter(subject=""), "opened", ""),
    "no text": (lambda at: letter(""), "opened", ""),
    "no message id": (lambda at: renamed(letter("Without an id"), **{"Message-ID": None}), "opened", ""),
    "answer by address": (lambda at: answer(at), "appended", ""),
    "answer by references": (lambda at: letter("Yes", References=f"<a@b> {at.reference}"), "appended", ""),
    "answer by in-reply-to": (lambda at: letter("Yes", In_Reply_To=at.reference), "appended", ""),
    "answer of the company's administrator": (lambda at: answer(at, sender="alice@acme.example"), "appended", ""),
    "number in the subject, by who asked": (lambda at: letter(subject=f"Re: [{at.number}] Printer"), "appended", ""),
    "a file and a picture": (
        lambda at: with_file(with_file(letter(), picture(), "a.png", "image/png"), b"log", "a.txt", "text/plain"),
        "opened",
        "",
    ),
    "a program": (lambda at: with_file(letter(), EXE, "invoice.exe"), "opened", ""),
    "a forwarded message": (lambda at: with_file(letter(), letter("inner").as_bytes(), "fw.eml"), "opened", ""),
    # Who may not.
    "number in the subject, by a colleague": (
        lambda at: letter(subject=f"Re: [{at.number}]", sender="alice@acme.example"), "opened", ""),
    "token in the hands of another company": (
        lambda at: answer(at, sender="charlie@globex.example"), "held", "not_participant"),
    "token in the hands of a stranger": (lambda at: answer(at, sender="eve@evil.example"), "held", "not_participant"),
    "a forged token": (lambda at: letter(to=at.forged), "opened", ""),
    "a stranger": (lambda at: letter(sender="eve@evil.example"), "held", "unknown_sender"),
    "a colleague without proof": (lambda at: answer(at, sender=SAM), "held", "staff_unverified"),
    "a colleague who only names the number": (
        lambda at: letter(sender=SAM, subject=f"[{at.number}]", **results(PASS)), "held", "staff_without_ticket"),
    "no sender": (lambda at: renamed(letter(), From=None), "held", "no_sender"),
    "a sender that is no address": (
        lambda at: b"From: nobody at all\r\nMessage-ID: <odd@x>\r\nSubject: x\r\n\r\nhi", "held", "no_sender"),
    "two headers From": (lambda at: two_from("two-from"), "held", "several_senders"),
    "two addresses in From": (
        lambda at: b"From: bob@acme.example, sam@demo.example\r\nMessage-ID: <two-a@x>\r\nSubject: x\r\n\r\nhi",
        "held", "several_senders"),
    # Machines.
    "an absence note": (lambda at: answer(at, "I am away.", Auto_Submitted="auto-replied"), "ignored", "auto_reply"),
    "an absence note of old": (lambda at: answer(at, "Away.", X_Autoreply="yes"), "ignored", "auto_reply"),
    "precedence auto_reply": (lambda at: answer(at, "Away.", Precedence="auto_reply"), "ignored", "auto_reply"),
    "a newsletter": (lambda at: letter("News", List_Unsubscribe="<https://x.example>"), "ignored", "bulk"),
    "a list": (lambda at: letter("Hi all", List_Id="<all.acme.example>"), "ignored", "bulk"),
    "precedence bulk": (lambda at: letter("Hi all", Precedence="bulk"), "ignored", "bulk"),
    "our own address": (lambda at: letter(sender=HELP), "ignored", "loop"),
    "our own mark": (lambda at: letter(X_Loop=HELP), "ignored", "loop"),
    "too many hops": (
        lambda at: b"Received: by x\r\n" * 60 + letter().as_bytes(), "ignored", "hops"),
    "a server": (lambda at: letter(sender="mailer-daemon@mx.example"), "ignored", "server"),
    "a report about nothing of ours": (lambda at: report(BOB, "<no@such>"), "bounce", "bounce_of_nothing"),
    # Broken and hostile forms.
    "an unknown character set": (lambda at: in_charset("x-klingon", b"caf\xe9", "klingon"), "opened", ""),
    "a codec that is no character set": (lambda at: in_charset("zlib", b"x", "zlib"), "opened", ""),
    "a NUL and an escape": (lambda at: in_charset("utf-8", b"a\x00b\x1b[2Jc", "nul"), "opened", ""),
    "a name that turns its direction": (
        lambda at: "From: \u202egnp.exe <bob@acme.example>\r\nMessage-ID: <rtl@x>\r\n"
        "Subject: \u202efdp\r\n\r\nhi".encode(), "opened", ""),
    "ten thousand recipients": (
        lambda at: raw("many", b"Subject: x\r\nCc: " + b", ".join(b"a%d@x.example" % n for n in range(10_000))
                       + b"\r\n\r\nhi"), "opened", ""),
    "a broken encoded word": (lambda at: raw("enc", b"Subject: =?utf-8?b?////?= =?x?q?=ff?=\r\n\r\nhi"), "opened", ""),
    "a broken boundary": (
        lambda at: raw("bound", b"Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--c\r\n\r\nhi"),
        "opened", ""),
    "parts within parts within parts": (lambda at: deep(3_000, "deep"), "held", "nested"),
    "more parts than anybody sends": (
        lambda at: raw("parts", b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 5_000),
        "held", "nested"),
    "a flood of headers": (lambda at: b"X-Y: z\r\n" * 5_000 + letter().as_bytes(), "held", "header_flood"),
    "one endless header": (lambda at: b"X-Y: " + b"z" * 300_000 + b"\r\n\r\nhi", "held", "header_flood"),
    "comments within comments": (
        lambda at: b"From: " + b"(" * 3_000 + b"bob@acme.example\r\nSubject: x\r\n\r\nhi", "held", "no_sender"),
    "nothing at all": (lambda at: b"", "held", "unreadable"),
    "too large": (lambda at: raw("large", b"\r\n" + b"x" * (36 * 1024 * 1024)), "failed", "too_large"),
}  # fmt: skip


def place_of(box: Mailbox) -> Any:
    ticket = box.ticket()
    address = box.reply_to(ticket.id)
    at = address.index("+") + 3
    forged = address[:at] + ("a" if address[at] != "a" else "b") + address[at + 1 :]
    return SimpleNamespace(
        ticket=ticket, number=ticket.ticket_number, address=address, forged=forged, reference=box.reference(ticket.id)
    )


@pytest.mark.parametrize("name", CORPUS)
def test_what_becomes_of_it(box, name):
    """One row of the table: outcome and reason, and that it stays so when it comes again."""
    build, outcome, reason = CORPUS[name]
    at = place_of(box)
    if "results" in name or "colleague who only" in name:
        box.rules(trusted_host=TRUST)
    message = build(at)
    message = message if isinstance(message, bytes) else message.as_bytes()
    recipient = at.address if b"To: " + at.address.encode() in message else HELP
    taken = box.take(message, to=recipient)
    assert (taken.outcome, taken.reason) == (outcome, reason)
    again = box.take(message, to=HELP)
    assert (again.mail_id, again.outcome, again.repeated) == (taken.mail_id, outcome, True)
    row = box.row(taken)
    assert "\x00" not in row.text + row.subject + row.sender
    assert not set("\u202e\u202d\u2066") & set(row.text + row.subject)
    assert (row.raw is not None) == (outcome == "held")
    if outcome == "appended":
        assert taken.ticket_id == at.ticket.id
        (entry,) = box.messages(at.ticket.id)
        assert (entry.source, entry.is_internal) == ("email", False)
    else:
        assert box.messages(at.ticket.id) == []
    if outcome == "opened":
        opened = box.get(taken.ticket_id)
        assert (opened.source, opened.id == at.ticket.id) == ("email", False)
        assert opened.subject
        assert opened.description
        assert "script" not in opened.description_html


PROOFS = {
    "dmarc passes": (f"{TRUST}; dmarc=pass header.from=acme.example", "opened", ""),
    "dmarc fails": (f"{TRUST}; dmarc=fail header.from=acme.example", "held", "spoofed"),
    "spf of the domain": (f"{TRUST}; spf=pass smtp.mailfrom=bounce@acme.example", "opened", ""),
    "spf of another domain": (f"{TRUST}; spf=pass smtp.mailfrom=eve@evil.example", "held", "unverified"),
    "dkim of the domain": (f"{TRUST}; spf=fail smtp.mailfrom=x@evil.example; dkim=pass header.d=acme.example", "opened", ""),
    "dkim of another domain, spf fails": (
        f"{TRUST}; dkim=pass header.d=evil.example; spf=fail smtp.mailfrom=x@acme.example", "held", "spoofed"),
    "another host's word": ("mx.evil.example; dmarc=pass header.from=acme.example", "held", "unverified"),
    "a comment that lies": (f"{TRUST} (dmarc=pass); dmarc=fail header.from=acme.example", "held", "spoofed"),
    "a quotation that lies": (
        f'{TRUST}; spf=none smtp.mailfrom="a; dmarc=pass header.from=acme.example"@evil.example; dmarc=fail', "held",
        "spoofed"),
    "two words that disagree": (f"{TRUST}; dmarc=fail; dmarc=pass", "held", "spoofed"),
    "nothing was checked": (f"{TRUST}; none", "held", "unverified"),
}  # fmt: skip


@pytest.mark.parametrize("name", PROOFS)
def test_who_the_sender_is_says_the_trusted_host_alone(box, name):
    """With a host to trust and only verified senders wanted."""
    text, outcome, reason = PROOFS[name]
    box.rules(trusted_host=TRUST, verified_only=True)
    taken = box.take(letter(**results(text)))
    assert (taken.outcome, taken.reason) == (outcome, reason)


def test_only_the_topmost_word_of_the_trusted_host_counts(box):
    """What stands further down was there before the mail arrived."""
    box.rules(trusted_host=TRUST, verified_only=True)
    below = f"Authentication-Results: {TRUST}; dmarc=fail\r\nAuthentication-Results: {PASS}\r\n".encode()
    assert box.take(below + letter().as_bytes()).reason == "spoofed"
