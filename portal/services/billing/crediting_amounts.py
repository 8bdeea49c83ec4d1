"""Credit notes over agreed amounts with their tax: what was given in to in a dispute, to the last unit."""

from collections.abc import Mapping
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal
from uuid import UUID, uuid4

from portal.authz import Actor, Permission, require
from portal.errors import FieldError, Invalid
from portal.lib.letters import translator
from portal.lib.money import round_half_up
from portal.lib.wording.billing import ROUNDING_LINE
from portal.models import Invoice, InvoiceLine
from portal.models.session import TenantSession
from portal.services.billing.crediting import copy_line, issue_note, new_note
from portal.services.billing.lines import price_rows
from portal.services.billing.queries import lock_invoice
from portal.services.billing.settings import load_settings
from portal.services.billing.shares import lines_of, share_total
from portal.services.billing.voiding import check_reason


def credit_amounts(
    session: TenantSession,
    invoice_id: UUID,
    amounts: Mapping[UUID, int],
    *,
    reason: str,
    actor: Actor,
    now: datetime,
) -> Invoice:
    """Issue a credit note over so much of each line (line -> minor units, tax included) and return it.

    Where no net amount gives exactly that with its tax, a line without tax makes up for the rounding. Raises as
    `credit_invoice` does.
    """
    require(actor, Permission.BILLING_MANAGE)
    why = check_reason(reason)
    invoice = lock_invoice(session, invoice_id, actor=actor)
    note = new_note(session, invoice, why, actor, now)
    rows = _rows(session, invoice, note, amounts)
    return issue_note(session, invoice, note, rows, actor=actor, now=now)


def _rows(session: TenantSession, invoice: Invoice, note: Invoice, amounts: Mapping[UUID, int]) -> list[InvoiceLine]:
    lines = lines_of(session, invoice)
    shares = share_total(invoice, lines)
    wanted = [line for line in lines if amounts.get(line.id, 0) > 0]
    if not wanted or len(wanted) != len(amounts):
        raise Invalid(FieldError("lines", "unknown_choice"))
    settings, asked = load_settings(session), sum(amounts.values())
    rows = [
        copy_line(line, line.quantity, note, place)
        if amounts[line.id] == shares[line.id]
        else _part(line, net_of(amounts[line.id], line.tax_rate), note, place)
        for place, line in enumerate(wanted)
    ]
    # Rounding for the document as a whole may make it a few units more than was agreed.
    largest = max(range(len(rows)), key=lambda at: rows[at].total)
    while (total := price_rows(rows, settings).total) > asked and rows[largest].total > 1:
        rows[largest] = _part(wanted[largest], rows[largest].total - 1, note, largest)
    if total < asked:
        rows.append(_rounding(note, asked - total, len(rows)))
    return rows


def net_of(gross: int, rate: Decimal) -> int:
    """The most in minor units that is no more than `gross` once the tax of `rate` percent is added."""
    net = int((Decimal(gross) * 100 / (100 + rate)).to_integral_value(ROUND_FLOOR))
    while net + 1 + round_half_up((net + 1) * rate / 100) <= gross:
        net += 1
    return net


def _part(line: InvoiceLine, net: int, note: Invoice, position: int) -> InvoiceLine:
    """An amount of a line as a line of the note: one piece of it."""
    return InvoiceLine(
        id=uuid4(),
        tenant_id=note.tenant_id,
        invoice_id=note.id,
        position=position,
        catalog_item_id=line.catalog_item_id,
        service_type=line.service_type,
        description=line.description,
        quantity=Decimal(1),
        unit="",
        unit_price=net,
        discount=0,
        tax_name=line.tax_name,
        tax_rate=line.tax_rate,
        tax_category=line.tax_category,
        total=net,
    )


def _rounding(note: Invoice, amount: int, position: int) -> InvoiceLine:
    label = translator(note.locale)(ROUNDING_LINE)
    free = InvoiceLine(description=label, service_type="", tax_name="", tax_rate=Decimal(0), tax_category="E")
    return _part(free, amount, note, position)
