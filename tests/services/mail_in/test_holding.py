"""What the team decides about held mail, and how mail is set up: once, by whom it may, and never more than rights."""

from uuid import uuid4

import pytest
from sqlalchemy import select

from portal.errors import Conflict, Forbidden, Invalid, NotFound
from portal.models import AuditEntry, BouncedAddress, InboundMail
from portal.services.mail_in.holding import open_held_mail, reject_mail, release_mail
from portal.services.mail_in.mailbox_settings import MailboxForm, load_settings, save_settings
from portal.services.mail_in.queries import clear_bounced, get_inbound, list_bounced, list_inbound
from portal.services.mail_in.taking import take_mail
from portal.services.mail_in.webhook import renew_key
from tests.letters import letter
from tests.together import at_once, codes_of

FAILS = {"Authentication_Results": "mx.demo.example; dmarc=fail"}


@pytest.fixture
def held(box):
    """A mail of bob that may be forged."""
    box.rules(trusted_host="mx.demo.example")
    return box.take(letter("It drops.", **FAILS)).mail_id


def decide(box, call, mail_id, who="mia", **more):
    tools = {} if call is reject_mail else {"tools": box.tools}
    return call(box.session, mail_id, actor=box.actor_of(who), now=box.now, **tools, **more)


def actions(box, mail_id):
    query = select(AuditEntry.action).where(AuditEntry.record_id == mail_id)
    return set(box.session.scalars(query))


def test_released_it_does_what_it_would_have_done(box, held):
    row = decide(box, release_mail, held)
    assert (row.outcome, row.raw, row.details["held_for"]) == ("opened", None, "spoofed")
    assert box.get(row.ticket_id).requester_id == box.actor_of("bob").user_id
    assert actions(box, held) == {"inbound_mail.held", "inbound_mail.released"}


def test_releasing_gives_nobody_more_rights(box):
    """A stranger's mail stays a stranger's; a token in foreign hands opens nothing."""
    ticket = box.ticket()
    for sender, reason in (("eve@evil.example", "not_participant"), ("charlie@globex.example", "not_participant")):
        taken = box.take(letter(sender=sender), to=box.reply_to(ticket.id))
        with pytest.raises(Conflict) as refused:
            decide(box, release_mail, taken.mail_id)
        assert (refused.value.code, refused.value.params["reason"]) == ("mail_still_held", reason)
        assert box.row(taken).outcome == "held"
    assert box.messages(ticket.id) == []


@pytest.mark.parametrize("senders", [b"", b"From: bob@acme.example, sam@demo.example\r\n"])
def test_nobody_can_vouch_for_no_sender_or_for_several(box, senders):
    taken = box.take(senders + b"Message-ID: <who@x.example>\r\nSubject: x\r\n\r\nhi")
    with pytest.raises(Conflict, match="mail_still_held"):
        decide(box, release_mail, taken.mail_id)
    assert decide(box, open_held_mail, taken.mail_id, requester="bob@acme.example").outcome == "opened"


def test_a_colleague_s_answer_is_let_in(box):
    ticket = box.ticket()
    taken = box.take(
        letter("On it.", sender="sam@demo.example", to=box.reply_to(ticket.id)), to=box.reply_to(ticket.id)
    )
    assert taken.reason == "staff_unverified"
    assert decide(box, release_mail, taken.mail_id).outcome == "appended"
    (entry,) = box.messages(ticket.id)
    assert entry.sender_id == box.actor_of("sam").user_id


def test_a_stranger_s_mail_is_opened_for_a_customer(box):
    taken = box.take(letter(sender="bob.private@mail.example"))
    row = decide(box, open_held_mail, taken.mail_id, requester="Bob@Acme.example ")
    assert row.outcome == "opened"
    assert box.get(row.ticket_id).requester_id == box.actor_of("bob").user_id


@pytest.mark.parametrize("requester", ["", "nobody@acme.example", "sam@demo.example", "nia@nova.example", "a\x00b"])
def test_it_is_opened_for_customers_of_the_tenant_only(box, held, requester):
    with pytest.raises(Invalid):
        decide(box, open_held_mail, held, requester=requester)


def test_rejected_it_is_gone(box, held):
    row = decide(box, reject_mail, held)
    assert (row.outcome, row.raw, row.ticket_id) == ("rejected", None, None)


@pytest.mark.parametrize("call", [release_mail, reject_mail])
def test_decided_is_decided(box, held, call):
    decide(box, reject_mail, held)
    with pytest.raises(Conflict, match="mail_decided"):
        decide(box, call, held)


@pytest.mark.parametrize("who", ["sam", "bill", "dora", "bob"])
def test_who_may_not_decide(box, held, who):
    with pytest.raises(Forbidden):
        decide(box, release_mail, held, who)


def test_a_mail_of_another_tenant_is_not_found(box, sessions, world, tools, now):
    with sessions.begin(world.nova) as session:
        taken = take_mail(session, letter(sender="x@y.example").as_bytes(), recipient="help@nova.example",
                          tools=tools, now=now)  # fmt: skip
        session.flush()
        with pytest.raises(NotFound):
            decide(box, release_mail, taken.mail_id)
        with pytest.raises(NotFound):
            get_inbound(box.session, taken.mail_id, actor=box.actor_of("mia"))
        session.rollback()


