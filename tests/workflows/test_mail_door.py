"""Mail by SMTP and LMTP, with a real server on loopback: who is known, and 250 only after the commit."""

import asyncio
import smtplib
import socket
import threading
from collections.abc import Iterator
from uuid import uuid4

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from portal.config import ConfigurationError
from portal.lib.mail_tokens import reply_address, sign_thread
from portal.lib.vault import Vault
from portal.models import InboundMail, Ticket, TicketMessage
from portal.services.mail_in import delivering
from portal.services.mail_in.taking import MailTools
from portal.services.tickets.opening import NewTicket, create_ticket
from portal.workflows.mail_door import MailDoor
from tests.keeping import place_in
from tests.letters import HELP, letter


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class Door:
    """A door in a thread of its own."""

    def __init__(self, engine, tools, scheme):
        self.port = free_port()
        self._door = MailDoor(engine, tools, f"{scheme}://127.0.0.1:{self.port}")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._door.start(), self._loop).result(10)

    def close(self):
        self._loop.call_soon_threadsafe(self._server.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)


@pytest.fixture
def tools(settings):
    return MailTools(Vault(["a secret for the tests, long enough to be one"]), place_in(settings))


@pytest.fixture
def port(engine, tools) -> Iterator[int]:
    door = Door(engine, tools, "smtp")
    yield door.port
    door.close()


def rows(sessions, tenant, message):
    with sessions.begin(tenant) as session:
        return list(session.scalars(select(InboundMail).where(InboundMail.mail_key == message["Message-ID"])))


def fresh(**fields):
    return letter(f"By SMTP {uuid4()}", message_id=f"<{uuid4()}@smtp.example>", **fields)


def test_a_message_is_committed_before_it_is_accepted(sessions, world, port):
    message = fresh()
    with smtplib.SMTP("127.0.0.1", port) as client:
        assert client.send_message(message, "bob@acme.example", [HELP]) == {}
        (row,) = rows(sessions, world.demo, message)
        assert (row.outcome, row.sender) == ("opened", "bob@acme.example")


def test_the_envelope_s_token_finds_the_ticket(sessions, world, actor_of, tools, port, now):
    with sessions.begin(world.demo) as session:
        ticket = create_ticket(session, NewTicket("SMTP", "x", "drill"), actor=actor_of("bob"), now=now)
    address = reply_address(HELP, sign_thread(tools.vault, world.demo, ticket.id))
    message = fresh()
    with smtplib.SMTP("127.0.0.1", port) as client:
        client.send_message(message, "bob@acme.example", [HELP, address])
    (row,) = rows(sessions, world.demo, message)
    assert (row.outcome, row.ticket_id) == ("appended", ticket.id)
    with sessions.begin(world.demo) as session:
        assert session.scalar(select(func.count()).where(TicketMessage.ticket_id == ticket.id)) == 1


@pytest.mark.parametrize(
    "address", ["nobody@demo.example", "help@elsewhere.example", "help@demo.example.evil.example", "%@demo.example"]
)
def test_foreign_addresses_are_refused_at_once(port, address):
    with smtplib.SMTP("127.0.0.1", port) as client, pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        client.send_message(fresh(), "bob@acme.example", [address])
    assert refused.value.recipients[address][0] == 550


def test_both_tenants_of_one_message_get_it(sessions, world, port):
    message = fresh()
    with smtplib.SMTP("127.0.0.1", port) as client:
        client.send_message(message, "bob@acme.example", [HELP, "help@nova.example"])
    assert [row.outcome for row in rows(sessions, world.demo, message)] == ["opened"]
    assert [row.reason for row in rows(sessions, world.nova, message)] == ["unknown_sender"]


def test_an_outage_is_no_loss(sessions, world, port, monkeypatch):
    """451 while the database is away; the same message again is taken once."""
    message, real = fresh(), delivering.take_mail

    def broken(*args, **kwargs):
        real(*args, **kwargs)
        raise OperationalError("x", {}, Exception("away"))

    monkeypatch.setattr(delivering, "take_mail", broken)
    with smtplib.SMTP("127.0.0.1", port) as client:
        with pytest.raises(smtplib.SMTPDataError) as refused:
            client.send_message(message, "bob@acme.example", [HELP])
        assert refused.value.smtp_code == 451
        assert rows(sessions, world.demo, message) == []
        monkeypatch.setattr(delivering, "take_mail", real)
        for _ in range(2):
            client.send_message(message, "bob@acme.example", [HELP])
    assert [row.outcome for row in rows(sessions, world.demo, message)] == ["opened"]


def test_a_message_that_breaks_us_is_held_not_sent_for_ever(sessions, world, port, monkeypatch):
    message = fresh()

    def broken(*args, **kwargs):
        raise ZeroDivisionError

    monkeypatch.setattr(delivering, "take_mail", broken)
    with smtplib.SMTP("127.0.0.1", port) as client:
        client.send_message(message, "bob@acme.example", [HELP])
    with sessions.begin(world.demo) as session:
        row = session.scalars(select(InboundMail).where(InboundMail.reason == "error")).one()
        assert message["Message-ID"].encode() in session.scalar(select(InboundMail.raw).where(InboundMail.id == row.id))


def test_lmtp_takes_one_recipient_a_message(sessions, world, engine, tools):
    door = Door(engine, tools, "lmtp")
    message = fresh(subject=f"LMTP {uuid4()}")
    try:
        with smtplib.LMTP("127.0.0.1", door.port) as client:
            refused = client.send_message(message, "bob@acme.example", [HELP, "help@nova.example"])
        assert {code for code, _ in refused.values()} == {452}
    finally:
        door.close()
    with sessions.begin(world.demo) as session:
        assert session.scalar(select(func.count()).where(Ticket.subject == message["Subject"])) == 1


@pytest.mark.parametrize(
    "address", ["127.0.0.1:25", "http://127.0.0.1:25", "smtp://127.0.0.1", "smtp://:25", "smtp://h:x"]
)
def test_an_address_that_cannot_work_is_said(engine, tools, address):
    with pytest.raises(ConfigurationError):
        MailDoor(engine, tools, address)
