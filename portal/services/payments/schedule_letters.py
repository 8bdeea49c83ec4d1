"""Who is told of a payment that waits for its day: whoever planned it, else the company's administrators."""

from datetime import datetime, time
from uuid import uuid4

from portal.lib.i18n import format_minute
from portal.lib.letters import translator
from portal.lib.money_format import format_amount
from portal.lib.wording import N_
from portal.lib.wording.payments import method_text
from portal.lib.wording.scheduled import end_text
from portal.models import Payment, PaymentKind
from portal.models.session import TenantSession
from portal.services.accounts.identity import Identity
from portal.services.payments.planned_rows import PlannedRow
from portal.services.payments.telling import Post, payers_of


def tell_planned(session: TenantSession, row: PlannedRow, *, soon: bool, base_url: str, now: datetime) -> None:
    """That it is planned, by mail to whoever planned it; the day before (`soon`) once more, and by the bell."""
    post = Post(session, shown_payment(row), base_url, now)
    people = payers_of(session, post.payment)
    for person in people:
        post.mail(person, "payment_scheduled", _path(row), _facts(post, row, person), {"soon": soon})
    if soon:
        post.ring(people, "payment_scheduled", row.amount, record=("invoice", row.invoice.id))


def tell_ended(session: TenantSession, row: PlannedRow, *, base_url: str, now: datetime) -> None:
    """That it will not be charged, and why; `planned.code` says so."""
    post = Post(session, shown_payment(row), base_url, now)
    people = payers_of(session, post.payment)
    for person in people:
        reason = end_text(row.planned.code, translator(post.locale_of(person)))
        post.mail(person, "payment_schedule_ended", _path(row), _facts(post, row, person)[:1], {"reason_text": reason})
    post.ring(people, "payment_schedule_ended", row.amount, record=("invoice", row.invoice.id))


def shown_payment(row: PlannedRow) -> Payment:
    """The payment as it will be, to say which; never stored."""
    planned, method = row.planned, row.method
    return Payment(
        id=uuid4(),
        tenant_id=planned.tenant_id,
        number=row.invoice.number or "",
        customer_id=planned.customer_id,
        started_by=planned.created_by,
        kind=PaymentKind.SCHEDULED,
        currency=planned.currency,
        amount=row.amount,
        method={"kind": method.kind, "brand": method.brand, "last4": method.last4},
    )


def _path(row: PlannedRow) -> str:
    return f"/portal/invoices/{row.invoice.id}"


def _facts(post: Post, row: PlannedRow, person: Identity) -> list[tuple[str, str]]:
    locale = post.locale_of(person)
    day = format_minute(datetime.combine(row.planned.day, time(12)), locale, "UTC", "d MMMM y")
    return [
        (N_("Invoice"), row.invoice.number or ""),
        (N_("Amount"), format_amount(row.amount, row.planned.currency, locale)),
        (N_("Charged"), day),
        (N_("Method"), method_text(post.payment.method, translator(locale))),
    ]
