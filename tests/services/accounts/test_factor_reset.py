"""Lost second factors are cleared by staff with the right, with a reason, told to the owner (ASVS 6.4.4)."""

from dataclasses import replace

import pytest
from sqlalchemy import func, select

from portal.authz import Permission
from portal.errors import Conflict, Forbidden, Invalid, NotFound
from portal.models import (
    AuditEntry,
    AuthSession,
    MailMessage,
    Membership,
    Passkey,
    RecoveryCode,
    Role,
    SignInChallenge,
    TokenFamily,
    TotpFactor,
    User,
)
from portal.services.accounts.access_history import load_history
from portal.services.accounts.factor_policy import must_enrol_now
from portal.services.accounts.factor_reset import reset_factors
from portal.services.accounts.factors import read_factors
from portal.services.accounts.second_step import find_challenge
from portal.services.accounts.sign_in import open_challenge
from portal.services.tenants.sign_in_policy import SecondFactor, SignInPolicy
from tests.services.accounts.stage import Stage
from tests.together import codes_of

WHY = "Called back at the number on record"


@pytest.fixture
def person_of(session, world):
    return lambda name: session.scalar(select(User.person_id).where(User.id == world.people[name].user_id))


@pytest.fixture
def reset(session, actor_of, person_of, delivery, now):
    """Reset somebody's factors as somebody."""

    def run(who="bob", by="mia", reason=WHY, actor=None, required=False):
        head = delivery
        if required:
            policy = SignInPolicy(second_factor=SecondFactor.EVERYBODY, grace_days=7)
            head = replace(delivery, tenant=replace(delivery.tenant, sign_in=policy))
        person_id = person_of(who)
        return reset_factors(session, person_id, reason, delivery=head, actor=actor or actor_of(by), now=now)

    return run


def count(session, model, user_id):
    return session.scalar(select(func.count()).select_from(model).where(model.user_id == user_id))


def test_everything_is_cleared_and_every_sign_in_ends(session, reset, enrolled, world, now):
    enrolled("bob")
    user = session.get(User, world.people["bob"].user_id)
    session.add(Passkey(tenant_id=world.demo, user_id=user.id, name="Old phone", credential_id=b"old", public_key=b"k",
                        transports=[]))  # fmt: skip
    session.add(TokenFamily(tenant_id=world.demo, user_id=user.id))
    half = open_challenge(session, user, door="portal", method="password", now=now)
    session.flush()
    held = reset("bob")
    assert (held.totp, held.passkeys, held.recovery_codes) == (True, 1, 10)
    assert not read_factors(session, user.id).any
    for model in (TotpFactor, Passkey, RecoveryCode):
        assert count(session, model, user.id) == 0
    for model in (AuthSession, TokenFamily):
        living = select(func.count()).select_from(model).where(model.user_id == user.id, model.revoked_at.is_(None))
        assert session.scalar(living) == 0
    assert session.scalar(select(SignInChallenge.used_at).where(SignInChallenge.user_id == user.id)) == now
    with pytest.raises(Exception, match="challenge_expired"):
        find_challenge(session, half.challenge, "portal", now=now)


def test_the_reason_is_in_the_trail_and_the_owner_is_told(session, reset, enrolled, world):
    enrolled("bob")
    reset("bob", reason="  Met in person,\n badge 17  ")
    query = select(AuditEntry).where(AuditEntry.action == "user.factors_reset")
    entry = session.scalars(query.where(AuditEntry.record_id == world.people["bob"].user_id)).one()
    assert entry.after == {"reason": "Met in person, badge 17", "totp": True, "passkeys": 0}
    assert entry.actor_id == world.people["mia"].user_id
    mail = session.scalars(select(MailMessage).where(MailMessage.template == "factors_reset")).one()
    assert mail.recipient == "bob@acme.example"
    assert "Mia Lindqvist" in mail.text
    assert "/portal/login" in mail.text
    assert "badge 17" not in mail.text + mail.html


@pytest.mark.parametrize("required", [True, False])
def test_no_days_of_grace_where_a_factor_is_required(session, reset, enrolled, world, now, required):
    enrolled("bob")
    reset("bob", required=required)
    session.flush()
    user = session.get(User, world.people["bob"].user_id)
    assert user.second_factor_due_at == (now if required else None)
    policy = SignInPolicy(second_factor=SecondFactor.EVERYBODY, grace_days=7)
    assert must_enrol_now(policy, user, now) is required


