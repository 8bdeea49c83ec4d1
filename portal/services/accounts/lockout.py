"""Locks after failed sign-ins that nobody can be locked out by: they hold for a person and an origin (AUTH-02).

Five failures in a row lock the pair for 15 minutes, doubled each time up to a day. A browser the person has
signed in from before counts for itself, so the owner still gets in while somebody elsewhere guesses. What does
not exist is counted and locked alike, by the same statements, and the answer is the same. Staff and a new
password lift locks.

Among attempts that run at once the counted ones decide: whoever comes to the count (or to be forgiven) after the
fifth failure is refused, even with the right password, so thirty guesses in parallel are worth five.
"""

import hashlib
import ipaddress
import math
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, or_, select, tuple_
from sqlalchemy.dialects.postgresql import insert

from portal.authz import visitor
from portal.errors import Unauthenticated
from portal.events import audit
from portal.models import SignInLock, User
from portal.models.session import TenantSession
from portal.services.accounts.devices import NOBODY, find_device
from portal.services.accounts.identity import canonical_identifier
from portal.services.accounts.sessions import Origin

FAILURES = 5
FIRST_LOCK = timedelta(minutes=15)
LONGEST_LOCK = timedelta(hours=24)
# This long after the last failure and the last lock a pair begins anew.
FORGET_AFTER = timedelta(hours=24)
# Each new pair takes this many forgotten ones away, so the table holds what a day of failures can make.
PURGED_AT_ONCE = 20


def subject_of(identifier: str, user: User | None) -> bytes:
    """Whom failures count against: what was typed, in its one spelling, else the login.

    Were it the login wherever there is one, a lock under its address would show under its number: who knows both
    could ask whether they belong together, and so whether somebody is a customer.
    """
    typed = canonical_identifier(identifier)
    named = f"typed:{typed}" if typed or user is None else f"login:{user.id}"
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
    _refuse_until(until, now)


def count_failure(
    session: TenantSession, subject: bytes, origin: Origin, *, user: User | None, device: str | None, now: datetime
) -> bool:
    """Count a failure, atomically; returns whether it locked the pair.

    Raises Unauthenticated `sign_in_locked` where another attempt has locked it meanwhile; that is not counted.
    """
    place = _place(session, origin, user, device)
    values = {"tenant_id": session.tenant_id, "subject": subject, "origin": place, "last_failed_at": now}
    row = session.execute(
        insert(SignInLock)
        .values(**values, user_id=user.id if user else None, failures=0, locks=0)
        # Changes nothing, but holds the row until the transaction ends.
        .on_conflict_do_update(
            index_elements=["tenant_id", "subject", "origin"], set_={"last_failed_at": SignInLock.last_failed_at}
        )
        .returning(SignInLock),
        execution_options={"populate_existing": True},
    ).scalar_one()
    _refuse_until(row.locked_until, now)
    if now - max(row.last_failed_at, row.locked_until or row.last_failed_at) > FORGET_AFTER:
        row.failures, row.locks = 0, 0
    begins = not row.failures and not row.locks
    row.failures, row.last_failed_at = row.failures + 1, now
    if begins:
        _purge(session, now)
    if row.failures < FAILURES:
        return False
    row.failures, row.locks = 0, row.locks + 1
    row.locked_until = now + min(FIRST_LOCK * 2 ** min(row.locks - 1, 10), LONGEST_LOCK)
    _note_lock(session, row, origin, now)
    return True


def forgive(
    session: TenantSession, subject: bytes, origin: Origin, *, user: User | None, device: str | None, now: datetime
) -> None:
    """Forget the failures of a pair after a right password.

    Raises Unauthenticated `sign_in_locked` where other attempts have locked it meanwhile; the lock stays, since
    the refusal rolls this back.
    """
    until = session.execute(
        delete(SignInLock)
        .where(SignInLock.subject == subject, SignInLock.origin == _place(session, origin, user, device))
        .returning(SignInLock.locked_until),
        execution_options={"synchronize_session": False},
    ).scalar()
    _refuse_until(until, now)


def unlock(session: TenantSession, user_id: UUID) -> int:
    """Lift every lock of a login; returns how many there were."""
    lifted = session.execute(
        delete(SignInLock).where(SignInLock.user_id == user_id).returning(SignInLock.origin),
        execution_options={"synchronize_session": False},
    )
    return len(lifted.all())


def _refuse_until(until: datetime | None, now: datetime) -> None:
    if until is not None and until > now:
        seconds = max(1, math.ceil((until - now).total_seconds()))
        raise Unauthenticated("sign_in_locked", retry_after=seconds, minutes=math.ceil(seconds / 60))


def _purge(session: TenantSession, now: datetime) -> None:
    """Take forgotten pairs away, oldest first; those that others hold are left to them."""
    forgotten = now - FORGET_AFTER
    old = (
        select(SignInLock.subject, SignInLock.origin)
        .where(
            SignInLock.last_failed_at < forgotten,
            or_(SignInLock.locked_until.is_(None), SignInLock.locked_until < forgotten),
        )
        .order_by(SignInLock.last_failed_at)
        .limit(PURGED_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    session.execute(
        delete(SignInLock).where(tuple_(SignInLock.subject, SignInLock.origin).in_(old)),
        execution_options={"synchronize_session": False},
    )


def _note_lock(session: TenantSession, row: SignInLock, origin: Origin, now: datetime) -> None:
    until = row.locked_until
    audit(
        session,
        "user.sign_in_locked",
        "user",
        row.user_id,
        actor=visitor(session.tenant_id, ip=origin.ip, request_id=origin.request_id),
        now=now,
        after={"until": until.isoformat() if until else None},
    )


def _place(session: TenantSession, origin: Origin, user: User | None, device: str | None) -> str:
    """Where somebody stands: at a browser of their own, else at an address (a whole /64 of IPv6)."""
    known = find_device(session, user.id if user is not None else NOBODY, device)
    if known is not None:
        return f"device:{known.id}"
    try:
        address = ipaddress.ip_address(origin.ip)
    except ValueError:
        return "ip:unknown"
    if address.version == 6:
        return f"ip:{ipaddress.ip_network((address, 64), strict=False).network_address}"
    return f"ip:{address}"
