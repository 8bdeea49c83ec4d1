"""Invoices as pages, PDF and mails show them: every figure in the reader's language."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from portal.blueprints import http
from portal.blueprints.localisation import current_locale, format_day, gettext, ngettext
from portal.lib.bulk_discounts import Tier
from portal.lib.money_format import format_amount, format_quantity, format_rate
from portal.lib.wording.billing import KINDS, LEDGER, MOVEMENTS, STATUS, UNITS, step_text
from portal.models import UNPAID, Invoice, InvoiceKind, InvoiceLine, InvoiceStatus, LedgerEntry
from portal.services.billing.detail import ComingStep, InvoiceDetail
from portal.services.billing.queries import InvoiceRow

# State -> colour and sign of its badge (BIL-01); the words stand beside them.
BADGES = {
    InvoiceStatus.DRAFT: ("neutral", "draft"),
    InvoiceStatus.OPEN: ("ok", "ring"),
    InvoiceStatus.PROCESSING: ("warn", "half"),
    InvoiceStatus.OVERDUE: ("err", "triangle"),
    InvoiceStatus.PAID: ("accent", "check"),
    InvoiceStatus.FAILED: ("err", "failed"),
    InvoiceStatus.DISPUTED: ("warn", "hold"),
    InvoiceStatus.VOID: ("neutral", "minus"),
}
PAYABLE = frozenset({InvoiceStatus.OPEN, InvoiceStatus.OVERDUE, InvoiceStatus.FAILED})


def money(amount: int, currency: str) -> str:
    """So many minor units in the reader's language."""
    return format_amount(amount, currency, current_locale())


def tier_text(tier: Tier) -> str:
    """A tier in the reader's language: `from 10: 5%`."""
    locale = current_locale()
    quantity, percent = format_quantity(tier.from_quantity, locale), format_rate(tier.percent, locale)
    return gettext("from %(quantity)s: %(percent)s", quantity=quantity, percent=percent)


def badge_of(status: InvoiceStatus) -> dict[str, str]:
    """What the badge of a state shows."""
    tone, shape = BADGES[status]
    return {"label": gettext(STATUS[status.value]), "tone": tone, "shape": shape}


def list_row(row: InvoiceRow, now: datetime, base: str) -> dict[str, Any]:
    """A line of a list."""
    status = row.status_at(now)
    return {
        "id": row.id,
        "number": row.number,
        "kind": "" if row.kind is InvoiceKind.INVOICE else gettext(KINDS[row.kind.value]),
        "company": row.company_name,
        "issued_on": format_day(row.issued_on),
        "due_on": format_day(row.due_on) if row.due_on else "",
        "late": status is InvoiceStatus.OVERDUE,
        "badge": badge_of(status),
        "note": state_text(status, row, now),
        "total": money(-row.total if row.kind is InvoiceKind.CREDIT_NOTE else row.total, row.currency),
        "outstanding": money(row.outstanding, row.currency) if row.outstanding not in (0, row.total) else "",
        "payable": status in PAYABLE,
        "failed": status is InvoiceStatus.FAILED,
        "url": f"{base}/{row.id}",
    }


def state_text(status: InvoiceStatus, invoice: Invoice | InvoiceRow, now: datetime) -> str:
    """What a state means in a sentence (UXA-11); empty where the badge says it all."""
    due_on = invoice.due_on
    if status is InvoiceStatus.PAID and invoice.paid_at is not None:
        return str(gettext("Paid on %(date)s", date=format_day(_local_day(invoice.paid_at))))
    if status is InvoiceStatus.PROCESSING:
        return str(gettext("Your payment is being processed"))
    if due_on is None or status not in UNPAID:
        return ""
    if invoice.plan_due_at is not None:
        # The instant that a day ends is the next day's first.
        day = _local_day(invoice.plan_due_at - timedelta(microseconds=1))
        return str(gettext("In instalments; the next is due by %(date)s", date=format_day(day)))
    late = (_local_day(now) - due_on).days
    if status is InvoiceStatus.OVERDUE and late > 0:
        return str(ngettext("This invoice is %(num)d day overdue", "This invoice is %(num)d days overdue", late))
    return str(gettext("Payment due by %(date)s", date=format_day(due_on)))


