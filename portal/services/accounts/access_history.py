"""How a login comes in, for staff who have to judge it: sessions, devices, locks, and what was done to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from portal.authz import Actor
from portal.models import AuditEntry, AuthSession, Invitation, KnownDevice, SignInLock, TokenFamily
from portal.models.session import TenantSession
from portal.services.accounts.access_control import Login, get_login
from portal.services.accounts.factor_reset import may_reset_factors
from portal.services.accounts.factors import Factors, read_factors

SHOWN = 20


@dataclass(frozen=True)
class AccessHistory:
    """What a record's page shows; newest first. `resettable`: the reader may clear the second factors there are."""

    login: Login
    factors: Factors
    resettable: bool
    sessions: Sequence[AuthSession]
    programs: Sequence[TokenFamily]
    devices: Sequence[KnownDevice]
    locks: Sequence[SignInLock]
    entries: Sequence[AuditEntry]


def load_history(session: TenantSession, person_id: UUID, *, actor: Actor, now: datetime) -> AccessHistory:
    """Sessions that live, devices, locks that hold, and the trail. Raises as `get_login`."""
    login = get_login(session, person_id, actor=actor)
    user_id = login.user.id
    living = (AuthSession.user_id == user_id, AuthSession.revoked_at.is_(None), AuthSession.expires_at > now)
    sessions = select(AuthSession).where(*living).order_by(AuthSession.last_seen_at.desc())
    programs = select(TokenFamily).where(TokenFamily.user_id == user_id, TokenFamily.revoked_at.is_(None))
    devices = select(KnownDevice).where(KnownDevice.user_id == user_id).order_by(KnownDevice.last_seen_at.desc())
    locks = select(SignInLock).where(SignInLock.user_id == user_id, SignInLock.locked_until > now)
    invited = session.scalars(select(Invitation.id).where(Invitation.user_id == user_id))
    records = [user_id, person_id, *invited]
    entries = select(AuditEntry).where(AuditEntry.record_id.in_(records)).order_by(AuditEntry.seq.desc())
    held = read_factors(session, user_id)
    return AccessHistory(
        login=login,
        factors=held,
        resettable=held.any and may_reset_factors(login, actor=actor),
        sessions=session.scalars(sessions.limit(SHOWN)).all(),
        programs=session.scalars(programs.order_by(TokenFamily.created_at.desc()).limit(SHOWN)).all(),
        devices=session.scalars(devices.limit(SHOWN)).all(),
        locks=session.scalars(locks.limit(SHOWN)).all(),
        entries=session.scalars(entries.limit(SHOWN)).all(),
    )
