"""Saying that a saved card ends, in time to save another: a month and a week before, by a timer per card."""

from datetime import date, datetime, time, timedelta
from uuid import UUID, uuid4

from sqlalchemy import select

from portal.authz import system_actor
from portal.events import publish
from portal.events.payments import MethodExpiring
from portal.lib.wording import N_
from portal.lib.wording.payments import method_text
from portal.models import Payment, PaymentKind, PaymentMethod
from portal.models.session import TenantSession
from portal.services.billing.settings import load_settings
from portal.services.payments.methods import ends_of
from portal.services.payments.scheduling import tenant_zone
from portal.services.payments.telling import Post, payers_of

# Days before the first day on which the card is no longer good.
NOTICES = (30, 7)
MORNING = time(9)


def advance_expiry(
    session: TenantSession, method_id: UUID, expires: str, *, base_url: str, now: datetime
) -> datetime | None:
    """Tell what is due of a card's end (`expires`: 2028-08); gives when to come back, None where nothing is left.

    Safe to repeat: what was told stands in the row. Of two notices that were missed only the last is given.
    """
    method = session.scalar(select(PaymentMethod).where(PaymentMethod.id == method_id).with_for_update())
    if method is None or method.removed_at is not None or not expires or ends_of(method) != expires:
        return None
    zone = tenant_zone(session)
    end = first_day_after(expires)
    times = {days: datetime.combine(end - timedelta(days=days), MORNING, zone) for days in NOTICES}
    due = [days for days in NOTICES if times[days] <= now]
    over = datetime.combine(end, time(), zone) <= now
    if due and not over and not _is_told(method, expires, due[-1]):
        method.expiry_told = f"{expires}:{due[-1]}"
        _tell(session, method, expires, base_url=base_url, now=now)
    return min((at for at in times.values() if at > now), default=None)


def first_day_after(expires: str) -> date:
    """The first day on which a card with that end (2028-08) is no longer good."""
    year, month = (int(part) for part in expires.split("-"))
    return date(year + month // 12, month % 12 + 1, 1)


def _is_told(method: PaymentMethod, expires: str, days: int) -> bool:
    known, _, told = method.expiry_told.partition(":")
    return known == expires and int(told) <= days


def _tell(session: TenantSession, method: PaymentMethod, expires: str, *, base_url: str, now: datetime) -> None:
    fact = MethodExpiring(method.id, method.customer_id, expires)
    publish(session, fact, actor=system_actor(session.tenant_id), now=now, after={"expires": expires})
    shown = {"kind": method.kind, "brand": method.brand, "last4": method.last4}
    text = method_text(shown, str)
    # Only says whose and which; never stored.
    about = Payment(
        id=uuid4(),
        tenant_id=session.tenant_id,
        number=text,
        customer_id=method.customer_id,
        kind=PaymentKind.SAVED,
        currency=load_settings(session).currency,
        amount=0,
        method=shown,
    )
    post = Post(session, about, base_url, now)
    people = payers_of(session, about)
    facts = [(N_("Method"), text), (N_("Expires"), f"{expires[5:]}/{expires[2:4]}")]
    for person in people:
        post.mail(person, "payment_method_expiring", "/portal/payment-methods", facts, {"method": text})
    post.ring(people, "payment_method_expiring", 0, record=("payment_method", method.id))
