"""Payment plans in the API: one class for customers, another for staff."""

from datetime import date
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import Field

from portal.blueprints.accounts.account_schemas import Day
from portal.blueprints.api.schemas import SOME_TEXT, Body, ListOf, PageQuery, Shape, UtcDateTime, left_out
from portal.blueprints.billing.requests import MoneyRequest
from portal.blueprints.billing.schemas import Money
from portal.blueprints.disputes.schemas import Words, minor
from portal.models import PlanInterval, PlanStatus
from portal.services.disputes.words import WORDS_LENGTH
from portal.services.plans.asking import PlanWish
from portal.services.plans.dividing import FEWEST, MOST, Part
from portal.services.plans.queries import PlanRow
from portal.services.quotes.accepting import NAME_LENGTH


class PlanRequest(Body):
    """How you want to pay, and why."""

    count: Annotated[int, Field(ge=FEWEST, le=MOST, description="Of instalments.")]
    interval: PlanInterval
    first_on: Day
    reason: Words

    def read(self) -> PlanWish:
        """What the service takes."""
        return PlanWish(self.count, self.interval, self.first_on, self.reason)


class PartRequest(Body):
    """One instalment."""

    due_on: Day
    amount: MoneyRequest


class PlanGrantRequest(Body):
    """Other instalments than those asked for, and words, both optional."""

    instalments: Annotated[list[PartRequest], Field(min_length=FEWEST, max_length=MOST)] | None = left_out(
        description="They add up to what is outstanding; as they were asked for unless given."
    )
    answer: Annotated[str, Field(max_length=WORDS_LENGTH)] = ""

    def read(self, currency: str) -> list[Part] | None:
        """What the service takes; Invalid about amounts of another currency."""
        if self.instalments is None:
            return None
        return [Part(one.due_on, minor(one.amount, currency, "instalments") or 0) for one in self.instalments]


class PlanRefuseRequest(Body):
    """Why there is no plan."""

    answer: Words


class PlanAcceptRequest(Body):
    """A signature on exactly this plan."""

    signer_name: Annotated[str, Field(max_length=NAME_LENGTH, json_schema_extra=SOME_TEXT)]
    content_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] = Field(description="Of the plan as it was shown.")
    consent: bool = Field(description="Has to be true: you may sign for the company and agree to the plan.")
    payment_method_id: UUID | None = left_out(
        description="A saved method that each instalment is charged to; without it they are paid one by one."
    )


class Instalment(Shape):
    """One part of a plan; `left` is what is still to be paid of it."""

    position: int
    due_on: date
    amount: Money
    left: Money
    paid_at: UtcDateTime | None
    scheduled_payment_id: UUID | None


class CustomerPlan(Shape):
    """A payment plan, and what became of it."""

    id: UUID
    invoice_id: UUID
    number: str
    status: PlanStatus
    wanted_count: int
    wanted_interval: PlanInterval
    wanted_first_on: date
    reason: str
    answer: str
    total: Money = Field(description="What was outstanding when it was granted.")
    instalments: list[Instalment]
    content_sha256: str | None = Field(description="What is signed; null until it was granted.")
    signer_name: str | None
    asked_at: UtcDateTime
    decided_at: UtcDateTime | None
    accepted_at: UtcDateTime | None
    ended_at: UtcDateTime | None

    @classmethod
    def of(cls, row: PlanRow) -> Self:
        """A plan as its customer sees it."""
        return cls(**_plan(row))


class StaffPlan(CustomerPlan):
    """A plan with whose it is, and from where it was signed."""

    customer_id: UUID
    customer_name: str
    signer_address: str | None

    @classmethod
    def of(cls, row: PlanRow) -> Self:
        """A plan as the team sees it."""
        return cls(
            **_plan(row),
            customer_id=row.plan.customer_id,
            customer_name=row.company_name,
            signer_address=row.signature.address if row.signature else None,
        )


class Plans(ListOf[CustomerPlan]):
    """Payment plans, the newest first."""


class StaffPlans(ListOf[StaffPlan]):
    """Everybody's payment plans, the newest first."""


class PlanQuery(PageQuery):
    """Filters."""

    status: list[PlanStatus] = Field([], description="One or several.")


def _plan(row: PlanRow) -> dict[str, Any]:
    plan = row.plan
    names = ("id", "invoice_id", "status", "wanted_interval", "wanted_first_on", "reason", "answer", "asked_at")
    values = {name: getattr(plan, name) for name in (*names, "decided_at", "accepted_at", "ended_at")}
    return values | {
        "number": str(row.invoice.number),
        "wanted_count": plan.wanted_count,
        "total": Money(amount=plan.total, currency=plan.currency),
        "instalments": [
            Instalment(
                position=one.instalment.position,
                due_on=one.instalment.due_on,
                amount=Money(amount=one.instalment.amount, currency=plan.currency),
                left=Money(amount=one.left, currency=plan.currency),
                paid_at=one.instalment.paid_at,
                scheduled_payment_id=one.instalment.scheduled_id,
            )
            for one in row.coverage
        ],
        "content_sha256": plan.content_sha256.hex() if plan.content_sha256 else None,
        "signer_name": row.signature.signer_name if row.signature else None,
    }
