"""Step-up: what is sensitive asks for a proof that is at most ten minutes old (password and second factor).

A session that was just begun counts as proved; a passkey, which is both factors at once, proves alone.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update

from portal.events import audit
from portal.lib.tokens import new_token, token_hash
from portal.lib.vault import Vault
from portal.models import AuthSession, User
from portal.models.session import TenantSession
from portal.services.accounts.factors import read_factors, take_code
from portal.services.accounts.identity import Identity
from portal.services.accounts.lockout import count_failure, forgive, refuse_locked, subject_of
from portal.services.accounts.passwords import Passwords
from portal.services.accounts.sessions import Origin

PROOF_LIFE = timedelta(minutes=10)


@dataclass(frozen=True)
class Again:
    """Somebody signed in who proves once more to be it; `device` is what the device cookie holds."""

    identity: Identity
    password: str
    origin: Origin
    code: str = ""
    device: str | None = None


def is_fresh(proved_at: datetime | None, now: datetime) -> bool:
    """Whether a proof given then is still good for what is sensitive."""
    return proved_at is not None and now - proved_at < PROOF_LIFE


def prove_person(
    session: TenantSession,
    again: Again,
    *,
    with_factor: bool,
    passwords: Passwords,
    vault: Vault,
    now: datetime,
) -> bool:
    """Whether the password is right and, `with_factor` where the login has one, so is the code.

    A wrong try counts like a failed sign-in, which the caller commits. Raises Unauthenticated `sign_in_locked`
    (with `retry_after` in seconds) after too many. A login without a password proves itself by its passkey only,
    or by signing in again where it comes from.
    """
    user = _load(session, again.identity)
    subject = subject_of(again.identity.email, user)
    refuse_locked(session, subject, again.origin, user=user, device=again.device, now=now)
    factors = read_factors(session, user.id)
    right = passwords.matches(again.password, user.password_hash)
    if right and with_factor and factors.any:
        # Only after the right password, so that guessing costs nobody their codes.
        right = take_code(session, user.id, again.code, vault=vault, now=now) is not None
    if not right:
        count_failure(session, subject, again.origin, user=user, device=again.device, now=now)
        return False
    if with_factor or not factors.any:
        # As at a sign-in: a known password must not buy endless wrong codes.
        forgive(session, subject, again.origin, user=user, device=again.device, now=now)
    return True


def take_own_code(
    session: TenantSession, identity: Identity, code: str, *, origin: Origin, vault: Vault, now: datetime
) -> bool:
    """Whether a program's code is right, after its password was; a wrong one counts, which the caller commits."""
    user = _load(session, identity)
    subject = subject_of(identity.email, user)
    refuse_locked(session, subject, origin, user=user, device=None, now=now)
    if take_code(session, user.id, code, vault=vault, now=now) is not None:
        forgive(session, subject, origin, user=user, device=None, now=now)
        return True
    count_failure(session, subject, origin, user=user, device=None, now=now)
    return False


def renew_proof(
    session: TenantSession, session_id: UUID, identity: Identity, *, factor: bool, method: str, now: datetime
) -> str:
    """Note in the session that the person has proved to be it; returns its new token.

    The token changes with what the session may do, so that a copy of the old one gains nothing.
    """
    token = new_token()
    values: dict[str, object] = {"proved_at": now, "token_hash": token_hash(token)}
    if factor:
        values["factor_at"] = now
    session.execute(
        update(AuthSession).where(AuthSession.id == session_id).values(**values),
        execution_options={"synchronize_session": False},
    )
    after = {"method": method, "second_factor": factor}
    audit(session, "user.confirmed", "user", identity.user.id, actor=identity.actor, now=now, after=after)
    return token


def has_password(session: TenantSession, user_id: UUID) -> bool:
    """Whether a login can prove itself by one; those of identity providers cannot."""
    return session.scalar(select(User.password_hash.is_not(None)).where(User.id == user_id)) is True


def _load(session: TenantSession, identity: Identity) -> User:
    return session.scalars(select(User).where(User.id == identity.user.id)).one()
