"""Activities of quotes: one transaction, one service call."""

from temporalio import activity

from portal.lib.clock import utcnow
from portal.lib.faults import crash_point
from portal.models.session import TenantSessions
from portal.services.quotes.clock import advance_quote
from portal.services.quotes.invoicing import issue_accepted
from portal.workflows.quotes.shared import AdvanceQuote, QuoteLook, QuoteRun


class QuoteActivities:
    """What the workflows of quotes ask to be done."""

    def __init__(self, sessions: TenantSessions) -> None:
        self._sessions = sessions

    @activity.defn(name="quotes.advance")
    def advance(self, run: AdvanceQuote) -> QuoteLook:
        """Remind and expire what is due and say when to come back; safe to repeat."""
        # The later of both times: a clock of this machine that lags must not miss the timer that woke us.
        now = max(run.now, utcnow())
        with self._sessions.begin(run.tenant_id) as session:
            wake = advance_quote(session, run.quote_id, now=now)
        return QuoteLook(wake.at, wake.done)

    @activity.defn(name="quotes.issue_invoice")
    def issue_invoice(self, run: QuoteRun) -> str | None:
        """Issue what an accepted quote makes due, once; the first invoice's id."""
        with self._sessions.begin(run.tenant_id) as session:
            invoice_id = issue_accepted(session, run.quote_id, now=utcnow())
            crash_point("quote_invoice.pre_commit")
        crash_point("quote_invoice.post_commit")
        return str(invoice_id) if invoice_id else None
