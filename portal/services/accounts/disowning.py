"""“This was not me”: whoever used the device is out, and the password they knew is worth nothing (AUTH-19)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update

from portal.errors import Conflict
from portal.events import audit, publish
from portal.events.access import PasswordResetOwed
from portal.models import AuthSession, KnownDevice, LinkPurpose, TokenFamily, User
from portal.models.session import TenantSession
from portal.services.accounts.one_time import consume_link, peek_link
from portal.services.accounts.sessions import Origin, load_identity


def find_disowned(session: TenantSession, token: str, *, now: datetime) -> KnownDevice:
    """The device a link disowns, without using it up; raises Conflict `link_expired`."""
    link = peek_link(session, token, LinkPurpose.DISOWN_DEVICE, now=now)
    return _device(session, link.payload.get("device"))


def disown_device(session: TenantSession, token: str, *, origin: Origin, now: datetime) -> User:
    """End what the device opened, have the password replaced and mail the link for that; works once.

    Programs cannot be told apart by device, so all of the login's end. Raises Conflict `link_expired`.
    """
    link = consume_link(session, token, LinkPurpose.DISOWN_DEVICE, now=now)
    device = _device(session, link.payload.get("device"))
    user = session.scalar(select(User).where(User.id == device.user_id))
    if user is None:
        raise Conflict("link_expired")
    actor = load_identity(session, user, origin).actor
    device.disowned_at = now
    user.must_reset_password = True
    options = {"synchronize_session": False}
    session.execute(
        update(AuthSession)
        .where(AuthSession.device_id == device.id, AuthSession.user_id == user.id, AuthSession.revoked_at.is_(None))
        .values(revoked_at=now),
        execution_options=options,
    )
    session.execute(
        update(TokenFamily)
        .where(TokenFamily.user_id == user.id, TokenFamily.revoked_at.is_(None))
        .values(revoked_at=now),
        execution_options=options,
    )
    audit(session, "device.disowned", "user", user.id, actor=actor, now=now)
    publish(session, PasswordResetOwed(user.id), actor=actor, now=now)
    return user


def _device(session: TenantSession, device_id: str | None) -> KnownDevice:
    found = session.scalar(select(KnownDevice).where(KnownDevice.id == UUID(str(device_id)))) if device_id else None
    if found is None:
        raise Conflict("link_expired")
    return found
