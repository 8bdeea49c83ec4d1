"""What an event sets going: data, read by the relay. Every start and signal can be repeated at no harm."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from portal.services.files.loose import LOOSE_FOR
from portal.services.tickets.trash import KEPT_FOR
from portal.workflows.accounts.shared import DomainProofRun, domain_proof_workflow_id
from portal.workflows.billing.shared import InvoiceRun, invoice_workflow_id
from portal.workflows.files.shared import FileRef, FileRun, removal_workflow_id, upload_workflow_id
from portal.workflows.notifications.shared import NotificationRun, notification_workflow_id
from portal.workflows.payments.shared import (
    AutoPayRun,
    ExpiryRun,
    PaymentRun,
    RefundRun,
    ScheduleRun,
    auto_pay_workflow_id,
    expiry_workflow_id,
    payment_workflow_id,
    refund_workflow_id,
    schedule_workflow_id,
)
from portal.workflows.quotes.shared import QuoteRun, quote_invoice_workflow_id, quote_workflow_id
from portal.workflows.registry import SENDERS, TASK_QUEUE, Sender, workflow_names
from portal.workflows.signing.shared import (
    RAISE_EVERY,
    ContractRun,
    SealRun,
    contract_workflow_id,
    seal_workflow_id,
)
from portal.workflows.statements.shared import StatementRun, statement_workflow_id
from portal.workflows.tickets.shared import ClockRun, TrashRun, clock_workflow_id, trash_workflow_id

# A worker that dies within a workflow task is noticed after this time, not after the default ten seconds.
TASK_TIMEOUT = timedelta(seconds=5)


@dataclass(frozen=True)
class OutboxRow:
    """An event as the relay reads it."""

    seq: int
    id: UUID
    tenant_id: UUID
    kind: str
    record_type: str
    record_id: UUID
    payload: Mapping[str, Any]
    attempts: int


@dataclass(frozen=True)
class Trigger:
    """A workflow to start for an event, or to start and signal where `signal` is named."""

    name: str
    workflow_id: Callable[[OutboxRow], str]
    argument: Callable[[OutboxRow], Any]
    signal: str | None = None


CLOCK = Trigger(
    "TicketClock",
    lambda row: clock_workflow_id(row.record_id, row.payload["cycle"]),
    lambda row: ClockRun(row.tenant_id, row.record_id, row.payload["cycle"]),
    signal="ticket_changed",
)
TELL = Trigger(
    "Notification",
    lambda row: notification_workflow_id(row.id),
    lambda row: NotificationRun(row.tenant_id, row.id),
)
UPLOADED = Trigger(
    "UploadedFile",
    lambda row: upload_workflow_id(row.record_id),
    lambda row: FileRun(row.tenant_id, row.record_id, LOOSE_FOR),
)
REMOVED = Trigger(
    "RemovedFile",
    lambda row: removal_workflow_id(row.record_id),
    lambda row: FileRef(row.tenant_id, row.record_id),
)

PURGE = Trigger(
    "TrashedTicket",
    lambda row: trash_workflow_id(row.record_id, row.payload["cycle"]),
    lambda row: TrashRun(row.tenant_id, row.record_id, row.payload["cycle"], KEPT_FOR),
)
PROVE = Trigger(
    "DomainProof",
    lambda row: domain_proof_workflow_id(row.record_id),
    lambda row: DomainProofRun(row.tenant_id, row.record_id),
    signal="look_now",
)
QUOTE = Trigger(
    "Quote",
    lambda row: quote_workflow_id(row.record_id),
    lambda row: QuoteRun(row.tenant_id, row.record_id),
    signal="quote_changed",
)
INVOICE_QUOTE = Trigger(
    "QuoteInvoice",
    lambda row: quote_invoice_workflow_id(row.record_id),
    lambda row: QuoteRun(row.tenant_id, row.record_id),
)

INVOICE = Trigger(
    "InvoiceTimer",
    lambda row: invoice_workflow_id(row.record_id, row.payload["cycle"]),
    lambda row: InvoiceRun(row.tenant_id, row.record_id, row.payload["cycle"]),
    signal="invoice_changed",
)

CONTRACT = Trigger(
    "Contract",
    lambda row: contract_workflow_id(row.record_id),
    lambda row: ContractRun(row.tenant_id, row.record_id),
    signal="contract_changed",
)
SEAL = Trigger(
    "Seal",
    lambda row: seal_workflow_id(row.record_type, row.record_id),
    lambda row: SealRun(row.tenant_id, row.record_type, row.record_id, RAISE_EVERY),
)
PAYMENT = Trigger(
    "Payment",
    lambda row: payment_workflow_id(row.record_id),
    lambda row: PaymentRun(row.tenant_id, row.record_id),
)
REFUND = Trigger(
    "Refund",
    lambda row: refund_workflow_id(row.payload["refund_id"]),
    lambda row: RefundRun(row.tenant_id, UUID(row.payload["refund_id"])),
)
AUTO_PAY = Trigger(
    "AutoPay",
    lambda row: auto_pay_workflow_id(row.payload["company_id"]),
    lambda row: AutoPayRun(row.tenant_id, UUID(row.payload["company_id"])),
    signal="auto_pay_changed",
)

SCHEDULED = Trigger(
    "ScheduledPayment",
    lambda row: schedule_workflow_id(row.record_id),
    lambda row: ScheduleRun(row.tenant_id, row.record_id),
    signal="schedule_changed",
)

EXPIRY = Trigger(
    "CardExpiry",
    lambda row: expiry_workflow_id(row.record_id, row.payload.get("expires") or "never"),
    lambda row: ExpiryRun(row.tenant_id, row.record_id, row.payload.get("expires") or ""),
)

STATEMENT = Trigger(
    "Statement",
    lambda row: statement_workflow_id(row.record_id),
    lambda row: StatementRun(row.tenant_id, row.record_id),
)

# (record type, event) -> what it sets going, in this order. What is missing here only reaches open pages.
TRIGGERS: dict[tuple[str, str], tuple[Trigger, ...]] = {
    ("ticket", "ticket.created"): (CLOCK, TELL),
    ("ticket", "ticket.replied"): (CLOCK, TELL),
    ("ticket", "ticket.status_changed"): (CLOCK, TELL),
    ("ticket", "ticket.assigned"): (CLOCK, TELL),
    ("ticket", "ticket.rated"): (CLOCK,),
    ("ticket", "ticket.clock_changed"): (CLOCK,),
    ("ticket", "record.changed"): (CLOCK,),
    ("ticket", "ticket.escalation_requested"): (CLOCK,),
    ("ticket", "ticket.merged"): (CLOCK, TELL),
    ("ticket", "ticket.trashed"): (CLOCK, PURGE),
    ("ticket", "ticket.restored"): (CLOCK,),
    # The clock itself did these; only people have to hear of them.
    ("ticket", "ticket.escalated"): (TELL,),
    ("ticket", "ticket.sla_warned"): (TELL,),
    ("ticket", "ticket.follower_added"): (TELL,),
    ("ticket", "ticket.mentioned"): (TELL,),
    ("ticket", "mail.bounced"): (TELL,),
    ("outgoing_message", "message.queued"): (TELL,),
    ("access_request", "access.requested"): (TELL,),
    ("device", "device.added"): (TELL,),
    ("user", "user.password_reset_owed"): (TELL,),
    ("attachment", "attachment.uploaded"): (UPLOADED,),
    ("attachment", "attachment.removed"): (REMOVED,),
    ("email_domain", "email_domain.claimed"): (PROVE,),
    ("email_domain", "email_domain.check_asked"): (PROVE,),
    ("email_domain", "email_domain.removed"): (PROVE,),
    ("invoice", "invoice.issued"): (INVOICE, TELL, AUTO_PAY),
    ("invoice", "invoice.changed"): (INVOICE, AUTO_PAY),
    ("invoice", "invoice.paid"): (INVOICE,),
    ("invoice", "invoice.voided"): (INVOICE, TELL),
    ("invoice", "invoice.credited"): (INVOICE, TELL),
    # The timer itself did these; only people have to hear of them.
    ("invoice", "invoice.overdue"): (TELL,),
    ("invoice", "invoice.reminded"): (TELL,),
    ("quote", "quote.sent"): (QUOTE, TELL),
    ("quote", "quote.viewed"): (TELL,),
    ("quote", "quote.reminded"): (TELL,),
    ("quote", "quote.accepted"): (INVOICE_QUOTE, QUOTE, SEAL, TELL),
    ("quote", "quote.declined"): (QUOTE, TELL),
    ("quote", "quote.revision_requested"): (QUOTE, TELL),
    ("quote", "quote.superseded"): (QUOTE,),
    ("quote", "quote.clock_changed"): (QUOTE,),
    ("quote", "quote.expired"): (TELL,),
    ("quote_request", "quote_request.created"): (TELL,),
    ("quote_request", "quote_request.refused"): (TELL,),
    ("contract", "contract.sent"): (CONTRACT, TELL),
    ("contract", "contract.part_signed"): (TELL,),
    ("contract", "contract.signed"): (SEAL, CONTRACT, TELL),
    ("contract", "contract.declined"): (CONTRACT, TELL),
    ("contract", "contract.voided"): (CONTRACT, TELL),
    ("contract", "contract.reminded"): (TELL,),
    ("contract", "contract.replanned"): (CONTRACT,),
    ("contract", "contract.expiring"): (TELL,),
    ("contract", "contract.sealed"): (TELL,),
    ("payment", "payment.started"): (PAYMENT,),
    ("payment", "payment.refund_approved"): (REFUND,),
    ("payment_method", "payment_method.added"): (EXPIRY,),
    ("payment_method", "payment_method.updated"): (AUTO_PAY, EXPIRY),
    ("auto_pay", "auto_pay.saved"): (AUTO_PAY,),
    ("scheduled_payment", "scheduled_payment.created"): (SCHEDULED, AUTO_PAY),
    ("scheduled_payment", "scheduled_payment.changed"): (SCHEDULED,),
    ("scheduled_payment", "scheduled_payment.cancelled"): (SCHEDULED, AUTO_PAY),
    ("scheduled_payment", "scheduled_payment.failed"): (AUTO_PAY,),
    # Timers are set anew by the `invoice.changed` of the same transaction.
    ("dispute", "dispute.opened"): (TELL,),
    ("dispute", "dispute.under_review"): (TELL,),
    ("dispute", "dispute.evidence_added"): (TELL,),
    ("dispute", "dispute.resolved"): (TELL,),
    ("dispute", "dispute.withdrawn"): (TELL,),
    ("extension_request", "extension.requested"): (TELL,),
    ("extension_request", "extension.granted"): (TELL,),
    ("extension_request", "extension.refused"): (TELL,),
    ("extension_request", "extension.withdrawn"): (TELL,),
    ("payment_plan", "payment_plan.requested"): (TELL,),
    ("payment_plan", "payment_plan.granted"): (TELL,),
    ("payment_plan", "payment_plan.refused"): (TELL,),
    ("payment_plan", "payment_plan.withdrawn"): (TELL,),
    ("payment_plan", "payment_plan.accepted"): (TELL,),
    ("payment_plan", "payment_plan.kept"): (TELL,),
    ("payment_plan", "payment_plan.missed"): (TELL,),
    ("payment_plan", "payment_plan.reminded"): (TELL,),
    ("statement", "statement.requested"): (STATEMENT,),
}


def require_possible() -> None:
    """Refuse to start when a trigger names an unknown workflow, or a signal that the relay may not send."""
    names = workflow_names()
    for triggers in TRIGGERS.values():
        for trigger in triggers:
            if trigger.name not in names:
                raise RuntimeError(f"No workflow is called {trigger.name}")
            if trigger.signal and Sender.RELAY not in SENDERS.get((trigger.name, trigger.signal), frozenset()):
                raise RuntimeError(f"The relay may not send {trigger.name}.{trigger.signal}")


async def pull(client: Client, row: OutboxRow, *, task_queue: str = TASK_QUEUE) -> None:
    """Carry out an event's triggers; a run that exists already, living or done, counts as success."""
    for trigger in TRIGGERS.get((row.record_type, row.kind), ()):
        try:
            await client.start_workflow(
                trigger.name,
                trigger.argument(row),
                id=trigger.workflow_id(row),
                task_queue=task_queue,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                task_timeout=TASK_TIMEOUT,
                start_signal=trigger.signal,
                start_signal_args=[str(row.id)] if trigger.signal else [],
            )
        except WorkflowAlreadyStartedError:
            continue
