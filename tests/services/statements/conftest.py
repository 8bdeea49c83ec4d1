"""An account of its own for each test, with a ledger that the test writes."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert, select

from portal.authz import Actor, system_actor
from portal.integrations.storage import FileStorage, folder_storage
from portal.models import Company, LedgerEntry, LedgerKind, Statement, StatementFormat
from portal.models.session import TenantSessions
from portal.services.statements.figures import BooksStillOpen
from portal.services.statements.making import make_statement
from portal.services.statements.requesting import StatementRequest, request_statement
from tests.patience import until
from tests.world import World

BASE_URL = "http://127.0.0.1:8000"


@dataclass
class Account:
    """A new company's account in tenant demo."""

    sessions: TenantSessions
    world: World
    storage: FileStorage
    company: UUID

    def book(self, *rows: tuple[datetime, str, int], currency: str = "EUR") -> None:
        """Write movements (when, kind, minor units)."""
        with self.sessions.begin(self.world.demo) as session:
            session.execute(
                insert(LedgerEntry),
                [
                    {
                        "id": uuid4(),
                        "tenant_id": self.world.demo,
                        "customer_id": self.company,
                        "kind": LedgerKind(kind),
                        "amount": amount,
                        "currency": currency,
                        "key": f"test:{uuid4()}",
                        "at": at,
                    }
                    for at, kind, amount in rows
                ],
            )

    def ask(self, actor: Actor | None = None, **wanted: Any) -> Statement:
        """Ask for one as the system, or as somebody."""
        given = {"format": StatementFormat.CSV, "company_id": self.company} | wanted
        if "year" not in given:
            given = {"start": date(2026, 1, 1), "end": date(2026, 12, 31)} | given
        locale = given.pop("locale", "en")
        with self.sessions.begin(self.world.demo) as session:
            return request_statement(
                session,
                StatementRequest(**given),
                locale=locale,
                actor=actor or system_actor(self.world.demo),
                now=datetime.now(UTC),
            )

    def make(self, statement: Statement) -> bool:
        """Have it made as the worker does; transactions of other tests may have to end first."""

        def attempt() -> tuple[bool] | None:
            try:
                made = make_statement(
                    self.sessions,
                    self.world.demo,
                    statement.id,
                    storage=self.storage,
                    base_url=BASE_URL,
                    now=datetime.now(UTC),
                )
            except BooksStillOpen:
                return None
            return (made,)

        return until(attempt)[0]

    def made(self, **wanted: Any) -> tuple[Statement, bytes]:
        """Ask, make, and give both the row and the file."""
        statement = self.ask(**wanted)
        assert self.make(statement)
        return self.row(statement.id), self.content(statement.id)

    def row(self, statement_id: UUID) -> Statement:
        """The statement as it is stored now."""
        with self.sessions.begin(self.world.demo) as session:
            return session.scalars(select(Statement).where(Statement.id == statement_id)).one()

    def content(self, statement_id: UUID) -> bytes:
        """Its file."""
        key = self.row(statement_id).storage_key
        assert key is not None
        return b"".join(self.storage.read(key))

    def stream(self, statement_id: UUID) -> BytesIO:
        """Its file, to be read by a library."""
        return BytesIO(self.content(statement_id))


@pytest.fixture
def account(sessions: TenantSessions, world: World, tmp_path: Path) -> Callable[..., Account]:
    """Open the account of a new company."""

    def opened(name: str = "Initech") -> Account:
        with sessions.begin(world.demo) as session:
            company = Company(id=uuid4(), name=name, customer_number=f"S-{uuid4().hex[:12]}")
            session.add(company)
        return Account(sessions, world, folder_storage(tmp_path / "files"), company.id)

    return opened


@pytest.fixture
def day() -> Callable[[int], datetime]:
    """Noon of the n-th day of 2026."""
    return lambda number: datetime(2026, 1, 1, 12, tzinfo=UTC) + timedelta(days=number - 1)
