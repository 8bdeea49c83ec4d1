"""The rules of signing in: bounded, audited, and fair to those they newly concern."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select

from portal.errors import Forbidden, Invalid
from portal.models import AuditEntry, AuthSession, Passkey, Tenant, TotpFactor, User, UserKind
from portal.services.tenants.sign_in_policy import SecondFactor, SignInPolicy, read_policy
from portal.services.tenants.sign_in_settings import (
    SignInForm,
    count_concerned,
    list_domains,
    load_policy,
    save_policy,
)

FORM = SignInForm("staff", 3, 20, True, False, True)


@pytest.fixture
def ada(actor_of):
    return actor_of("ada")


def due(session, world, name):
    session.expire_all()
    return session.scalars(select(User.second_factor_due_at).where(User.id == world.people[name].user_id)).one()


def test_saved_and_read_again(session, ada, now):
    policy = save_policy(session, FORM, actor=ada, now=now)
    assert policy == SignInPolicy(SecondFactor.STAFF, 3, 20, True, False, True)
    session.expire_all()
    assert load_policy(session, actor=ada) == policy
    assert read_policy(session.get(Tenant, ada.tenant_id).settings) == policy


def test_other_settings_stay(session, ada, now):
    tenant = session.get(Tenant, ada.tenant_id)
    tenant.settings = {"else": 1}
    save_policy(session, FORM, actor=ada, now=now)
    assert tenant.settings["else"] == 1


def test_before_and_after_are_in_the_trail(session, ada, now):
    save_policy(session, FORM, actor=ada, now=now)
    save_policy(session, FORM, actor=ada, now=now)
    (entry,) = session.scalars(select(AuditEntry).where(AuditEntry.action == "tenant.sign_in_changed")).all()
    assert (entry.before["second_factor"], entry.after["second_factor"]) == ("optional", "staff")
    assert (entry.before["idle_minutes"], entry.after["idle_minutes"]) == (30, 20)
    assert entry.record_id == ada.tenant_id


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"second_factor": ""}, "second_factor", "unknown_choice"),
        ({"second_factor": "nobody"}, "second_factor", "unknown_choice"),
        ({"grace_days": None}, "grace_days", "out_of_range"),
        ({"grace_days": -1}, "grace_days", "out_of_range"),
        ({"grace_days": 31}, "grace_days", "out_of_range"),
        ({"idle_minutes": 4}, "idle_minutes", "out_of_range"),
        ({"idle_minutes": 721}, "idle_minutes", "out_of_range"),
    ],
)
def test_bounds(session, ada, now, change, field, code):
    with pytest.raises(Invalid) as error:
        save_policy(session, replace(FORM, **change), actor=ada, now=now)
    assert [(item.field, item.code) for item in error.value.errors] == [(field, code)]


def test_whom_it_concerns(session, world, ada, now):
    before = count_concerned(session, actor=ada, now=now)
    for name, confirmed in (("sam", now), ("mia", None)):
        session.add(
            TotpFactor(
                tenant_id=world.demo, user_id=world.people[name].user_id, secret=b"x", last_step=0, created_at=now,
                confirmed_at=confirmed,
            )
        )  # fmt: skip
    session.add(
        Passkey(
            tenant_id=world.demo, user_id=world.people["alice"].user_id, name="k", credential_id=b"c", public_key=b"p",
            sign_count=0, created_at=now,
        )
    )  # fmt: skip
    for name, revoked in (("bill", None), ("dora", now)):
        session.add(
            AuthSession(
                token_hash=uuid4().bytes, id=uuid4(), tenant_id=world.demo, user_id=world.people[name].user_id,
                door="admin", created_at=now, last_seen_at=now, expires_at=now + timedelta(hours=1), revoked_at=revoked,
            )
        )  # fmt: skip
    session.flush()
    after = count_concerned(session, actor=ada, now=now)
    staff, customers = UserKind.STAFF, UserKind.CUSTOMER
    assert after[staff].people == before[staff].people >= 6
    assert after[staff].without_factor == before[staff].without_factor - 1, "an unconfirmed one is none"
    assert after[customers].without_factor == before[customers].without_factor - 1
    assert after[staff].sessions == before[staff].sessions + 1


def test_grace_begins_for_those_who_newly_need_one(session, world, ada, now):
    factor = TotpFactor(
        tenant_id=world.demo, user_id=world.people["sam"].user_id, secret=b"x", last_step=0, created_at=now,
        confirmed_at=now,
    )  # fmt: skip
    session.add(factor)
    long_ago = session.get(User, world.people["mia"].user_id)
    long_ago.second_factor_due_at = now - timedelta(days=100)
    session.flush()
    save_policy(session, FORM, actor=ada, now=now)
    assert due(session, world, "mia") == now + timedelta(days=3), "a day of an earlier time does not count"
    assert due(session, world, "sam") is None
    assert due(session, world, "bob") is None
    later = now + timedelta(days=2)
    save_policy(session, replace(FORM, second_factor="everybody", grace_days=10), actor=ada, now=later)
    assert due(session, world, "mia") == now + timedelta(days=3), "who was told a day keeps it"
    assert due(session, world, "bob") == later + timedelta(days=10)


def test_only_this_tenant(session, world, ada, now):
    save_policy(session, FORM, actor=ada, now=now)
    other = session.scalars(select(Tenant).where(Tenant.id == world.nova).execution_options(all_tenants=True)).one()
    assert read_policy(other.settings) == SignInPolicy()


def test_domains_of_this_tenant(session, ada):
    hosts = [domain.host for domain in list_domains(session, actor=ada)]
    assert set(hosts) == {"127.0.0.1", "localhost", "demo.localhost"}
    assert hosts[0] == "127.0.0.1", "the main one first"


@pytest.mark.parametrize("name", ["sam", "mia", "bill", "dora", "alice", "bob"])
def test_who_may_not(session, actor_of, now, name):
    actor = actor_of(name)
    for call in (
        lambda: load_policy(session, actor=actor),
        lambda: count_concerned(session, actor=actor, now=now),
        lambda: save_policy(session, FORM, actor=actor, now=now),
        lambda: list_domains(session, actor=actor),
    ):
        with pytest.raises(Forbidden):
            call()
