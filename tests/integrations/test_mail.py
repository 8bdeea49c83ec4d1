import email
import email.policy
import socketserver
import threading
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from portal.config import ConfigurationError
from portal.integrations.mail import FileMail, MailRefused, MailUnavailable, OutgoingMail, SmtpMail, build_message

MAIL = OutgoingMail(
    message_id="<ticket-1.2@demo.example>",
    sender_name="Kestrel, IT",
    sender_address="help@demo.example",
    recipient_name="Ana Moreau (Acme)",
    recipient="ana@acme.example",
    subject="[TCK-1] Grüße، مرحبا",
    text="Hello\n",
    html="<p>Hello</p>",
    language="en",
    date=datetime(2026, 11, 24, 9, tzinfo=UTC),
    thread_id="<ticket-1@demo.example>",
)


def test_the_headers():
    message = build_message(MAIL)
    again = email.message_from_bytes(message.as_bytes(), policy=email.policy.default)
    assert again["From"] == '"Kestrel, IT" <help@demo.example>'
    assert again["To"].addresses[0].addr_spec == "ana@acme.example"
    assert again["Subject"] == MAIL.subject
    assert again["Message-ID"] == MAIL.message_id
    assert again["In-Reply-To"] == again["References"] == MAIL.thread_id
    assert again["Auto-Submitted"] == "auto-generated"
    assert [part.get_content_type() for part in again.iter_parts()] == ["text/plain", "text/html"]


def test_the_first_mail_refers_to_none():
    message = build_message(replace(MAIL, message_id=MAIL.thread_id))
    assert message["In-Reply-To"] is None


@pytest.mark.parametrize("field", ["subject", "recipient_name", "sender_name", "message_id", "thread_id"])
@pytest.mark.parametrize("break_", ["\n", "\r\n", "\r", "\x00", "\u2028", "\t\n"])
def test_no_header_is_slipped_in(field, break_):
    with pytest.raises(MailRefused):
        build_message(replace(MAIL, **{field: f"x{break_}Bcc: evil@example.org"}))


@pytest.mark.parametrize(
    "address",
    [
        "a@b.example, c@d.example",
        "a@b.example\nBcc: x@y.example",
        "<a@b.example>",
        "nobody",
        "",
        "a@b.example>",
        "ü@b.example",
    ],
)
def test_a_recipient_is_one_address(address):
    with pytest.raises(MailRefused):
        build_message(replace(MAIL, recipient=address))


def test_a_repeat_is_the_same_file(tmp_path):
    files = FileMail(tmp_path / "mail")
    files.send(MAIL)
    files.send(replace(MAIL, text="Again\n"))
    assert [path.name for path in (tmp_path / "mail").iterdir()] == ["ticket-1.2@demo.example.eml"]


def test_a_message_id_cannot_leave_the_folder(tmp_path):
    assert FileMail(tmp_path).path_of("<../../etc/passwd@x>").parent == tmp_path


def test_a_folder_that_cannot_be_written_is_tried_again_later(tmp_path):
    (tmp_path / "mail").write_text("a file")
    with pytest.raises(MailUnavailable):
        FileMail(tmp_path / "mail").send(MAIL)


class Server(socketserver.ThreadingTCPServer):
    """An SMTP server that says what it is told to."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, on_recipient=b"250 ok", on_data=b"250 taken"):
        self.on_recipient, self.on_data, self.received = on_recipient, on_data, []
        super().__init__(("127.0.0.1", 0), Talk)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"smtp://127.0.0.1:{self.server_address[1]}"


class Talk(socketserver.StreamRequestHandler):
    def handle(self):
        def say(line):
            self.wfile.write(line + b"\r\n")

        say(b"220 here")
        while line := self.rfile.readline():
            word = line[:4].upper()
            if word == b"RCPT":
                say(self.server.on_recipient)
            elif word == b"DATA":
                say(b"354 go on")
                data = b""
                while not data.endswith(b"\r\n.\r\n"):
                    data += self.rfile.readline()
                self.server.received.append(data)
                say(self.server.on_data)
            elif word == b"QUIT":
                say(b"221 bye")
                return
            else:
                say(b"250 ok")


@pytest.fixture
def smtp():
    servers = []

    def make(**answers):
        servers.append(Server(**answers))
        return servers[-1]

    yield make
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_server_takes_it(smtp):
    server = smtp()
    SmtpMail(server.url).send(MAIL)
    assert b"Message-ID: <ticket-1.2@demo.example>" in server.received[0]


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ({"on_recipient": b"550 no such person"}, MailRefused),
        ({"on_recipient": b"450 come later"}, MailUnavailable),
        ({"on_data": b"554 refused"}, MailRefused),
        ({"on_data": b"451 come later"}, MailUnavailable),
    ],
)
def test_what_a_server_refuses(smtp, answers, error):
    with pytest.raises(error):
        SmtpMail(smtp(**answers).url).send(MAIL)


def test_no_server_is_tried_again_later():
    with pytest.raises(MailUnavailable):
        SmtpMail("smtp://127.0.0.1:1").send(MAIL)


def test_a_password_is_not_sent_in_clear(smtp):
    server = smtp()
    with pytest.raises(MailUnavailable):
        SmtpMail(server.url.replace("//", "//me:secret@")).send(MAIL)
    assert server.received == []


@pytest.mark.parametrize("url", ["http://x", "smtp://", "smtp:x", "smtp://h:port"])
def test_a_wrong_address_stops_the_start(url):
    with pytest.raises(ConfigurationError):
        SmtpMail(url)


def test_answers_find_back_by_address_and_by_references():
    threaded = replace(MAIL, reply_to="help+token@demo.example", references=("<thread-token@demo.example>",))
    message = build_message(threaded)
    assert message["Reply-To"].addresses[0].addr_spec == "help+token@demo.example"
    assert message["References"].split() == [MAIL.thread_id, "<thread-token@demo.example>"]
    assert message["X-Loop"] == MAIL.sender_address


def test_references_take_no_header_breaks():
    with pytest.raises(MailRefused):
        build_message(replace(MAIL, references=("<a@b>\r\nBcc: evil@example.org",)))
