"""Ten codes for the day the authenticator is lost: shown once, kept as hashes, each taken once.

A code holds so much chance that its hash need not be a slow one (ASVS 6.5.2; decision 30).
"""

import math
import secrets
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import delete, func, select, update

from portal.lib.tokens import token_hash
from portal.models import RecoveryCode
from portal.models.session import TenantSession

CODES = 10
# No letter that is taken for a digit.
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
GROUPS, GROUP_LENGTH = 6, 4
BITS = math.floor(GROUPS * GROUP_LENGTH * math.log2(len(ALPHABET)))
# From here on guessing from a stolen hash is out of reach, however fast the hash (ASVS 6.5.2).
ENOUGH_BITS = 112
_OPTIONS = {"synchronize_session": False}


def make_recovery_codes(session: TenantSession, user_id: UUID, *, now: datetime) -> list[str]:
    """Ten new codes, to be shown now and never again; all earlier ones stop working."""
    drop_recovery_codes(session, user_id)
    codes = [_new_code() for _ in range(CODES)]
    session.add_all(
        RecoveryCode(
            id=uuid4(),
            tenant_id=session.tenant_id,
            user_id=user_id,
            code_hash=_hash(user_id, code),
            bits=BITS,
            created_at=now,
        )
        for code in codes
    )
    session.flush()
    return codes


def take_recovery_code(session: TenantSession, user_id: UUID, code: str, *, now: datetime) -> bool:
    """Use a code up; among racing uses one wins. False for every other."""
    won = session.execute(
        update(RecoveryCode)
        .where(
            RecoveryCode.user_id == user_id,
            RecoveryCode.code_hash == _hash(user_id, code),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=now)
        .returning(RecoveryCode.id),
        execution_options=_OPTIONS,
    ).first()
    return won is not None


def count_recovery_codes(session: TenantSession, user_id: UUID) -> int:
    """How many codes still work."""
    query = select(func.count()).select_from(RecoveryCode)
    return session.scalar(query.where(RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None))) or 0


def drop_recovery_codes(session: TenantSession, user_id: UUID) -> None:
    """Make every code worthless."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id), execution_options=_OPTIONS)


def _new_code() -> str:
    groups = ("".join(secrets.choice(ALPHABET) for _ in range(GROUP_LENGTH)) for _ in range(GROUPS))
    return "-".join(groups)


def _hash(user_id: UUID, code: str) -> bytes:
    """However it was typed; bound to its owner, so that equal codes of two people have two hashes."""
    typed = "".join(char for char in code.lower() if char.isalnum())
    return token_hash(f"recovery {user_id} {typed}")
