"""Browsers that somebody has signed in from before: their cookie outlives the sessions.

The cookie holds a token for each of the last few people who used the browser, the newest first.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import select

from portal.lib.tokens import new_token, token_hash
from portal.models import KnownDevice, User, UserKind
from portal.models.session import TenantSession
from portal.services.accounts.identity import find_login
from portal.services.accounts.sessions import Origin

# Asked for where there is no login, so that the same statement runs.
NOBODY = UUID(int=0)
SEPARATOR = "~"
PEOPLE_PER_BROWSER = 4


# The same browser at the same address is reported this often in an hour: somebody who keeps no cookies is not
# buried in mails, and a browser or an address that was not there before always is.
REPORTED_PER_HOUR = 3


@dataclass(frozen=True)
class Recognised:
    """The device of a sign-in; `new_cookie` is what its cookie has to hold where it was not known before.

    `unusual`: the login has been used before, but not on this device, and its person is to be told.
    """

    id: UUID
    new_cookie: str | None
    unusual: bool = False


def find_device(session: TenantSession, user_id: UUID, shown: str | None) -> KnownDevice | None:
    """The device behind a cookie, if this very login has signed in from it and not disowned it."""
    tokens = _tokens(shown)
    if not tokens:
        return None
    return session.scalar(
        select(KnownDevice).where(
            KnownDevice.token_hash.in_([token_hash(token) for token in tokens]),
            KnownDevice.user_id == user_id,
            KnownDevice.disowned_at.is_(None),
        )
    )


def recognise_device(
    session: TenantSession, user: User, *, shown: str | None, origin: Origin, now: datetime
) -> Recognised:
    """Note that a login was used on a device; a device that is new for it gets a token of its own."""
    known = find_device(session, user.id, shown)
    if known is not None:
        known.last_seen_at, known.ip = now, origin.ip
        return Recognised(known.id, None)
    unusual = user.last_login_at is not None and not _reported_enough(session, user.id, origin, now)
    secret = new_token()
    device = KnownDevice(
        id=uuid4(),
        tenant_id=session.tenant_id,
        user_id=user.id,
        token_hash=token_hash(secret),
        user_agent=origin.user_agent[:255],
        ip=origin.ip,
        created_at=now,
        last_seen_at=now,
    )
    session.add(device)
    session.flush()
    return Recognised(device.id, SEPARATOR.join([secret, *_tokens(shown)][:PEOPLE_PER_BROWSER]), unusual)


def is_own_browser(session: TenantSession, identifier: str, kind: UserKind | None, shown: str | None) -> bool:
    """Whether the login that was typed has signed in before from the browser that shows this cookie."""
    if not _tokens(shown):
        return False
    user = find_login(session, identifier, kind)
    return user is not None and find_device(session, user.id, shown) is not None


def _reported_enough(session: TenantSession, user_id: UUID, origin: Origin, now: datetime) -> bool:
    alike = (
        select(KnownDevice.id)
        .where(
            KnownDevice.user_id == user_id,
            KnownDevice.created_at > now - timedelta(hours=1),
            KnownDevice.user_agent == origin.user_agent[:255],
            KnownDevice.ip == origin.ip,
        )
        .limit(REPORTED_PER_HOUR)
    )
    return len(session.scalars(alike).all()) >= REPORTED_PER_HOUR


def _tokens(shown: str | None) -> list[str]:
    return [token for token in (shown or "").split(SEPARATOR) if token][:PEOPLE_PER_BROWSER]