def test_thirty_decisions_at_once_are_one(sessions, world, tools, actor_of, now):
    raw = letter(sender="eve@evil.example", message_id=f"<{uuid4()}@x.example>").as_bytes()
    with sessions.begin(world.demo) as session:
        mail_id = take_mail(session, raw, recipient="help@demo.example", tools=tools, now=now).mail_id

    def call(index):
        with sessions.begin(world.demo) as session:
            if index % 2:
                return reject_mail(session, mail_id, actor=actor_of("mia"), now=now)
            return open_held_mail(session, mail_id, requester="bob@acme.example", tools=tools,
                                  actor=actor_of("mia"), now=now)  # fmt: skip

    codes = codes_of(at_once(30, call))
    assert sorted(set(codes)) == ["mail_decided", "ok"]
    assert codes.count("ok") == 1


def test_the_log_is_searched_and_narrowed(box, held):
    box.take(letter("Newsletter", sender="news@shop.example", subject="Half price", Precedence="bulk"))
    mia = box.actor_of("mia")
    assert [row.id for row in list_inbound(box.session, outcome="held", search="bob@", actor=mia)] == [held]
    assert [row.outcome for row in list_inbound(box.session, search="half PRICE", actor=mia)] == ["ignored"]
    with pytest.raises(Forbidden):
        list_inbound(box.session, actor=box.actor_of("sam"))


def test_an_address_is_cleared_once(box):
    bounced = BouncedAddress(id=uuid4(), address="gone@acme.example", hard=True, count=3, last_at=box.now)
    box.session.add(bounced)
    box.session.flush()
    mia = box.actor_of("mia")
    assert [row.id for row in list_bounced(box.session, search="gone@", actor=mia)] == [bounced.id]
    clear_bounced(box.session, bounced.id, actor=mia, now=box.now)
    with pytest.raises(NotFound):
        clear_bounced(box.session, bounced.id, actor=mia, now=box.now)


GOOD = {"polled": True, "host": "imap.demo.example", "username": "support", "password": "a mailbox's password"}


def save(box, who="ada", **fields):
    return save_settings(
        box.session, MailboxForm(**fields), vault=box.tools.vault, actor=box.actor_of(who), now=box.now
    )


def test_the_password_is_written_and_never_read_back(box):
    intake = save(box, **GOOD)
    assert box.tools.vault.decrypt(intake.password).decode() == GOOD["password"]
    kept = intake.password
    assert save(box, **GOOD | {"password": "", "folder": "Support"}).password == kept
    trail = box.session.scalars(select(AuditEntry).where(AuditEntry.action == "mail_intake.saved")).all()
    assert GOOD["password"] not in str([(entry.before, entry.after) for entry in trail])


@pytest.mark.parametrize("change", [{"host": "imap.evil.example"}, {"username": "root"}])
def test_the_password_is_never_sent_to_another_server(box, change):
    save(box, **GOOD)
    with pytest.raises(Invalid) as refused:
        save(box, **GOOD | {"password": ""} | change)
    assert [error.field for error in refused.value.errors] == ["password"]


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"polled": True}, {"host", "username", "password"}),
        ({"port": None}, {"port"}),
        ({"port": 70_000}, {"port"}),
        ({"security": "none"}, {"security"}),
        ({"unknown_senders": "drop"}, {"unknown_senders"}),
        ({"unknown_senders": "open"}, {"stand_in_email"}),
        ({"unknown_senders": "open", "stand_in_email": "sam@demo.example"}, {"stand_in_email"}),
        ({"verified_only": True}, {"trusted_host"}),
        ({"category": "no such"}, {"category"}),
        ({"host": "a\r\nb"}, {"host"}),
        ({"folder": "x" * 121}, {"folder"}),
    ],
)
def test_what_cannot_work_is_refused(box, fields, named):
    with pytest.raises(Invalid) as refused:
        save(box, **fields)
    assert {error.field for error in refused.value.errors} == named


@pytest.mark.parametrize("who", ["mia", "dora", "sam", "alice"])
def test_only_administrators_set_it(box, who):
    with pytest.raises(Forbidden):
        save(box, who)
    with pytest.raises(Forbidden):
        load_settings(box.session, actor=box.actor_of(who))
    with pytest.raises(Forbidden):
        renew_key(box.session, vault=box.tools.vault, actor=box.actor_of(who), now=box.now)


def test_the_stand_in_is_shown_by_address(box):
    save(box, unknown_senders="open", stand_in_email="Alice@acme.example")
    intake, email = load_settings(box.session, actor=box.actor_of("ada"))
    assert (intake.stand_in_id, email) == (box.actor_of("alice").user_id, "alice@acme.example")


def test_held_mail_that_is_not_kept_can_only_be_rejected(box, held):
    box.session.execute(InboundMail.__table__.update().where(InboundMail.id == held).values(raw=None))
    with pytest.raises(Conflict, match="mail_not_kept"):
        decide(box, release_mail, held)
    assert decide(box, reject_mail, held).outcome == "rejected"
