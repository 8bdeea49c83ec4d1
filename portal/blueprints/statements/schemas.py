"""Statements in the API: what customers and staff send and get (contract §5)."""

from datetime import date
from typing import Self
from uuid import UUID

from pydantic import Field

from portal.blueprints.accounts.account_schemas import Day
from portal.blueprints.api.schemas import Body, ListOf, PageQuery, Shape, UtcDateTime, left_out
from portal.blueprints.billing.schemas import Money
from portal.blueprints.localisation import gettext
from portal.lib.wording.statements import REFUSALS
from portal.models import Statement, StatementFormat, StatementKind, StatementState
from portal.services.statements.requesting import StatementRequest


class NewStatement(Body):
    """The days of a statement, both included, or with `kind` `annual` its year."""

    may_be_missing = False

    format: StatementFormat
    kind: StatementKind = StatementKind.PERIOD
    start: Day | None = left_out(description="Needed unless it is an annual one.")
    end: Day | None = left_out(description="Needed unless it is an annual one; not before `start`.")
    year: int | None = left_out(description="Needed for an annual one.", ge=1, le=9999)
    attach: bool = Field(False, description="Attach the file to the mail that says it is ready.")

    def read(self, company_id: UUID | None) -> StatementRequest:
        """What the service is asked for."""
        return StatementRequest(
            format=self.format,
            kind=self.kind,
            start=self.start,
            end=self.end,
            year=self.year,
            company_id=company_id,
            attach=self.attach,
        )


class OwnStatement(NewStatement):
    """What a customer asks for."""

    company_id: UUID | None = left_out(description="One of your companies; the one you administer unless given.")


class CustomersStatement(NewStatement):
    """What the team asks for."""

    customer_id: UUID


class StatementBalance(Shape):
    """What was owed before the first and after the last movement, in one currency."""

    opening: Money
    closing: Money
    lines: int


class StatementFailure(Shape):
    """Why there is no file."""

    code: str
    text: str = Field(description="In the reader's language.")


class StatementItem(Shape):
    """A statement."""

    id: UUID
    customer_id: UUID
    kind: StatementKind
    format: StatementFormat
    status: StatementState
    start: date
    end: date
    as_of: UtcDateTime = Field(description="What was booked later is not in it.")
    balances: list[StatementBalance]
    size: int | None
    sha256: str | None = Field(description="Of the file.")
    failure: StatementFailure | None
    created_at: UtcDateTime
    ready_at: UtcDateTime | None

    @classmethod
    def of(cls, statement: Statement) -> Self:
        """The item of a row."""
        return cls(
            id=statement.id,
            customer_id=statement.customer_id,
            kind=statement.kind,
            format=statement.format,
            status=statement.state,
            start=statement.start_on,
            end=statement.end_on,
            as_of=statement.as_of,
            balances=[
                StatementBalance(
                    opening=Money(amount=one["opening"], currency=one["currency"]),
                    closing=Money(amount=one["closing"], currency=one["currency"]),
                    lines=one["lines"],
                )
                for one in statement.figures
            ],
            size=statement.size,
            sha256=statement.sha256.hex() if statement.sha256 else None,
            failure=_failure(statement.failure),
            created_at=statement.created_at,
            ready_at=statement.ready_at,
        )


class Statements(ListOf[StatementItem]):
    """A page of statements, the newest first."""


class StaffStatement(StatementItem):
    """A customer's statement, as the team sees it."""


class StaffStatements(ListOf[StaffStatement]):
    """A page of statements, the newest first."""


class StaffStatementQuery(PageQuery):
    """Whose statements."""

    customer_id: UUID | None = left_out()


def _failure(code: str | None) -> StatementFailure | None:
    if code is None:
        return None
    return StatementFailure(code=code, text=gettext(REFUSALS.get(code, REFUSALS["statement_not_made"])))
