"""Payment reminders by the customer's own choice, which timers honour at once (H7.8)."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, update

from portal.models import MailChannel, MailMessage, NextStep, OutboxEvent, Person, ReminderChoice, User
from portal.services.billing.dunning import advance_invoice
from portal.services.billing.letters import answer_invoice
from portal.services.billing.plan import own_time
from portal.services.billing.reminders import Choice, read_choice, save_choice
from portal.services.billing.settings import load_settings
from tests.tills import BASE_URL, Till, open_till

PHONE = "+33612345678"


@pytest.fixture
def till(sessions: Any, world: Any) -> Iterator[Till]:
    """A till whose tenant reminds a day after the due day; nobody has chosen anything before or after."""
    found = open_till(sessions, world, datetime.now(UTC))
    with found.begin() as session:
        usual = dict(load_settings(session).dunning)
    found.settings(dunning={"reminders": ["P1D"], "retry_after": []})
    yield found
    found.settings(dunning=usual)
    with found.begin() as session:
        session.execute(delete(ReminderChoice))
        bob = session.get_one(User, world.people["bob"].user_id)
        session.execute(update(Person).where(Person.id == bob.person_id).values(phone=None, phone_verified_at=None))


def choose(till: Till, who: str, *days: int, **more: Any) -> None:
    with till.begin() as session:
        save_choice(session, Choice(days, **more), actor=till.actor(who), now=till.now)


def prove_phone(till: Till, who: str) -> None:
    with till.begin() as session:
        user = session.get_one(User, till.world.people[who].user_id)
        values = {"phone": PHONE, "phone_verified_at": till.now}
        session.execute(update(Person).where(Person.id == user.person_id).values(values))


def advance(till: Till, invoice: UUID, at: datetime) -> Any:
    with till.begin() as session:
        return advance_invoice(session, invoice, cycle=0, now=at).at


def letters(till: Till, invoice: UUID, at: datetime) -> list[tuple[str, str]]:
    """Who was reminded by which way, once the events of the invoice were answered, each twice."""
    events = till.rows(OutboxEvent, OutboxEvent.record_id == invoice, OutboxEvent.kind == "invoice.reminded")
    for event in [*events, *events]:
        with till.begin() as session:
            answer_invoice(session, event.id, base_url=BASE_URL, now=at)
    number = till.get_invoice(invoice).number
    found = till.rows(MailMessage, MailMessage.template == "invoice_reminder", MailMessage.text.contains(number))
    return sorted((mail.recipient, mail.channel.value) for mail in found)


def test_own_days_stand_beside_the_tenants_and_each_gets_their_own(till: Till) -> None:
    choose(till, "bob", -3)
    invoice = till.invoice(5000)
    due_at = till.get_invoice(invoice).due_at
    own = own_time(due_at, -3)
    assert advance(till, invoice, till.now) == own
    kinds = [(step.kind, step.at) for step in till.rows(NextStep, NextStep.record_id == invoice)]
    assert ("invoice_reminder", own) in kinds
    advance(till, invoice, own)
    assert letters(till, invoice, own) == [("bob@acme.example", MailChannel.MAIL.value)]
    after = due_at + timedelta(days=1)
    advance(till, invoice, after)
    told = letters(till, invoice, after)
    assert ("alice@acme.example", "mail") in told
    assert [one for one in told if one[0].startswith("bob")] == [("bob@acme.example", "mail")]


def test_a_choice_moves_timers_at_once_and_catches_up_with_nothing(till: Till) -> None:
    invoice = till.invoice(5000)
    due_at = till.get_invoice(invoice).due_at
    before = len(till.rows(OutboxEvent, OutboxEvent.record_id == invoice, OutboxEvent.kind == "invoice.changed"))
    till.now = due_at - timedelta(days=2)
    choose(till, "bob", -7, 2)
    woken = till.rows(OutboxEvent, OutboxEvent.record_id == invoice, OutboxEvent.kind == "invoice.changed")
    assert len(woken) == before + 1
    advance(till, invoice, till.now)
    assert letters(till, invoice, till.now) == []
    at = own_time(due_at, 2)
    assert at in {step.at for step in till.rows(NextStep, NextStep.record_id == invoice)}
    with till.begin() as session:
        save_choice(session, Choice(None), actor=till.actor("bob"), now=till.now)
    assert at not in {step.at for step in till.rows(NextStep, NextStep.record_id == invoice)}


def test_by_text_message_where_the_number_is_proven(till: Till, refused: Any) -> None:
    assert refused(lambda: choose(till, "bob", 1, by_text=True)) == "phone_not_proven"
    prove_phone(till, "bob")
    choose(till, "bob", -1, by_mail=False, by_text=True)
    invoice = till.invoice(5000)
    at = own_time(till.get_invoice(invoice).due_at, -1)
    advance(till, invoice, at)
    assert letters(till, invoice, at) == [(PHONE, MailChannel.SMS.value)]


def test_of_several_missed_only_the_last_of_ones_own_comes(till: Till) -> None:
    choose(till, "bob", -3, -1)
    choose(till, "alice", -3)
    invoice = till.invoice(5000)
    at = own_time(till.get_invoice(invoice).due_at, -1) + timedelta(hours=1)
    advance(till, invoice, at)
    assert [to for to, _ in letters(till, invoice, at)] == ["alice@acme.example", "bob@acme.example"]


def test_nobody_is_reminded_of_what_is_paid_or_who_wants_none(till: Till) -> None:
    choose(till, "alice")
    choose(till, "bob", -3)
    paid, owed = till.invoice(5000), till.invoice(5000)
    till.paid(paid)
    due_at = till.get_invoice(owed).due_at
    for invoice in (paid, owed):
        advance(till, invoice, due_at + timedelta(days=2))
    assert letters(till, paid, due_at) == []
    assert "alice@acme.example" not in dict(letters(till, owed, due_at))


def test_what_may_be_chosen(till: Till, refused: Any) -> None:
    assert refused(lambda: choose(till, "bob", *range(7))) == "too_many"
    assert refused(lambda: choose(till, "bob", 61)) == "out_of_range"
    assert refused(lambda: choose(till, "bob", 1, by_mail=False)) == "required"
    assert refused(lambda: choose(till, "bill", 1)) == "not_allowed"
    choose(till, "bob", 3, -3, 3)
    with till.begin() as session:
        assert read_choice(session, actor=till.actor("bob")).days == (-3, 3)
        assert read_choice(session, actor=till.actor("alice")).days is None
