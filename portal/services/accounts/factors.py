"""What a login has besides its password, and the one question that every second step asks of a code."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import exists, func, select

from portal.lib.vault import Vault
from portal.models import Passkey, RecoveryCode, TotpFactor, User
from portal.models.session import TenantSession
from portal.services.accounts.recovery_codes import ENOUGH_BITS, take_recovery_code
from portal.services.accounts.totp import take_totp


class CodeKind(StrEnum):
    """What a code that was typed turned out to be."""

    TOTP = "totp"
    RECOVERY = "recovery_code"


@dataclass(frozen=True)
class Factors:
    """A confirmed authenticator, passkeys, and recovery codes that still work; some may be of the older, short kind."""

    totp: bool
    passkeys: int
    recovery_codes: int
    short_codes: int = 0

    @property
    def any(self) -> bool:
        """Whether there is a second factor at all; recovery codes alone are none."""
        return self.totp or self.passkeys > 0


def read_factors(session: TenantSession, user_id: UUID) -> Factors:
    """What a login has; by one statement."""
    keys = select(func.count()).select_from(Passkey).where(Passkey.user_id == user_id).scalar_subquery()
    unused = (
        select(func.count())
        .select_from(RecoveryCode)
        .where(RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None))
    )
    codes, short = unused.scalar_subquery(), unused.where(RecoveryCode.bits < ENOUGH_BITS).scalar_subquery()
    confirmed = exists().where(TotpFactor.user_id == user_id, TotpFactor.confirmed_at.is_not(None))
    row = session.execute(select(confirmed, keys, codes, short).select_from(User).where(User.id == user_id)).one()
    return Factors(totp=row[0], passkeys=row[1], recovery_codes=row[2], short_codes=row[3])


def take_code(session: TenantSession, user_id: UUID, code: str, *, vault: Vault, now: datetime) -> CodeKind | None:
    """Use up a code of the authenticator or a recovery code; None for a wrong, burnt or missing one."""
    if take_totp(session, user_id, code, vault=vault, now=now):
        return CodeKind.TOTP
    if take_recovery_code(session, user_id, code, now=now):
        return CodeKind.RECOVERY
    return None
