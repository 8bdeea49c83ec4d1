"""The proof of a mail domain in a Temporal server: looks come by themselves, on request, and end."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import delete, select
from temporalio.client import WorkflowExecutionStatus

from portal.models import AuditEntry, EmailDomain, IdentityProvider, NextStep
from portal.services.accounts.sso.domains import check_domain_again, claim_domain, remove_domain
from portal.workflows.accounts.shared import domain_proof_workflow_id
from tests.workflows.conftest import eventually

pytestmark = pytest.mark.temporal
NAME = "_portico.timed.example"
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
def provider_id(sessions, world):
    made = uuid4()
    with sessions.begin(world.demo) as session:
        session.add(IdentityProvider(id=made, name="x", issuer="x", client_id="x", client_secret=b""))
    yield made
    with sessions.begin(world.demo) as session:
        ids = select(EmailDomain.id).where(EmailDomain.provider_id == made)
        session.execute(delete(NextStep).where(NextStep.record_id.in_(ids)))
        session.execute(delete(EmailDomain).where(EmailDomain.provider_id == made))
        session.execute(delete(IdentityProvider).where(IdentityProvider.id == made))


class Claim:
    """A domain claimed at a desk; changes are told like the relay would."""

    def __init__(self, desk, domain_id):
        self.desk, self.id = desk, domain_id
        self.handle = desk.client.get_workflow_handle(domain_proof_workflow_id(domain_id))

    @classmethod
    async def make(cls, desk, provider_id, now):
        with desk.sessions.begin(desk.world.demo) as session:
            made = claim_domain(session, provider_id, "timed.example", actor=desk.actor("ada"), now=now)
        claim = cls(desk, made)
        await desk.tell(made)
        return claim

    async def do(self, service, now):
        await self.desk.do(service, self.id, actor=self.desk.actor("ada"), now=now)

    def row(self):
        with self.desk.sessions.begin(self.desk.world.demo) as session:
            return session.get(EmailDomain, self.id)

    def proof(self):
        return self.row().proof

    def verified_at(self):
        return self.row().verified_at

    def next_look(self):
        with self.desk.sessions.begin(self.desk.world.demo) as session:
            return session.scalar(select(NextStep.at).where(NextStep.record_id == self.id))

    def actions(self):
        with self.desk.sessions.begin(self.desk.world.demo) as session:
            query = select(AuditEntry.action).where(AuditEntry.record_id == self.id).order_by(AuditEntry.seq)
            return list(session.scalars(query))


def test_the_record_is_found_by_itself_and_looked_at_each_week(run, skipping, desk_at, provider_id, records):
    async def story():
        async with desk_at(skipping.client) as desk:
            claim = await Claim.make(desk, provider_id, await skipping.get_current_time())
            await skipping.sleep(2 * HOUR)
            assert claim.verified_at() is None
            seldom = len(records.asked)
            assert 4 < seldom < 15
            records.texts[NAME] = [claim.proof()]
            await skipping.sleep(2 * HOUR)
            first = claim.verified_at()
            assert first is not None
            assert claim.next_look() == first + 7 * DAY
            looks = len(records.asked)
            await skipping.sleep(15 * DAY)
            assert len(records.asked) == looks + 2
            records.texts.clear()
            await skipping.sleep(30 * DAY)
            assert claim.verified_at() is None
            assert claim.next_look() is None
            assert claim.actions() == ["email_domain.claimed", "email_domain.verified", "email_domain.lost"]
            await claim.handle.terminate()

    run(story())


def test_who_asks_does_not_wait_and_a_withdrawn_claim_ends_the_run(run, skipping, desk_at, provider_id, records):
    async def story():
        async with desk_at(skipping.client) as desk:
            now = await skipping.get_current_time()
            claim = await Claim.make(desk, provider_id, now)
            await skipping.sleep(8 * DAY)
            # Nobody looks any more; nobody waits for a timer either.
            assert claim.next_look() is None
            looks = len(records.asked)
            records.texts[NAME] = [claim.proof()]
            await claim.do(check_domain_again, now + 8 * DAY)
            await eventually_proved(claim)
            assert len(records.asked) == looks + 1
            await claim.do(remove_domain, now + 9 * DAY)
            await claim.handle.result()
            assert (await claim.handle.describe()).status is WorkflowExecutionStatus.COMPLETED
            assert claim.next_look() is None

    run(story())


async def eventually_proved(claim):
    await eventually(claim.verified_at)


def test_a_run_that_nobody_looks_for_any_more_ends_with_its_claim(run, skipping, desk_at, provider_id):
    async def story():
        async with desk_at(skipping.client) as desk:
            now = await skipping.get_current_time()
            claim = await Claim.make(desk, provider_id, now)
            await skipping.sleep(8 * DAY)
            await claim.do(remove_domain, now + 8 * DAY)
            await claim.handle.result()

    run(story())


def test_silent_name_servers_are_asked_again(run, skipping, desk_at, provider_id, records):
    async def story():
        async with desk_at(skipping.client) as desk:
            now = await skipping.get_current_time()
            records.silent = True
            claim = await Claim.make(desk, provider_id, now)
            await skipping.sleep(2 * HOUR)
            assert len(records.asked) > 4
            records.silent, records.texts[NAME] = False, [claim.proof()]
            await skipping.sleep(2 * HOUR)
            assert claim.verified_at() is not None
            await claim.do(remove_domain, now)
            await claim.handle.result()

    run(story())


def test_the_same_event_told_twice_starts_no_second_run(run, skipping, desk_at, provider_id, records):
    async def story():
        async with desk_at(skipping.client) as desk:
            now = await skipping.get_current_time()
            claim = await Claim.make(desk, provider_id, now)
            desk._told.clear()
            await desk.tell(claim.id)
            first = (await claim.handle.describe()).run_id
            await claim.do(remove_domain, now)
            await claim.handle.result()
            desk._told.clear()
            await desk.tell(claim.id)
            assert (await claim.handle.describe()).run_id == first

    run(story())
