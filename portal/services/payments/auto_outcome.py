"""What becomes of an invoice's auto-pay plan once a charge is decided: done, tried again, or up to the customer.

Banks say why they refuse; each class has a plan of its own (research: payments §6).
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from portal.lib.iso_durations import parse_iso_duration
from portal.models import AutoPayAttempt, AutoPayState, Invoice, Payment, PaymentAllocation, PaymentKind
from portal.models.session import TenantSession
from portal.services.billing.settings import load_settings

_HOPELESS = frozenset(
    {
        "stolen_card",
        "lost_card",
        "expired_card",
        "pickup_card",
        "restricted_card",
        "fraudulent",
        "invalid_account",
        "card_not_supported",
        "method_removed",
    }
)
_RETRIED = (AutoPayState.WAITING, AutoPayState.STOPPED, AutoPayState.NEEDS_CUSTOMER)
# What is owed again is charged after the notice that auto-pay always gives.
CHARGED_AFTER = timedelta(days=3)
NEVER_AGAIN = "do_not_try_again"


class FailureClass(StrEnum):
    """What a refusal asks for."""

    RETRY = "retry"
    ASK_CUSTOMER = "ask_customer"
    OTHER_METHOD = "other_method"


def classify(code: str | None, advice: str | None) -> FailureClass:
    """The class of a refusal."""
    if code == "authentication_required":
        return FailureClass.ASK_CUSTOMER
    if code in _HOPELESS or advice == NEVER_AGAIN:
        return FailureClass.OTHER_METHOD
    return FailureClass.RETRY


def note_success(session: TenantSession, payment: Payment, *, now: datetime) -> None:
    """The plans of the invoices are done, however they were paid."""
    for attempt in _attempts(session, payment):
        attempt.state, attempt.next_at, attempt.code = AutoPayState.DONE, None, None
        attempt.payment_id, attempt.updated_at = payment.id, now


def note_failure(session: TenantSession, payment: Payment, *, now: datetime) -> datetime | None:
    """Write down what follows from a failed automatic charge; gives when it is tried again, if it is."""
    if payment.kind is not PaymentKind.AUTO_PAY:
        return None
    kind = classify(payment.failure_code, payment.advice_code)
    pauses = [parse_iso_duration(text) for text in load_settings(session).dunning.get("retry_after", ())]
    planned = None
    for attempt in _attempts(session, payment):
        attempt.next_at, attempt.code, attempt.updated_at = None, payment.failure_code, now
        if kind is FailureClass.ASK_CUSTOMER:
            attempt.state = AutoPayState.NEEDS_CUSTOMER
        elif kind is FailureClass.RETRY and 0 < attempt.attempts <= len(pauses):
            attempt.state = AutoPayState.WAITING
            attempt.next_at = planned = now + pauses[attempt.attempts - 1]
        else:
            attempt.state = AutoPayState.STOPPED
    return planned


def retry_now(session: TenantSession, company_id: UUID, *, now: datetime) -> None:
    """What failed, or was given up, is tried again as soon as can be."""
    own = select(Invoice.id).where(Invoice.customer_id == company_id)
    session.execute(
        update(AutoPayAttempt)
        .where(
            AutoPayAttempt.invoice_id.in_(own),
            AutoPayAttempt.attempts > 0,
            AutoPayAttempt.state.in_(_RETRIED),
        )
        .values(state=AutoPayState.WAITING, next_at=now, updated_at=now),
        execution_options={"synchronize_session": False},
    )


def plan_anew(session: TenantSession, invoice: Invoice, *, at: datetime | None, now: datetime) -> None:
    """Forget how an invoice's plan went: it is announced and charged again, at `at` or when it is due.

    After a dispute or with another due date what is owed is not what the customer was told of before.
    """
    row = {"tenant_id": session.tenant_id, "invoice_id": invoice.id, "state": AutoPayState.WAITING, "updated_at": now}
    session.execute(insert(AutoPayAttempt).values(row).on_conflict_do_nothing())
    found = select(AutoPayAttempt).where(AutoPayAttempt.invoice_id == invoice.id).with_for_update()
    attempt = session.scalars(found.execution_options(populate_existing=True)).one()
    if attempt.state is AutoPayState.CHARGING:
        return
    attempt.state, attempt.attempts, attempt.next_at = AutoPayState.WAITING, 0, at
    attempt.noticed_at, attempt.code, attempt.updated_at = None, None, now


def plan_with_notice(session: TenantSession, invoice: Invoice, *, now: datetime) -> None:
    """Have what is owed again announced and then charged: when it is due, and not before the notice is over."""
    if invoice.due_at is None:
        return
    late = invoice.due_at <= now + CHARGED_AFTER
    plan_anew(session, invoice, at=now + CHARGED_AFTER if late else None, now=now)


def _attempts(session: TenantSession, payment: Payment) -> Iterable[AutoPayAttempt]:
    for_it = select(PaymentAllocation.invoice_id).where(PaymentAllocation.payment_id == payment.id)
    query = select(AutoPayAttempt).where(AutoPayAttempt.invoice_id.in_(for_it)).with_for_update()
    return session.scalars(query).all()
