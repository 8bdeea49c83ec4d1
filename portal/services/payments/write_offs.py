"""Giving up what an invoice still owes, and taking that back, by entries of the ledger that are never changed.

Both are asked for by the team, and above the tenant's limit agreed to by a second one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import func, select

from portal.authz import Actor, Permission, require, system_actor
from portal.errors import Conflict, NotFound, invalid
from portal.events import publish, tell
from portal.events.banking import (
    InvoiceWriteOffReversed,
    InvoiceWrittenOff,
    WriteOffDeclined,
    WriteOffRequested,
    WriteOffReversalRequested,
)
from portal.events.notifications import NotificationsCreated
from portal.lib.money_format import format_amount
from portal.models import (
    Company,
    Invoice,
    InvoiceKind,
    InvoiceStatus,
    LedgerEntry,
    LedgerKind,
    Notification,
    WriteOff,
    WriteOffStatus,
)
from portal.models.session import TenantSession
from portal.services.billing.holding import restart_dunning
from portal.services.billing.ledger import book
from portal.services.billing.queries import lock_invoice
from portal.services.billing.settings import load_settings
from portal.services.billing.status import settle_invoice
from portal.services.billing.voiding import check_reason
from portal.services.payments.auto_outcome import plan_with_notice
from portal.services.payments.telling import staff_who_may

WAITING = "invoice_write_off_waiting"
REVERSAL_WAITING = "invoice_reversal_waiting"
WAITING_SHOWN = 100


@dataclass(frozen=True)
class WriteOffRequest:
    """Why, and how much (minor units) is given up; all that is owed unless an amount is given."""

    reason: str
    amount: int | None = None


@dataclass(frozen=True)
class WaitingWriteOff:
    """A write-off that waits, and whose invoice it is of."""

    write_off: WriteOff
    number: str
    company_name: str


def request_write_off(
    session: TenantSession, invoice_id: UUID, request: WriteOffRequest, *, actor: Actor, now: datetime
) -> WriteOff:
    """Give up what is owed; what needs a second person waits with the state REQUESTED.

    What was given up of the same invoice before counts towards the limit, so slices do not pass under it. Raises
    Forbidden, NotFound, Invalid (`amount`, `reason`) and Conflict: nothing of it can be written off, a payment of it
    is under way or disputed, or another write-off waits.
    """
    require(actor, Permission.BILLING_MANAGE)
    why = check_reason(request.reason)
    invoice = lock_invoice(session, invoice_id, actor=actor)
    _require_open(invoice)
    amount = invoice.outstanding if request.amount is None else request.amount
    if not 0 < amount <= invoice.outstanding:
        raise invalid("amount", "write_off_too_large")
    if _waiting(session, invoice.id) is not None:
        raise Conflict("write_off_waits")
    second = _needs_second(session, amount + _given_up(session, invoice))
    made = _new(invoice, amount, why, second=second, actor=actor, now=now)
    return _ask_or_book(session, invoice, made, actor, now)


def request_reversal(
    session: TenantSession, write_off_id: UUID, *, reason: str, actor: Actor, now: datetime
) -> WriteOff:
    """Have what was given up by a write-off owed again, all of it; above the limit a second person has to agree.

    What was taken back of the same invoice before counts towards the limit. Gives the reversal, which is a row of its
    own: what it takes back stays as it is. Raises Forbidden, NotFound, Invalid (`reason`) and Conflict:
    `write_off_not_reversible` (it was not booked, is a reversal, or was taken back), `write_off_waits`.
    """
    require(actor, Permission.BILLING_MANAGE)
    why = check_reason(reason)
    found = get_write_off(session, write_off_id, actor=actor)
    invoice = lock_invoice(session, found.invoice_id, actor=actor)
    found = session.get_one(WriteOff, write_off_id, populate_existing=True)
    if found.status is not WriteOffStatus.DONE or found.reverses_id is not None or _reversal(session, found.id):
        raise Conflict("write_off_not_reversible")
    if _waiting(session, invoice.id) is not None:
        raise Conflict("write_off_waits")
    second = _needs_second(session, found.amount + _booked(session, invoice, LedgerKind.WRITE_OFF_REVERSED))
    made = _new(invoice, found.amount, why, second=second, actor=actor, now=now)
    made.reverses_id = found.id
    return _ask_or_book(session, invoice, made, actor, now)


def decide_write_off(
    session: TenantSession, write_off_id: UUID, *, approve: bool, actor: Actor, now: datetime
) -> WriteOff:
    """Agree to a colleague's write-off, or to taking one back, or refuse it; once.

    Raises Forbidden, NotFound and Conflict (`write_off_own`, `write_off_decided`, `write_off_too_large` where the
    invoice owes less than that by now).
    """
    require(actor, Permission.BILLING_MANAGE)
    found = get_write_off(session, write_off_id, actor=actor)
    # Whoever changes amounts begins with the invoice, so that nobody waits in a circle.
    invoice = lock_invoice(session, found.invoice_id, actor=actor)
    query = select(WriteOff).where(WriteOff.id == write_off_id).with_for_update()
    found = session.scalars(query.execution_options(populate_existing=True)).one()
    if found.status is not WriteOffStatus.REQUESTED:
        raise Conflict("write_off_decided")
    if found.requested_by == actor.user_id:
        raise Conflict("write_off_own")
    found.decided_by, found.decided_by_name, found.updated_at = actor.user_id, actor.name, now
    if not approve:
        found.status = WriteOffStatus.REFUSED
        fact = WriteOffDeclined(invoice.id, company_id=invoice.customer_id, write_off_id=found.id, amount=found.amount)
        publish(session, fact, actor=actor, now=now, after={"amount": found.amount})
        return found
    if found.reverses_id is None:
        _require_open(invoice)
        if found.amount > invoice.outstanding:
            raise Conflict("write_off_too_large")
    found.status = WriteOffStatus.DONE
    _book(session, invoice, found, actor, now)
    return found


def get_write_off(session: TenantSession, write_off_id: UUID, *, actor: Actor) -> WriteOff:
    """A write-off, for the team. Raises Forbidden and NotFound."""
    require(actor, Permission.BILLING_READ)
    found = session.scalar(select(WriteOff).where(WriteOff.id == write_off_id))
    if found is None:
        raise NotFound("write_off")
    return found


def list_write_offs(session: TenantSession, invoice_id: UUID, *, actor: Actor) -> Sequence[WriteOff]:
    """What was given up of an invoice, or is about to be, the newest first."""
    require(actor, Permission.BILLING_READ)
    query = select(WriteOff).where(WriteOff.invoice_id == invoice_id)
    return session.scalars(query.order_by(WriteOff.created_at.desc(), WriteOff.id)).all()


def list_waiting(session: TenantSession, *, actor: Actor, limit: int = WAITING_SHOWN) -> list[WaitingWriteOff]:
    """The write-offs that wait for a second person, the oldest first."""
    require(actor, Permission.BILLING_READ)
    rows = session.execute(
        select(WriteOff, func.coalesce(Invoice.number, ""), Company.name)
        .join(Invoice, (Invoice.tenant_id == WriteOff.tenant_id) & (Invoice.id == WriteOff.invoice_id))
        .join(Company, (Company.tenant_id == Invoice.tenant_id) & (Company.id == Invoice.customer_id))
        .where(WriteOff.status == WriteOffStatus.REQUESTED)
        .order_by(WriteOff.created_at, WriteOff.id)
        .limit(limit)
    )
    return [WaitingWriteOff(*row) for row in rows]


def _require_open(invoice: Invoice) -> None:
    ended = invoice.status in (InvoiceStatus.DRAFT, InvoiceStatus.VOID, InvoiceStatus.PAID)
    if ended or invoice.kind is InvoiceKind.CREDIT_NOTE:
        raise Conflict("invoice_not_writable_off")
    if invoice.reserved or invoice.disputed:
        raise Conflict("payment_under_way", number=invoice.number)


def _waiting(session: TenantSession, invoice_id: UUID) -> UUID | None:
    query = select(WriteOff.id).where(WriteOff.invoice_id == invoice_id, WriteOff.status == WriteOffStatus.REQUESTED)
    return session.scalar(query)


def _reversal(session: TenantSession, write_off_id: UUID) -> UUID | None:
    """What takes it back, or is about to."""
    live = WriteOff.status != WriteOffStatus.REFUSED
    return session.scalar(select(WriteOff.id).where(WriteOff.reverses_id == write_off_id, live))


def _needs_second(session: TenantSession, amount: int) -> bool:
    limit = load_settings(session).four_eyes_over
    return limit is not None and amount > limit


def _given_up(session: TenantSession, invoice: Invoice) -> int:
    """How much of it is written off now, in minor units."""
    taken_back = _booked(session, invoice, LedgerKind.WRITE_OFF_REVERSED)
    return -_booked(session, invoice, LedgerKind.WRITTEN_OFF) - taken_back


def _booked(session: TenantSession, invoice: Invoice, kind: LedgerKind) -> int:
    query = select(func.coalesce(func.sum(LedgerEntry.amount), 0)).where(
        LedgerEntry.invoice_id == invoice.id, LedgerEntry.kind == kind
    )
    return int(session.scalar(query) or 0)


def _new(invoice: Invoice, amount: int, reason: str, *, second: bool, actor: Actor, now: datetime) -> WriteOff:
    return WriteOff(
        id=uuid4(),
        invoice_id=invoice.id,
        amount=amount,
        currency=invoice.currency,
        reason=reason,
        status=WriteOffStatus.REQUESTED if second else WriteOffStatus.DONE,
        requested_by=actor.user_id,
        requested_by_name=actor.name,
        created_at=now,
        updated_at=now,
    )


def _ask_or_book(session: TenantSession, invoice: Invoice, made: WriteOff, actor: Actor, now: datetime) -> WriteOff:
    session.add(made)
    session.flush()
    if made.status is WriteOffStatus.DONE:
        _book(session, invoice, made, actor, now)
        return made
    kind = WriteOffReversalRequested if made.reverses_id else WriteOffRequested
    fact = kind(invoice.id, company_id=invoice.customer_id, write_off_id=made.id, amount=made.amount)
    publish(session, fact, actor=actor, now=now, after={"amount": made.amount, "reason": made.reason})
    _ask(session, invoice, made, now)
    return made


def _book(session: TenantSession, invoice: Invoice, made: WriteOff, actor: Actor, now: datetime) -> None:
    if made.reverses_id is not None:
        _book_reversal(session, invoice, made, actor, now)
        return
    invoice.credited += made.amount
    book(session, invoice, LedgerKind.WRITTEN_OFF, -made.amount, key=f"written_off:{made.id}", now=now)
    fact = InvoiceWrittenOff(invoice.id, company_id=invoice.customer_id, write_off_id=made.id, amount=made.amount)
    publish(session, fact, actor=actor, now=now, after={"amount": made.amount, "reason": made.reason})
    settle_invoice(session, invoice, actor=actor, now=now)


def _book_reversal(session: TenantSession, invoice: Invoice, made: WriteOff, actor: Actor, now: datetime) -> None:
    """It is owed again, and asked for from now on: nobody is charged for the days in which it was given up."""
    invoice.credited -= made.amount
    key = f"write_off_reversed:{made.reverses_id}"
    book(session, invoice, LedgerKind.WRITE_OFF_REVERSED, made.amount, key=key, now=now)
    fact = InvoiceWriteOffReversed(invoice.id, company_id=invoice.customer_id, write_off_id=made.id, amount=made.amount)
    publish(session, fact, actor=actor, now=now, after={"amount": made.amount, "reason": made.reason})
    settle_invoice(session, invoice, actor=actor, now=now)
    restart_dunning(session, invoice, now=now)
    plan_with_notice(session, invoice, now=now)


def _ask(session: TenantSession, invoice: Invoice, made: WriteOff, now: datetime) -> None:
    """A notice for everybody who may agree, which is everybody but the one who asks."""
    people = staff_who_may(session, Permission.BILLING_MANAGE)
    told, event_id = [one.user.id for one in people if one.user.id != made.requested_by], uuid4()
    params = {"number": invoice.number, "amount": format_amount(made.amount, made.currency, "en")}
    session.add_all(
        Notification(
            id=uuid4(),
            user_id=user_id,
            event_id=event_id,
            kind=REVERSAL_WAITING if made.reverses_id else WAITING,
            record_type="invoice",
            record_id=invoice.id,
            params=params,
            created_at=now,
        )
        for user_id in told
    )
    if told:
        fact = NotificationsCreated(event_id, user_ids=tuple(told))
        tell(session, fact, actor=system_actor(session.tenant_id), now=now)
