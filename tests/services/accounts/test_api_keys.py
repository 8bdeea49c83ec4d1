"""Keys for programs that read: made, shown once, found by their hash, ended at once (H9.9)."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from portal.errors import Forbidden, Invalid, NotFound, Unauthenticated
from portal.models import ApiKey, AuditEntry, User, UserStatus
from portal.services.accounts.api_keys import create_key, find_key, list_keys, revoke_key, touch_key
from tests.services.accounts.account_world import ORIGIN, letterhead, mails


def make(session, world, now, name="Monthly report", who="bob", actor=None):
    actor = actor or world.people[who].actor
    return create_key(session, name, letterhead=letterhead(world.demo), actor=actor, now=now)


def test_a_key_stands_for_its_owner(session, world, now):
    made = make(session, world, now, "  Monthly   report ")
    assert (made.key.name, made.secret[:3], len(made.secret)) == ("Monthly report", "pk_", 46)
    found = find_key(session, made.secret, ORIGIN)
    assert found.id == made.key.id
    assert found.identity.actor.user_id == world.people["bob"].user_id
    assert found.identity.actor.permissions == world.people["bob"].actor.permissions


def test_only_its_hash_and_its_beginning_are_kept(session, world, now):
    made = make(session, world, now)
    row = session.get_one(ApiKey, made.key.id)
    assert made.secret.startswith(row.prefix)
    assert len(row.prefix) == 10
    assert made.secret.encode() not in row.key_hash
    (mail,) = mails(session, "bob@acme.example")
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "api_key.created")).one()
    assert entry.after == {"prefix": row.prefix}
    assert made.secret not in mail.text + mail.html


def test_keys_are_listed_newest_first_and_only_one_s_own(session, world, now, actor_of):
    first = make(session, world, now)
    second = make(session, world, now + timedelta(minutes=1), "Other")
    make(session, world, now, who="alice")
    assert [key.id for key in list_keys(session, actor=actor_of("bob"))] == [second.key.id, first.key.id]


def test_a_revoked_key_is_refused_at_once(session, world, now, actor_of):
    made = make(session, world, now)
    revoke_key(session, made.key.id, actor=actor_of("bob"), now=now)
    with pytest.raises(Unauthenticated):
        find_key(session, made.secret, ORIGIN)
    assert list_keys(session, actor=actor_of("bob")) == []
    with pytest.raises(NotFound):
        revoke_key(session, made.key.id, actor=actor_of("bob"), now=now)


@pytest.mark.parametrize(
    "change", [{"status": UserStatus.SUSPENDED}, {"status": UserStatus.LOCKED}, {"portal_access": False}]
)
def test_so_is_one_whose_owner_may_not_sign_in(session, world, now, change):
    made = make(session, world, now)
    session.execute(update(User).where(User.id == world.people["bob"].user_id).values(**change))
    with pytest.raises(Unauthenticated):
        find_key(session, made.secret, ORIGIN)


@pytest.mark.parametrize("who", ["alice", "charlie"])
def test_others_keys_are_not_found(session, world, now, actor_of, who):
    made = make(session, world, now)
    with pytest.raises(NotFound):
        revoke_key(session, made.key.id, actor=actor_of(who), now=now)
    assert find_key(session, made.secret, ORIGIN)


@pytest.mark.parametrize("token", ["pk_", "pk_x", "pk_é", "pk_\ud800", "pk_" + "a" * 5000])
def test_made_up_keys_are_refused(session, token):
    with pytest.raises(Unauthenticated):
        find_key(session, token, ORIGIN)


def test_a_key_does_not_leave_its_tenant(sessions, session, world, now):
    made = make(session, world, now)
    with sessions.begin(world.nova) as elsewhere, pytest.raises(Unauthenticated):
        find_key(elsewhere, made.secret, ORIGIN)


@pytest.mark.parametrize("who", ["sam", "ada"])
def test_staff_have_none(session, world, now, actor_of, who):
    with pytest.raises(Forbidden):
        make(session, world, now, who=who)
    with pytest.raises(Forbidden):
        list_keys(session, actor=actor_of(who))
    # Nor one from a time when the login was another kind's.
    session.add(ApiKey(user_id=actor_of(who).user_id, name="Old", prefix="pk_old", key_hash=b"x" * 32, created_at=now))
    made = make(session, world, now, actor=replace(actor_of("bob"), user_id=actor_of(who).user_id))
    with pytest.raises(Unauthenticated):
        find_key(session, made.secret, ORIGIN)


@pytest.mark.parametrize(
    ("name", "code"), [("  ", "required"), ("x" * 61, "too_long"), ("a\x00", "characters_forbidden")]
)
def test_a_key_needs_a_name(session, world, now, name, code):
    with pytest.raises(Invalid) as refused:
        make(session, world, now, name)
    assert refused.value.errors[0].code == code


def test_use_is_noted_once_a_minute(session, world, now):
    made = make(session, world, now)

    def use(at, ip):
        return touch_key(session, find_key(session, made.secret, ORIGIN), ip=ip, now=at)

    assert use(now, "198.51.100.1")
    assert not use(now + timedelta(seconds=59), "198.51.100.2")
    session.expire_all()
    assert (made.key.last_used_at, made.key.last_used_ip) == (now, "198.51.100.1")
    assert use(now + timedelta(seconds=60), "198.51.100.3")
    session.expire_all()
    assert made.key.last_used_ip == "198.51.100.3"
