"""A statement of yesterday's with three transfers: one matched, one that names its invoice, one that nobody knows."""

from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select

from portal.authz import Actor, system_actor
from portal.demo.content import DemoTenant, demo_uuid
from portal.events import tell
from portal.events.billing import InvoiceChanged
from portal.lib.bank_entries import BankEntry, keyed
from portal.models import (
    BankMatch,
    BankStatement,
    BankStatementFormat,
    BankTransaction,
    Company,
    Invoice,
    OutboxEvent,
    Payment,
    PaymentAllocation,
    PaymentKind,
    PaymentStatus,
    TransferStatus,
)
from portal.models.session import TenantSession
from portal.services.billing.issuing import issue_from_lines
from portal.services.billing.lines import NewLine
from portal.services.billing.numbering import next_in_series
from portal.services.billing.settings import load_settings
from portal.services.payments.balances import Cause, take
from portal.services.payments.reserving import NUMBER_FORMAT

PAYER, ACCOUNT = "Globex Corporation GmbH", "DE02120300000000202051"
# After all other invoices, since numbers follow the days.
ISSUED, IMPORTED = timedelta(hours=3), timedelta(hours=1)
PAID, OPEN = 42_000, 31_500


def seed_banking(session: TenantSession, tenant: DemoTenant, *, now: datetime) -> None:
    """Add them where the tenant has Globex."""
    company = session.get(Company, demo_uuid(tenant.key, "company", "globex"))
    if company is None:
        return
    actor = system_actor(session.tenant_id)
    paid = _issue(session, tenant, company, "Security review", PAID, actor, now - ISSUED)
    waiting = _issue(session, tenant, company, "Firewall rules, review", OPEN, actor, now - ISSUED)
    at = now - IMPORTED
    statement = BankStatement(
        id=demo_uuid(tenant.key, "bank_statement", "one"),
        format=BankStatementFormat.CAMT,
        file_name="statement.xml",
        sha256="0" * 64,
        content=None,
        mapping={},
        added=3,
        known=0,
        passed_over=2,
        created_at=at,
        finished_at=at,
    )
    session.add(statement)
    session.flush()
    first = _add_transfers(session, tenant, statement, [paid, waiting], at)
    _match(session, first, paid, Cause(actor, at))
    # It happened before anybody looked: nobody is told of it now, only timers have to run.
    ids = [paid.id, waiting.id]
    session.execute(delete(OutboxEvent).where(OutboxEvent.record_id.in_(ids)))
    state = waiting.status.value
    tell(session, InvoiceChanged.about(waiting, from_status=state, to_status=state), actor=actor, now=now)


def _issue(
    session: TenantSession, tenant: DemoTenant, company: Company, text: str, amount: int, actor: Actor, at: datetime
) -> Invoice:
    return issue_from_lines(
        session,
        customer_id=company.id,
        currency=load_settings(session).currency,
        lines=[NewLine(text, Decimal(1), amount)],
        due_on=(at.astimezone(ZoneInfo(tenant.timezone)) + timedelta(days=30)).date(),
        invoice_id=demo_uuid(tenant.key, "invoice", text),
        actor=actor,
        now=at,
    )


def _add_transfers(
    session: TenantSession, tenant: DemoTenant, statement: BankStatement, invoices: list[Invoice], at: datetime
) -> BankTransaction:
    """The three transfers; gives the one for the first invoice."""
    settings, day = load_settings(session), (at - timedelta(days=1)).date()
    own, currency = str(settings.seller.get("iban") or "own"), settings.currency
    told = [
        (one.total, PAYER, ACCOUNT, f"Invoice {one.number} thank you", f"DEMO-{place}")
        for place, one in enumerate(invoices)
    ]
    told.append((12_350, "M. Dupont", "FR1420041010050500013M02606", "as agreed on the phone", "DEMO-9"))
    entries = [
        BankEntry(own, day, amount, currency, name, account, text, "", reference)
        for amount, name, account, text, reference in told
    ]
    for key, entry in keyed(entries):
        session.add(
            BankTransaction(
                id=demo_uuid(tenant.key, "bank_transaction", entry.bank_reference),
                statement_id=statement.id,
                key=key,
                status=TransferStatus.UNMATCHED,
                created_at=at,
                updated_at=at,
                **vars(entry),
            )
        )
    session.flush()
    first = demo_uuid(tenant.key, "bank_transaction", "DEMO-0")
    return session.scalars(select(BankTransaction).where(BankTransaction.id == first)).one()


def _match(session: TenantSession, transfer: BankTransaction, invoice: Invoice, cause: Cause) -> None:
    payment = Payment(
        id=demo_uuid("banking", "payment", str(transfer.id)),
        number=next_in_series(session, "payment", NUMBER_FORMAT, day=cause.now.date()),
        customer_id=invoice.customer_id,
        kind=PaymentKind.TRANSFER,
        status=PaymentStatus.SUCCEEDED,
        currency=transfer.currency,
        amount=transfer.amount,
        refunded=0,
        disputed=0,
        method={"kind": "transfer", "brand": "", "last4": transfer.payer_account[-4:]},
        keys={},
        succeeded_at=cause.now,
        created_at=cause.now,
        updated_at=cause.now,
    )
    session.add(payment)
    session.flush()
    part = PaymentAllocation(payment_id=payment.id, invoice_id=invoice.id, amount=transfer.amount)
    session.add(part)
    session.flush()
    take(session, payment, [part], transfer.amount, cause)
    session.add(
        BankMatch(
            transaction_id=transfer.id, payment_id=payment.id, matched_by_name=cause.actor.name, matched_at=cause.now
        )
    )
    transfer.status = TransferStatus.MATCHED
