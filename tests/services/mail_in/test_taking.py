"""What a mail does to tickets, people and addresses, beyond what the corpus says of each kind."""

from uuid import uuid4

import pytest
from sqlalchemy import func, select

from portal.models import (
    Attachment,
    BouncedAddress,
    InboundMail,
    MailMessage,
    OutboxEvent,
    SenderType,
    SideConversation,
    SideMessage,
    Ticket,
    TicketFollower,
    TicketLink,
    TicketMessage,
    TicketStatus,
)
from portal.services.mail_in import limits
from portal.services.mail_in.taking import take_mail
from portal.services.notifications.fan_out import fan_out
from portal.services.tickets.conversation import reply_as_staff
from portal.services.tickets.lifecycle import close_ticket
from tests.files import EXE
from tests.letters import html_only, letter, report, with_file
from tests.pictures import picture
from tests.together import at_once

TRUST = "mx.demo.example"
SAM_PROVED = {"Authentication_Results": f"{TRUST}; dmarc=pass header.from=demo.example"}


def resolved(box, ticket):
    reply_as_staff(box.session, ticket.id, message="Done.", actor=box.actor_of("sam"), now=box.now,
                   status=TicketStatus.RESOLVED)  # fmt: skip


def test_an_answer_takes_a_resolved_ticket_up_again(box):
    ticket = box.ticket()
    resolved(box, ticket)
    box.take(letter("It broke again.", to=box.reply_to(ticket.id)), to=box.reply_to(ticket.id))
    assert box.get(ticket.id).status is TicketStatus.IN_PROGRESS


def test_an_absence_note_takes_nothing_up_again(box):
    ticket = box.ticket()
    resolved(box, ticket)
    away = letter("Away.", to=box.reply_to(ticket.id), Auto_Submitted="auto-replied")
    box.take(away, to=box.reply_to(ticket.id))
    assert box.get(ticket.id).status is TicketStatus.RESOLVED
    assert len(box.messages(ticket.id)) == 1


def test_what_is_quoted_is_cut(box):
    ticket = box.ticket()
    text = "Works now.\n\nOn Mon, Nov 23, 2026 at 9:00 AM Kestrel IT <help@demo.example> wrote:\n> secret old text\n"
    box.take(letter(text), to=box.reply_to(ticket.id))
    assert [entry.message for entry in box.messages(ticket.id)] == ["Works now."]


def test_what_stands_below_our_own_line_is_cut_in_every_language(box):
    ticket = box.ticket()
    page = "<p>Danke!</p><p>Am Montag schrieb Kestrel:</p><blockquote>Please reply above this line<br>old</blockquote>"
    box.take(html_only(page), to=box.reply_to(ticket.id))
    assert [entry.message for entry in box.messages(ticket.id)] == ["Danke!"]


def test_the_first_mail_keeps_what_it_quotes(box):
    taken = box.take(letter("See below.\n\n> what my supplier wrote\n"))
    assert "what my supplier wrote" in box.get(taken.ticket_id).description


def test_markup_stays_text(box):
    taken = box.take(html_only('<p>Hi</p><img src=x onerror=alert(1)><a href="javascript:alert(1)">x</a>&lt;b&gt;'))
    opened = box.get(taken.ticket_id)
    assert opened.description.startswith("Hi")
    assert "javascript" not in opened.description_html
    assert "<b>" not in opened.description_html


def test_files_follow_the_rules_and_refused_ones_are_named(box):
    message = with_file(with_file(letter(), picture(), "a.png", "image/png"), EXE, "invoice.exe")
    for number in range(11):
        message = with_file(message, b"log line\n", f"{number}.txt", "text/plain")
    taken = box.take(message)
    kept = box.session.scalars(select(Attachment).where(Attachment.ticket_id == taken.ticket_id)).all()
    assert len(kept) == 10
    refused = {one["name"]: one["code"] for one in box.row(taken).details["refused"]}
    assert refused == {
        "invoice.exe": "file_kind_not_allowed", "9.txt": "files_too_many", "10.txt": "files_too_many"
    }  # fmt: skip
    assert {line.params["filename"] for line in box.lines(taken.ticket_id, "mail_file_refused")} == set(refused)


