"""Saying what a transfer was for, and taking that back: once, however many people try at the same moment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import select

from portal.authz import Actor, Permission, require
from portal.errors import Conflict, NotFound, invalid
from portal.events import publish
from portal.events.banking import TransferMatched, TransferMatchUndone, TransferSetAside, TransferTakenBack
from portal.models import BankMatch, BankTransaction, Company, Invoice, TransferStatus
from portal.models.session import TenantSession
from portal.services.banking.queries import lock_transfer
from portal.services.billing.voiding import check_reason
from portal.services.payments.balances import lock_invoices
from portal.services.payments.transfers import Transfer, book_transfer, reverse_transfer

NOTE_LENGTH = 255


@dataclass(frozen=True)
class MatchRequest:
    """Invoice -> minor units, None for as much as is there; `customer_id` where all of it becomes credit."""

    invoices: Mapping[UUID, int | None] = field(default_factory=dict)
    customer_id: UUID | None = None


def match_transfer(
    session: TenantSession, transfer_id: UUID, wanted: MatchRequest, *, base_url: str, actor: Actor, now: datetime
) -> BankMatch:
    """Book a transfer as the payment of these invoices; what they do not take becomes the customer's credit.

    Raises Forbidden, NotFound, Invalid, and Conflict `transfer_decided` where somebody was faster.
    """
    require(actor, Permission.BILLING_MANAGE)
    transfer = lock_transfer(session, transfer_id)
    if transfer.status is not TransferStatus.UNMATCHED:
        raise Conflict("transfer_decided")
    customer_id, amounts = _amounts(session, transfer, wanted)
    booked = Transfer(customer_id, transfer.currency, transfer.amount, amounts, transfer.payer_account)
    payment = book_transfer(session, booked, base_url=base_url, actor=actor, now=now)
    match = BankMatch(
        id=uuid4(),
        transaction_id=transfer.id,
        payment_id=payment.id,
        matched_by=actor.user_id,
        matched_by_name=actor.name,
        matched_at=now,
    )
    session.add(match)
    transfer.status, transfer.updated_at, transfer.note = TransferStatus.MATCHED, now, ""
    fact = TransferMatched(transfer.id, payment_id=payment.id, company_id=payment.customer_id)
    after = {"payment": payment.number, "amount": payment.amount, "invoices": len(amounts)}
    publish(session, fact, actor=actor, now=now, after=after)
    return match


def undo_match(
    session: TenantSession, transfer_id: UUID, reason: str, *, base_url: str, actor: Actor, now: datetime
) -> BankTransaction:
    """Take a match back by entries that reverse it; the transfer waits again.

    Raises Forbidden, NotFound, Invalid (reason) and Conflict (`transfer_not_matched`, `transfer_not_reversible`).
    """
    require(actor, Permission.BILLING_MANAGE)
    why = check_reason(reason)
    transfer = lock_transfer(session, transfer_id)
    match = session.scalar(
        select(BankMatch).where(BankMatch.transaction_id == transfer.id, BankMatch.undone_at.is_(None))
    )
    if transfer.status is not TransferStatus.MATCHED or match is None:
        raise Conflict("transfer_not_matched")
    payment = reverse_transfer(session, match.payment_id, match.id, base_url=base_url, actor=actor, now=now)
    match.undone_by, match.undone_by_name = actor.user_id, actor.name
    match.undone_at, match.undone_reason = now, why
    transfer.status, transfer.updated_at = TransferStatus.UNMATCHED, now
    fact = TransferMatchUndone(transfer.id, payment_id=payment.id, company_id=payment.customer_id)
    publish(session, fact, actor=actor, now=now, after={"payment": payment.number, "reason": why})
    return transfer


def set_aside(session: TenantSession, transfer_id: UUID, note: str, *, actor: Actor, now: datetime) -> BankTransaction:
    """Say that a transfer is no customer's payment, and why. Raises Forbidden, NotFound, Invalid and Conflict."""
    require(actor, Permission.BILLING_MANAGE)
    why = check_reason(note)
    transfer = lock_transfer(session, transfer_id)
    if transfer.status is not TransferStatus.UNMATCHED:
        raise Conflict("transfer_decided")
    transfer.status, transfer.note, transfer.updated_at = TransferStatus.SET_ASIDE, why, now
    publish(session, TransferSetAside(transfer.id), actor=actor, now=now, after={"reason": why})
    return transfer


def take_back(session: TenantSession, transfer_id: UUID, *, actor: Actor, now: datetime) -> BankTransaction:
    """Let a transfer that was set aside wait again. Raises Forbidden, NotFound and Conflict."""
    require(actor, Permission.BILLING_MANAGE)
    transfer = lock_transfer(session, transfer_id)
    if transfer.status is not TransferStatus.SET_ASIDE:
        raise Conflict("transfer_decided")
    transfer.status, transfer.note, transfer.updated_at = TransferStatus.UNMATCHED, "", now
    publish(session, TransferTakenBack(transfer.id), actor=actor, now=now)
    return transfer


def _amounts(session: TenantSession, transfer: BankTransaction, wanted: MatchRequest) -> tuple[UUID, dict[UUID, int]]:
    """Whose payment it is, and how much each invoice gets; open amounts are filled in the order they were named."""
    if not wanted.invoices:
        return _customer(session, wanted.customer_id), {}
    invoices: dict[UUID, Invoice] = {one.id: one for one in lock_invoices(session, wanted.invoices)}
    if len(invoices) != len(wanted.invoices):
        raise NotFound("invoice")
    left = transfer.amount - sum(amount for amount in wanted.invoices.values() if amount is not None)
    amounts = {}
    for invoice_id, amount in wanted.invoices.items():
        if amount is None:
            amount = min(max(0, left), invoices[invoice_id].outstanding)
            left -= amount
        amounts[invoice_id] = amount
    customer_id = next(iter(invoices.values())).customer_id
    if wanted.customer_id not in (None, customer_id):
        raise invalid("customer_id", "invoices_differ")
    return customer_id, amounts


def _customer(session: TenantSession, customer_id: UUID | None) -> UUID:
    if customer_id is None:
        raise invalid("invoices", "transfer_customer_needed")
    found = session.scalar(select(Company.id).where(Company.id == customer_id))
    if found is None:
        raise NotFound("company")
    return found
