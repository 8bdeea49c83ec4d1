"""From an accepted quote to what is owed: one invoice, or a deposit and the remainder, however often it is asked for.

`source_key` names what an invoice is made from, and the database has each once. The quote's row is locked meanwhile,
so that of two at the same moment the second finds what the first made.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select

from portal.authz import Actor, Permission, system_actor
from portal.events import publish
from portal.events.quotes import QuoteInvoiced
from portal.lib.deposits import deposit_lines
from portal.lib.letters import translator
from portal.lib.pricing import PricedLine, TaxRounding
from portal.lib.wording import N_
from portal.models import Invoice, InvoiceKind, Quote, QuoteLine, QuoteStatus
from portal.models.session import TenantSession
from portal.services.billing.issuing import issue_from_lines
from portal.services.billing.lines import NewLine
from portal.services.billing.queries import visible_to
from portal.services.quotes.lines import plain_decimal, total_of
from portal.services.quotes.queries import list_lines
from portal.services.quotes.settings import read_settings

DEPOSIT = N_("Deposit of %(percent)s%% on quote %(number)s, version %(version)s")
# What an accepted version becomes: all of it at once, or a deposit and the rest.
PARTS = ("full", "deposit", "remainder")
LESS_DEPOSIT = N_("Less deposit, invoice %(invoice)s")


def issue_accepted(session: TenantSession, quote_id: UUID, *, now: datetime) -> UUID | None:
    """Issue what an accepted version makes due; returns the first invoice's id.

    Safe to repeat: asked again it returns the same. None where the version is not accepted.
    """
    query = select(Quote).where(Quote.id == quote_id).with_for_update()
    quote = session.scalar(query.execution_options(populate_existing=True))
    if quote is None or quote.status is not QuoteStatus.ACCEPTED:
        return None
    if quote.invoice_id is not None:
        return quote.invoice_id
    taken = [line for line in list_lines(session, quote.id) if line.selected]
    deposit = _deposit(quote, taken)
    first = _issue_deposit(session, quote, deposit, now) if deposit else None
    rest = _issue_rest(session, quote, taken, deposit, first, now)
    made = first or rest
    quote.invoice_id = made.id
    actor = system_actor(session.tenant_id)
    publish(session, QuoteInvoiced.about(quote, invoice_id=made.id), actor=actor, now=now)
    return made.id


def list_made(session: TenantSession, quote_id: UUID, *, actor: Actor) -> Sequence[Invoice]:
    """What was issued for an accepted version, the deposit first; nothing for those who see no invoices."""
    if not actor.may(Permission.INVOICES_READ):
        return []
    keys = [_source_key(quote_id, part) for part in PARTS]
    query = select(Invoice).where(Invoice.source_key.in_(keys), visible_to(actor))
    return session.scalars(query.order_by(Invoice.created_at, Invoice.number)).all()


def _source_key(quote_id: UUID, part: str) -> str:
    return f"quote:{quote_id}:{part}"


def _deposit(quote: Quote, taken: Sequence[QuoteLine]) -> list[PricedLine]:
    totals = total_of(taken, quote.tax_rounding)
    return deposit_lines(totals.taxes, quote.deposit_percent, TaxRounding(quote.tax_rounding))


def _issue_deposit(session: TenantSession, quote: Quote, deposit: Sequence[PricedLine], now: datetime) -> Invoice:
    """Due at once: the work begins when it is paid."""
    translate = translator(quote.locale)
    text = translate(DEPOSIT, percent=plain_decimal(quote.deposit_percent), number=quote.number, version=quote.version)
    return issue_from_lines(
        session,
        customer_id=quote.customer_id,
        currency=quote.currency,
        lines=[_new_line(text, line) for line in deposit],
        source_key=_source_key(quote.id, "deposit"),
        kind=InvoiceKind.DEPOSIT,
        quote_id=quote.id,
        purchase_order=quote.purchase_order,
        due_on=read_settings(session).today(now),
        actor=system_actor(session.tenant_id),
        now=now,
    )


def _issue_rest(
    session: TenantSession,
    quote: Quote,
    taken: Sequence[QuoteLine],
    deposit: Sequence[PricedLine],
    first: Invoice | None,
    now: datetime,
) -> Invoice:
    """All lines; of a quote with a deposit less what that asks for."""
    settings = read_settings(session)
    lines = [_copy(line) for line in taken]
    if first is not None:
        text = translator(quote.locale)(LESS_DEPOSIT, invoice=first.number or "")
        lines += [_new_line(text, line, sign=-1) for line in deposit]
    return issue_from_lines(
        session,
        customer_id=quote.customer_id,
        currency=quote.currency,
        lines=lines,
        source_key=_source_key(quote.id, "remainder" if first else "full"),
        kind=InvoiceKind.REMAINDER if first else InvoiceKind.INVOICE,
        quote_id=quote.id,
        purchase_order=quote.purchase_order,
        due_on=settings.today(now) + timedelta(days=settings.payment_terms_days),
        actor=system_actor(session.tenant_id),
        now=now,
    )


def _new_line(text: str, line: PricedLine, *, sign: int = 1) -> NewLine:
    return NewLine(
        description=text,
        quantity=Decimal(1),
        unit_price=sign * line.unit_price,
        tax_rate=line.tax_rate,
        tax_name=line.tax_name,
    )


def _copy(line: QuoteLine) -> NewLine:
    return NewLine(
        description=line.description,
        quantity=line.quantity,
        unit_price=line.unit_price,
        discount=line.discount,
        tax_rate=line.tax_rate,
        tax_name=line.tax_name,
        tax_category=line.tax_category,
        unit=line.unit,
        service_type=line.service_type,
        catalog_item_id=line.catalog_item_id,
    )