def test_a_colleague_who_is_proved_answers_the_customer(box):
    box.rules(trusted_host=TRUST)
    ticket = box.ticket()
    taken = box.take(letter("On it.", sender="sam@demo.example", **SAM_PROVED), to=box.reply_to(ticket.id))
    assert taken.outcome == "appended"
    (entry,) = box.messages(ticket.id)
    assert (entry.sender_type, entry.sender_id) == (SenderType.AGENT, box.actor_of("sam").user_id)
    assert box.get(ticket.id).first_response_at == box.now


def test_a_colleague_s_answer_waits_where_the_tenant_wants_none(box):
    box.rules(trusted_host=TRUST, staff_replies=False)
    ticket = box.ticket()
    taken = box.take(letter("On it.", sender="sam@demo.example", **SAM_PROVED), to=box.reply_to(ticket.id))
    assert (taken.outcome, taken.reason) == ("held", "staff_unverified")


def test_somebody_of_billing_answers_no_customer(box):
    box.rules(trusted_host=TRUST)
    ticket = box.ticket()
    taken = box.take(letter("On it.", sender="bill@demo.example", **SAM_PROVED), to=box.reply_to(ticket.id))
    assert (taken.outcome, taken.reason) == ("held", "not_allowed")
    assert box.messages(ticket.id) == []


def test_the_answer_to_a_closed_ticket_follows_it(box):
    ticket = box.ticket()
    close_ticket(box.session, ticket.id, actor=box.actor_of("bob"), now=box.now)
    taken = box.take(letter("One more thing."), to=box.reply_to(ticket.id))
    assert (taken.outcome, taken.reason) == ("opened", "follows_up")
    link = box.session.scalars(select(TicketLink).where(TicketLink.ticket_id == taken.ticket_id)).one()
    assert (link.other_id, link.kind.value) == (ticket.id, "follows_up")


def test_the_answer_to_a_merged_ticket_goes_to_the_one_it_is_part_of(box):
    first, second = box.ticket(), box.ticket(subject="The same")
    second.merged_into_id = first.id
    box.session.flush()
    taken = box.take(letter("Any news?"), to=box.reply_to(second.id))
    assert (taken.outcome, taken.ticket_id) == ("appended", first.id)


def test_a_ticket_in_the_trash_takes_nothing(box):
    ticket = box.ticket()
    ticket.trashed_at = box.now
    box.session.flush()
    assert box.take(letter("Hello?"), to=box.reply_to(ticket.id)).reason == "ticket_gone"


def test_a_follower_may_name_the_number(box):
    ticket = box.ticket()
    box.session.add(TicketFollower(ticket_id=ticket.id, user_id=box.actor_of("alice").user_id, created_at=box.now))
    box.session.flush()
    taken = box.take(letter("Me too.", sender="alice@acme.example", subject=f"Re: {ticket.ticket_number}"))
    assert (taken.outcome, taken.ticket_id) == ("appended", ticket.id)


def test_a_number_of_another_tenant_means_nothing(box):
    taken = box.take(letter(subject="Re: [TCK-999999] Printer"))
    assert taken.outcome == "opened"


def test_strangers_go_to_the_stand_in_and_hear_nothing(box):
    box.rules(unknown_senders="open", stand_in_id=box.actor_of("alice").user_id)
    taken = box.take(letter(sender="eve@evil.example"))
    assert (taken.outcome, taken.reason) == ("opened", "stand_in")
    opened = box.get(taken.ticket_id)
    assert opened.requester_id == box.actor_of("alice").user_id
    (line,) = box.lines(opened.id, "mail_from_stranger")
    assert (line.params["sender"], line.staff_only) == ("eve@evil.example", True)
    event = box.session.scalars(select(OutboxEvent).where(OutboxEvent.record_id == opened.id)).one()
    fan_out(box.session, event.id, base_url="http://127.0.0.1:8000", now=box.now)
    written_to = box.session.scalars(select(MailMessage.recipient).where(MailMessage.event_id == event.id)).all()
    assert written_to
    assert "eve@evil.example" not in written_to


