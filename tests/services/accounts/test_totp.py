"""Authenticators and recovery codes: what counts, how long, and how often."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.errors import Conflict
from portal.lib.vault import Vault
from portal.models import RecoveryCode, TotpFactor
from portal.services.accounts.factors import CodeKind, read_factors, take_code
from portal.services.accounts.recovery_codes import (
    count_recovery_codes,
    make_recovery_codes,
    take_recovery_code,
)
from portal.services.accounts.totp import (
    begin_enrolment,
    confirm_enrolment,
    read_enrolment,
    remove_totp,
    take_totp,
)
from tests.authenticators import code_of

VAULT = Vault(["a secret of the tests"])
PERIOD = timedelta(seconds=30)


@pytest.fixture
def bob(actor_of):
    return actor_of("bob").user_id


def begin(session, user_id, now):
    return begin_enrolment(session, user_id, account="bob@acme.example", issuer="Kestrel IT", vault=VAULT, now=now)


def enrol(session, user_id, now):
    """An authenticator that was confirmed an hour ago."""
    before = now - timedelta(hours=1)
    secret = begin(session, user_id, before).secret
    assert confirm_enrolment(session, user_id, code_of(secret, before), vault=VAULT, now=before)
    return secret


def test_the_key_is_shown_three_ways_and_stored_encrypted(session, now, bob):
    made = begin(session, bob, now)
    assert made.groups.replace(" ", "") == made.secret
    assert [len(group) for group in made.groups.split()] == [4] * 8
    assert made.address.startswith("otpauth://totp/Kestrel%20IT:bob%40acme.example?secret=" + made.secret)
    stored = session.scalars(select(TotpFactor.secret).where(TotpFactor.user_id == bob)).one()
    assert made.secret.encode() not in stored
    assert VAULT.decrypt(stored).decode() == made.secret


def test_it_counts_only_once_confirmed(session, now, bob):
    secret = begin(session, bob, now).secret
    assert not take_totp(session, bob, code_of(secret, now), vault=VAULT, now=now)
    assert not read_factors(session, bob).any
    assert not confirm_enrolment(session, bob, "000000", vault=VAULT, now=now)
    assert confirm_enrolment(session, bob, code_of(secret, now), vault=VAULT, now=now)
    assert read_factors(session, bob).totp


def test_the_code_that_confirmed_is_burnt(session, now, bob):
    secret = begin(session, bob, now).secret
    assert confirm_enrolment(session, bob, code_of(secret, now), vault=VAULT, now=now)
    assert not take_totp(session, bob, code_of(secret, now), vault=VAULT, now=now)
    assert take_totp(session, bob, code_of(secret, now, 1), vault=VAULT, now=now)


def test_the_secret_is_never_shown_again(session, now, bob):
    made = begin(session, bob, now)
    ask = {"account": "bob@acme.example", "issuer": "Kestrel IT", "vault": VAULT}
    assert read_enrolment(session, bob, **ask) == made
    confirm_enrolment(session, bob, code_of(made.secret, now), vault=VAULT, now=now)
    assert read_enrolment(session, bob, **ask) is None
    with pytest.raises(Conflict) as refused:
        begin(session, bob, now)
    assert refused.value.code == "factor_already_on"


def test_beginning_anew_replaces_a_secret_that_waits(session, now, bob):
    first, second = begin(session, bob, now).secret, begin(session, bob, now).secret
    assert first != second
    assert not confirm_enrolment(session, bob, code_of(first, now), vault=VAULT, now=now)
    assert confirm_enrolment(session, bob, code_of(second, now), vault=VAULT, now=now)


@pytest.mark.parametrize(("steps", "taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_one_step_to_either_side_is_taken(session, now, bob, steps, taken):
    secret = enrol(session, bob, now)
    assert take_totp(session, bob, code_of(secret, now, steps), vault=VAULT, now=now) is taken


def test_no_code_works_twice_nor_after_a_later_one(session, now, bob):
    secret = enrol(session, bob, now)
    present, later = code_of(secret, now), code_of(secret, now, 1)
    assert take_totp(session, bob, later, vault=VAULT, now=now)
    assert not take_totp(session, bob, later, vault=VAULT, now=now)
    assert not take_totp(session, bob, present, vault=VAULT, now=now)
    assert take_totp(session, bob, code_of(secret, now + 2 * PERIOD), vault=VAULT, now=now + 2 * PERIOD)


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "12 34 5x", "１２３４５６", "\x00" * 6, "-12345"])
def test_what_is_no_code_is_refused(session, now, bob, typed):
    enrol(session, bob, now)
    assert take_code(session, bob, typed, vault=VAULT, now=now) is None


def test_blanks_are_left_out_of_a_code(session, now, bob):
    code = code_of(enrol(session, bob, now), now)
    assert take_totp(session, bob, f" {code[:3]} {code[3:]} ", vault=VAULT, now=now)


def test_a_code_is_its_owners_alone(session, now, bob, actor_of):
    secret = enrol(session, bob, now)
    enrol(session, actor_of("alice").user_id, now)
    assert not take_totp(session, actor_of("alice").user_id, code_of(secret, now), vault=VAULT, now=now)


def test_removed_is_gone(session, now, bob):
    secret = enrol(session, bob, now)
    assert remove_totp(session, bob)
    assert not remove_totp(session, bob)
    assert not take_totp(session, bob, code_of(secret, now), vault=VAULT, now=now)


def test_recovery_codes_work_once_each_however_typed(session, now, bob):
    codes = make_recovery_codes(session, bob, now=now)
    assert len(set(codes)) == 10
    stored = session.scalars(select(RecoveryCode.code_hash).where(RecoveryCode.user_id == bob)).all()
    assert len(stored) == 10
    assert not any(code.encode() in hashed for code in codes for hashed in stored)
    assert take_code(session, bob, codes[0], vault=VAULT, now=now) is CodeKind.RECOVERY
    assert take_code(session, bob, codes[0], vault=VAULT, now=now) is None
    assert take_recovery_code(session, bob, f" {codes[1].upper().replace('-', ' ')} ", now=now)
    assert count_recovery_codes(session, bob) == 8


def test_new_recovery_codes_replace_the_old_ones(session, now, bob):
    old, new = make_recovery_codes(session, bob, now=now), make_recovery_codes(session, bob, now=now)
    assert not any(take_recovery_code(session, bob, code, now=now) for code in old)
    assert take_recovery_code(session, bob, new[9], now=now)


def test_recovery_codes_are_their_owners_alone(session, now, bob, actor_of):
    codes = make_recovery_codes(session, bob, now=now)
    assert not take_recovery_code(session, actor_of("alice").user_id, codes[0], now=now)
    assert take_recovery_code(session, bob, codes[0], now=now)


def test_recovery_codes_alone_are_no_second_factor(session, now, bob):
    make_recovery_codes(session, bob, now=now)
    assert not read_factors(session, bob).any
