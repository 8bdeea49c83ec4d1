"""Receivables, statements and transfers for programs of the team under /api/v1/staff."""

from uuid import UUID

from flask import Blueprint

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.api.operations import operation
from portal.blueprints.banking.receivable_schemas import Receivables, ReceivablesQuery
from portal.blueprints.banking.schemas import (
    BankStatementItem,
    MatchBody,
    ReasonBody,
    Transfer,
    TransferItem,
    TransferQuery,
    Transfers,
)
from portal.blueprints.policies import permission
from portal.blueprints.uploads import takes_file
from portal.errors import FieldError, Invalid
from portal.integrations.camt import LARGEST_FILE
from portal.models import BankTransaction, TransferStatus
from portal.services.banking.importing import import_statement
from portal.services.banking.matching import MatchRequest, match_transfer, set_aside, take_back, undo_match
from portal.services.banking.queries import TransferFilter, get_transfer, list_transfers
from portal.services.banking.suggesting import suggest_matches
from portal.services.billing.open_items import ReceivablesFilter
from portal.services.billing.receivables import read_board
from portal.services.files.uploading import Upload

bp = Blueprint("staff_banking_api", __name__, url_prefix="/api/v1/staff")
DECIDED = "Somebody has matched it, or set it aside, in the meantime."


@bp.get("/receivables")
@permission(Permission.BILLING_READ)
@operation("Read the receivables", query=ReceivablesQuery, answer=Receivables)
def receivables(query: ReceivablesQuery) -> Receivables:
    """Who owes what and for how long, which automatic payments failed, and what comes next."""
    wanted = ReceivablesFilter(query.customer_id, query.currency)
    return Receivables.of(read_board(http.session(), wanted, actor=http.actor(), now=http.now()))


@bp.post("/bank-statements")
@permission(Permission.BILLING_MANAGE)
@takes_file(LARGEST_FILE)
@operation("Import a bank statement", upload=True, answer=BankStatementItem, status=201)
def take(upload: Upload) -> BankStatementItem:
    """Reads CAMT.053 (001.02 to 001.08); of a CSV somebody names the columns in the back office first."""
    upload.content.seek(0)
    content = upload.content.read(LARGEST_FILE + 1)
    found = import_statement(http.session(), content, upload.name, actor=http.actor(), now=http.now())
    return BankStatementItem.of(found)


@bp.get("/bank-transactions")
@permission(Permission.BILLING_READ)
@operation("List transfers", query=TransferQuery, answer=Transfers)
def index(query: TransferQuery) -> Transfers:
    """Money that reached the account, the newest first."""
    wanted = TransferFilter(query.status, query.statement_id, query.q, query.limit, query.cursor)
    page = list_transfers(http.session(), wanted, actor=http.actor())
    items = [TransferItem(**TransferItem.values(row)) for row in page.items]  # type: ignore[arg-type]
    return Transfers(items=items, next_cursor=page.next_cursor)


@bp.get("/bank-transactions/<uuid:transfer_id>")
@permission(Permission.BILLING_READ)
@operation("Read a transfer", answer=Transfer)
def detail(transfer_id: UUID) -> Transfer:
    """The transfer with suggested invoices and with everything it was matched with."""
    return _transfer(transfer_id)


@bp.post("/bank-transactions/<uuid:transfer_id>/match")
@permission(Permission.BILLING_MANAGE)
@operation("Match a transfer", body=MatchBody, answer=Transfer, conflicts=f"{DECIDED} Or an invoice is void.")
def match(transfer_id: UUID, body: MatchBody) -> Transfer:
    """Books it as a payment of these invoices; what they do not take becomes the customer's credit."""
    transfer = get_transfer(http.session(), transfer_id, actor=http.actor()).transfer
    match_transfer(
        http.session(),
        transfer_id,
        MatchRequest(_amounts(body, transfer), body.customer_id),
        base_url=http.settings().base_url,
        actor=http.actor(),
        now=http.now(),
    )
    return _transfer(transfer_id)


@bp.post("/bank-transactions/<uuid:transfer_id>/undo")
@permission(Permission.BILLING_MANAGE)
@operation(
    "Undo the match of a transfer",
    body=ReasonBody,
    answer=Transfer,
    conflicts="It is not matched, or something of its payment went back.",
)
def undo(transfer_id: UUID, body: ReasonBody) -> Transfer:
    """Reverses every entry of the booking by one of its own; the transfer waits again."""
    undo_match(
        http.session(),
        transfer_id,
        body.reason,
        base_url=http.settings().base_url,
        actor=http.actor(),
        now=http.now(),
    )
    return _transfer(transfer_id)


@bp.post("/bank-transactions/<uuid:transfer_id>/set-aside")
@permission(Permission.BILLING_MANAGE)
@operation("Set a transfer aside", body=ReasonBody, answer=Transfer, conflicts=DECIDED)
def aside(transfer_id: UUID, body: ReasonBody) -> Transfer:
    """It is no customer's payment."""
    set_aside(http.session(), transfer_id, body.reason, actor=http.actor(), now=http.now())
    return _transfer(transfer_id)


@bp.post("/bank-transactions/<uuid:transfer_id>/take-back")
@permission(Permission.BILLING_MANAGE)
@operation("Let a transfer wait again", answer=Transfer, conflicts="It was not set aside.")
def back(transfer_id: UUID) -> Transfer:
    """A transfer that was set aside waits to be matched again."""
    take_back(http.session(), transfer_id, actor=http.actor(), now=http.now())
    return _transfer(transfer_id)


def _transfer(transfer_id: UUID) -> Transfer:
    session, actor = http.session(), http.actor()
    found = get_transfer(session, transfer_id, actor=actor)
    waits = found.transfer.status is TransferStatus.UNMATCHED
    suggested = suggest_matches(session, [found.transfer], actor=actor)[transfer_id] if waits else None
    return Transfer.of(found, suggested)


def _amounts(body: MatchBody, transfer: BankTransaction) -> dict[UUID, int | None]:
    errors = []
    amounts: dict[UUID, int | None] = {}
    for place, part in enumerate(body.invoices):
        if part.amount is not None and part.amount.currency != transfer.currency:
            errors.append(FieldError(f"invoices.{place}.amount", "currency_mismatch"))
        if part.invoice_id in amounts:
            errors.append(FieldError(f"invoices.{place}.invoice_id", "given_twice"))
        amounts[part.invoice_id] = part.amount.amount if part.amount else None
    if errors:
        raise Invalid(*errors)
    return amounts
