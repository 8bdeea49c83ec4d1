"""Refusals for lack of permission, kept for whoever looks into them later (SEC-05)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from portal.authz import Actor
from portal.events import audit
from portal.models import (
    Attachment,
    Company,
    Contract,
    Dispute,
    ExtensionRequest,
    Invitation,
    Invoice,
    MailMessage,
    Notification,
    Payment,
    PaymentMethod,
    PaymentPlan,
    Person,
    Quote,
    QuoteRequest,
    ScheduledPayment,
    Statement,
    Ticket,
)
from portal.models.session import TenantSession

# The record of a denial about nothing in particular.
ACCESS = "access"
_RECORDS: dict[str, Any] = {
    "ticket": Ticket,
    "mail": MailMessage,
    "notification": Notification,
    "attachment": Attachment,
    "invitation": Invitation,
    "company": Company,
    "person": Person,
    "contract": Contract,
    "invoice": Invoice,
    "quote": Quote,
    "quote_request": QuoteRequest,
    "payment": Payment,
    "payment_method": PaymentMethod,
    "scheduled_payment": ScheduledPayment,
    "dispute": Dispute,
    "extension_request": ExtensionRequest,
    "payment_plan": PaymentPlan,
    "statement": Statement,
}


@dataclass(frozen=True)
class Denial:
    """What was refused where; names and codes of ours only, and the id of a record as it was asked for.

    `last` says that the limit of denials was reached: those that follow are not written one by one.
    """

    door: str
    endpoint: str
    code: str
    permission: str | None = None
    record_type: str | None = None
    record_id: UUID | None = None
    last: bool = False


def record_denial(session: TenantSession, denial: Denial, *, actor: Actor, now: datetime) -> None:
    """Write a denial; its record is named only where the tenant has it, since ids are anybody's to send."""
    record_type, record_id = _known_record(session, denial)
    told = {"door": denial.door, "endpoint": denial.endpoint, "code": denial.code}
    if denial.permission:
        told["permission"] = denial.permission
    audit(
        session,
        "access.denied",
        record_type,
        record_id,
        actor=actor,
        now=now,
        after=told | ({"last": True} if denial.last else {}),
    )


def _known_record(session: TenantSession, denial: Denial) -> tuple[str, UUID | None]:
    model = _RECORDS.get(denial.record_type or "")
    if model is None or session.scalar(select(model.id).where(model.id == denial.record_id)) is None:
        return ACCESS, None
    return str(denial.record_type), denial.record_id