@pytest.mark.parametrize("reason", ["", " \n", "x" * 256, "a\x00b"])
def test_without_a_reason_nothing_happens(session, reset, enrolled, world, reason):
    enrolled("bob")
    with pytest.raises(Invalid) as refused:
        reset("bob", reason=reason)
    assert refused.value.errors[0].field == "reason"
    assert read_factors(session, world.people["bob"].user_id).totp


def test_there_has_to_be_something_to_clear(reset):
    with pytest.raises(Conflict, match="factor_not_on"):
        reset("bob")


@pytest.mark.parametrize("by", ["sam", "bill", "dora", "alice", "bob"])
def test_who_may_not(session, reset, enrolled, world, by):
    enrolled("bob")
    with pytest.raises(Forbidden):
        reset("bob", by=by)
    assert read_factors(session, world.people["bob"].user_id).totp


def test_of_another_tenant_there_is_nobody(sessions, delivery, world, person_of, now):
    bob = person_of("bob")
    with sessions.begin(world.nova) as elsewhere, pytest.raises(NotFound):
        reset_factors(elsewhere, bob, WHY, delivery=delivery, actor=world.people["noor"].actor, now=now)


@pytest.mark.parametrize("who", ["mia", "sam"])
def test_the_teams_are_cleared_by_the_tenants_administrators_alone(session, reset, enrolled, actor_of, world, who):
    enrolled(who)
    managing = replace(actor_of("dora"), granted=frozenset(Permission))
    for actor in (actor_of("mia"), managing):
        with pytest.raises(Forbidden):
            reset(who, actor=actor)
    assert read_factors(session, world.people[who].user_id).totp
    assert reset(who, by="ada").totp


def test_a_lower_role_never_clears_a_higher_ones(session, reset, enrolled, actor_of):
    enrolled("ada")
    for permissions in ({Permission.STAFF_MANAGE, Permission.ACCESS_MANAGE}, set(Permission)):
        with pytest.raises(Forbidden, match="more_than_own"):
            reset("ada", actor=replace(actor_of("sam"), granted=frozenset(permissions)))


def test_nobody_clears_their_own(session, reset, enrolled, world, actor_of):
    enrolled("ada")
    with pytest.raises(Forbidden, match="not_yourself"):
        reset("ada", by="ada")
    assert read_factors(session, world.people["ada"].user_id).totp


def test_the_record_says_who_may(session, enrolled, actor_of, person_of, now):
    enrolled("bob")
    enrolled("sam")
    shown = {
        (who, by): load_history(session, person_of(who), actor=actor, now=now).resettable
        for who, by, actor in (
            ("bob", "mia", actor_of("mia")),
            ("alice", "mia", actor_of("mia")),
            ("sam", "ada", actor_of("ada")),
            ("sam", "lead", replace(actor_of("mia"), granted=frozenset({Permission.STAFF_MANAGE}))),
        )
    }
    assert shown == {("bob", "mia"): True, ("alice", "mia"): False, ("sam", "ada"): True, ("sam", "lead"): False}


def test_another_administrator_may(session, reset, enrolled, world, actor_of):
    session.add(Membership(tenant_id=world.demo, user_id=world.people["mia"].user_id, role=Role.TENANT_ADMIN))
    session.flush()
    enrolled("mia")
    assert reset("mia", by="ada").totp


def test_ten_at_once_reset_once(database, settings, now):
    stage = Stage(database, "factor_reset", now=now, crowd=10)
    bob = stage.actor("bob")
    with stage.begin() as session:
        person_id = session.scalar(select(User.person_id).where(User.id == bob.user_id))
        session.add(TotpFactor(tenant_id=bob.tenant_id, user_id=bob.user_id, secret=b"x", confirmed_at=now))

    def run(session, _):
        return reset_factors(session, person_id, WHY, delivery=stage.delivery, actor=stage.actor("mia"), now=now)

    outcomes = codes_of(stage.all_at_once(10, run))
    assert sorted(outcomes) == ["factor_not_on"] * 9 + ["ok"]
    with stage.begin() as session:
        assert session.scalars(select(MailMessage.template)).all() == ["factors_reset"]
    stage.engine.dispose()
