"""Locks: five failures in a row, by person and origin, for people who exist and who do not (AUTH-02)."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from portal.errors import Unauthenticated
from portal.models import AuditEntry, KnownDevice, SignInLock, User
from portal.services.accounts.devices import recognise_device
from portal.services.accounts.identity import canonical_identifier
from portal.services.accounts.lockout import FIRST_LOCK, FORGET_AFTER, LONGEST_LOCK, unlock
from portal.services.accounts.recovery import set_password
from portal.services.accounts.sessions import DOORS, Origin
from portal.services.accounts.sign_in import Attempt, prove_password
from tests.conftest import CHEAP
from tests.world import PASSWORD

HERE, THERE = Origin("192.0.2.1", "Test/1.0"), Origin("192.0.2.2", "Test/1.0")
BOB, NOBODY = "bob@acme.example", "nobody@acme.example"
BOTH = pytest.mark.parametrize("who", [BOB, NOBODY])


def attempt(session, now, who=BOB, password="wrong", origin=HERE, device=None, door="portal"):
    """What became of it: the login, "wrong", or for how many seconds it is locked."""
    given = Attempt(who, password, door, DOORS[door], origin, device)
    try:
        with session.begin_nested():
            user = prove_password(session, given, passwords=CHEAP, now=now)
    except Unauthenticated as refused:
        return refused.params["retry_after"] if refused.code == "sign_in_locked" else refused.code
    return user if user is not None else "wrong"


def locked_out(session, now, who=BOB, origin=HERE):
    """Five failures."""
    return [attempt(session, now, who, origin=origin) for _ in range(5)]


@BOTH
def test_five_failures_lock_for_a_quarter_of_an_hour(session, now, who):
    assert locked_out(session, now, who) == ["wrong"] * 5
    assert attempt(session, now, who) == 900
    assert attempt(session, now, who, PASSWORD) == 900
    assert attempt(session, now + timedelta(minutes=14, seconds=30), who) == 30


def test_the_lock_ends_by_itself(session, now):
    locked_out(session, now)
    assert isinstance(attempt(session, now + FIRST_LOCK, password=PASSWORD), User)


@BOTH
def test_each_lock_is_twice_as_long_up_to_a_day(session, now, who):
    seen = []
    for _ in range(9):
        assert locked_out(session, now, who) == ["wrong"] * 5
        seen.append(attempt(session, now, who))
        now += timedelta(seconds=seen[-1])
    assert seen == [900 * 2**n for n in range(7)] + [86_400, 86_400]


def test_what_is_refused_while_locked_does_not_make_it_longer(session, now):
    locked_out(session, now)
    for _ in range(20):
        assert attempt(session, now) == 900


@BOTH
def test_the_right_password_or_a_day_makes_forget(session, now, who):
    for _ in range(4):
        attempt(session, now, who)
    later = now + FORGET_AFTER + timedelta(seconds=1)
    assert locked_out(session, later, who) == ["wrong"] * 5
    assert attempt(session, later, who) == 900


def test_a_success_begins_anew(session, now):
    for _ in range(3):
        for _ in range(4):
            assert attempt(session, now) == "wrong"
        assert isinstance(attempt(session, now, password=PASSWORD), User)


def test_the_longest_lock_is_not_forgotten_as_it_ends(session, now):
    for _ in range(8):
        locked_out(session, now)
        now += timedelta(seconds=attempt(session, now))
    locked_out(session, now + timedelta(hours=23))
    assert attempt(session, now + timedelta(hours=23)) == LONGEST_LOCK.total_seconds()


def test_nobody_is_locked_out_from_elsewhere(session, now):
    locked_out(session, now, origin=THERE)
    assert isinstance(attempt(session, now, password=PASSWORD), User)


def test_the_own_browser_gets_in_beside_somebody_who_guesses(session, now, actor_of):
    cookie = recognise_device(
        session, session.get(User, actor_of("bob").user_id), shown=None, origin=HERE, now=now
    ).new_cookie
    locked_out(session, now)
    assert attempt(session, now, password=PASSWORD) == 900
    assert isinstance(attempt(session, now, password=PASSWORD, device=cookie), User)


def test_a_browser_of_somebody_else_or_a_disowned_one_is_no_help(session, now, actor_of):
    alice, bob = (session.get(User, actor_of(name).user_id) for name in ("alice", "bob"))
    foreign = recognise_device(session, alice, shown=None, origin=HERE, now=now).new_cookie
    own = recognise_device(session, bob, shown=None, origin=HERE, now=now)
    session.get(KnownDevice, own.id).disowned_at = now
    session.flush()
    locked_out(session, now)
    for cookie in (foreign, own.new_cookie, "made-up", "~~~~"):
        assert attempt(session, now, password=PASSWORD, device=cookie) == 900


def test_the_own_browser_is_locked_for_itself(session, now, actor_of):
    cookie = recognise_device(
        session, session.get(User, actor_of("bob").user_id), shown=None, origin=HERE, now=now
    ).new_cookie
    for _ in range(5):
        attempt(session, now, device=cookie)
    assert attempt(session, now, password=PASSWORD, device=cookie) == 900
    assert isinstance(attempt(session, now, password=PASSWORD), User)


def test_a_new_password_and_staff_lift_every_lock(session, now, actor_of):
    bob = session.get(User, actor_of("bob").user_id)
    for origin in (HERE, THERE):
        locked_out(session, now, origin=origin)
    assert unlock(session, bob.id) == 2
    locked_out(session, now)
    set_password(session, bob, "a lamp of blue glass", passwords=CHEAP, now=now)
    session.flush()
    assert attempt(session, now, password="a lamp of blue glass") is bob


def test_an_ipv6_network_is_one_origin(session, now):
    for host in range(5):
        attempt(session, now, origin=Origin(f"2001:db8:1:2::{host + 1}", ""))
    assert attempt(session, now, origin=Origin("2001:db8:1:2:ffff::1", "")) == 900
    assert attempt(session, now, origin=Origin("2001:db8:1:3::1", "")) == "wrong"


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        (" BOB@Acme.Example ", "bob@acme.example"),
        ("+33 6 39-98 00 15", "+33639980015"),
        ("0033 (6) 39.98/00 15", "+33639980015"),
        ("33639980015", "+33639980015"),
        ("+٣٣٦٣٩٩٨٠٠١٥", "+33639980015"),
        ("x33639980015@evil.example", "x33639980015@evil.example"),
        ("a33639980015", "a33639980015"),
        ("", ""),
        ("+", "+"),
    ],
)
def test_who_was_typed_has_one_spelling(typed, canonical):
    assert canonical_identifier(typed) == canonical


@pytest.mark.parametrize("known", [True, False])
def test_every_spelling_counts_alike_whether_or_not_there_is_somebody(session, now, actor_of, known):
    if known:
        from portal.models import Person

        bob = session.get(User, actor_of("bob").user_id)
        session.get(Person, bob.person_id).phone = "+33639980015"
        session.flush()
    spellings = ["+33639980015", "0033 639 980 015", "33-639-980-015", "+33 (639) 980015", "+33639980015 "]
    assert [attempt(session, now, typed) for typed in spellings] == ["wrong"] * 5
    assert attempt(session, now, "+33.639.980.015") == 900
    # Locked by the number: that says nothing about the address it belongs to.
    assert attempt(session, now, BOB) == "wrong"


def test_known_and_unknown_people_cost_the_same_statements(session, now, statements):
    def asked(who, device):
        statements.clear()
        attempt(session, now, who, device=device)
        own = ("SAVEPOINT", "set_config")
        return [re.sub(r"\s+", " ", one) for one in statements if not any(word in one for word in own)]

    for device in (None, "shown"):
        for _ in range(6):
            assert asked(BOB, device) == asked(NOBODY, device)


def test_forgotten_pairs_are_taken_away_as_new_ones_come(session, now):
    for number in range(30):
        attempt(session, now, f"old{number}@acme.example")
    locked_out(session, now, "locked@acme.example")
    later = now + FORGET_AFTER + timedelta(minutes=1)
    for number in range(2):
        attempt(session, later, f"new{number}@acme.example")
    left = session.scalar(select(func.count()).select_from(SignInLock))
    # Thirty are gone, the locked pair stays a day longer than its lock.
    assert left == 3


def test_a_lock_is_audited_once_without_what_was_typed(session, now, actor_of):
    locked_out(session, now)
    locked_out(session, now, "secret-typed-here")
    entries = session.scalars(select(AuditEntry).where(AuditEntry.action == "user.sign_in_locked")).all()
    assert [entry.record_id for entry in entries] == [actor_of("bob").user_id, None]
    assert all("secret" not in str(entry.after) and entry.ip == HERE.ip for entry in entries)
