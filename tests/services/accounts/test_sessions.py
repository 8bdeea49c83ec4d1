from datetime import timedelta

import pytest
from sqlalchemy import select, update

from portal.errors import Unauthenticated
from portal.models import AuditEntry, AuthSession, User, UserStatus
from portal.services.accounts.passwords import Passwords
from portal.services.accounts.sessions import (
    DOORS,
    IDLE,
    Origin,
    find_signed_in,
    sign_out,
    touch_session,
)
from portal.services.accounts.sign_in import Attempt, SignedInNow, continue_sign_in, prove_password
from tests.conftest import CHEAP
from tests.world import PASSWORD

ORIGIN = Origin("127.0.0.1", "Test/1.0", "request-1")


def enter(session, now, *, identifier="bob@acme.example", password=PASSWORD, door="portal"):
    attempt = Attempt(identifier, password, door, DOORS[door], ORIGIN)
    user = prove_password(session, attempt, passwords=CHEAP, now=now)
    if user is None:
        raise Unauthenticated("wrong_credentials")
    done = continue_sign_in(session, user, door=door, method="password", origin=ORIGIN, device=None, now=now)
    assert isinstance(done, SignedInNow)
    return done.token, done.identity


def found(session, token, now, door="portal"):
    return find_signed_in(session, token, door, now)


def test_the_right_password_starts_a_session(session, now, actor_of):
    token, identity = enter(session, now)
    assert identity.actor.user_id == actor_of("bob").user_id
    assert found(session, token, now) is not None
    stored = session.scalars(select(AuthSession.token_hash)).all()
    assert token.encode() not in stored  # only its hash


def test_addresses_are_matched_without_case_or_blanks(session, now):
    assert enter(session, now, identifier="  BOB@Acme.example ")


@pytest.mark.parametrize(
    "attempt",
    [
        {"password": "wrong"},
        {"password": ""},
        {"password": "x" * 5000},
        {"password": "a\x00b\ud800"},
        {"identifier": "nobody@acme.example"},
        {"identifier": "nia@nova.example"},
        {"identifier": "sam@demo.example"},
        {"door": "admin"},
    ],
)
def test_every_refusal_is_the_same(session, now, attempt):
    with pytest.raises(Unauthenticated) as refused:
        enter(session, now, **attempt)
    assert refused.value.code == "wrong_credentials"


@pytest.mark.parametrize("status", [UserStatus.PENDING, UserStatus.SUSPENDED, UserStatus.LOCKED])
def test_only_active_logins_enter_and_stay(session, now, actor_of, status):
    token, _ = enter(session, now)
    session.execute(update(User).where(User.id == actor_of("bob").user_id).values(status=status))
    assert found(session, token, now) is None
    with pytest.raises(Unauthenticated):
        enter(session, now)


def test_portal_access_can_be_taken_away(session, now, actor_of):
    token, _ = enter(session, now)
    session.execute(update(User).where(User.id == actor_of("bob").user_id).values(portal_access=False))
    assert found(session, token, now) is None


def test_a_session_opens_only_its_own_door(session, now):
    token, _ = enter(session, now)
    assert found(session, token, now, "admin") is None
    token, _ = enter(session, now, identifier="sam@demo.example", door="admin")
    assert found(session, token, now, "portal") is None


def test_idleness_and_age_end_a_session(session, now):
    token, _ = enter(session, now)
    assert found(session, token, now + IDLE - timedelta(seconds=1))
    assert found(session, token, now + IDLE) is None
    row = session.scalars(select(AuthSession)).one()
    for minutes in range(20, 12 * 60, 20):
        touch_session(session, row, now=now + timedelta(minutes=minutes))
        session.expire(row)
    assert found(session, token, now + timedelta(hours=11, minutes=59))
    assert found(session, token, now + timedelta(hours=12)) is None


def test_activity_is_noted_once_a_minute(session, now):
    enter(session, now)
    row = session.scalars(select(AuthSession)).one()
    assert not touch_session(session, row, now=now + timedelta(seconds=59))
    assert touch_session(session, row, now=now + timedelta(seconds=60))


def test_a_token_is_worth_nothing_after_signing_out(session, now):
    token, identity = enter(session, now)
    sign_out(session, token, actor=identity.actor, now=now)
    assert found(session, token, now) is None


def test_signing_in_is_audited_with_its_origin(session, now):
    _, identity = enter(session, now)
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "user.signed_in")).one()
    assert (entry.actor_id, entry.ip, entry.request_id) == (identity.actor.user_id, "127.0.0.1", "request-1")


def test_a_cheaper_hash_is_renewed(session, now, actor_of):
    before = session.scalar(select(User.password_hash).where(User.id == actor_of("bob").user_id))
    dearer = Passwords(time_cost=2, memory_kib=16)
    attempt = Attempt("bob@acme.example", PASSWORD, "portal", DOORS["portal"], ORIGIN)
    assert prove_password(session, attempt, passwords=dearer, now=now)
    session.flush()
    after = session.scalar(select(User.password_hash).where(User.id == actor_of("bob").user_id))
    assert after != before
    assert dearer.matches(PASSWORD, after)
