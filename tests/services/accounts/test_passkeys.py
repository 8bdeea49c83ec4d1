"""Passkeys: challenges that are answered once, at one site, by whoever they were asked of."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from portal.lib.webauthn_answers import Site
from portal.models import AuditEntry, MailMessage, Passkey, PasskeyCeremony
from portal.services.accounts.factor_changes import switch_off_totp
from portal.services.accounts.factors import read_factors
from portal.services.accounts.passkey_proofs import CONFIRM, REGISTER, SIGN_IN, Answer, ask, take_answer
from portal.services.accounts.passkeys import (
    MAX_PASSKEYS,
    add_passkey,
    ask_for_new,
    list_passkeys,
    remove_passkey,
    rename_passkey,
)
from tests.authenticators import SoftKey
from tests.services.accounts.conftest import ORIGIN

SITE = Site("demo.localhost", "http://demo.localhost:8000", "Kestrel IT")


@pytest.fixture
def key():
    return SoftKey(SITE.origin)


def register(session, mine, key, now, name="Work phone"):
    question = ask_for_new(session, mine, site=SITE, now=now)
    codes = add_passkey(session, mine, question.token, key.make(question.options), name=name, site=SITE, now=now)
    return list_passkeys(session, mine.user_id)[-1], codes


def prove(session, key, now, *, purpose=SIGN_IN, user_id=None, site=SITE, token=None, **changes):
    question = ask(session, purpose, user_id=user_id, site=SITE, now=now)
    sent = key.prove(question.options, **changes)
    return take_answer(session, purpose, token or question.token, Answer(sent, site, ORIGIN), user_id=user_id, now=now)


def test_the_first_passkey_brings_recovery_codes_the_next_one_does_not(session, now, own, key):
    mine = own()
    passkey, codes = register(session, mine, key, now)
    assert (passkey.name, passkey.transports, passkey.credential_id) == ("Work phone", ["internal"], key.credential_id)
    assert len(codes) == 10
    assert register(session, mine, SoftKey(SITE.origin), now)[1] == []
    assert read_factors(session, mine.user_id).passkeys == 2
    templates = session.scalars(select(MailMessage.template).where(MailMessage.user_id == mine.user_id)).all()
    assert templates == ["passkey_added"] * 2


def test_the_question_asks_for_a_discoverable_key_that_verifies_its_user(session, now, own, key):
    mine = own()
    register(session, mine, key, now)
    options = ask_for_new(session, mine, site=SITE, now=now).options
    assert options["authenticatorSelection"]["residentKey"] == "required"
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert options["rp"] == {"id": "demo.localhost", "name": "Kestrel IT"}
    assert len(options["excludeCredentials"]) == 1
    assert ask(session, SIGN_IN, user_id=None, site=SITE, now=now).options["userVerification"] == "required"


def test_a_passkey_signs_in_whoever_made_it(session, now, own, key):
    mine = own()
    passkey, _ = register(session, mine, key, now)
    later = now + timedelta(minutes=1)
    assert prove(session, key, later).id == mine.user_id
    session.refresh(passkey)
    assert (passkey.sign_count, passkey.last_used_at) == (1, later)


FAULTS = {
    "other challenge": {"client": {"challenge": "AAAA"}},
    "other origin": {"client": {"origin": "http://evil.example"}},
    "other site": {"rp_id": "evil.example"},
    "other ceremony": {"client": {"type": "webauthn.create"}},
    "other signature": {"signature": b"\x30\x06\x02\x01\x01\x02\x01\x01"},
    "no signature": {"signature": b""},
    "other person": {"handle": b"0123456789abcdef"},
    "nobody": {"handle": b""},
}


@pytest.mark.parametrize("changes", FAULTS.values(), ids=FAULTS)
def test_an_answer_that_does_not_hold_proves_nobody(session, now, own, key, changes):
    register(session, own(), key, now)
    assert prove(session, key, now, **changes) is None
    assert prove(session, key, now) is not None


@pytest.mark.parametrize(
    "changes",
    [FAULTS[name] for name in ("other challenge", "other origin", "other site")]
    + [{"client": {"type": "webauthn.get"}}],
)
def test_a_registration_that_does_not_hold_stores_nothing(session, now, own, key, changes):
    mine = own()
    question = ask_for_new(session, mine, site=SITE, now=now)
    with pytest.raises(Unauthenticated):
        add_passkey(session, mine, question.token, key.make(question.options, **changes), name="x", site=SITE, now=now)
    assert list_passkeys(session, mine.user_id) == []


@pytest.mark.parametrize("step", ["make", "prove"])
def test_user_verification_is_required(session, now, own, key, step):
    mine = own()
    if step == "prove":
        register(session, mine, key, now)
    key.verifies = False
    if step == "prove":
        assert prove(session, key, now) is None
    else:
        with pytest.raises(Unauthenticated):
            register(session, mine, key, now)


@pytest.mark.parametrize("step", [0, -1])
def test_a_counter_that_does_not_go_up_is_refused_and_audited(session, now, own, key, step):
    mine = own()
    register(session, mine, key, now)
    key.count = 9
    assert prove(session, key, now) is not None
    key.step = step
    assert prove(session, key, now) is None
    noted = session.scalars(select(AuditEntry).where(AuditEntry.action == "user.passkey_copied")).one()
    assert (noted.record_id, noted.ip) == (mine.user_id, ORIGIN.ip)
    assert noted.after == {"passkey": "Work phone", "expected_above": 10, "given": 10 + step}


def test_a_key_that_does_not_count_is_let_in_each_time(session, now, own, key):
    key.step = 0
    register(session, own(), key, now)
    assert prove(session, key, now) is not None
    assert prove(session, key, now) is not None


def test_a_question_is_answered_once_and_in_time(session, now, own, key):
    mine = own()
    register(session, mine, key, now)
    question = ask(session, SIGN_IN, user_id=None, site=SITE, now=now)

    def answer(at):
        sent = Answer(key.prove(question.options), SITE, ORIGIN)
        return take_answer(session, SIGN_IN, question.token, sent, user_id=None, now=at)

    with pytest.raises(Unauthenticated):
        answer(now + timedelta(minutes=6))
    assert answer(now + timedelta(minutes=4)).id == mine.user_id
    with pytest.raises(Unauthenticated):
        answer(now + timedelta(minutes=4))


def test_a_question_belongs_to_its_purpose_and_person(session, now, own, key, world):
    mine, alice = own(), world.people["alice"].user_id
    register(session, mine, key, now)
    question = ask(session, CONFIRM, user_id=mine.user_id, site=SITE, now=now)
    for purpose, user_id in ((SIGN_IN, None), (REGISTER, mine.user_id), (CONFIRM, alice), (CONFIRM, None)):
        with pytest.raises(Unauthenticated):
            sent = Answer(key.prove(question.options), SITE, ORIGIN)
            take_answer(session, purpose, question.token, sent, user_id=user_id, now=now)
    # Bob's key does not answer for alice, even where she was asked.
    assert prove(session, key, now, purpose=CONFIRM, user_id=alice) is None
    assert prove(session, key, now, purpose=CONFIRM, user_id=mine.user_id) is not None


def test_past_questions_are_cleared_away(session, now):
    ask(session, SIGN_IN, user_id=None, site=SITE, now=now)
    ask(session, SIGN_IN, user_id=None, site=SITE, now=now + timedelta(minutes=6))
    moments = session.scalars(select(PasskeyCeremony.created_at)).all()
    assert now not in moments


GARBAGE = [
    "",
    "{}",
    "[]",
    "null",
    "{" * 5000,
    "x" * 40_000,
    '{"response":{}}',
    '{"id":1,"rawId":2,"type":"public-key","response":{"clientDataJSON":[],"attestationObject":{}}}',
    '{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":"e30","attestationObject":"oA"}}',
    '{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":"bnVsbA","authenticatorData":"AA","signature":"","userHandle":5}}',
]


@pytest.mark.parametrize("sent", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_is_refused_like_anything_else(session, now, own, key, sent):
    mine = own()
    register(session, mine, key, now)
    question = ask_for_new(session, mine, site=SITE, now=now)
    with pytest.raises(Unauthenticated):
        add_passkey(session, mine, question.token, sent, name="x", site=SITE, now=now)
    asked = ask(session, SIGN_IN, user_id=None, site=SITE, now=now)
    assert take_answer(session, SIGN_IN, asked.token, Answer(sent, SITE, ORIGIN), user_id=None, now=now) is None


def test_the_same_key_is_not_taken_twice(session, now, own, key):
    mine = own()
    register(session, mine, key, now)
    with pytest.raises(Conflict) as refused:
        register(session, mine, key, now)
    assert refused.value.code == "passkey_known"


def test_at_most_twenty(session, now, own):
    mine = own()
    for number in range(MAX_PASSKEYS):
        register(session, mine, SoftKey(SITE.origin), now, f"Key {number}")
    with pytest.raises(Conflict) as refused:
        register(session, mine, SoftKey(SITE.origin), now)
    assert refused.value.code == "too_many_passkeys"


@pytest.mark.parametrize(
    ("name", "code"), [("  ", "required"), ("x" * 61, "too_long"), ("a\x00b", "characters_forbidden")]
)
def test_names_are_checked(session, now, own, key, name, code):
    mine = own()
    passkey, _ = register(session, mine, key, now)
    with pytest.raises(Invalid) as refused:
        rename_passkey(session, mine, passkey.id, name, now=now)
    assert refused.value.errors[0].code == code
    with pytest.raises(Invalid):
        register(session, mine, SoftKey(SITE.origin), now, name)


def test_renaming_and_removing_are_for_the_owner(session, now, own, key):
    mine, alice = own(), own("alice")
    passkey, _ = register(session, mine, key, now)
    with pytest.raises(NotFound):
        rename_passkey(session, alice, passkey.id, "Mine now", now=now)
    with pytest.raises(NotFound):
        remove_passkey(session, alice, passkey.id, now=now)
    rename_passkey(session, mine, passkey.id, " Home ", now=now)
    assert list_passkeys(session, mine.user_id)[0].name == "Home"
    remove_passkey(session, mine, passkey.id, now=now)
    assert session.scalars(select(Passkey)).all() == []
    assert read_factors(session, mine.user_id).recovery_codes == 0
    assert prove(session, key, now) is None


def test_the_last_factor_stays_where_one_is_required(session, now, enrolled, key):
    mine, _, _ = enrolled(required=True)
    passkey, codes = register(session, mine, key, now)
    assert codes == []  # the authenticator's still work
    switch_off_totp(session, mine, now=now)
    assert read_factors(session, mine.user_id).recovery_codes == 10
    with pytest.raises(Forbidden) as refused:
        remove_passkey(session, mine, passkey.id, now=now)
    assert refused.value.code == "second_factor_mandatory"
