"""Contracts lived through: asked, reminded, signed, sealed by itself, and each told once."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.integrations.seal_check import own_certificates, validate
from portal.models import Contract, MailMessage, Notification, SealedDocument
from portal.services.sealing.checking import read_sealed
from portal.workflows.notifications.shared import notification_workflow_id
from portal.workflows.signing.shared import contract_workflow_id, seal_workflow_id
from tests.contracts import send_new, sign_as

pytestmark = pytest.mark.temporal


def rows(desk, *columns, **where):
    with desk.sessions.begin(desk.world.demo) as session:
        return session.execute(select(*columns).filter_by(**where)).all()


async def told(desk, contract):
    """Wait until everybody was told of what happened so far."""
    for event in desk.events(contract.id):
        if event.kind != "contract.drafted":
            await desk.client.get_workflow_handle(notification_workflow_id(event.id)).result()


def test_a_contract_is_reminded_of_signed_and_sealed(run, skipping, desk_at, tools, settings):
    async def story():
        async with desk_at(skipping.client) as desk:
            now = await skipping.get_current_time()
            with desk.sessions.begin(desk.world.demo) as session:
                contract = send_new(session, desk.world, tools.storage, now=now)
            await desk.tell(contract.id)
            await skipping.sleep(timedelta(days=3, minutes=1))
            await desk.tell(contract.id)
            assert desk.kinds(contract.id) == ["contract.drafted", "contract.sent", "contract.reminded"]
            await told(desk, contract)
            later = await skipping.get_current_time()
            with desk.sessions.begin(desk.world.demo) as session:
                sign_as(session, desk.world, session.get(Contract, contract.id), "alice", tools.storage, now=later)
            await desk.tell(contract.id)
            client = desk.client
            assert await client.get_workflow_handle(seal_workflow_id("contract", contract.id)).result() == "B-B"
            await client.get_workflow_handle(contract_workflow_id(contract.id)).result()
            await desk.tell(contract.id)
            await told(desk, contract)
            await skipping.sleep(timedelta(days=30))
            assert desk.kinds(contract.id)[3:] == ["contract.signed", "contract.sealed"]
            return desk, contract

    desk, contract = run(story())
    [(row,)] = rows(desk, SealedDocument, record_id=contract.id)
    assert validate(read_sealed(row, tools.storage), own_certificates(settings)).sound
    alice = desk.world.people["alice"].user_id
    notices = sorted(kind for (kind,) in rows(desk, Notification.kind, record_id=contract.id, user_id=alice))
    assert notices == ["contract_reminder", "contract_sealed", "contract_to_sign"]
    with desk.sessions.begin(desk.world.demo) as session:
        mails = select(MailMessage.template).where(
            MailMessage.user_id == alice, MailMessage.subject.contains(contract.number)
        )
        assert sorted(session.scalars(mails)) == notices
