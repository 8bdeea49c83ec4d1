"""Rating from the mail: looking changes nothing, the confirmation rates once, everything else is told honestly."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from sqlalchemy import select, update

from portal.integrations.mail import OutgoingMail
from portal.models import MailMessage, MailState, OneTimeLink, OutboxEvent, Ticket, User, UserStatus
from portal.services.notifications.fan_out import fan_out
from portal.services.notifications.mailing import Outlets, send_mail
from tests.blueprints.conftest import DESK, TICKETS
from tests.browsing import Browser
from tests.outbox import Texts
from tests.posting import BASE_URL, Post
from tests.together import at_once

COMMENT = "Quick and friendly."


@pytest.fixture
def mailed(app, api, world, sessions, ticket):
    """A solved ticket and the mail that says so, as it left."""

    def make(tenant="demo", **change):
        made = ticket()
        body = change or {"status": "resolved"}
        assert api("sam").patch(f"{DESK}/{made['id']}", json=body).status_code == 200
        return made["id"], deliver(app, sessions, world.demo, made["id"])

    return make


def deliver(app, sessions, tenant_id, ticket_id) -> OutgoingMail:
    vault, post = app.extensions["portal_vault"], Post()
    with sessions.begin(tenant_id) as session:
        query = select(OutboxEvent).where(
            OutboxEvent.record_id == ticket_id, OutboxEvent.kind.in_(("ticket.status_changed", "ticket.replied"))
        )
        events = session.scalars(query.order_by(OutboxEvent.seq)).all()
        for event in events:
            fan_out(session, event.id, base_url=BASE_URL, now=datetime.now(UTC), vault=vault)
        own = (MailMessage.event_id.in_([event.id for event in events]), MailMessage.state == MailState.QUEUED)
        mails = session.scalars(select(MailMessage.id).where(*own, MailMessage.link_id.is_not(None))).all()
    for mail_id in mails:
        send_mail(sessions, tenant_id, mail_id, outlets=Outlets(post, Texts(), vault))
    return post.mails[-1]


def links_in(mail):
    return [path.replace(BASE_URL, "") for path in re.findall(r"https?://\S+/portal/rate/\S+", mail.text)]


def text_of(answer):
    return unescape(answer.get_data(as_text=True))


@pytest.fixture
def stranger(app, world):
    return Browser(app.test_client(), "127.0.0.1")


def rating_of(api, ticket_id):
    return api("bob").get(f"{TICKETS}/{ticket_id}").get_json()["satisfaction_rating"]


def test_the_mail_has_a_link_for_each_number_and_stores_no_secret(mailed, api, sessions, world):
    _, mail = mailed()
    links = links_in(mail)
    assert [link.rpartition("=")[2] for link in links] == ["1", "2", "3", "4", "5"]
    assert all(link in unescape(mail.html) for link in links)
    token = links[0].split("/")[-1].partition("?")[0]
    with sessions.begin(world.demo) as session:
        stored = session.scalars(select(MailMessage.text).where(MailMessage.link_id.is_not(None))).all()
    assert stored
    assert not any(token in text for text in stored)


def test_an_answer_that_solves_brings_the_links_too(app, api, world, sessions, ticket):
    made = ticket()
    api("sam").post(f"{DESK}/{made['id']}/reply", json={"message": "Done.", "status": "resolved"})
    assert len(links_in(deliver(app, sessions, world.demo, made["id"]))) == 5


def test_looking_changes_nothing_and_the_confirmation_rates(mailed, api, stranger):
    ticket_id, mail = mailed()
    link = links_in(mail)[3]
    for _ in range(3):
        page = stranger.get(link)
        assert page.status_code == 200
        assert re.search(r'value="4" checked', page.get_data(as_text=True))
    assert stranger.client.head(link, base_url=BASE_URL).status_code == 200
    assert rating_of(api, ticket_id) is None
    answer = stranger.post(link.partition("?")[0], {"rating": "5", "comment": COMMENT})
    assert answer.headers["Location"] == "/portal/rate/thanks"
    assert "Thank you" in text_of(stranger.get("/portal/rate/thanks"))
    found = api("sam").get(f"{DESK}/{ticket_id}").get_json()
    assert (found["satisfaction_rating"], found["satisfaction_comment"]) == (5, COMMENT)
    assert [line["actor"] for line in found["timeline"] if line["kind"] == "rated"] == ["Bob Keller"]


def test_it_opens_nothing_else(mailed, stranger):
    _, mail = mailed()
    stranger.post(links_in(mail)[0].partition("?")[0], {"rating": "5"})
    assert stranger.get("/portal/tickets").status_code in (302, 303)
    assert stranger.client.get("/api/v1/portal/tickets", base_url=BASE_URL).status_code == 401


def test_used_and_rated_links_say_so(mailed, api, stranger):
    ticket_id, mail = mailed()
    link = links_in(mail)[1]
    stranger.post(link.partition("?")[0], {"rating": "2"})
    for answer in (stranger.get(link), stranger.post(link.partition("?")[0], {"rating": "5"})):
        assert answer.status_code == 410
        assert "This ticket is rated already" in text_of(answer)
    assert rating_of(api, ticket_id) == 2


def test_a_rating_in_the_portal_ends_the_link(mailed, api, stranger):
    ticket_id, mail = mailed()
    api("bob").post(f"{TICKETS}/{ticket_id}/rate", json={"rating": 3})
    answer = stranger.post(links_in(mail)[4].partition("?")[0], {"rating": "5"})
    assert answer.status_code == 410
    assert rating_of(api, ticket_id) == 3


def test_a_reopened_ticket_is_not_rated(mailed, api, stranger):
    ticket_id, mail = mailed()
    api("bob").post(f"{TICKETS}/{ticket_id}/reopen")
    answer = stranger.get(links_in(mail)[0])
    assert answer.status_code == 410
    assert "worked on again" in text_of(answer)
    assert stranger.post(links_in(mail)[0].partition("?")[0], {"rating": "5"}).status_code == 410
    assert rating_of(api, ticket_id) is None


@pytest.mark.parametrize("change", ["expired", "revoked", "blocked", "other_purpose"])
def test_what_is_over_does_not_work(mailed, api, stranger, sessions, world, change):
    ticket_id, mail = mailed()
    bob = world.people["bob"].user_id
    of_ticket = OneTimeLink.payload["ticket_id"].astext == ticket_id
    values = {
        "expired": {"expires_at": datetime.now(UTC) - timedelta(seconds=1)},
        "revoked": {"revoked_at": datetime.now(UTC)},
        "other_purpose": {"purpose": "keep_email"},
    }
    with sessions.begin(world.demo) as session:
        if change == "blocked":
            session.execute(update(User).where(User.id == bob).values(status=UserStatus.SUSPENDED))
        else:
            session.execute(update(OneTimeLink).where(of_ticket).values(**values[change]))
    try:
        for answer in (stranger.get(links_in(mail)[0]), stranger.post(links_in(mail)[0], {"rating": "5"})):
            assert answer.status_code == 410
            assert "does not work any more" in text_of(answer)
    finally:
        with sessions.begin(world.demo) as session:
            session.execute(update(User).where(User.id == bob).values(status=UserStatus.ACTIVE))
    assert rating_of(api, ticket_id) is None


@pytest.mark.parametrize("token", ["x", "thankss", "A" * 43, "%00", "é"])
def test_invented_links_do_not_work(stranger, token):
    assert stranger.get(f"/portal/rate/{token}").status_code == 410


def test_a_link_is_of_its_tenant_alone(app, mailed):
    _, mail = mailed()
    assert Browser(app.test_client(), "nova.localhost").get(links_in(mail)[0]).status_code == 410


def test_a_form_without_its_token_rates_nothing(app, mailed, api):
    ticket_id, mail = mailed()
    answer = app.test_client().post(links_in(mail)[0].partition("?")[0], base_url=BASE_URL, data={"rating": "5"})
    assert answer.status_code == 400
    assert rating_of(api, ticket_id) is None


def test_without_a_number_the_comment_stays_and_the_link_works_on(mailed, api, stranger):
    ticket_id, mail = mailed()
    path = links_in(mail)[0].partition("?")[0]
    answer = stranger.post(path, {"rating": "", "comment": COMMENT})
    assert answer.status_code == 422
    assert COMMENT in text_of(answer)
    assert stranger.post(path, {"rating": "1", "comment": COMMENT}).status_code == 303
    assert rating_of(api, ticket_id) == 1


def test_thirty_at_once_rate_once(app, mailed, api, sessions, world):
    ticket_id, mail = mailed()
    path = links_in(mail)[0].partition("?")[0]
    browsers = [Browser(app.test_client(), "127.0.0.1") for _ in range(30)]
    answers = at_once(30, lambda index: browsers[index].post(path, {"rating": str(index % 5 + 1)}).status_code)
    assert sorted(answers) == [303] + [410] * 29
    with sessions.begin(world.demo) as session:
        kinds = select(OutboxEvent.id).where(OutboxEvent.record_id == ticket_id, OutboxEvent.kind == "ticket.rated")
        assert len(session.scalars(kinds).all()) == 1
        assert session.get(Ticket, ticket_id).satisfaction_rating in range(1, 6)
