"""A bank's desk in real transactions: statements read, transfers matched."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from portal.errors import DomainError, Invalid
from portal.models import BankMatch, BankStatement, BankTransaction
from portal.models.session import TenantSessions
from portal.services.banking.importing import import_statement
from portal.services.banking.matching import MatchRequest, match_transfer, undo_match
from portal.services.banking.suggesting import Suggestion, suggest_matches
from tests.statements import camt, entry
from tests.tills import BASE_URL, USUAL, Till, open_till
from tests.world import World


@dataclass
class Bank:
    """Statements and transfers of tenant demo, beside its till."""

    till: Till

    def read(self, content: bytes, who: str = "bill") -> BankStatement:
        with self.till.begin() as session:
            return import_statement(session, content, "statement.xml", actor=self.till.actor(who), now=self.till.now)

    def transfer(self, amount: str = "120.00", **more: Any) -> UUID:
        """A transfer that reached the account."""
        statement = self.read(camt(entry(amount, **more)))
        return self.of(statement.id)[0].id

    def of(self, statement_id: UUID) -> list[BankTransaction]:
        return self.till.rows(BankTransaction, BankTransaction.statement_id == statement_id)

    def get(self, transfer_id: UUID) -> BankTransaction:
        return self.till.rows(BankTransaction, BankTransaction.id == transfer_id)[0]

    def match(self, transfer_id: UUID, *invoices: UUID, who: str = "bill", **more: Any) -> BankMatch:
        """Match with invoices, each with as much as there is unless `amounts` says how much."""
        amounts = more.pop("amounts", None) or dict.fromkeys(invoices)
        with self.till.begin() as session:
            return match_transfer(
                session,
                transfer_id,
                MatchRequest(amounts, **more),
                base_url=BASE_URL,
                actor=self.till.actor(who),
                now=self.till.now,
            )

    def undo(self, transfer_id: UUID, who: str = "bill", reason: str = "Wrong customer") -> None:
        with self.till.begin() as session:
            undo_match(session, transfer_id, reason, base_url=BASE_URL, actor=self.till.actor(who), now=self.till.now)

    def suggest(self, *transfers: UUID) -> dict[UUID, Suggestion]:
        with self.till.begin() as session:
            rows = session.scalars(select(BankTransaction).where(BankTransaction.id.in_(transfers))).all()
            return suggest_matches(session, rows, actor=self.till.actor("bill"))

    def number(self, invoice_id: UUID) -> str:
        return str(self.till.get_invoice(invoice_id).number)


@pytest.fixture
def bank(sessions: TenantSessions, world: World) -> Iterator[Bank]:
    """The desk; the tenant's settings are the usual ones before and after."""
    till = open_till(sessions, world, datetime.now(UTC))
    yield Bank(till)
    till.settings(**USUAL)


@pytest.fixture
def refused() -> Callable[[Any], str]:
    """The code that a call is refused with."""

    def code(call: Any) -> str:
        with pytest.raises(DomainError) as caught:
            call()
        error = caught.value
        return error.errors[0].code if isinstance(error, Invalid) else error.code

    return code


@pytest.fixture
def nobody() -> str:
    """An account that has paid nothing yet."""
    return f"XX{uuid4().hex[:20].upper()}"
