"""A new mail address: proved by its mailbox, told to the old one, stopped or taken back from there (ACC-01)."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from portal.errors import Conflict, Forbidden, Invalid
from portal.lib.tokens import token_hash
from portal.models import (
    AuditEntry,
    AuthSession,
    LinkPurpose,
    OneTimeLink,
    TokenFamily,
    User,
    UserStatus,
)
from portal.services.accounts.email_change import (
    REQUESTS_A_DAY,
    cancel_email_change,
    confirm_email_change,
    keep_email,
    request_email_change,
)
from portal.services.accounts.identity import find_login
from portal.services.accounts.one_time import issue_link
from portal.services.accounts.own import load_own
from portal.services.accounts.phone_change import pending_changes
from portal.services.accounts.sessions import start_session
from tests.services.accounts.account_world import (
    ORIGIN,
    VAULT,
    letterhead,
    mails,
    newest,
    secret_of,
    templates,
)

NEW, OLD = "robert@acme.example", "bob@acme.example"


@pytest.fixture
def head(world):
    return letterhead(world.demo)


def ask(session, actor, head, now, email=NEW, **options):
    return request_email_change(session, email, letterhead=head, actor=actor, now=now, **options)


def confirm(session, head, now, token, **options):
    return confirm_email_change(session, token, letterhead=head, origin=ORIGIN, now=now, **options)


def sign_in(session, user_id, now):
    user = session.get_one(User, user_id)
    token, _ = start_session(
        session, user, door="portal", method="password", factor=False, device_id=None, origin=ORIGIN, now=now
    )
    session.flush()
    return session.scalars(select(AuthSession.id).where(AuthSession.token_hash == token_hash(token))).one()


def living(session, user_id):
    session.expire_all()
    return set(
        session.scalars(select(AuthSession.id).where(AuthSession.user_id == user_id, AuthSession.revoked_at.is_(None)))
    )


def test_nothing_changes_before_the_link_is_confirmed(session, now, actor_of, head):
    bob = actor_of("bob")
    assert ask(session, bob, head, now, " Robert@ACME.example ") == NEW
    assert load_own(session, bob).person.email == OLD
    assert find_login(session, NEW, None) is None
    assert pending_changes(session, bob.user_id, now=now)["email"].value == NEW
    assert (templates(session, NEW), templates(session, OLD)) == (["confirm_email"], ["email_change_requested"])


def test_the_confirmed_address_is_the_way_in_from_then_on(session, now, actor_of, head):
    bob = actor_of("bob")
    ask(session, bob, head, now)
    done = confirm(session, head, now, secret_of(session, newest(session, "confirm_email")))
    assert (done.user_id, done.email, done.changed) == (bob.user_id, NEW, True)
    own = load_own(session, bob)
    assert (own.person.email, own.person.email_verified_at) == (NEW, now)
    assert find_login(session, NEW, None).id == bob.user_id
    assert find_login(session, OLD, None) is None
    assert templates(session, OLD) == ["email_change_requested", "email_changed"]
    assert pending_changes(session, bob.user_id, now=now) == {}


def test_the_secret_is_in_no_stored_text(session, now, actor_of, head):
    ask(session, actor_of("bob"), head, now)
    for mail in mails(session):
        secret = secret_of(session, mail)
        assert secret not in mail.text + mail.html + mail.subject
        assert secret.encode() not in session.get_one(OneTimeLink, mail.link_id).token_hash


def test_two_secrets_are_two(session, now, actor_of, head):
    ask(session, actor_of("bob"), head, now)
    to_new, to_old = newest(session, "confirm_email"), newest(session, "email_change_requested")
    with pytest.raises(Conflict):
        confirm(session, head, now, secret_of(session, to_old))
    with pytest.raises(Conflict):
        keep_email(session, secret_of(session, to_new), origin=ORIGIN, now=now)


def test_everything_else_that_is_signed_in_ends(session, now, actor_of, head):
    bob = actor_of("bob")
    asking, other = sign_in(session, bob.user_id, now), sign_in(session, bob.user_id, now)
    alice = sign_in(session, actor_of("alice").user_id, now)
    family = TokenFamily(user_id=bob.user_id, created_at=now, last_used_at=now)
    session.add(family)
    ask(session, bob, head, now, session_id=asking)
    confirm(session, head, now, secret_of(session, newest(session, "confirm_email")))
    assert living(session, bob.user_id) == {asking}
    assert session.get_one(TokenFamily, family.id).revoked_at == now
    assert other not in living(session, bob.user_id)
    assert alice in living(session, actor_of("alice").user_id)


def test_the_session_that_confirms_lives_on_if_it_is_theirs(session, now, actor_of, head):
    bob, alice = actor_of("bob"), actor_of("alice")
    asking, confirming = sign_in(session, bob.user_id, now), sign_in(session, bob.user_id, now)
    stranger = sign_in(session, alice.user_id, now)
    ask(session, bob, head, now, session_id=asking)
    token = secret_of(session, newest(session, "confirm_email"))
    confirm(session, head, now, token, here=(bob.user_id, confirming))
    assert living(session, bob.user_id) == {confirming}
    later = now + timedelta(seconds=1)
    ask(session, bob, head, later, "third@acme.example", session_id=confirming)
    token = secret_of(session, newest(session, "confirm_email"))
    confirm(session, head, later, token, here=(alice.user_id, stranger))
    assert living(session, bob.user_id) == {confirming}


def test_links_sent_to_the_old_mailbox_die(session, now, actor_of, head):
    bob = actor_of("bob")
    reset = issue_link(session, LinkPurpose.RESET_PASSWORD, user_id=bob.user_id, vault=VAULT, now=now)
    ask(session, bob, head, now)
    confirm(session, head, now, secret_of(session, newest(session, "confirm_email")))
    session.expire_all()
    assert session.get_one(OneTimeLink, reset.id).revoked_at == now


@pytest.mark.parametrize(
    ("email", "code"),
    [("", "required"), ("  ", "required"), ("robert", "email_invalid"), ("a@b.example\nBcc: c@d.example", "email_invalid"),
     ("a\x00@b.example", "email_invalid"), ("x" * 250 + "@b.example", "email_invalid")],
)  # fmt: skip
def test_what_is_no_address(session, now, actor_of, head, email, code):
    with pytest.raises(Invalid) as refused:
        ask(session, actor_of("bob"), head, now, email)
    assert refused.value.errors[0].code == code


def test_the_present_address_can_be_verified_once(session, now, actor_of, head):
    bob = actor_of("bob")
    kept = sign_in(session, bob.user_id, now)
    ask(session, bob, head, now, OLD)
    assert templates(session, OLD) == ["confirm_email"]
    done = confirm(session, head, now, secret_of(session, newest(session, "confirm_email")))
    assert (done.email, done.changed) == (OLD, False)
    assert load_own(session, bob).person.email_verified_at == now
    # Nothing changed, so nothing ends.
    assert living(session, bob.user_id) == {kept}
    with pytest.raises(Invalid) as refused:
        ask(session, bob, head, now, OLD.upper())
    assert refused.value.errors[0].code == "email_unchanged"


def test_an_address_in_use_is_answered_like_a_free_one(session, now, actor_of, head):
    bob = actor_of("bob")
    assert ask(session, bob, head, now, "alice@acme.example") == "alice@acme.example"
    assert pending_changes(session, bob.user_id, now=now)["email"].value == "alice@acme.example"
    # Its owner is told, without a link; the asker's own address hears what it always hears.
    assert templates(session, "alice@acme.example") == ["email_in_use"]
    assert newest(session, "email_in_use").link_id is None
    assert templates(session, OLD) == ["email_change_requested"]


def test_whoever_confirms_second_is_too_late(session, now, actor_of, head):
    ask(session, actor_of("bob"), head, now)
    first = secret_of(session, newest(session, "confirm_email"))
    ask(session, actor_of("alice"), head, now + timedelta(seconds=1))
    second = secret_of(session, newest(session, "confirm_email"))
    confirm(session, head, now, first)
    with pytest.raises(Conflict) as refused:
        confirm(session, head, now, second)
    assert refused.value.code == "email_taken"
    assert load_own(session, actor_of("alice")).person.email == "alice@acme.example"


def test_a_link_works_once(session, now, actor_of, head):
    ask(session, actor_of("bob"), head, now)
    token = secret_of(session, newest(session, "confirm_email"))
    confirm(session, head, now, token)
    with pytest.raises(Conflict) as refused:
        confirm(session, head, now, token)
    assert refused.value.code == "link_expired"


def test_a_new_request_overtakes_the_old_one(session, now, actor_of, head):
    ask(session, actor_of("bob"), head, now)
    first = secret_of(session, newest(session, "confirm_email"))
    ask(session, actor_of("bob"), head, now + timedelta(seconds=1), "other@acme.example")
    with pytest.raises(Conflict):
        confirm(session, head, now, first)


@pytest.mark.parametrize("late", [timedelta(hours=24), timedelta(days=30)])
def test_a_link_ends_after_a_day(session, now, actor_of, head, late):
    ask(session, actor_of("bob"), head, now)
    token = secret_of(session, newest(session, "confirm_email"))
    with pytest.raises(Conflict):
        confirm(session, head, now + late, token)
    assert pending_changes(session, actor_of("bob").user_id, now=now + late) == {}


@pytest.mark.parametrize("status", [UserStatus.SUSPENDED, UserStatus.LOCKED])
def test_who_may_not_sign_in_changes_nothing(session, now, actor_of, head, status):
    ask(session, actor_of("bob"), head, now)
    token = secret_of(session, newest(session, "confirm_email"))
    session.execute(update(User).where(User.id == actor_of("bob").user_id).values(status=status))
    with pytest.raises(Conflict):
        confirm(session, head, now, token)


def test_the_asker_thinks_better_of_it(session, now, actor_of, head):
    ask(session, actor_of("bob"), head, now)
    token = secret_of(session, newest(session, "confirm_email"))
    cancel_email_change(session, actor=actor_of("bob"), now=now)
    assert pending_changes(session, actor_of("bob").user_id, now=now) == {}
    with pytest.raises(Conflict):
        confirm(session, head, now, token)


def test_a_stranger_s_mailbox_is_not_flooded(session, now, actor_of, head):
    bob = actor_of("bob")
    for at in range(REQUESTS_A_DAY):
        ask(session, bob, head, now + timedelta(minutes=at), f"r{at}@acme.example")
    with pytest.raises(Conflict) as refused:
        ask(session, bob, head, now + timedelta(hours=1))
    assert refused.value.code == "asked_too_often"
    ask(session, bob, head, now + timedelta(days=1, hours=1))


def test_the_old_address_stops_a_change(session, now, actor_of, head):
    bob = actor_of("bob")
    asking = sign_in(session, bob.user_id, now)
    ask(session, bob, head, now, session_id=asking)
    token = secret_of(session, newest(session, "confirm_email"))
    stop = secret_of(session, newest(session, "email_change_requested"))
    done = keep_email(session, stop, origin=ORIGIN, now=now)
    assert (done.email, done.changed) == (OLD, False)
    own = load_own(session, bob)
    assert (own.person.email, own.user.must_reset_password) == (OLD, True)
    assert living(session, bob.user_id) == set()
    with pytest.raises(Conflict):
        confirm(session, head, now, token)
    with pytest.raises(Conflict):
        keep_email(session, stop, origin=ORIGIN, now=now)


def test_the_old_address_takes_a_change_back(session, now, actor_of, head):
    bob = actor_of("bob")
    kept = sign_in(session, bob.user_id, now)
    ask(session, bob, head, now, session_id=kept)
    confirm(session, head, now, secret_of(session, newest(session, "confirm_email")))
    assert living(session, bob.user_id) == {kept}
    back = secret_of(session, newest(session, "email_changed"))
    done = keep_email(session, back, origin=ORIGIN, now=now + timedelta(days=6))
    assert (done.email, done.changed) == (OLD, True)
    own = load_own(session, bob)
    assert (own.person.email, own.user.must_reset_password) == (OLD, True)
    assert living(session, bob.user_id) == set()
    assert find_login(session, NEW, None) is None


def test_the_first_way_back_ends_when_the_second_is_sent(session, now, actor_of, head):
    ask(session, actor_of("bob"), head, now)
    early = secret_of(session, newest(session, "email_change_requested"))
    confirm(session, head, now, secret_of(session, newest(session, "confirm_email")))
    with pytest.raises(Conflict):
        keep_email(session, early, origin=ORIGIN, now=now)


def test_there_is_no_way_back_into_an_address_that_is_somebody_s_by_now(session, now, actor_of, head):
    bob, alice = actor_of("bob"), actor_of("alice")
    ask(session, bob, head, now)
    confirm(session, head, now, secret_of(session, newest(session, "confirm_email")))
    back = secret_of(session, newest(session, "email_changed"))
    alice_person = load_own(session, alice).person
    alice_person.email = OLD
    session.flush()
    with pytest.raises(Conflict) as refused:
        keep_email(session, back, origin=ORIGIN, now=now)
    assert refused.value.code == "email_taken"


def test_audited_without_the_addresses(session, now, actor_of, head):
    ask(session, actor_of("bob"), head, now)
    confirm(session, head, now, secret_of(session, newest(session, "confirm_email")))
    keep_email(session, secret_of(session, newest(session, "email_changed")), origin=ORIGIN, now=now)
    found = session.scalars(
        select(AuditEntry)
        .where(AuditEntry.record_id == actor_of("bob").user_id, AuditEntry.action.startswith("user.email"))
        .order_by(AuditEntry.seq)
    ).all()
    assert [row.action for row in found] == ["user.email_change_requested", "user.email_changed", "user.email_kept"]
    assert [(row.actor_id, row.ip) for row in found[1:]] == [(actor_of("bob").user_id, ORIGIN.ip)] * 2
    assert not any("@" in str(row.before) + str(row.after) for row in found)


def test_whoever_has_no_profile_asks_for_nothing(session, now, actor_of, head):
    with pytest.raises(Forbidden):
        ask(session, replace(actor_of("bob"), roles=frozenset()), head, now)
