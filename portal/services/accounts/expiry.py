"""Rows that are good for a short time do not stay for ever: each new one takes a few old ones along."""

from datetime import datetime, timedelta

from sqlalchemy import delete, select

from portal.models import OneTimeLink, ProviderLogout, SignInChallenge, SsoAttempt
from portal.models.session import TenantSession

# Long enough to look into what happened yesterday.
KEPT = timedelta(days=1)
AT_ONCE = 20
ShortLived = type[SsoAttempt] | type[SignInChallenge] | type[OneTimeLink] | type[ProviderLogout]


def forget_expired(session: TenantSession, table: ShortLived, *, now: datetime) -> None:
    """Delete up to twenty of the tenant's rows whose time was over a day ago; rows others delete are left to them."""
    (key,) = table.__mapper__.primary_key
    some = select(key).where(table.expires_at < now - KEPT).limit(AT_ONCE).with_for_update(skip_locked=True)
    # Chosen once: a subquery may be run again for every row, and skips what it has locked before.
    old = some.cte("old")
    session.execute(delete(table).where(key.in_(select(old))), execution_options={"synchronize_session": False})