@pytest.fixture
def side(box):
    ticket = box.ticket()
    conversation = SideConversation(
        id=uuid4(), ticket_id=ticket.id, subject="Spare part", recipient="Parts@Supplier.example", created_at=box.now
    )
    box.session.add(conversation)
    box.session.flush()
    return conversation


def test_a_supplier_answers_in_the_side_conversation_and_nowhere_else(box, side):
    address = box.reply_to(side.ticket_id, side.id)
    taken = box.take(letter("Monday.", sender="parts@supplier.example"), to=address)
    assert (taken.outcome, taken.ticket_id) == ("side", side.ticket_id)
    (message,) = box.session.scalars(select(SideMessage).where(SideMessage.conversation_id == side.id))
    assert (message.inbound, message.body) == (True, "Monday.")
    assert box.messages(side.ticket_id) == []
    assert [line.staff_only for line in box.lines(side.ticket_id, "side_answered")] == [True]


def test_nobody_else_answers_in_the_side_conversation(box, side):
    taken = box.take(letter("Hello", sender="bob@acme.example"), to=box.reply_to(side.ticket_id, side.id))
    assert (taken.outcome, taken.reason) == ("held", "not_participant")
    assert box.session.scalars(select(SideMessage).where(SideMessage.conversation_id == side.id)).all() == []


@pytest.fixture
def sent(box):
    """The confirmation that bob got."""
    ticket = box.ticket()
    event = box.session.scalars(select(OutboxEvent).where(OutboxEvent.record_id == ticket.id)).one()
    fan_out(box.session, event.id, base_url="http://127.0.0.1:8000", now=box.now)
    mail = select(MailMessage).where(MailMessage.event_id == event.id, MailMessage.recipient == "bob@acme.example")
    return ticket, box.session.scalars(mail).one()


def address_of(box, address="bob@acme.example"):
    return box.session.scalars(select(BouncedAddress).where(BouncedAddress.address == address)).one_or_none()


def test_a_hard_bounce_is_noted_and_the_team_hears_of_it(box, sent):
    ticket, mail = sent
    taken = box.take(report(mail.recipient, mail.message_id))
    assert (taken.outcome, taken.reason, taken.ticket_id) == ("bounce", "bounce_hard", ticket.id)
    noted = address_of(box)
    assert (noted.hard, noted.count, noted.reason) == (True, 1, "5.1.1")
    assert [line.staff_only for line in box.lines(ticket.id, "mail_bounced")] == [True]
    event = box.session.scalars(select(OutboxEvent).where(OutboxEvent.kind == "mail.bounced")).one()
    fan_out(box.session, event.id, base_url="http://127.0.0.1:8000", now=box.now)
    assert (
        box.session.scalar(select(func.count()).select_from(MailMessage).where(MailMessage.event_id == event.id)) == 0
    )


def test_a_delay_is_no_end(box, sent):
    _, mail = sent
    taken = box.take(report(mail.recipient, mail.message_id, action="delayed", status="4.4.1"))
    assert (taken.reason, address_of(box).hard) == ("bounce_soft", False)


def test_reports_add_up(box, sent):
    _, mail = sent
    for _ in range(2):
        box.take(report(mail.recipient, mail.message_id))
    box.take(report(mail.recipient, mail.message_id, action="delayed", status="4.4.1"))
    assert (address_of(box).count, address_of(box).hard) == (3, True)


def test_a_report_about_somebody_else_is_not_believed(box, sent):
    """Whoever got one mail of ours cannot have another address silenced with its number."""
    _, mail = sent
    taken = box.take(report("alice@acme.example", mail.message_id))
    assert taken.reason == "bounce_of_nothing"
    assert address_of(box, "alice@acme.example") is None


def test_who_writes_again_lives_again(box, sent):
    _, mail = sent
    box.take(report(mail.recipient, mail.message_id))
    box.take(letter("I am back."))
    assert address_of(box) is None


def test_our_own_mail_that_comes_back_is_a_loop(box, sent):
    _, mail = sent
    taken = box.take(letter(sender="alice@acme.example", message_id=mail.message_id))
    assert (taken.outcome, taken.reason) == ("ignored", "loop")


def already(box, *conditions):
    """What other tests have committed counts, too."""
    return box.session.scalar(select(func.count()).select_from(InboundMail).where(*conditions))


