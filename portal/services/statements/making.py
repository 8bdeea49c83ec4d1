"""Making a statement: once, whatever is repeated, and the same whenever it is made (BIL-07)."""

import hashlib
from datetime import datetime
from tempfile import TemporaryFile
from typing import IO, Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import undefer

from portal.authz import system_actor
from portal.events import publish
from portal.events.statements import StatementFailed, StatementReady
from portal.integrations.storage import FileStorage
from portal.lib.colour import solid_accent
from portal.lib.faults import crash_point
from portal.models import Company, Statement, StatementFormat, StatementKind, StatementState, Tenant
from portal.models.session import TenantSession, TenantSessions
from portal.services.billing.settings import load_settings
from portal.services.statements.figures import read_balances, read_taxes, require_closed_books, stream_lines
from portal.services.statements.files import collect_pages, require_drawable, set_pages, write_csv, write_xlsx
from portal.services.statements.telling import tell_requester
from portal.services.statements.words import Contents, Parties

CHUNK = 256 * 1024
# Above, mail servers refuse; the mail then leads to the page only.
LARGEST_ATTACHMENT = 8 * 1024 * 1024


def make_statement(
    sessions: TenantSessions,
    tenant_id: UUID,
    statement_id: UUID,
    *,
    storage: FileStorage,
    base_url: str,
    now: datetime,
) -> bool:
    """Make and store the file of a statement that waits; False where that was done before.

    Raises Conflict where it cannot be made at all, BooksStillOpen and StorageUnavailable to be tried again.
    """
    with TemporaryFile() as out:
        with sessions.begin(tenant_id) as session:
            statement = session.get(Statement, statement_id)
            if statement is None or statement.state is not StatementState.QUEUED:
                return False
            require_closed_books(session, statement.as_of)
            contents = _read_contents(session, statement)
            pages = _write(session, contents, out)
        if pages is not None:
            out.write(set_pages(contents, pages))
        size, digest = _measure(out)
        out.seek(0)
        key = key_of(statement_id)
        # The same content whoever makes it, so that an attempt beside this one does no harm.
        storage.put(key, out)
    crash_point("statement.pre_record")
    values = {
        "state": StatementState.READY,
        "storage_key": key,
        "size": size,
        "sha256": digest,
        "figures": [
            {"currency": one.currency, "opening": one.opening, "closing": one.closing, "lines": one.lines}
            for one in contents.balances
        ],
        "ready_at": now,
    }
    with sessions.begin(tenant_id) as session:
        return _record(session, statement_id, values, base_url=base_url, now=now)


def give_up(
    sessions: TenantSessions, tenant_id: UUID, statement_id: UUID, *, code: str, base_url: str, now: datetime
) -> bool:
    """Say that a statement will not be made, and why; False where it was decided before."""
    with sessions.begin(tenant_id) as session:
        values = {"state": StatementState.FAILED, "failure": code}
        return _record(session, statement_id, values, base_url=base_url, now=now)


def key_of(statement_id: UUID) -> str:
    """Where a statement's file lies."""
    return f"{statement_id.hex[-2:]}/statement-{statement_id.hex}"


def _read_contents(session: TenantSession, statement: Statement) -> Contents:
    names = (undefer(Company.legal_name), undefer(Company.tax_number))
    company = session.scalars(select(Company).where(Company.id == statement.customer_id).options(*names)).one()
    tenant = session.scalars(select(Tenant).where(Tenant.id == session.tenant_id)).one()
    seller: dict[str, Any] = load_settings(session).seller
    annual = statement.kind is StatementKind.ANNUAL
    return Contents(
        statement=statement,
        parties=Parties(
            company=company.legal_name or company.name,
            company_tax_number=company.tax_number or "",
            seller=str(seller.get("legal_name") or tenant.name),
            seller_tax_number=str(seller.get("tax_number") or ""),
            tenant=tenant.name,
            accent=solid_accent(tenant.brand.get("accent")),
        ),
        balances=read_balances(session, statement),
        taxes=read_taxes(session, statement) if annual else (),
    )


def _write(session: TenantSession, contents: Contents, out: IO[bytes]) -> dict[str, Any] | None:
    """Write what goes line by line; what a PDF shows is returned, to be set without the database waiting."""
    wanted = contents.statement.format
    if wanted is StatementFormat.PDF:
        require_drawable(contents)
    lines = stream_lines(session, contents.statement, contents.balances)
    if wanted is StatementFormat.PDF:
        return collect_pages(contents, lines)
    (write_csv if wanted is StatementFormat.CSV else write_xlsx)(contents, lines, out)
    return None


def _measure(out: IO[bytes]) -> tuple[int, bytes]:
    out.seek(0)
    digest, size = hashlib.sha256(), 0
    while piece := out.read(CHUNK):
        digest.update(piece)
        size += len(piece)
    return size, digest.digest()


def _record(
    session: TenantSession, statement_id: UUID, values: dict[str, Any], *, base_url: str, now: datetime
) -> bool:
    """Decide a statement that waits, once, and tell whoever asked for it in the same transaction."""
    found = session.scalars(
        update(Statement)
        .where(Statement.id == statement_id, Statement.state == StatementState.QUEUED)
        .values(**values)
        .returning(Statement)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if found is None:
        return False
    ready = found.state is StatementState.READY
    fact = (StatementReady if ready else StatementFailed).about(found)
    told = {"size": found.size} if ready else {"code": found.failure}
    publish(session, fact, actor=system_actor(session.tenant_id), now=now, after=told)
    attach = ready and found.attach and (found.size or 0) <= LARGEST_ATTACHMENT
    tell_requester(session, found, attach=attach, base_url=base_url, now=now)
    return True
