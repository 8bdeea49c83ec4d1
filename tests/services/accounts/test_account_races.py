"""What may happen once, wanted by many at the same moment: on a database of its own, since these really commit."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from portal.models import Address, ApiKey, AuthSession, MailMessage, Person, TokenFamily, User
from portal.services.accounts.addresses import AddressText, add_address, delete_address, list_addresses, make_primary
from portal.services.accounts.api_keys import MAX_KEYS, create_key, revoke_key
from portal.services.accounts.email_change import confirm_email_change, keep_email, request_email_change
from portal.services.accounts.identity import build_identity, select_identity
from portal.services.accounts.own import load_own
from portal.services.accounts.own_sessions import end_session
from portal.services.accounts.password_change import PasswordChange, change_password
from portal.services.accounts.phone_change import confirm_phone_change, request_phone_change
from tests.conftest import CHEAP
from tests.services.accounts.account_world import ORIGIN, newest, secret_of
from tests.services.accounts.stage import Stage
from tests.together import codes_of
from tests.world import PASSWORD

CROWD = 30
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
days = (NOW + timedelta(days=2 * count) for count in itertools.count())


@pytest.fixture(scope="module")
def stage(database, settings):
    made = Stage(database, "account_races", now=NOW, crowd=CROWD)
    yield made
    made.engine.dispose()


@pytest.fixture
def now():
    """Each test two days after the one before, so that nothing counts against it."""
    return next(days)


def asked_by_mail(stage, name, email, now):
    """(token for the new address, token for the old one)."""
    with stage.begin() as session:
        request_email_change(session, email, letterhead=stage.head, actor=stage.actor(name), now=now)
        return [secret_of(session, newest(session, kind)) for kind in ("confirm_email", "email_change_requested")]


def test_one_confirmation_of_an_address_wins(stage, now):
    token, _ = asked_by_mail(stage, "bob", "robert@acme.example", now)

    def use(session, index):
        return confirm_email_change(session, token, letterhead=stage.head, origin=ORIGIN, now=now)

    codes = codes_of(stage.all_at_once(CROWD, use))
    assert (codes.count("ok"), codes.count("link_expired")) == (1, CROWD - 1)
    with stage.begin() as session:
        told = select(func.count()).select_from(MailMessage).where(MailMessage.template == "email_changed")
        assert session.scalar(told) == 1


@pytest.mark.parametrize("turn", range(5))
def test_of_those_who_want_one_address_one_gets_it(stage, now, turn):
    names, wanted = ("bob", "alice", "charlie"), f"shared{turn}@acme.example"
    tokens = [asked_by_mail(stage, name, wanted, now + timedelta(minutes=at))[0] for at, name in enumerate(names)]

    def use(session, index):
        later = now + timedelta(hours=1)
        return confirm_email_change(session, tokens[index], letterhead=stage.head, origin=ORIGIN, now=later)

    assert sorted(codes_of(stage.all_at_once(3, use))) == ["email_taken", "email_taken", "ok"]
    with stage.begin() as session:
        assert len(session.scalars(select(Person.id).where(Person.email == wanted)).all()) == 1


def test_one_way_back_to_the_old_address_wins(stage, now):
    _, token = asked_by_mail(stage, "bob", "again@acme.example", now)
    codes = codes_of(stage.all_at_once(CROWD, lambda session, _: keep_email(session, token, origin=ORIGIN, now=now)))
    assert (codes.count("ok"), codes.count("link_expired")) == (1, CROWD - 1)


def asked_by_text(stage, name, phone, now):
    with stage.begin() as session:
        request_phone_change(session, phone, letterhead=stage.head, actor=stage.actor(name), now=now)
        return secret_of(session, newest(session, "phone_code"))


def test_one_code_for_a_number_wins(stage, now):
    code = asked_by_text(stage, "bob", "+33639980015", now)

    def use(session, index):
        return confirm_phone_change(session, code, letterhead=stage.head, actor=stage.actor("bob"), now=now)

    results = stage.all_at_once(CROWD, use)
    codes = codes_of(results)
    assert (codes.count("ok"), codes.count("link_expired")) == (1, CROWD - 1)
    assert "+33639980015" in results


def test_of_many_guesses_at_a_code_five_count(stage, now):
    code = asked_by_text(stage, "alice", "+33639980014", now)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"

    def guess(session, index):
        return confirm_phone_change(session, wrong, letterhead=stage.head, actor=stage.actor("alice"), now=now)

    results = stage.all_at_once(CROWD, guess)
    assert results.count(None) == 5
    assert codes_of(results).count("link_expired") == CROWD - 5
    with stage.begin() as session:
        assert load_own(session, stage.actor("alice")).person.phone is None


def test_of_those_who_want_one_number_one_gets_it(stage, now):
    names = ("bob", "alice", "charlie")
    # Two codes are the same once in a million times; each belongs to its own person anyway.
    asked = [asked_by_text(stage, name, "+33639980099", now + timedelta(seconds=at)) for at, name in enumerate(names)]

    def use(session, index):
        actor = stage.actor(names[index])
        return confirm_phone_change(
            session, asked[index], letterhead=stage.head, actor=actor, now=now + timedelta(minutes=1)
        )

    assert sorted(codes_of(stage.all_at_once(3, use))) == ["ok", "phone_taken", "phone_taken"]


def test_one_change_of_the_password_wins(stage, now):
    user_id = stage.actor("charlie").user_id

    def change(session, index):
        identity = build_identity(session.execute(select_identity().where(User.id == user_id)).one())
        wanted = PasswordChange(PASSWORD, f"seven otters sail to Graz {index}", ORIGIN)
        return change_password(session, wanted, identity=identity, passwords=CHEAP, letterhead=stage.head, now=now)

    results = stage.all_at_once(CROWD, change)
    assert results.count(True) == 1
    # The others know the password that was; some are told so, the rest is locked out by that.
    assert {code for code in codes_of(results) if code != "ok"} <= {"sign_in_locked"}
    with stage.begin() as session:
        stored = session.get_one(User, user_id).password_hash
        assert CHEAP.matches(f"seven otters sail to Graz {results.index(True)}", stored)


@pytest.mark.parametrize("model", [AuthSession, TokenFamily])
def test_a_session_is_ended_once(stage, now, model):
    values = {"user_id": stage.actor("alice").user_id, "created_at": now}
    if model is AuthSession:
        values |= {
            "token_hash": b"h" * 32,
            "door": "portal",
            "last_seen_at": now,
            "expires_at": now + timedelta(hours=1),
        }
    with stage.begin() as session:
        from uuid import uuid4

        row = model(id=uuid4(), **values)
        session.add(row)
        session.flush()
        ended = row.id
    act = lambda session, _: end_session(session, ended, actor=stage.actor("alice"), now=now)  # noqa: E731
    codes = codes_of(stage.all_at_once(CROWD, act))
    assert (codes.count("ok"), codes.count("session_not_found")) == (1, CROWD - 1)


def test_there_are_never_more_keys_than_there_may_be(stage, now):
    charlie = stage.actor("charlie")

    def create(session, index):
        return create_key(session, f"Key {index}", letterhead=stage.head, actor=charlie, now=now).key.id

    results = stage.all_at_once(CROWD, create)
    codes = codes_of(results)
    assert (codes.count("ok"), codes.count("keys_full")) == (MAX_KEYS, CROWD - MAX_KEYS)
    first = next(result for result in results if not isinstance(result, Exception))
    codes = codes_of(stage.all_at_once(CROWD, lambda session, _: revoke_key(session, first, actor=charlie, now=now)))
    assert (codes.count("ok"), codes.count("api_key_not_found")) == (1, CROWD - 1)
    with stage.begin() as session:
        living = select(func.count()).select_from(ApiKey).where(ApiKey.revoked_at.is_(None))
        assert session.scalar(living) == MAX_KEYS - 1


def test_one_of_the_addresses_is_the_primary_one(stage, now):
    bob = stage.actor("bob")
    graz = AddressText("Hauptplatz 1", "Graz", "8010", "AT")
    added = stage.all_at_once(8, lambda session, _: add_address(session, graz, actor=bob, now=now).id)
    assert codes_of(added) == ["ok"] * 8
    chosen = stage.all_at_once(8, lambda session, at: make_primary(session, added[at], actor=bob, now=now))
    assert codes_of(chosen) == ["ok"] * 8
    gone = stage.all_at_once(8, lambda session, at: delete_address(session, added[at % 4], actor=bob, now=now))
    assert sorted(codes_of(gone)) == ["address_not_found"] * 4 + ["ok"] * 4
    with stage.begin() as session:
        rows = list_addresses(session, actor=bob)
        assert [row.is_primary for row in rows] == [True, False, False, False]
        assert session.scalar(select(func.count()).select_from(Address).where(Address.is_primary)) == 1
