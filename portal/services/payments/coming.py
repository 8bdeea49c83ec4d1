"""What auto-pay is about to do with an invoice, as next steps that both audiences read."""

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import delete, select

from portal.models import Invoice, NextStep
from portal.models.session import TenantSession

CHARGE = "auto_pay_charge"
RETRY = "auto_pay_retry"
_KEY = "auto_pay"


def show_coming(session: TenantSession, company_id: UUID, coming: Mapping[UUID, tuple[str, datetime]]) -> None:
    """Replace what the invoices of a company show of auto-pay: invoice -> kind and time; others show nothing."""
    stored = _stored(session, company_id)
    gone = [step.id for step in stored if coming.get(step.record_id) != (step.kind, step.at)]
    kept = {step.record_id for step in stored} - {step.record_id for step in stored if step.id in gone}
    _delete(session, gone)
    for invoice_id in coming.keys() - kept:
        kind, at = coming[invoice_id]
        session.add(
            NextStep(
                id=uuid4(),
                tenant_id=session.tenant_id,
                record_type="invoice",
                record_id=invoice_id,
                key=_KEY,
                kind=kind,
                at=at,
                staff_only=False,
                params={},
            )
        )


def _stored(session: TenantSession, company_id: UUID) -> list[NextStep]:
    own = select(Invoice.id).where(Invoice.customer_id == company_id)
    return list(session.scalars(select(NextStep).where(NextStep.key == _KEY, NextStep.record_id.in_(own))))


def _delete(session: TenantSession, ids: Collection[UUID]) -> None:
    if ids:
        session.execute(
            delete(NextStep).where(NextStep.id.in_(ids)), execution_options={"synchronize_session": "fetch"}
        )
