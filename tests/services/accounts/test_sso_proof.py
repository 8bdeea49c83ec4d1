"""A domain's proof over time: looked for ever more seldom, found, watched, lost, withdrawn."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import delete, select

from portal.models import AuditEntry, EmailDomain, IdentityProvider, NextStep
from portal.services.accounts.sso.proof import Look, look_for_proof
from tests.outbox import Records

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
NAME, PROOF = "_portico.proved.example", "portico-verification=0123"


@pytest.fixture
def domain(sessions, world, now):
    """A claimed domain, really stored."""
    provider_id, domain_id = uuid4(), uuid4()
    with sessions.begin(world.demo) as session:
        session.add(IdentityProvider(id=provider_id, name="x", issuer="x", client_id="x", client_secret=b""))
        session.flush()
        session.add(
            EmailDomain(id=domain_id, provider_id=provider_id, domain="proved.example", proof=PROOF, created_at=now)
        )
    yield domain_id
    with sessions.begin(world.demo) as session:
        session.execute(delete(NextStep).where(NextStep.record_id == domain_id))
        session.execute(delete(EmailDomain).where(EmailDomain.id == domain_id))
        session.execute(delete(IdentityProvider).where(IdentityProvider.id == provider_id))


@pytest.fixture
def dns():
    return Records()


@pytest.fixture
def look(sessions, world, domain, dns):
    return lambda at: look_for_proof(sessions, world.demo, domain, dns=dns, now=at)


@pytest.fixture
def stored(sessions, world, domain):
    def read():
        with sessions.begin(world.demo) as session:
            row = session.get(EmailDomain, domain)
            steps = session.execute(select(NextStep.at, NextStep.kind, NextStep.staff_only)).all()
            actions = session.scalars(
                select(AuditEntry.action).where(AuditEntry.record_id == domain).order_by(AuditEntry.seq)
            ).all()
            return row, [tuple(step) for step in steps if step.kind == "email_domain_check"], actions

    return read


def test_looks_become_rarer_and_end(look, stored, now):
    for waited, pause in (
        (timedelta(0), MINUTE),
        (MINUTE, MINUTE),
        (10 * MINUTE, 10 * MINUTE),
        (3 * HOUR, HOUR),
        (7 * DAY, HOUR),
    ):
        at = now + waited
        assert look(at) == Look(at + pause)
        row, steps, _ = stored()
        assert (row.checked_at, row.verified_at) == (at, None)
        assert steps == [(at + pause, "email_domain_check", True)]
    late = now + 7 * DAY + MINUTE
    assert look(late) == Look(None)
    assert stored()[1] == []


@pytest.mark.parametrize("texts", [[PROOF], ["v=spf1 -all", PROOF], [f" {PROOF} "]], ids=str)
def test_the_record_proves(look, stored, dns, now, texts):
    dns.texts[NAME] = texts
    assert look(now) == Look(now + 7 * DAY)
    row, _, actions = stored()
    assert (row.verified_at, actions) == (now, ["email_domain.verified"])
    assert dns.asked == [NAME]


@pytest.mark.parametrize("texts", [[PROOF[:-1]], [f"{PROOF}4"], [PROOF.upper()], [f"x {PROOF}"], [""]], ids=str)
def test_anything_else_does_not(look, stored, dns, now, texts):
    dns.texts[NAME] = texts
    look(now)
    assert stored()[0].verified_at is None


def test_a_record_at_the_wrong_name_does_not(look, stored, dns, now):
    dns.texts["proved.example"] = [PROOF]
    look(now)
    assert stored()[0].verified_at is None


def test_it_is_found_long_after_the_looks_have_ended(look, stored, dns, now):
    look(now + 8 * DAY)
    dns.texts[NAME] = [PROOF]
    look(now + 30 * DAY)
    assert stored()[0].verified_at == now + 30 * DAY


def test_a_lost_record_is_missed_for_some_days_before_it_counts(look, stored, dns, now):
    dns.texts[NAME] = [PROOF]
    look(now)
    dns.texts.clear()
    for waited in (7 * DAY, 10 * DAY):
        assert look(now + waited) == Look(now + waited + HOUR)
        assert stored()[0].verified_at == now
    assert look(now + 10 * DAY + MINUTE) == Look(None)
    row, steps, actions = stored()
    assert (row.verified_at, steps, actions) == (None, [], ["email_domain.verified", "email_domain.lost"])


def test_a_record_that_comes_back_counts_on(look, stored, dns, now):
    dns.texts[NAME] = [PROOF]
    look(now)
    dns.texts.clear()
    look(now + 7 * DAY)
    dns.texts[NAME] = [PROOF]
    assert look(now + 8 * DAY) == Look(now + 15 * DAY)
    assert stored()[2] == ["email_domain.verified"]


def test_silent_name_servers_prove_nothing_and_disprove_nothing(look, stored, dns, now):
    dns.silent = True
    assert look(now) == Look(now + MINUTE)
    assert stored()[0].verified_at is None
    dns.silent, dns.texts[NAME] = False, [PROOF]
    look(now)
    dns.silent = True
    assert look(now + 90 * DAY) == Look(now + 90 * DAY + HOUR)
    assert stored()[0].verified_at == now


def test_a_withdrawn_claim_ends_it(look, sessions, world, domain, dns, now):
    with sessions.begin(world.demo) as session:
        session.execute(delete(EmailDomain).where(EmailDomain.id == domain))
    assert look(now) == Look(None, gone=True)
    assert dns.asked == []


def test_a_claim_withdrawn_while_the_record_is_looked_for(look, stored, sessions, world, domain, dns, now):
    def withdraw(name):
        with sessions.begin(world.demo) as session:
            session.execute(delete(EmailDomain).where(EmailDomain.id == domain))
        return [PROOF]

    dns.find = withdraw
    assert look(now) == Look(None, gone=True)
    assert stored()[1] == []


def test_another_tenant_s_claim_is_not_there(sessions, world, domain, dns, now):
    assert look_for_proof(sessions, world.nova, domain, dns=dns, now=now).gone
