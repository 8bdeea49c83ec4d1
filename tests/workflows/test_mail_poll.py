"""Mailboxes emptied by IMAP, with a real server on loopback: once, whatever dies in between."""

import asyncio
from functools import partial
from uuid import uuid4

import pytest
from sqlalchemy import delete, select

from portal.integrations.imap import ImapMailbox, MailboxError, MailboxLogin
from portal.lib.vault import Vault
from portal.models import InboundMail, MailIntake
from portal.services.mail_in import polling
from portal.services.mail_in.polling import list_polled, poll_mailbox
from portal.services.mail_in.taking import MailTools
from portal.workflows.mail_poll import MailPoller
from tests.imap import PASSWORD, USER, imap_server
from tests.keeping import place_in
from tests.letters import letter

DONE = "Done"
OPEN = partial(ImapMailbox, allow_private=True)


@pytest.fixture(scope="module")
def server():
    with imap_server() as running:
        running.make(DONE)
        yield running


@pytest.fixture
def tools(settings):
    return MailTools(Vault(settings.vault_secrets), place_in(settings))


@pytest.fixture
def mailbox(server, sessions, world, tools):
    """The tenant's mailbox as its administrators have set it; gone afterwards, and so are its messages."""

    def save(**fields):
        password = tools.vault.encrypt(fields.pop("password", PASSWORD).encode())
        values = {"polled": True, "host": "127.0.0.1", "port": server.port, "security": "none", "username": USER}
        with sessions.begin(world.demo) as session:
            session.execute(delete(MailIntake))
            session.add(MailIntake(password=password, **values | fields))

    save()
    yield save
    with sessions.begin(world.demo) as session:
        session.execute(delete(MailIntake))
    with server.client() as client:
        for folder in ("INBOX", DONE):
            client.select_folder(folder)
            client.delete_messages(client.search("ALL"))
            client.expunge()


@pytest.fixture
def poll(sessions, world, tools, now):
    return lambda: poll_mailbox(sessions, world.demo, tools=tools, open_mailbox=OPEN, clock=lambda: now)


def fresh() -> bytes:
    return letter(f"By IMAP {uuid4()}", message_id=f"<{uuid4()}@imap.example>").as_bytes()


def rows(sessions, world, *messages):
    keys = [next(line for line in raw.decode().splitlines() if line.startswith("Message-ID"))[12:] for raw in messages]
    with sessions.begin(world.demo) as session:
        return list(session.scalars(select(InboundMail).where(InboundMail.mail_key.in_(keys))))


def stored(sessions, world):
    with sessions.begin(world.demo) as session:
        return session.scalars(select(MailIntake)).one()


def test_unread_messages_are_taken_and_marked(server, sessions, world, mailbox, poll):
    messages = [fresh(), fresh()]
    server.put(*messages)
    assert (poll().taken, server.unread(), server.count()) == (2, 0, 2)
    assert {row.outcome for row in rows(sessions, world, *messages)} == {"opened"}
    kept = stored(sessions, world)
    assert (kept.last_error, kept.last_uid > 0, kept.uid_validity > 0) == ("", True, True)
    assert poll().taken == 0


def test_taken_messages_move_where_a_folder_is_set(server, mailbox, poll):
    mailbox(done_folder=DONE)
    server.put(fresh())
    assert (poll().taken, server.count(), server.count(DONE)) == (1, 0, 1)


def test_a_crash_between_commit_and_mark_takes_it_once(server, sessions, world, mailbox, poll, monkeypatch):
    message = fresh()
    server.put(message)

    def die(name):
        if name == "mail_in.pre_settle":
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(polling, "crash_point", die)
        with pytest.raises(KeyboardInterrupt):
            poll()
    (row,) = rows(sessions, world, message)
    assert (row.outcome, server.unread()) == ("opened", 1)
    poll()
    assert [one.ticket_id for one in rows(sessions, world, message)] == [row.ticket_id]
    assert server.unread() == 0


def test_a_crash_before_the_commit_takes_it_later(server, sessions, world, mailbox, poll, monkeypatch):
    message = fresh()
    server.put(message)

    def die(name):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("portal.services.mail_in.delivering.crash_point", die)
        with pytest.raises(KeyboardInterrupt):
            poll()
    assert (rows(sessions, world, message), server.unread()) == ([], 1)
    poll()
    assert [row.outcome for row in rows(sessions, world, message)] == ["opened"]


def test_marked_as_unread_again_it_stays_one(server, sessions, world, mailbox, poll):
    message = fresh()
    server.put(message, message)
    assert poll().taken == 2
    assert len(rows(sessions, world, message)) == 1


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"password": "wrong"}, "mailbox_refused"),
        ({"folder": "Nowhere"}, "mailbox_no_folder"),
        ({"done_folder": "Nowhere"}, "mailbox_no_folder"),
        ({"port": 1}, "mailbox_unreachable"),
        ({"host": "no-such-host.invalid"}, "mailbox_unreachable"),
        ({"security": "tls"}, "mailbox_untrusted"),
    ],
)
def test_what_is_wrong_is_said(server, sessions, world, mailbox, poll, fields, code):
    mailbox(**fields)
    server.put(fresh())
    assert (poll().error, stored(sessions, world).last_error, server.unread()) == (code, code, 1)


def test_servers_inside_of_our_network_are_out_of_reach(server):
    """In production; whatever the name is that leads there."""
    for host in ("127.0.0.1", "localhost", "::1", "0.0.0.0", "169.254.169.254", "10.0.0.1"):
        login = MailboxLogin(host, server.port, "tls", USER, PASSWORD)
        with pytest.raises(MailboxError, match="mailbox_unreachable"):
            ImapMailbox(login, allow_private=False).__enter__()


def test_without_encryption_nothing_is_said_in_production(server, monkeypatch):
    monkeypatch.setattr("portal.integrations.imap._addresses", lambda login: [])
    with pytest.raises(MailboxError, match="mailbox_untrusted"):
        ImapMailbox(MailboxLogin("127.0.0.1", server.port, "none", USER, PASSWORD), allow_private=False).__enter__()


def test_the_poller_empties_what_is_switched_on(server, sessions, engine, world, mailbox, tools):
    message = fresh()
    server.put(message)
    assert list_polled(sessions) == [world.demo]
    asyncio.run(MailPoller(engine, engine, tools, allow_private=True).poll_once())
    assert [row.outcome for row in rows(sessions, world, message)] == ["opened"]
    mailbox(polled=False)
    assert list_polled(sessions) == []


def test_passwords_stand_nowhere(mailbox, sessions, world):
    assert PASSWORD not in repr(MailboxLogin("h", 1, "tls", USER, PASSWORD))
    assert PASSWORD.encode() not in stored(sessions, world).password
