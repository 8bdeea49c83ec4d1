"""Authenticator apps (RFC 6238): enrolled with one code, each step taken once."""

import hmac
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

import pyotp
from sqlalchemy import delete, func, select, update

from portal.errors import Conflict
from portal.lib.vault import Vault
from portal.models import TotpFactor
from portal.models.session import TenantSession

PERIOD = 30
DIGITS = 6
# Clocks differ: the step before and the step after are taken, too (RFC 6238 §5.2).
WINDOW = (0, -1, 1)
_OPTIONS = {"synchronize_session": False}


@dataclass(frozen=True)
class Enrolment:
    """What an authenticator has to be given; the same secret as a key to type and as an address for a QR code."""

    secret: str
    address: str

    @property
    def groups(self) -> str:
        """The key in groups of four, to be typed from a screen."""
        return " ".join(self.secret[start : start + 4] for start in range(0, len(self.secret), 4))


def begin_enrolment(
    session: TenantSession, user_id: UUID, *, account: str, issuer: str, vault: Vault, now: datetime
) -> Enrolment:
    """A new secret that waits for its first code; an earlier one that still waits is replaced.

    Raises Conflict `factor_already_on` where an authenticator is confirmed: it has to be switched off first.
    """
    held = session.scalar(select(TotpFactor).where(TotpFactor.user_id == user_id).with_for_update())
    if held is not None and held.confirmed_at is not None:
        raise Conflict("factor_already_on")
    secret = pyotp.random_base32()
    sealed = vault.encrypt(secret.encode())
    if held is None:
        session.add(
            TotpFactor(
                id=uuid4(), tenant_id=session.tenant_id, user_id=user_id, secret=sealed, last_step=0, created_at=now
            )
        )
    else:
        held.secret, held.last_step, held.created_at = sealed, 0, now
    session.flush()
    return _enrolment(secret, account, issuer)


def read_enrolment(
    session: TenantSession, user_id: UUID, *, account: str, issuer: str, vault: Vault
) -> Enrolment | None:
    """The secret that waits for its first code; None once it is confirmed: it is never shown again."""
    held = session.scalar(select(TotpFactor).where(TotpFactor.user_id == user_id, TotpFactor.confirmed_at.is_(None)))
    return None if held is None else _enrolment(vault.decrypt(held.secret).decode(), account, issuer)


def confirm_enrolment(session: TenantSession, user_id: UUID, code: str, *, vault: Vault, now: datetime) -> bool:
    """Whether the first code is right; the authenticator counts from then on. Among racing uses one wins."""
    return _take(session, user_id, code, confirmed=False, vault=vault, now=now)


def take_totp(session: TenantSession, user_id: UUID, code: str, *, vault: Vault, now: datetime) -> bool:
    """Whether the code is right now, of a confirmed authenticator, and its step was not taken before."""
    return _take(session, user_id, code, confirmed=True, vault=vault, now=now)


def remove_totp(session: TenantSession, user_id: UUID) -> bool:
    """Forget the authenticator, confirmed or not; whether there was a confirmed one."""
    gone = session.execute(
        delete(TotpFactor).where(TotpFactor.user_id == user_id).returning(TotpFactor.confirmed_at),
        execution_options=_OPTIONS,
    ).scalar()
    return gone is not None


def _take(session: TenantSession, user_id: UUID, code: str, *, confirmed: bool, vault: Vault, now: datetime) -> bool:
    state = TotpFactor.confirmed_at.is_not(None) if confirmed else TotpFactor.confirmed_at.is_(None)
    held = session.execute(select(TotpFactor.id, TotpFactor.secret).where(TotpFactor.user_id == user_id, state)).first()
    if held is None:
        return False
    step = _matching_step(vault.decrypt(held.secret).decode(), code, now)
    if step is None:
        return False
    # Burnt by a conditional update: a code that was seen on its way is worth nothing (RFC 6238 §5.2).
    won = session.execute(
        update(TotpFactor)
        .where(TotpFactor.id == held.id, TotpFactor.last_step < step, state)
        .values(last_step=step, confirmed_at=func.coalesce(TotpFactor.confirmed_at, now))
        .returning(TotpFactor.id),
        execution_options=_OPTIONS,
    ).first()
    return won is not None


def _matching_step(secret: str, code: str, now: datetime) -> int | None:
    typed = "".join(code.split())
    if len(typed) != DIGITS or not (typed.isascii() and typed.isdigit()):
        return None
    generator, present = pyotp.TOTP(secret), int(now.timestamp()) // PERIOD
    for step in (present + distance for distance in WINDOW):
        if hmac.compare_digest(generator.generate_otp(step), typed):
            return step
    return None


def _enrolment(secret: str, account: str, issuer: str) -> Enrolment:
    return Enrolment(secret, pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=issuer))
