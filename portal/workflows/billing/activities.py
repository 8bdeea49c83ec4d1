"""Activities of invoices: one transaction, one service call."""

from temporalio import activity

from portal.lib.clock import utcnow
from portal.models.session import TenantSessions
from portal.services.billing.dunning import advance_invoice
from portal.workflows.billing.shared import AdvanceInvoice, InvoiceWake


class BillingActivities:
    """What an invoice's timer asks to be done."""

    def __init__(self, sessions: TenantSessions) -> None:
        self._sessions = sessions

    @activity.defn(name="billing.advance_invoice")
    def advance_invoice(self, run: AdvanceInvoice) -> InvoiceWake:
        """Carry out what is due and say when to come back; safe to repeat."""
        # The later of both times: a clock of this machine that lags must not miss the timer that woke us.
        now = max(run.now, utcnow())
        with self._sessions.begin(run.tenant_id) as session:
            wake = advance_invoice(session, run.invoice_id, cycle=run.cycle, now=now)
        return InvoiceWake(wake.at, wake.done)
