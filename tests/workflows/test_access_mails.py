"""From a stranger's request to the mail, through the workflows; the secret is in the mail and nowhere before."""

import re

import pytest
from sqlalchemy import select, update

from portal.authz import visitor
from portal.lib.clock import utcnow
from portal.lib.vault import Vault
from portal.models import KnownDevice, MailMessage, OneTimeLink, Person, User
from portal.services.accounts.access_requests import request_reset
from portal.services.accounts.device_notices import save_notice_choice
from portal.services.accounts.disowning import find_disowned
from portal.services.accounts.recovery import find_reset
from portal.services.accounts.sessions import Origin
from portal.services.accounts.sign_in import continue_sign_in
from portal.workflows.notifications.shared import notification_workflow_id
from tests.outbox import body

pytestmark = pytest.mark.temporal
# The one that the tests' worker puts secrets in with.
VAULT = Vault(["a secret of the tests' own vault, long enough"])


@pytest.mark.parametrize(("who", "mailed"), [("alice@acme.example", True), ("nobody@acme.example", False)])
def test_a_request_becomes_a_mail_where_there_is_somebody(run, client, desk_at, mails, sessions, world, who, mailed):
    async def told(desk, record_id):
        await desk.tell(record_id)
        (event,) = desk.events(record_id)
        await client.get_workflow_handle(notification_workflow_id(event.id)).result()

    async def story():
        async with desk_at(client) as desk:
            with desk.sessions.begin(desk.world.demo) as session:
                before = set(session.scalars(select(OneTimeLink.id)))
                request_reset(session, who, vault=VAULT, actor=visitor(desk.world.demo), now=utcnow())
                (link_id,) = set(session.scalars(select(OneTimeLink.id))) - before
            await told(desk, link_id)
            with desk.sessions.begin(desk.world.demo) as session:
                assert (session.get(OneTimeLink, link_id) is not None) is mailed
                mail_id = session.scalar(select(MailMessage.id).where(MailMessage.link_id == link_id))
            if mail_id is not None:
                await told(desk, mail_id)

    run(story())
    found = mails.to(who)
    assert len(found) == mailed
    for mail in found:
        (token,) = set(re.findall(r"/portal/reset/(\S{43})\b", body(mail)))
        assert f"/portal/reset/{token}" in body(mail, "html")
        with sessions.begin(world.demo) as session:
            assert find_reset(session, token, now=utcnow()).id == world.people["alice"].user_id
            assert token not in "".join(session.scalars(select(MailMessage.text)))


@pytest.fixture
def texted(sessions, world):
    """bob has a proven number and wants text messages; afterwards he is as before."""
    bob = world.people["bob"]
    with sessions.begin(world.demo) as session:
        person_id = session.scalar(select(User.person_id).where(User.id == bob.user_id))
        number = {"phone": "+33639980042", "phone_verified_at": utcnow()}
        session.execute(update(Person).where(Person.id == person_id).values(**number))
        save_notice_choice(session, "text", actor=bob.actor, now=utcnow())
    yield bob
    with sessions.begin(world.demo) as session:
        gone = dict.fromkeys(number)
        session.execute(update(Person).where(Person.id == person_id).values(**gone))
        session.execute(update(User).where(User.id == bob.user_id).values(mail_preferences={}))


def test_a_new_device_is_told_by_text_message(run, client, desk_at, mails, texts, sessions, world, texted):
    def sign_in(ip):
        with sessions.begin(world.demo) as session:
            user = session.get(User, texted.user_id)
            origin = Origin(ip, "curl/8.5.0", "request-1")
            continue_sign_in(session, user, door="portal", method="passkey", origin=origin, device=None, now=utcnow())
            session.flush()
            return session.scalars(
                select(KnownDevice.id).where(KnownDevice.user_id == user.id, KnownDevice.ip == ip)
            ).one()

    async def told(desk, record_id):
        await desk.tell(record_id)
        (event,) = desk.events(record_id)
        await client.get_workflow_handle(notification_workflow_id(event.id)).result()

    async def story():
        async with desk_at(client) as desk:
            sign_in("192.0.2.201")
            await told(desk, sign_in("192.0.2.202"))
            with desk.sessions.begin(world.demo) as session:
                query = select(MailMessage.id).where(MailMessage.recipient == "+33639980042")
                mail_id = session.scalars(query.order_by(MailMessage.created_at.desc())).first()
            await told(desk, mail_id)

    run(story())
    (message,) = texts.taken
    assert message.recipient == "+33639980042"
    (token,) = re.findall(r"/portal/not-me/(\S{43})", message.text)
    assert mails.to("bob@acme.example") == []
    with sessions.begin(world.demo) as session:
        assert find_disowned(session, token, now=utcnow()).ip == "192.0.2.202"
        assert token not in "".join(session.scalars(select(MailMessage.text)))