def test_a_bomb_of_one_sender_is_held_and_then_only_counted(box, monkeypatch):
    before = already(box, InboundMail.sender == "bob@acme.example", InboundMail.received_at == box.now)
    monkeypatch.setattr(limits, "SENDER", (before + 3, before + 5))
    outcomes = [box.take(letter(f"{n}")).outcome for n in range(7)]
    assert outcomes == ["opened"] * 3 + ["held"] * 2 + ["ignored"] * 2
    assert box.take(letter("Me", sender="alice@acme.example")).outcome == "opened"
    kept = box.session.scalars(select(InboundMail.raw).where(InboundMail.reason == "rate_sender")).all()
    assert kept == [None] * 4


def test_a_tenant_s_flood_is_held(box, monkeypatch):
    before = already(box, InboundMail.received_at == box.now)
    monkeypatch.setattr(limits, "TENANT", (before + 2, before + 9))
    outcomes = [box.take(letter(sender=f"s{n}@evil.example")).reason for n in range(3)]
    assert outcomes == ["unknown_sender", "unknown_sender", "rate_tenant"]


def test_another_tenant_s_token_and_people_mean_nothing(sessions, world, tools, box, now):
    """Nova gets what was meant for demo: neither ticket nor sender are known there."""
    ticket = box.ticket()
    with sessions.begin(world.nova) as session:
        raw = letter("Hi", to=box.reply_to(ticket.id)).as_bytes()
        taken = take_mail(session, raw, recipient=box.reply_to(ticket.id), tools=tools, now=now)
        assert (taken.outcome, taken.reason, taken.ticket_id) == ("held", "unknown_sender", None)
        session.rollback()


def test_thirty_deliveries_at_once_open_one_ticket(sessions, world, tools, now):
    """The same message by thirty connections: one ticket, and everybody is told of it."""
    message = letter("Thirty times", subject=f"Race {uuid4()}")

    def deliver(index):
        with sessions.begin(world.demo) as session:
            return take_mail(session, message.as_bytes(), recipient="help@demo.example", tools=tools, now=now)

    results = at_once(30, deliver)
    errors = [one for one in results if isinstance(one, Exception)]
    assert errors == []
    assert len({one.ticket_id for one in results}) == 1
    assert sum(not one.repeated for one in results) == 1
    with sessions.begin(world.demo) as session:
        assert session.scalar(select(func.count()).select_from(Ticket).where(Ticket.subject == message["Subject"])) == 1


def test_what_breaks_off_leaves_nothing_and_comes_again(sessions, world, tools, now):
    """A crash before the commit: the next delivery is the first."""
    message = letter("Crash", subject=f"Crash {uuid4()}")

    def deliver(session):
        return take_mail(session, message.as_bytes(), recipient="help@demo.example", tools=tools, now=now)

    with pytest.raises(ConnectionError), sessions.begin(world.demo) as session:
        deliver(session)
        raise ConnectionError
    with sessions.begin(world.demo) as session:
        taken = deliver(session)
        assert (taken.outcome, taken.repeated) == ("opened", False)
        assert session.scalar(select(func.count()).where(TicketMessage.ticket_id == taken.ticket_id)) == 0


def test_a_supplier_s_files_come_by_the_same_rules_and_stay_with_the_team(box, side):
    message = letter("The form.", sender="parts@supplier.example")
    message = with_file(with_file(message, picture(), "a.png", "image/png"), EXE, "CANARY.exe")
    taken = box.take(message, to=box.reply_to(side.ticket_id, side.id))
    assert taken.outcome == "side"
    (file,) = box.session.scalars(select(Attachment).where(Attachment.ticket_id == side.ticket_id))
    (entry,) = box.session.scalars(select(SideMessage).where(SideMessage.conversation_id == side.id))
    assert (file.side_message_id, file.is_internal, file.uploaded_by) == (entry.id, True, None)
    assert (file.filename, file.message_id) == ("a.png", None)
    assert box.row(taken).details["refused"] == [{"name": "CANARY.exe", "code": "file_kind_not_allowed"}]
    (line,) = box.lines(side.ticket_id, "mail_file_refused")
    assert (line.staff_only, line.params["filename"]) == (True, "CANARY.exe")
