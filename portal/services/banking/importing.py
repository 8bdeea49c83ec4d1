"""Reading statements: whatever is read how often, and by how many at once, each entry is stored once."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from portal.authz import Actor, Permission, require
from portal.errors import Conflict, FieldError, Invalid, NotFound
from portal.events import audit, publish
from portal.events.banking import StatementImported
from portal.integrations.camt import looks_like_xml, read_camt
from portal.lib.bank_csv import (
    AMOUNT_FORMATS,
    DATE_FORMATS,
    SHOWN_ROWS,
    CsvMapping,
    decode,
    guess_mapping,
    read_entries,
    read_rows,
)
from portal.lib.bank_entries import Entries, StatementRefused, clean_cell, keyed
from portal.lib.money import EXPONENTS
from portal.models import BankStatement, BankStatementFormat, BankTransaction, TransferStatus
from portal.models.session import TenantSession
from portal.services.billing.settings import load_settings

CHUNK = 500
_ACCOUNT_LENGTH = 40
_COLUMNS = (
    *("booked_on", "amount", "currency_column"),
    *("payer_name", "payer_account", "remittance", "bank_reference"),
)
_NAME_LENGTH = 255


def import_statement(
    session: TenantSession, content: bytes, file_name: str, *, actor: Actor, now: datetime
) -> BankStatement:
    """Read a file of the bank. CAMT.053 is stored at once; of a table somebody has to say what its columns mean.

    Raises Forbidden and Invalid (`file`).
    """
    require(actor, Permission.BILLING_MANAGE)
    statement = BankStatement(
        id=uuid4(),
        format=BankStatementFormat.CAMT,
        file_name=clean_cell(file_name)[:_NAME_LENGTH],
        sha256=hashlib.sha256(content).hexdigest(),
        content=None,
        mapping={},
        added=0,
        known=0,
        passed_over=0,
        imported_by=actor.user_id,
        created_at=now,
    )
    try:
        if looks_like_xml(content):
            found = read_camt(content)
            session.add(statement)
            _finish(session, statement, found, actor, now)
        else:
            text = decode(content)
            read_rows(text, SHOWN_ROWS + 1)
            statement.format, statement.content = BankStatementFormat.CSV, text
            session.add(statement)
            session.flush()
    except StatementRefused as refused:
        raise _invalid("file", refused) from None
    return statement


def preview_table(
    session: TenantSession, statement_id: UUID, *, actor: Actor
) -> tuple[BankStatement, list[list[str]], CsvMapping]:
    """A table that waits: the statement, its first rows, and what the columns seem to mean.

    A table with the same header as one that was read before gets the same meaning. Raises NotFound and Conflict.
    """
    statement = get_statement(session, statement_id, actor=actor)
    require(actor, Permission.BILLING_MANAGE)
    rows = read_rows(_waiting(statement), SHOWN_ROWS + 1)
    settings = load_settings(session)
    account = str(settings.seller.get("iban") or "").replace(" ", "").upper()[:_ACCOUNT_LENGTH]
    guessed = guess_mapping(rows, account=account, currency=settings.currency)
    return statement, rows, _last_mapping(session, rows[0]) or guessed


def read_table(
    session: TenantSession, statement_id: UUID, mapping: CsvMapping, *, actor: Actor, now: datetime
) -> BankStatement:
    """Store the entries of a table by what its columns mean; once. Raises NotFound, Conflict and Invalid."""
    require(actor, Permission.BILLING_MANAGE)
    statement = get_statement(session, statement_id, actor=actor, lock=True)
    rows = read_rows(_waiting(statement))
    tidy = _check(mapping, len(rows[0]))
    try:
        found = read_entries(rows, tidy)
    except StatementRefused as refused:
        raise _invalid("file", refused) from None
    statement.mapping = {"columns": tidy.plain(), "header": _header(rows[0])}
    statement.content = None
    _finish(session, statement, found, actor, now)
    return statement


def discard_statement(session: TenantSession, statement_id: UUID, *, actor: Actor, now: datetime) -> None:
    """Forget the text of a table that nobody wants to read. Raises NotFound and Conflict."""
    require(actor, Permission.BILLING_MANAGE)
    statement = get_statement(session, statement_id, actor=actor, lock=True)
    _waiting(statement)
    statement.content, statement.finished_at = None, now
    audit(session, "bank_statement.discarded", "bank_statement", statement.id, actor=actor, now=now)


def get_statement(session: TenantSession, statement_id: UUID, *, actor: Actor, lock: bool = False) -> BankStatement:
    """A statement, else NotFound; Forbidden without the right to see billing."""
    require(actor, Permission.BILLING_READ)
    query = select(BankStatement).where(BankStatement.id == statement_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    found = session.scalar(query)
    if found is None:
        raise NotFound("bank_statement")
    return found


def _waiting(statement: BankStatement) -> str:
    if statement.finished_at is not None or statement.content is None:
        raise Conflict("statement_read_already")
    return statement.content


def _finish(session: TenantSession, statement: BankStatement, found: Entries, actor: Actor, now: datetime) -> None:
    session.flush()
    rows = [
        {
            "id": uuid4(),
            "tenant_id": session.tenant_id,
            "statement_id": statement.id,
            "key": key,
            "status": TransferStatus.UNMATCHED,
            "created_at": now,
            "updated_at": now,
            **vars(entry),
        }
        for key, entry in keyed(found.credits)
    ]
    statement.added = _store(session, rows)
    statement.known = len(rows) - statement.added
    statement.passed_over, statement.finished_at = found.passed_over, now
    fact = StatementImported(statement.id, added=statement.added, known=statement.known)
    after = {"sha256": statement.sha256, "added": statement.added, "known": statement.known}
    publish(session, fact, actor=actor, now=now, after=after)


def _store(session: TenantSession, rows: list[dict[str, Any]]) -> int:
    """Insert what is not there yet; always in the order of the keys, so that two imports never wait in a circle."""
    rows.sort(key=lambda row: (row["account"], row["key"]))
    added = 0
    for start in range(0, len(rows), CHUNK):
        statement = insert(BankTransaction).values(rows[start : start + CHUNK])
        unseen = statement.on_conflict_do_nothing().returning(BankTransaction.id)
        added += len(session.execute(unseen).all())
    return added


def _check(mapping: CsvMapping, columns: int) -> CsvMapping:
    """The mapping with a tidy account; Invalid per field."""
    account = clean_cell(mapping.account).replace(" ", "").upper()
    errors = []
    if not account or len(account) > _ACCOUNT_LENGTH:
        errors.append(FieldError("account", "account_needed"))
    if mapping.currency not in EXPONENTS:
        errors.append(FieldError("currency", "unknown_choice"))
    if mapping.date_format not in DATE_FORMATS:
        errors.append(FieldError("date_format", "unknown_choice"))
    if mapping.amount_format not in AMOUNT_FORMATS:
        errors.append(FieldError("amount_format", "unknown_choice"))
    for name in ("booked_on", "amount"):
        if getattr(mapping, name) is None:
            errors.append(FieldError(name, "column_needed"))
    for name in (
        "booked_on",
        "amount",
        "currency_column",
        "payer_name",
        "payer_account",
        "remittance",
        "bank_reference",
    ):
        value = getattr(mapping, name)
        if value is not None and not 0 <= value < columns:
            errors.append(FieldError(name, "unknown_choice"))
    if errors:
        raise Invalid(*errors)
    return CsvMapping(**{**mapping.plain(), "account": account})


def _last_mapping(session: TenantSession, head: Sequence[str]) -> CsvMapping | None:
    query = (
        select(BankStatement.mapping)
        .where(BankStatement.format == BankStatementFormat.CSV, BankStatement.mapping["header"].astext == _header(head))
        .order_by(BankStatement.created_at.desc())
        .limit(1)
    )
    found = session.scalar(query)
    return CsvMapping.stored(dict(found.get("columns", {}))) if found else None


def _header(head: Sequence[str]) -> str:
    """The header's fingerprint: its words themselves may be a customer's where a table has none."""
    joined = "\x1f".join(clean_cell(cell).casefold() for cell in head)
    return hashlib.sha256(joined.encode("utf-8", "replace")).hexdigest()


def _invalid(field: str, refused: StatementRefused) -> Invalid:
    if refused.line is None:
        return Invalid(FieldError(field, refused.code))
    return Invalid(FieldError(field, f"{refused.code}_at", (("line", refused.line),)))
