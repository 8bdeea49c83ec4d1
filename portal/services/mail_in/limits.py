"""How much mail is taken within an hour, from one sender and by one tenant."""

from datetime import datetime, timedelta

from sqlalchemy import and_, func, select

from portal.models import InboundMail
from portal.models.session import TenantSession

WINDOW = timedelta(hours=1)
# Beyond the first number mails wait for somebody to look at them; beyond the second only their heads are kept.
SENDER = (30, 120)
TENANT = (1_000, 3_000)


def flood_reason(session: TenantSession, sender: str, *, now: datetime) -> tuple[str, str]:
    """(outcome, reason) where there is too much of it: `held` or `ignored`; empty texts where there is not."""
    since = now - WINDOW
    counted = and_(InboundMail.received_at > since, InboundMail.received_at <= now)
    for limits, of, reason in (
        (SENDER, select(InboundMail.id).where(counted, InboundMail.sender == sender), "rate_sender"),
        (TENANT, select(InboundMail.id).where(counted), "rate_tenant"),
    ):
        seen = session.scalar(select(func.count()).select_from(of.limit(limits[1] + 1).subquery())) or 0
        # The mail itself is counted already.
        if seen > limits[1]:
            return "ignored", reason
        if seen > limits[0]:
            return "held", reason
    return "", ""
