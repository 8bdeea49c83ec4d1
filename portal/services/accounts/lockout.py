"""Locks after failed sign-ins that nobody can be locked out by: they hold for a person and an origin (AUTH-02).

Five failures in a row lock the pair for 15 minutes, doubled each time up to a day. A browser the person has
signed in from before counts for itself, so the owner still gets in while somebody elsewhere guesses. What does
not exist is locked alike, and the answer is the same. Staff and a new password lift locks.
"""

import hashlib
import ipaddress
import math
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from portal.errors import Unauthenticated
from portal.models import SignInLock, User
from portal.models.session import TenantSession
from portal.services.accounts.devices import find_device
from portal.services.accounts.sessions import Origin

FAILURES = 5
FIRST_LOCK = timedelta(minutes=15)
LONGEST_LOCK = timedelta(hours=24)
# Failures this far apart are no guessing.
FORGET_AFTER = timedelta(hours=24)


def subject_of(identifier: str, user: User | None) -> bytes:
    """Whom failures count against: the login, however it was named, or what was typed."""
    named = f"login:{user.id}" if user is not None else f"typed:{identifier.strip().lower()}"
    return hashlib.sha256(named.encode("utf-8", "surrogatepass")).digest()


def refuse_locked(
    session: TenantSession, subject: bytes, origin: Origin, *, user: User | None, device: str | None, now: datetime
) -> None:
    """Raise Unauthenticated `sign_in_locked` with `retry_after` (seconds) while the pair is locked."""
    until = session.scalar(
        select(SignInLock.locked_until).where(
            SignInLock.subject == subject, SignInLock.origin == _place(session, origin, user, device)
        )
    )
    if until is not None and until > now:
        seconds = max(1, math.ceil((until - now).total_seconds()))
        raise Unauthenticated("sign_in_locked", retry_after=seconds, minutes=math.ceil(seconds / 60))


def count_failure(
    session: TenantSession, subject: bytes, origin: Origin, *, user: User | None, device: str | None, now: datetime
) -> bool:
    """Count a failure, atomically; returns whether it locked the pair."""
    place = _place(session, origin, user, device)
    values = {"tenant_id": session.tenant_id, "subject": subject, "origin": place, "last_failed_at": now}
    row = session.execute(
        insert(SignInLock)
        .values(**values, user_id=user.id if user else None, failures=0, locks=0)
        .on_conflict_do_update(
            index_elements=["tenant_id", "subject", "origin"], set_={"last_failed_at": SignInLock.last_failed_at}
        )
        .returning(SignInLock)
    ).scalar_one()
    session.refresh(row, with_for_update=True)
    if now - row.last_failed_at > FORGET_AFTER:
        row.failures, row.locks = 0, 0
    row.failures, row.last_failed_at = row.failures + 1, now
    if row.failures < FAILURES:
        return False
    row.failures, row.locks = 0, row.locks + 1
    row.locked_until = now + min(FIRST_LOCK * 2 ** min(row.locks - 1, 10), LONGEST_LOCK)
    return True


def forgive(session: TenantSession, subject: bytes, origin: Origin, *, user: User | None, device: str | None) -> None:
    """Forget the failures of a pair after a right password."""
    session.execute(
        delete(SignInLock).where(
            SignInLock.subject == subject, SignInLock.origin == _place(session, origin, user, device)
        ),
        execution_options={"synchronize_session": False},
    )


def unlock(session: TenantSession, user_id: UUID) -> int:
    """Lift every lock of a login; returns how many there were."""
    lifted = session.execute(
        delete(SignInLock).where(SignInLock.user_id == user_id).returning(SignInLock.origin),
        execution_options={"synchronize_session": False},
    )
    return len(lifted.all())


def _place(session: TenantSession, origin: Origin, user: User | None, device: str | None) -> str:
    known = find_device(session, user.id, device) if user is not None else None
    if known is not None:
        return f"device:{known.id}"
    try:
        address = ipaddress.ip_address(origin.ip)
    except ValueError:
        return "ip:unknown"
    if address.version == 6:
        return f"ip:{ipaddress.ip_network((address, 64), strict=False).network_address}"
    return f"ip:{address}"
