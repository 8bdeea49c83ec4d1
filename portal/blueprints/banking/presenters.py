"""Transfers, suggestions and receivables as pages show them."""

from collections.abc import Sequence
from typing import Any

from portal.blueprints.billing.presenters import badge_of, money
from portal.blueprints.localisation import format_day, gettext
from portal.lib.wording.banking import BUCKETS, CHARGE_STEP, STATUS, WRITE_OFF_STATUS, reason_texts
from portal.lib.wording.billing import step_text
from portal.lib.wording.payments import failure_text
from portal.models import BankTransaction, WriteOff, WriteOffStatus
from portal.services.banking.queries import MatchRow
from portal.services.banking.suggesting import Candidate, Suggestion
from portal.services.billing.open_items import OpenInvoice
from portal.services.billing.receivables import Ageing, CustomerAgeing, FailedCharge

BADGES = {"unmatched": ("warn", "ring"), "matched": ("ok", "check"), "set_aside": ("neutral", "minus")}
WRITE_OFF_BADGES = {
    WriteOffStatus.REQUESTED: ("warn", "hold"),
    WriteOffStatus.DONE: ("ok", "check"),
    WriteOffStatus.REFUSED: ("neutral", "minus"),
}


def transfer_view(transfer: BankTransaction, suggestion: Suggestion | None = None) -> dict[str, Any]:
    """A transfer, and in a few words what is suggested for it."""
    tone, shape = BADGES[transfer.status.value]
    chosen = suggestion.chosen if suggestion else []
    return {
        "id": transfer.id,
        "day": format_day(transfer.booked_on),
        "amount": money(transfer.amount, transfer.currency),
        "payer": transfer.payer_name or gettext("Unknown payer"),
        "payer_account": transfer.payer_account,
        "text": " · ".join(filter(None, (transfer.reference, transfer.remittance))),
        "account": transfer.account,
        "bank_reference": transfer.bank_reference,
        "note": transfer.note,
        "status": transfer.status.value,
        "badge": {"label": gettext(STATUS[transfer.status.value]), "tone": tone, "shape": shape},
        "suggested": ", ".join(one.invoice.number for one in chosen),
        "company": chosen[0].invoice.company_name if chosen else "",
        "why": reason_texts(chosen[0].reasons, gettext) if chosen else "",
        "sure": bool(suggestion and suggestion.sure),
        "confirm": confirm_value(transfer, chosen),
    }


def confirm_value(transfer: BankTransaction, chosen: list[Candidate]) -> str:
    """A suggested booking as one value of a form, so that what was shown is what is booked."""
    return f"{transfer.id}:" + ",".join(f"{one.invoice.id}={one.part}" for one in chosen)


def candidate_view(one: Candidate) -> dict[str, Any]:
    """An invoice that may be meant."""
    invoice = one.invoice
    return {
        "id": invoice.id,
        "number": invoice.number,
        "company": invoice.company_name,
        "outstanding": money(invoice.outstanding, invoice.currency),
        "why": reason_texts(one.reasons, gettext),
        "score": one.score,
    }


def match_view(row: MatchRow) -> dict[str, Any]:
    """What a transfer was matched with, by whom, and whether it was undone."""
    payment = row.payment.payment
    return {
        "payment_id": payment.id,
        "number": payment.number,
        "company": row.payment.company_name,
        "amount": money(payment.amount, payment.currency),
        "invoices": [
            {"id": one.id, "number": one.number, "amount": money(one.amount, payment.currency)}
            for one in row.payment.invoices
        ],
        "credit": money(payment.amount - sum(one.amount for one in row.payment.invoices), payment.currency),
        "by": row.match.matched_by_name,
        "at": row.match.matched_at,
        "undone_at": row.match.undone_at,
        "undone_by": row.match.undone_by_name,
        "reason": row.match.undone_reason,
    }


def ageing_view(ageing: Ageing) -> dict[str, Any]:
    """Sums by age."""
    return {
        "currency": ageing.currency,
        "count": ageing.count,
        "total": money(ageing.total, ageing.currency),
        "overdue": money(ageing.overdue, ageing.currency) if ageing.overdue else "",
        "buckets": [
            {
                "label": gettext(label),
                "amount": money(amount, ageing.currency) if amount else "–",
                "late": name != "not_due",
            }
            for (name, label), amount in zip(BUCKETS.items(), ageing.buckets, strict=True)
        ],
    }


def customer_view(row: CustomerAgeing) -> dict[str, Any]:
    """A customer's line."""
    return {
        **ageing_view(row.ageing),
        "id": row.customer_id,
        "name": row.name,
        "failed": row.failed,
        "reminder_at": row.upcoming.reminder_at,
        "charge_at": row.upcoming.charge_at,
    }


def failed_view(row: FailedCharge) -> dict[str, Any]:
    """An automatic payment that failed."""
    return {
        "id": row.invoice_id,
        "number": row.number,
        "company": row.company_name,
        "amount": money(row.outstanding, row.currency),
        "why": failure_text(row.code, gettext),
        "attempts": row.attempts,
        "next_at": row.next_at,
    }


def open_view(row: OpenInvoice) -> dict[str, Any]:
    """An open invoice with its age."""
    return {
        "id": row.id,
        "number": row.number,
        "badge": badge_of(row.status),
        "due_on": format_day(row.due_on) if row.due_on else "",
        "bucket": gettext(BUCKETS[row.bucket]),
        "late": row.days_late > 0,
        "days": row.days_late,
        "outstanding": money(row.outstanding, row.currency),
        "total": money(row.total, row.currency),
        "failure": failure_text(row.failure, gettext) if row.failure else "",
        "next": step_text(row.next_kind, {}, gettext) or gettext(CHARGE_STEP) if row.next_kind else "",
        "next_at": row.next_at,
    }


def write_off_views(rows: Sequence[WriteOff]) -> list[dict[str, Any]]:
    """What was given up of an invoice; of each whether it can be taken back, with nothing else waiting."""
    gone = {row.reverses_id for row in rows if row.status is not WriteOffStatus.REFUSED}
    waits = any(row.status is WriteOffStatus.REQUESTED for row in rows)
    return [
        write_off_view(row)
        | {
            "reversible": row.status is WriteOffStatus.DONE
            and row.reverses_id is None
            and row.id not in gone
            and not waits
        }
        for row in rows
    ]


def write_off_view(row: WriteOff) -> dict[str, Any]:
    """What was given up, or taken back, or is about to be."""
    tone, shape = WRITE_OFF_BADGES[row.status]
    label = WRITE_OFF_STATUS[row.status.value]
    if row.reverses_id is not None and row.status is WriteOffStatus.DONE:
        label = WRITE_OFF_STATUS["taken_back"]
    return {
        "id": row.id,
        "amount": money(row.amount, row.currency),
        "reason": row.reason,
        "status": row.status.value,
        "badge": {"label": gettext(label), "tone": tone, "shape": shape},
        "reversal": row.reverses_id is not None,
        "by": row.requested_by,
        "by_name": row.requested_by_name,
        "decided_by": row.decided_by_name,
        "at": row.created_at,
    }
