"""Everything the worker runs, and who may send which signal; what is not declared here stops the start-up."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from enum import StrEnum
from typing import Any

from temporalio import workflow

from portal.integrations.dns import TxtLookup
from portal.integrations.payment_gateway import PaymentGateway
from portal.integrations.seal import Seal
from portal.models.session import TenantSessions
from portal.services.notifications.mailing import Outlets
from portal.services.sealing.making import SealTools
from portal.workflows.accounts.activities import AccountActivities
from portal.workflows.accounts.workflows import DomainProofWorkflow
from portal.workflows.billing.activities import BillingActivities
from portal.workflows.billing.workflows import InvoiceTimerWorkflow
from portal.workflows.files.activities import FileActivities, FileTools
from portal.workflows.files.workflows import RemovedFileWorkflow, UploadedFileWorkflow
from portal.workflows.notifications.activities import NotificationActivities
from portal.workflows.notifications.workflows import NotificationWorkflow
from portal.workflows.payments.activities import PaymentActivities
from portal.workflows.payments.workflows import (
    AutoPayWorkflow,
    CardExpiryWorkflow,
    GatewayComparisonWorkflow,
    GatewayEventsWorkflow,
    PaymentWorkflow,
    RefundWorkflow,
    ScheduledPaymentWorkflow,
)
from portal.workflows.quotes.activities import QuoteActivities
from portal.workflows.quotes.workflows import QuoteInvoiceWorkflow, QuoteWorkflow
from portal.workflows.signing.activities import SigningActivities
from portal.workflows.signing.workflows import ContractWorkflow, SealWorkflow
from portal.workflows.statements.activities import StatementActivities
from portal.workflows.statements.workflows import StatementWorkflow
from portal.workflows.tickets.activities import TicketActivities
from portal.workflows.tickets.workflows import TicketClockWorkflow, TrashedTicketWorkflow

TASK_QUEUE = "portal"
WORKFLOWS: tuple[type, ...] = (
    TicketClockWorkflow,
    NotificationWorkflow,
    DomainProofWorkflow,
    UploadedFileWorkflow,
    RemovedFileWorkflow,
    TrashedTicketWorkflow,
    InvoiceTimerWorkflow,
    QuoteWorkflow,
    QuoteInvoiceWorkflow,
    ContractWorkflow,
    SealWorkflow,
    PaymentWorkflow,
    RefundWorkflow,
    AutoPayWorkflow,
    GatewayEventsWorkflow,
    GatewayComparisonWorkflow,
    ScheduledPaymentWorkflow,
    CardExpiryWorkflow,
    StatementWorkflow,
)


class Sender(StrEnum):
    """Who may send a signal or update."""

    RELAY = "relay"
    OPERATOR = "operator"


# (workflow, signal or update) -> who may send it. People act on records; only the relay speaks to workflows.
SENDERS: dict[tuple[str, str], frozenset[Sender]] = {
    ("TicketClock", "ticket_changed"): frozenset({Sender.RELAY}),
    ("DomainProof", "look_now"): frozenset({Sender.RELAY}),
    ("InvoiceTimer", "invoice_changed"): frozenset({Sender.RELAY}),
    ("Quote", "quote_changed"): frozenset({Sender.RELAY}),
    ("Contract", "contract_changed"): frozenset({Sender.RELAY}),
    ("AutoPay", "auto_pay_changed"): frozenset({Sender.RELAY}),
    ("ScheduledPayment", "schedule_changed"): frozenset({Sender.RELAY}),
}


def build_activities(
    sessions: TenantSessions,
    outlets: Outlets,
    dns: TxtLookup,
    *,
    base_url: str,
    tools: FileTools,
    seal: Seal,
    gateway: PaymentGateway | None = None,
) -> list[Callable[..., Any]]:
    """Every activity, bound to what it needs."""
    tickets = TicketActivities(sessions)
    notifications = NotificationActivities(sessions, replace(outlets, files=tools.storage), base_url)
    accounts = AccountActivities(sessions, dns)
    files = FileActivities(sessions, tools)
    billing = BillingActivities(sessions)
    quotes = QuoteActivities(sessions)
    signing = SigningActivities(sessions, SealTools(tools.storage, seal, base_url))
    payments = PaymentActivities(sessions, gateway, base_url)
    statements = StatementActivities(sessions, tools.storage, base_url)
    return [
        tickets.advance_clock,
        tickets.purge,
        notifications.fan_out,
        notifications.send_mails,
        accounts.look_for_proof,
        files.scan,
        files.drop_if_loose,
        files.delete_stored,
        billing.advance_invoice,
        quotes.advance,
        quotes.issue_invoice,
        signing.advance_contract,
        signing.seal,
        signing.raise_level,
        payments.look,
        payments.send_refund,
        payments.advance_auto_pay,
        payments.fetch_missed,
        payments.compare_books,
        payments.advance_schedule,
        payments.advance_expiry,
        statements.make,
        statements.give_up,
    ]


def require_senders(workflows: Iterable[type] = WORKFLOWS) -> None:
    """Refuse to start while a signal or update has no declared senders, or a declaration names none that exists."""
    handled = {(name, message) for name, messages in map(_messages, workflows) for message in messages}
    missing = sorted(f"{name}.{message}" for name, message in handled - SENDERS.keys())
    if missing:
        raise RuntimeError(f"No sender is declared for: {', '.join(missing)}")
    unknown = sorted(f"{name}.{message}" for name, message in SENDERS.keys() - handled)
    if unknown:
        raise RuntimeError(f"Senders are declared for what no workflow handles: {', '.join(unknown)}")


def workflow_names() -> frozenset[str]:
    """What the worker's workflows are called."""
    return frozenset(name for name, _ in map(_messages, WORKFLOWS))


def _messages(kind: type) -> tuple[str, list[str]]:
    definition = workflow._Definition.must_from_class(kind)
    names = [*definition.signals, *definition.updates]
    return definition.name or "(dynamic)", [name or "(dynamic)" for name in names]
