"""Reads of statements and transfers: the team alone, with the right to see billing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, false, func, or_, select, tuple_

from portal.authz import Actor, Permission, require
from portal.errors import NotFound, invalid
from portal.lib.paging import DEFAULT_LIMIT, Page, decode_cursor, paginate
from portal.lib.text import has_forbidden_characters
from portal.models import BankMatch, BankStatement, BankTransaction, Payment, TransferStatus
from portal.models.session import TenantSession
from portal.services.payments.queries import PaymentRow, with_details

SEARCH_LENGTH = 100


@dataclass(frozen=True)
class TransferFilter:
    """What a list shows; without a status all of them."""

    status: TransferStatus | None = None
    statement_id: UUID | None = None
    q: str = ""
    limit: int = DEFAULT_LIMIT
    cursor: str | None = None


@dataclass(frozen=True)
class MatchRow:
    """A match with the payment that it booked."""

    match: BankMatch
    payment: PaymentRow


@dataclass(frozen=True)
class TransferDetail:
    """A transfer with everything it was matched with, the newest first."""

    transfer: BankTransaction
    matches: Sequence[MatchRow]

    @property
    def standing(self) -> MatchRow | None:
        """The match that counts."""
        return next((row for row in self.matches if row.match.undone_at is None), None)


def list_transfers(session: TenantSession, wanted: TransferFilter, *, actor: Actor) -> Page[BankTransaction]:
    """A page of transfers, the newest first. Raises Forbidden, and Invalid for a cursor of another list."""
    require(actor, Permission.BILLING_READ)
    cursor = decode_cursor(wanted.cursor)
    place = tuple_(BankTransaction.booked_on, BankTransaction.id)
    query = select(BankTransaction).where(*_narrowed(wanted))
    if cursor is not None:
        edge = tuple_(_day(cursor.value), cursor.id)
        query = query.where(place > edge if cursor.backwards else place < edge)
    if cursor is not None and cursor.backwards:
        query = query.order_by(BankTransaction.booked_on, BankTransaction.id)
    else:
        query = query.order_by(BankTransaction.booked_on.desc(), BankTransaction.id.desc())
    rows = session.scalars(query.limit(wanted.limit + 1)).all()
    return paginate(rows, wanted.limit, cursor, lambda row: (row.booked_on.isoformat(), row.id))


def count_waiting(session: TenantSession, *, actor: Actor) -> int:
    """How many transfers wait to be matched, counted to 1,000 at most."""
    require(actor, Permission.BILLING_READ)
    waiting = select(BankTransaction.id).where(BankTransaction.status == TransferStatus.UNMATCHED).limit(1000)
    return session.scalar(select(func.count()).select_from(waiting.subquery())) or 0


def list_statements(session: TenantSession, *, actor: Actor, limit: int = 10) -> Sequence[BankStatement]:
    """The newest statements."""
    require(actor, Permission.BILLING_READ)
    query = select(BankStatement).order_by(BankStatement.created_at.desc(), BankStatement.id.desc()).limit(limit)
    return session.scalars(query).all()


def get_transfer(session: TenantSession, transfer_id: UUID, *, actor: Actor) -> TransferDetail:
    """A transfer with its matches, in five statements. Raises Forbidden and NotFound."""
    require(actor, Permission.BILLING_READ)
    transfer = session.scalar(select(BankTransaction).where(BankTransaction.id == transfer_id))
    if transfer is None:
        raise NotFound("bank_transaction")
    rows = session.execute(
        select(BankMatch, Payment)
        .join(Payment, (Payment.tenant_id == BankMatch.tenant_id) & (Payment.id == BankMatch.payment_id))
        .where(BankMatch.transaction_id == transfer_id)
        .order_by(BankMatch.matched_at.desc(), BankMatch.id)
    ).all()
    details = with_details(session, [payment for _, payment in rows]) if rows else []
    return TransferDetail(transfer, [MatchRow(row[0], one) for row, one in zip(rows, details, strict=True)])


def lock_transfer(session: TenantSession, transfer_id: UUID) -> BankTransaction:
    """A transfer's row, locked and fresh, else NotFound; whoever decides about one begins here."""
    query = select(BankTransaction).where(BankTransaction.id == transfer_id).with_for_update()
    found = session.scalar(query.execution_options(populate_existing=True))
    if found is None:
        raise NotFound("bank_transaction")
    return found


def _narrowed(wanted: TransferFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.status is not None:
        conditions.append(BankTransaction.status == wanted.status)
    if wanted.statement_id is not None:
        conditions.append(BankTransaction.statement_id == wanted.statement_id)
    if words := " ".join(wanted.q.split())[:SEARCH_LENGTH]:
        if has_forbidden_characters(words):
            return [false()]
        columns = (BankTransaction.payer_name, BankTransaction.remittance, BankTransaction.reference)
        conditions.append(or_(*(column.icontains(words, autoescape=True) for column in columns)))
    return conditions


def _day(value: object) -> date:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise invalid("cursor", "cursor_invalid") from None
