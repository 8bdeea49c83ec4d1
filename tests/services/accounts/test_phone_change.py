"""A new phone number: proved by the code that it gets (ACC-01)."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from portal.errors import Conflict, Invalid
from portal.models import AuditEntry, AuthSession, Company, MailChannel, User
from portal.services.accounts.email_change import REQUESTS_A_DAY
from portal.services.accounts.identity import find_login
from portal.services.accounts.own import load_own
from portal.services.accounts.phone_change import (
    confirm_phone_change,
    pending_changes,
    remove_phone,
    request_phone_change,
)
from portal.services.accounts.sessions import start_session
from tests.services.accounts.account_world import ORIGIN, letterhead, mails, newest, secret_of, templates

NUMBER = "+33639980015"


@pytest.fixture
def head(world):
    return letterhead(world.demo)


def ask(session, actor, head, now, phone=NUMBER):
    return request_phone_change(session, phone, letterhead=head, actor=actor, now=now)


def confirm(session, actor, head, now, code, **options):
    return confirm_phone_change(session, code, letterhead=head, actor=actor, now=now, **options)


def other_than(code):
    return f"{(int(code) + 1) % 1_000_000:06d}"


def test_the_number_is_theirs_once_its_code_is_typed(session, now, actor_of, head):
    bob = actor_of("bob")
    assert ask(session, bob, head, now, "+33 6 39 98 00 15") == NUMBER
    assert load_own(session, bob).person.phone is None
    assert pending_changes(session, bob.user_id, now=now)["phone"].value == NUMBER
    text = newest(session, "phone_code")
    assert (text.channel, text.recipient) == (MailChannel.SMS, NUMBER)
    assert confirm(session, bob, head, now, f" {secret_of(session, text)} ") == NUMBER
    own = load_own(session, bob)
    assert (own.person.phone, own.person.phone_verified_at) == (NUMBER, now)
    assert find_login(session, "+33 6 39 98 00 15", None).id == bob.user_id
    assert pending_changes(session, bob.user_id, now=now) == {}
    assert templates(session, "bob@acme.example") == ["phone_changed"]


def test_a_local_number_belongs_to_the_company_s_country(session, now, actor_of, head, world):
    with pytest.raises(Invalid) as refused:
        ask(session, actor_of("bob"), head, now, "06 39 98 00 15")
    assert refused.value.errors[0].code == "phone_invalid"
    session.execute(update(Company).where(Company.id == world.companies["acme"]).values(country="FR"))
    assert ask(session, actor_of("bob"), head, now, "06 39 98 00 15") == NUMBER


@pytest.mark.parametrize(("phone", "code"), [("", "required"), ("abc", "phone_invalid"), ("+331", "phone_invalid")])
def test_what_is_no_number(session, now, actor_of, head, phone, code):
    with pytest.raises(Invalid) as refused:
        ask(session, actor_of("bob"), head, now, phone)
    assert refused.value.errors[0].code == code


def test_the_present_number_can_be_verified_once(session, now, actor_of, head):
    bob = actor_of("bob")
    load_own(session, bob).person.phone = NUMBER
    session.flush()
    ask(session, bob, head, now)
    assert confirm(session, bob, head, now, secret_of(session, newest(session, "phone_code"))) == NUMBER
    with pytest.raises(Invalid) as refused:
        ask(session, bob, head, now)
    assert refused.value.errors[0].code == "phone_unchanged"


def test_five_wrong_codes_and_it_is_over(session, now, actor_of, head):
    bob = actor_of("bob")
    ask(session, bob, head, now)
    code = secret_of(session, newest(session, "phone_code"))
    assert [confirm(session, bob, head, now, other_than(code)) for _ in range(5)] == [None] * 5
    with pytest.raises(Conflict) as refused:
        confirm(session, bob, head, now, code)
    assert refused.value.code == "link_expired"
    assert load_own(session, bob).person.phone is None
    assert pending_changes(session, bob.user_id, now=now) == {}


def test_a_code_ends_after_ten_minutes(session, now, actor_of, head):
    ask(session, actor_of("bob"), head, now)
    code = secret_of(session, newest(session, "phone_code"))
    with pytest.raises(Conflict):
        confirm(session, actor_of("bob"), head, now + timedelta(minutes=10), code)


def test_a_code_is_worth_nothing_to_anybody_else(session, now, actor_of, head):
    ask(session, actor_of("bob"), head, now)
    code = secret_of(session, newest(session, "phone_code"))
    with pytest.raises(Conflict):
        confirm(session, actor_of("alice"), head, now, code)


def test_a_number_in_use_is_answered_alike_but_gets_no_message(session, now, actor_of, head):
    load_own(session, actor_of("alice")).person.phone = NUMBER
    session.flush()
    assert ask(session, actor_of("bob"), head, now) == NUMBER
    assert pending_changes(session, actor_of("bob").user_id, now=now)["phone"].value == NUMBER
    assert mails(session) == []


def test_whoever_confirms_second_is_too_late(session, now, actor_of, head):
    ask(session, actor_of("bob"), head, now)
    first = secret_of(session, newest(session, "phone_code"))
    ask(session, actor_of("alice"), head, now + timedelta(seconds=1))
    second = secret_of(session, newest(session, "phone_code"))
    confirm(session, actor_of("bob"), head, now, first)
    with pytest.raises(Conflict) as refused:
        confirm(session, actor_of("alice"), head, now, second)
    assert refused.value.code == "phone_taken"


def test_text_messages_are_counted(session, now, actor_of, head):
    for at in range(REQUESTS_A_DAY):
        ask(session, actor_of("bob"), head, now + timedelta(minutes=at))
    with pytest.raises(Conflict) as refused:
        ask(session, actor_of("bob"), head, now + timedelta(hours=1))
    assert refused.value.code == "asked_too_often"


@pytest.mark.parametrize("removing", [True, False])
def test_sessions_elsewhere_end_with_the_number(session, now, actor_of, head, removing):
    bob = actor_of("bob")
    user = session.get_one(User, bob.user_id)
    for _ in range(2):
        start_session(
            session, user, door="portal", method="password", factor=False, device_id=None, origin=ORIGIN, now=now
        )
    session.flush()
    kept, ended = session.scalars(select(AuthSession).where(AuthSession.user_id == bob.user_id)).all()
    if removing:
        load_own(session, bob).person.phone = NUMBER
        remove_phone(session, letterhead=head, actor=bob, now=now, keep=kept.id)
    else:
        ask(session, bob, head, now)
        confirm(session, bob, head, now, secret_of(session, newest(session, "phone_code")), keep=kept.id)
    for row in (kept, ended):
        session.refresh(row)
    assert (kept.revoked_at, ended.revoked_at) == (None, now)


def test_a_number_is_removed_with_its_verification(session, now, actor_of, head):
    bob = actor_of("bob")
    person = load_own(session, bob).person
    person.phone, person.phone_verified_at = NUMBER, now
    session.flush()
    remove_phone(session, letterhead=head, actor=bob, now=now)
    remove_phone(session, letterhead=head, actor=bob, now=now)
    assert (person.phone, person.phone_verified_at) == (None, None)
    assert templates(session, "bob@acme.example") == ["phone_removed"]
    mine = select(AuditEntry.action).where(AuditEntry.action.startswith("user.phone"))
    assert session.scalars(mine).all() == ["user.phone_removed"]
