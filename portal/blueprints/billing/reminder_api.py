"""The reader's own payment reminders under /api/v1/portal (H7.8)."""

from typing import Annotated

from flask import Blueprint
from pydantic import Field

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.api.operations import operation
from portal.blueprints.api.schemas import Body, Shape, left_out
from portal.blueprints.policies import permission
from portal.services.billing.reminders import FURTHEST, MOST_DAYS, Choice, read_choice, save_choice

bp = Blueprint("payment_reminders_api", __name__, url_prefix="/api/v1/portal")
DayOffset = Annotated[int, Field(strict=True)]


class PaymentRemindersRequest(Body):
    """Which reminders are wanted; what is left out is as if nobody had chosen."""

    days: list[DayOffset] | None = left_out(
        description=f"Days after the due day, negative before it: up to {MOST_DAYS}, within {FURTHEST} days. "
        "None in the list: no reminders. Left out or null: those of the company that bills you."
    )
    by_mail: bool = Field(True)
    by_text: bool = Field(False, description="Needs a confirmed phone number.")


class PaymentReminders(Shape):
    """The reader's reminders."""

    days: list[int] | None
    by_mail: bool
    by_text: bool

    @classmethod
    def of(cls, choice: Choice) -> "PaymentReminders":
        """As stored."""
        days = None if choice.days is None else list(choice.days)
        return cls(days=days, by_mail=choice.by_mail, by_text=choice.by_text)


@bp.get("/payment-reminders")
@permission(Permission.INVOICES_READ)
@operation("Read your payment reminders", answer=PaymentReminders)
def show() -> PaymentReminders:
    """On which days you are reminded of unpaid invoices, and how."""
    return PaymentReminders.of(read_choice(http.session(), actor=http.actor()))


@bp.post("/payment-reminders")
@permission(Permission.INVOICES_READ)
@operation("Choose your payment reminders", body=PaymentRemindersRequest, answer=PaymentReminders)
def save(body: PaymentRemindersRequest) -> PaymentReminders:
    """Unpaid invoices follow at once."""
    days = None if body.days is None else tuple(body.days)
    wanted = Choice(days, body.by_mail, body.by_text)
    return PaymentReminders.of(save_choice(http.session(), wanted, actor=http.actor(), now=http.now()))