def _local_day(at: datetime) -> date:
    """Due days are the tenant's."""
    return at.astimezone(ZoneInfo(http.tenant().timezone)).date()


def detail_view(found: InvoiceDetail, now: datetime) -> dict[str, Any]:
    """All that the page of an invoice says."""
    invoice = found.invoice
    status = invoice.status
    waits = status is InvoiceStatus.OPEN and invoice.plan_due_at is None
    if waits and invoice.due_at is not None and invoice.due_at <= now:
        status = InvoiceStatus.OVERDUE
    credit_note = invoice.kind is InvoiceKind.CREDIT_NOTE
    return {
        "id": invoice.id,
        "number": found.number,
        "title": gettext(KINDS[invoice.kind.value]),
        "credit_note": credit_note,
        "company": found.company_name,
        "badge": badge_of(status),
        "note": "" if credit_note else _note(found, status, now),
        "overdue": status is InvoiceStatus.OVERDUE,
        "payable": status in PAYABLE or (status is InvoiceStatus.DISPUTED and invoice.undisputed > 0),
        "status": status.value,
        "seller": party(invoice.seller),
        "buyer": party(invoice.buyer),
        "facts": _facts(invoice),
        "due_on": format_day(invoice.due_on) if invoice.due_on else "",
        "lines": [line_view(line, invoice.currency) for line in found.lines],
        "discounted": any(line.discount for line in found.lines),
        "sums": sums(found),
        "outstanding": money(invoice.outstanding, invoice.currency),
        "terms": terms(invoice),
        "notes": invoice.notes,
        "void_reason": invoice.void_reason,
        "step": step_view(found.steps[0]) if found.steps else None,
        "timeline": timeline(found),
        "related": [_related(one, invoice.currency) for one in found.related],
    }


def _note(found: InvoiceDetail, status: InvoiceStatus, now: datetime) -> str:
    """What its state means; what was given up in part was not paid on any day."""
    if status is InvoiceStatus.PAID and found.written_off:
        return str(gettext("Nothing is owed any more"))
    return state_text(status, found.invoice, now)


def _facts(invoice: Invoice) -> list[tuple[str, str]]:
    facts = [
        (gettext("Issued"), format_day(invoice.issued_on) if invoice.issued_on else ""),
        (gettext("Due date"), format_day(invoice.due_on) if invoice.due_on else ""),
        (gettext("Your order"), invoice.purchase_order),
    ]
    return [(label, value) for label, value in facts if value]


def party(snapshot: dict[str, Any]) -> dict[str, Any]:
    """Seller or buyer as they were on the day of issue: name, lines of the address, tax number."""
    town = " ".join(filter(None, (snapshot.get("postal_code"), snapshot.get("city"))))
    lines = [snapshot.get("line1"), snapshot.get("line2"), ", ".join(filter(None, (town, snapshot.get("country"))))]
    tax_number = str(snapshot.get("tax_number") or "")
    return {
        "name": str(snapshot.get("legal_name") or snapshot.get("name") or ""),
        "lines": [str(line) for line in lines if line],
        "tax_number": gettext("Tax number %(number)s", number=tax_number) if tax_number else "",
    }


def line_view(line: InvoiceLine, currency: str) -> dict[str, Any]:
    """A line with its amounts."""
    locale = current_locale()
    return {
        "id": line.id,
        "description": line.description,
        "quantity": format_quantity(line.quantity, locale),
        "unit": unit_text(line.unit),
        "unit_price": money(line.unit_price, currency),
        "discount": money(-line.discount, currency) if line.discount else "",
        "tax": format_rate(line.tax_rate, locale),
        "total": money(line.total, currency),
    }


def unit_text(unit: str) -> str:
    """What a price is for, where that is more than a piece; units of the tenant's own as they were typed."""
    known = UNITS.get(unit, unit)
    return str(gettext(known)) if known and unit in UNITS else known


