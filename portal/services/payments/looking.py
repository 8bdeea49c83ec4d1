"""When a payment that is not decided is looked at again, and the look itself: what its workflow runs."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from portal.models import UNDECIDED, Payment, PaymentStatus
from portal.services.payments.applying import Desk, apply_payment
from portal.services.payments.calling import carry_out
from portal.services.payments.cancelling import cancel_payment

# After the start; then once a day, since debits take days.
LOOKS = (
    timedelta(seconds=30),
    timedelta(minutes=1),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(days=1),
)
DAILY = timedelta(days=1)
# So long the bank's question may wait for its answer; then what is reserved is free again.
ANSWER_WITHIN = timedelta(days=3)
# The gateway closes a page a little after the time that it names.
AFTER_END = timedelta(seconds=5)


@dataclass(frozen=True)
class Look:
    """When to come back; None once the payment is decided."""

    at: datetime | None


def look_at_payment(desk: Desk, payment_id: UUID, *, now: datetime) -> Look:
    """Ask for a payment that was not asked for yet, else read what became of it. Safe to repeat.

    Raises GatewayUnavailable where there is no answer.
    """
    payment = _read(desk, payment_id)
    if payment.status is PaymentStatus.CREATED and not (payment.session_id or payment.intent_id):
        # Whoever started it asks at once; only where that did not work it is done here.
        if now - payment.created_at >= LOOKS[0]:
            carry_out(desk, payment_id, now=now)
    elif payment.status is PaymentStatus.REQUIRES_ACTION and now - payment.created_at >= ANSWER_WITHIN:
        cancel_payment(desk, payment, now=now)
    elif payment.status in UNDECIDED:
        apply_payment(desk, payment_id, now=now)
    return Look(next_look(_read(desk, payment_id), now))


def next_look(payment: Payment, now: datetime) -> datetime | None:
    """The next time of the plan, or the end of the hosted page where that comes first."""
    if payment.status not in UNDECIDED:
        return None
    times = [payment.created_at + pause for pause in LOOKS]
    if payment.expires_at is not None:
        times.append(payment.expires_at + AFTER_END)
    return min((at for at in times if at > now), default=now + DAILY)


def _read(desk: Desk, payment_id: UUID) -> Payment:
    with desk.sessions.begin(desk.tenant_id) as session:
        return session.get_one(Payment, payment_id)
