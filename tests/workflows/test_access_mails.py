"""From a stranger's request to the mail, through the workflows; the secret is in the mail and nowhere before."""

import re

import pytest
from sqlalchemy import select

from portal.authz import visitor
from portal.lib.clock import utcnow
from portal.lib.vault import Vault
from portal.models import MailMessage, OneTimeLink
from portal.services.accounts.access_requests import request_reset
from portal.services.accounts.recovery import find_reset
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
