"""Recovery codes hold so much chance that a fast hash is enough (ASVS 6.5.2); older ones go on working."""

import math
from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.lib.tokens import token_hash
from portal.models import RecoveryCode
from portal.services.accounts.factors import read_factors
from portal.services.accounts.recovery_codes import (
    ALPHABET,
    BITS,
    CODES,
    ENOUGH_BITS,
    make_recovery_codes,
    take_recovery_code,
)

OLD = "k7m2p-x9qrt-h4wzc"


@pytest.fixture
def bob(world):
    return world.people["bob"].user_id


@pytest.fixture
def old_code(session, world, bob, now):
    """A code as it was made and stored before."""
    hashed = token_hash(f"recovery {bob} {OLD.replace('-', '')}")
    session.add(RecoveryCode(tenant_id=world.demo, user_id=bob, code_hash=hashed, bits=74, created_at=now))
    session.flush()
    return OLD


def test_a_code_is_long_enough_for_its_hash(session, bob, now):
    codes = make_recovery_codes(session, bob, now=now)
    assert len(set(codes)) == CODES
    for code in codes:
        letters = code.replace("-", "")
        assert set(letters) <= set(ALPHABET)
        assert math.log2(len(ALPHABET)) * len(letters) >= ENOUGH_BITS
    stored = session.scalars(select(RecoveryCode.bits).where(RecoveryCode.user_id == bob)).all()
    assert set(stored) == {BITS}
    assert BITS >= ENOUGH_BITS
    assert len(set(ALPHABET)) == len(ALPHABET)


@pytest.mark.parametrize("typed", [str.upper, lambda code: code.replace("-", " "), lambda code: f" {code} "])
def test_it_is_taken_however_it_is_typed_once(session, bob, now, typed):
    code = make_recovery_codes(session, bob, now=now)[0]
    assert take_recovery_code(session, bob, typed(code), now=now)
    assert not take_recovery_code(session, bob, code, now=now)


def test_a_part_of_a_code_is_none(session, bob, world, now):
    code = make_recovery_codes(session, bob, now=now)[0]
    for wrong in (code[:-1], code[:24], code + "a", "", code[::-1]):
        assert not take_recovery_code(session, bob, wrong, now=now)
    assert not take_recovery_code(session, world.people["alice"].user_id, code, now=now)
    assert read_factors(session, bob).recovery_codes == CODES


def test_older_codes_go_on_working_and_are_known_as_such(session, bob, old_code, now):
    held = read_factors(session, bob)
    assert (held.recovery_codes, held.short_codes) == (1, 1)
    assert take_recovery_code(session, bob, old_code, now=now)
    assert not take_recovery_code(session, bob, old_code, now=now + timedelta(minutes=1))
    assert read_factors(session, bob).short_codes == 0


def test_new_codes_end_the_older_ones(session, bob, old_code, now):
    make_recovery_codes(session, bob, now=now)
    assert not take_recovery_code(session, bob, old_code, now=now)
    held = read_factors(session, bob)
    assert (held.recovery_codes, held.short_codes) == (CODES, 0)
