"""Activities of notifications: decide and write down who is told, then send."""

from temporalio import activity

from portal.lib.clock import utcnow
from portal.models.session import TenantSessions
from portal.services.accounts.letters import answer_event
from portal.services.billing.letters import answer_invoice
from portal.services.contracts.letters import answer_contract
from portal.services.disputes.letters import answer_dispute
from portal.services.notifications.fan_out import fan_out
from portal.services.notifications.mailing import Outlets, TransientMailError, send_mail
from portal.services.plans.letters import answer_plan
from portal.workflows.beating import heartbeats
from portal.workflows.notifications.shared import MailBatch, NotificationRun


class NotificationActivities:
    """What the notification workflow asks to be done."""

    def __init__(self, sessions: TenantSessions, outlets: Outlets, base_url: str) -> None:
        self._sessions = sessions
        self._outlets = outlets
        self._base_url = base_url

    @activity.defn(name="notifications.fan_out")
    def fan_out(self, run: NotificationRun) -> MailBatch:
        """Write the notices and mails of an event, once, and name the mails that wait."""
        now, base_url = utcnow(), self._base_url
        with self._sessions.begin(run.tenant_id) as session:
            if answer_event(session, run.event_id, vault=self._outlets.vault, base_url=base_url, now=now):
                # Its mail is told of by an event of its own.
                return MailBatch(run.tenant_id, [])
            if any(
                answer(session, run.event_id, base_url=base_url, now=now)
                for answer in (answer_invoice, answer_contract, answer_dispute, answer_plan)
            ):
                return MailBatch(run.tenant_id, [])
            return MailBatch(
                run.tenant_id, fan_out(session, run.event_id, base_url=base_url, now=now, vault=self._outlets.vault)
            )

    @activity.defn(name="notifications.send_mails")
    def send_mails(self, batch: MailBatch) -> None:
        """Send what is still queued; one mail that does not go out keeps no other one back."""
        late: TransientMailError | None = None
        with heartbeats():
            for mail_id in batch.mail_ids:
                try:
                    send_mail(self._sessions, batch.tenant_id, mail_id, outlets=self._outlets)
                except TransientMailError as error:
                    late = error
        if late is not None:
            raise late
