"""Another password, by somebody who knows the one that is (H9.2)."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from portal.errors import Invalid, Unauthenticated
from portal.models import AuditEntry, AuthSession, LinkPurpose, OneTimeLink, SignInLock, TokenFamily, User
from portal.services.accounts.identity import build_identity, select_identity
from portal.services.accounts.one_time import issue_link
from portal.services.accounts.password_change import PasswordChange, change_password, has_password
from portal.services.accounts.sessions import start_session
from tests.conftest import CHEAP
from tests.services.accounts.account_world import ORIGIN, VAULT, letterhead, mails
from tests.world import PASSWORD

NEW = "seven otters sail to Graz"


def change(session, world, now, *, current=PASSWORD, new=NEW, name="bob", keep=None):
    actor = world.people[name].actor
    identity = build_identity(session.execute(select_identity().where(User.id == actor.user_id)).one())
    return change_password(
        session,
        PasswordChange(current, new, ORIGIN),
        identity=identity,
        passwords=CHEAP,
        letterhead=letterhead(world.demo),
        now=now,
        keep=keep,
    )


def stored(session, world, name="bob"):
    session.flush()
    session.expire_all()
    return session.get_one(User, world.people[name].user_id)


def test_the_new_one_works_and_the_old_one_does_not(session, world, now):
    stored(session, world).must_reset_password = True
    assert change(session, world, now)
    user = stored(session, world)
    assert CHEAP.matches(NEW, user.password_hash)
    assert not CHEAP.matches(PASSWORD, user.password_hash)
    assert (user.password_changed_at, user.must_reset_password) == (now, False)


def test_everything_else_that_is_signed_in_ends(session, world, now):
    user = stored(session, world)
    for _ in range(3):
        start_session(
            session, user, door="portal", method="password", factor=False, device_id=None, origin=ORIGIN, now=now
        )
    families = [TokenFamily(user_id=user.id, created_at=now, last_used_at=now) for _ in range(2)]
    session.add_all(families)
    session.flush()
    kept = session.scalars(select(AuthSession.id).where(AuthSession.user_id == user.id)).first()
    assert change(session, world, now, keep=kept)
    session.expire_all()
    rows = session.scalars(select(AuthSession).where(AuthSession.user_id == user.id)).all()
    assert {row.id for row in rows if row.revoked_at is None} == {kept}
    assert all(session.get_one(TokenFamily, family.id).revoked_at == now for family in families)
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "user.password_changed")).one()
    assert entry.after == {"sessions_ended": 4}


def test_a_program_that_asks_stays_signed_in(session, world, now):
    user = stored(session, world)
    asking, other = (TokenFamily(user_id=user.id, created_at=now, last_used_at=now) for _ in range(2))
    session.add_all([asking, other])
    session.flush()
    assert change(session, world, now, keep=asking.id)
    session.expire_all()
    assert (asking.revoked_at, other.revoked_at) == (None, now)


def test_reset_links_end_and_the_owner_is_told(session, world, now):
    user_id = world.people["bob"].user_id
    link = issue_link(session, LinkPurpose.RESET_PASSWORD, user_id=user_id, vault=VAULT, now=now)
    assert change(session, world, now)
    session.expire_all()
    assert session.get_one(OneTimeLink, link.id).revoked_at == now
    (mail,) = mails(session, "bob@acme.example")
    assert mail.template == "password_changed"
    assert "Firefox · Linux" in mail.text
    assert not any(secret in mail.text + mail.html for secret in (PASSWORD, NEW))


def test_a_wrong_one_changes_nothing_and_counts(session, world, now):
    assert not change(session, world, now, current="wrong")
    assert CHEAP.matches(PASSWORD, stored(session, world).password_hash)
    assert mails(session) == []
    assert session.scalars(select(SignInLock.failures)).one() == 1
    assert change(session, world, now)
    assert session.scalars(select(SignInLock.failures)).all() == []


def test_guessing_it_is_locked_like_a_sign_in(session, world, now):
    for _ in range(5):
        assert not change(session, world, now, current="wrong")
    with pytest.raises(Unauthenticated) as refused:
        change(session, world, now)
    assert refused.value.code == "sign_in_locked"
    assert refused.value.params["retry_after"] == 900
    assert change(session, world, now + timedelta(minutes=16))


@pytest.mark.parametrize(
    ("new", "code"), [(PASSWORD, "password_unchanged"), ("short", "too_short"), ("x" * 129, "too_long")]
)
def test_what_is_not_taken(session, world, now, new, code):
    with pytest.raises(Invalid) as refused:
        change(session, world, now, new=new)
    assert [(error.field, error.code) for error in refused.value.errors] == [("new_password", code)]
    assert CHEAP.matches(PASSWORD, stored(session, world).password_hash)


def test_the_rules_know_the_person_s_own_words(session, world, now, monkeypatch):
    seen = {}

    def note(password, own_words, *, field):
        seen["words"] = own_words

    monkeypatch.setattr("portal.services.accounts.password_change.check_password", note)
    change(session, world, now)
    assert {"bob keller", "bob@acme.example", "acme", "kestrel it"} <= set(seen["words"])


def test_who_has_none_cannot_change_it(session, world, now, actor_of):
    session.execute(update(User).where(User.id == actor_of("bob").user_id).values(password_hash=None))
    assert not has_password(session, actor=actor_of("bob"))
    assert not change(session, world, now, current="")
    assert has_password(session, actor=actor_of("alice"))
