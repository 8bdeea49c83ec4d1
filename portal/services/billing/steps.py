"""What happens next to an invoice, as rows that both audiences see."""

from datetime import datetime
from uuid import uuid4

from sqlalchemy import delete

from portal.models import Invoice, NextStep
from portal.models.session import TenantSession
from portal.services.billing.plan import StepKind, is_chased
from portal.services.billing.planning import plan_invoice
from portal.services.billing.settings import load_settings

SHOWN = 3
_KINDS = tuple(kind.value for kind in StepKind)
# What auto-pay writes goes with what keeps it from charging; it writes anew what still comes.
_AUTO_PAY = ("auto_pay_charge", "auto_pay_retry")


def write_next_steps(session: TenantSession, invoice: Invoice, *, now: datetime) -> None:
    """Replace the invoice's own next steps by what its plan says now; steps of payments stay as they are."""
    session.flush()
    kinds = _KINDS if is_chased(invoice) else _KINDS + _AUTO_PAY
    session.execute(
        delete(NextStep).where(NextStep.record_id == invoice.id, NextStep.kind.in_(kinds)),
        execution_options={"synchronize_session": False},
    )
    for step in [step for step in plan_invoice(session, invoice, load_settings(session)) if step.at > now][:SHOWN]:
        session.add(
            NextStep(
                id=uuid4(),
                tenant_id=session.tenant_id,
                record_type="invoice",
                record_id=invoice.id,
                key=step.key,
                kind=step.kind.value,
                at=step.at,
                staff_only=False,
                params={},
            )
        )
