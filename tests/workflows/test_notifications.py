from collections import Counter
from uuid import uuid4

import pytest
from sqlalchemy import update
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError

from portal.errors import Conflict
from portal.integrations.mail import MailRefused, MailUnavailable
from portal.lib.clock import utcnow
from portal.models import MailMessage, MailState, Notification, User
from portal.services.tickets.conversation import add_note, reply_as_staff
from portal.workflows.notifications.shared import notification_workflow_id
from portal.workflows.tickets.shared import ClockRun
from tests.outbox import body

pytestmark = pytest.mark.temporal


def event_of(desk, ticket, kind="ticket.created"):
    return desk.events(ticket, kind)[-1]


async def finished(client, event):
    return await client.get_workflow_handle(notification_workflow_id(event.id)).result()


def rows(desk, model, event):
    """What the people of the tests' world got; other tests may have invited more."""
    known = [person.user_id for person in desk.world.people.values()]
    with desk.sessions.begin(desk.world.demo) as session:
        return session.query(model).where(model.event_id == event.id, model.user_id.in_(known)).all()


def test_an_event_becomes_bells_and_mails(run, client, desk_at, mails):
    async def story():
        async with desk_at(client) as desk:
            ticket = await desk.open(utcnow())
            event = event_of(desk, ticket)
            await finished(client, event)
            assert len(rows(desk, Notification, event)) == 3
            assert {mail.state for mail in rows(desk, MailMessage, event)} == {MailState.SENT}
            (confirmation,) = mails.to("bob@acme.example")
            assert confirmation["Message-ID"] == f"<ticket-{ticket}@demo.example>"
            assert "Escalates to the team lead if unanswered" in body(confirmation)
            await desk.do(reply_as_staff, ticket, message="On it.", actor=desk.actor("sam"), now=utcnow())
            await finished(client, event_of(desk, ticket, "ticket.replied"))
            answer = next(mail for mail in mails.to("bob@acme.example") if "answered" in mail["Subject"])
            assert answer["In-Reply-To"] == confirmation["Message-ID"]

    run(story())


def test_a_note_brings_nothing_about(run, client, desk_at, mails):
    async def story():
        async with desk_at(client) as desk:
            ticket = await desk.open(utcnow())
            await finished(client, event_of(desk, ticket))
            before = len(mails.all())
            await desk.do(add_note, ticket, message="CANARY", actor=desk.actor("sam"), now=utcnow())
            with pytest.raises(Exception, match="not found"):
                await finished(client, event_of(desk, ticket, "ticket.note_added"))
            assert len(mails.all()) == before
            assert not any("CANARY" in mail.as_string() for mail in mails.all())

    run(story())


@pytest.fixture(autouse=True)
def _everybody_wants_mail(sessions, world):
    """Whatever other tests switched off."""
    with sessions.begin(world.demo) as session:
        session.execute(update(User).values(mail_preferences={}))


def test_one_mail_that_fails_keeps_no_other_back(run, client, desk_at, mails, monkeypatch):
    tries = Counter()
    send = mails.transport.send

    def moody(mail):
        tries[mail.recipient] += 1
        if mail.recipient == "bob@acme.example":
            raise MailRefused("no such person")
        if mail.recipient == "sam@demo.example" and tries[mail.recipient] == 1:
            raise MailUnavailable("greylisted")
        send(mail)

    monkeypatch.setattr(mails.transport, "send", moody)

    async def story():
        async with desk_at(client) as desk:
            event = event_of(desk, await desk.open(utcnow()))
            await finished(client, event)
            states = {mail.recipient: mail.state for mail in rows(desk, MailMessage, event)}
            assert states == {
                "bob@acme.example": MailState.FAILED,
                "sam@demo.example": MailState.SENT,
                "jonas@demo.example": MailState.SENT,
            }
            counted = {address: tries[address] for address in states}
            assert counted == {"bob@acme.example": 1, "sam@demo.example": 2, "jonas@demo.example": 1}

    run(story())


def test_a_refusal_of_the_domain_is_not_tried_again(run, client, desk_at, monkeypatch):
    calls = []

    def refuse(*_, **__):
        calls.append(1)
        raise Conflict("not_active", number="T-1")

    monkeypatch.setattr("portal.workflows.notifications.activities.fan_out", refuse)

    async def story():
        async with desk_at(client) as desk:
            event = event_of(desk, await desk.open(utcnow()))
            with pytest.raises(WorkflowFailureError) as failure:
                await finished(client, event)
            cause = failure.value.cause.cause
            assert isinstance(cause, ApplicationError)
            assert (cause.type, cause.non_retryable) == ("not_active", True)

    run(story())
    assert len(calls) == 1


def test_a_clock_without_its_ticket_ends(run, client, desk_at):
    async def story():
        async with desk_at(client) as desk:
            handle = await client.start_workflow(
                "TicketClock",
                ClockRun(desk.world.demo, uuid4(), 1),
                id=f"ticket-clock:{uuid4()}:1",
                task_queue=desk.queue,
            )
            assert await handle.result() is None

    run(story())