def sums(found: InvoiceDetail) -> list[tuple[str, str, bool]]:
    """Label, amount and whether it is one of the two that matter; taxes as lines of their own."""
    invoice = found.invoice
    currency, credited = invoice.currency, invoice.credited - found.written_off
    rows = [(gettext("Subtotal"), money(invoice.subtotal, currency), False)]
    if invoice.discount_total:
        rows.append((gettext("Discounts"), money(-invoice.discount_total, currency), False))
    rows += [(_tax_label(share), money(share["tax"], currency), False) for share in invoice.taxes]
    rows.append((gettext("Total"), money(invoice.total, currency), True))
    if invoice.kind is InvoiceKind.CREDIT_NOTE:
        return rows
    if credited:
        rows.append((gettext("Credited"), money(-credited, currency), False))
    if found.written_off:
        rows.append((gettext("Waived"), money(-found.written_off, currency), False))
    rows.append((gettext("Paid"), money(-invoice.paid if invoice.paid else 0, currency), False))
    rows.append((gettext("Outstanding"), money(invoice.outstanding, currency), True))
    if invoice.disputed:
        rows.append((gettext("In dispute"), money(invoice.disputed, currency), False))
    return rows


def _tax_label(share: dict[str, Any]) -> str:
    name = share["name"] or gettext("Tax")
    return f"{name} {format_rate(Decimal(share['rate']), current_locale())}"


def terms(invoice: Invoice) -> str:
    """When it has to be paid, in words."""
    if invoice.kind is InvoiceKind.CREDIT_NOTE or invoice.due_on is None or invoice.issued_on is None:
        return ""
    days = (invoice.due_on - invoice.issued_on).days
    within = ngettext("Payable within %(num)d day.", "Payable within %(num)d days.", days)
    parts = [within if days else gettext("Payable at once.")]
    if percent := invoice.seller.get("late_fee_percent"):
        share = format_rate(Decimal(percent), current_locale())
        late = invoice.seller["late_fee_after_days"]
        parts.append(
            gettext(
                "Paid more than %(days)s days late, it costs %(percent)s of what is open.", days=late, percent=share
            )
        )
    return " ".join(parts)


def step_view(step: ComingStep) -> dict[str, Any]:
    """What comes next by itself."""
    kind = "reminder" if step.kind == "invoice_reminder" else step.kind
    return {"kind": kind, "at": step.at, "text": step_text(step.kind, step.params, gettext), "tone": "warn"}


def timeline(found: InvoiceDetail) -> list[dict[str, Any]]:
    """What happened with the money, then what comes."""
    invoice = found.invoice
    past = [entry_view(entry, MOVEMENTS) for entry in found.entries]
    for key, at in sorted(invoice.dunned.items(), key=lambda item: str(item[1])):
        if at and key.startswith("reminder:"):
            past.append({"state": "fact", "text": gettext("Reminder sent"), "at": datetime.fromisoformat(at)})
    past.sort(key=lambda item: item["at"])
    coming = [
        {"state": "next", "text": step_text(step.kind, step.params, gettext), "at": step.at} for step in found.steps
    ]
    return [*past, *coming]


def entry_view(entry: LedgerEntry, words: Mapping[str, str] = LEDGER) -> dict[str, Any]:
    """A movement of the ledger, in the team's words unless others are given."""
    text = gettext(words[entry.kind.value])
    return {
        "state": "good" if entry.amount < 0 else "fact",
        "text": f"{text} {money(abs(entry.amount), entry.currency)}",
        "at": entry.at,
        "amount": money(entry.amount, entry.currency),
        "label": text,
    }


def _related(other: Invoice, currency: str) -> dict[str, Any]:
    return {"id": other.id, "number": other.number, "total": money(other.total, currency)}


def figures_of(rows: Sequence[Any]) -> list[dict[str, Any]]:
    """Sums by currency with their amounts in words."""
    return [
        {"count": row.count, "overdue": row.overdue, "outstanding": money(row.outstanding, row.currency)}
        for row in rows
    ]
