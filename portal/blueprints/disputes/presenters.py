"""Disputes, wishes for more time and chargebacks as pages show them."""

from typing import Any

from portal.blueprints.billing.presenters import money
from portal.blueprints.localisation import format_day, gettext
from portal.lib.wording.disputes import (
    BANK_REASONS,
    CHARGEBACK_FOR_CUSTOMERS,
    CHARGEBACK_LOOKS,
    CHARGEBACK_STATE,
    EXTENSION_LOOKS,
    EXTENSION_STATUS,
    LOOKS,
    OUTCOMES,
    REASONS,
    STATUS,
    STATUS_FOR_STAFF,
)
from portal.models import ACTIVE_DISPUTE, Chargeback, Dispute, DisputeOutcome, ExtensionStatus
from portal.services.disputes.queries import ChargebackRow, DisputeRow, ExtensionRow


def dispute_view(row: DisputeRow, *, staff: bool = False) -> dict[str, Any]:
    """A dispute with its badge, its parts and its story."""
    found = row.dispute
    return {
        "id": found.id,
        "invoice_id": found.invoice_id,
        "payment_id": found.payment_id,
        "number": row.number,
        "company": row.company_name,
        "badge": _badge(found, staff=staff),
        "active": found.status in ACTIVE_DISPUTE,
        "open": found.status.value == "open",
        "reason": gettext(REASONS[found.reason.value]),
        "words": found.words,
        "amount": money(found.amount, found.currency),
        "accepted": money(found.accepted, found.currency) if found.accepted else "",
        "lines": [
            {"description": part.description, "amount": money(part.amount, found.currency)} for part in row.lines
        ],
        "answer": found.answer,
        "credit_note_id": found.credit_note_id,
        "credit_note": row.credit_note,
        "opened_at": found.opened_at,
        "timeline": _story(found),
    }


def _badge(found: Dispute, *, staff: bool) -> dict[str, str]:
    key = found.status.value
    labels = STATUS_FOR_STAFF if staff else STATUS
    label = gettext(labels[key])
    if found.outcome is not None:
        key = found.outcome.value
        if found.outcome is DisputeOutcome.ACCEPTED and found.accepted < found.amount:
            key = "partly"
        label = gettext(OUTCOMES[key])
    tone, shape = LOOKS[key]
    return {"label": label, "tone": tone, "shape": shape}


def _story(found: Dispute) -> list[dict[str, Any]]:
    rows = [{"state": "fact", "text": gettext("Dispute opened"), "at": found.opened_at}]
    if found.reviewed_at is not None:
        rows.append({"state": "fact", "text": gettext("Being looked into"), "at": found.reviewed_at})
    if found.decided_at is not None:
        outcome = found.outcome
        good = outcome is DisputeOutcome.ACCEPTED
        text = gettext("Decided") if outcome else gettext("Withdrawn")
        rows.append({"state": "good" if good else "fact", "text": text, "at": found.decided_at})
    return rows


def extension_view(row: ExtensionRow) -> dict[str, Any]:
    """A wish for more time with its badge."""
    wish = row.wish
    tone, shape = EXTENSION_LOOKS[wish.status.value]
    return {
        "id": wish.id,
        "invoice_id": wish.invoice_id,
        "number": row.invoice.number,
        "company": row.company_name,
        "badge": {"label": gettext(EXTENSION_STATUS[wish.status.value]), "tone": tone, "shape": shape},
        "open": wish.status is ExtensionStatus.OPEN,
        "before": format_day(wish.due_before),
        "wanted": format_day(wish.wanted_on),
        "wanted_on": wish.wanted_on.isoformat(),
        "granted": format_day(wish.granted_on) if wish.granted_on else "",
        "reason": wish.reason,
        "answer": wish.answer,
        "outstanding": money(row.invoice.outstanding, row.invoice.currency),
        "asked_at": wish.asked_at,
    }


def chargeback_view(case: Chargeback, *, staff: bool = False) -> dict[str, Any]:
    """A bank's case with its badge; the bank's reason is for the team."""
    tone, shape = CHARGEBACK_LOOKS[case.state.value]
    labels = CHARGEBACK_STATE if staff else CHARGEBACK_FOR_CUSTOMERS
    return {
        "id": case.id,
        "badge": {"label": gettext(labels[case.state.value]), "tone": tone, "shape": shape},
        "amount": money(case.amount, case.currency),
        "reason": gettext(BANK_REASONS.get(case.reason, BANK_REASONS["general"])),
        "due_by": case.due_by if case.state.value == "open" else None,
        "at": case.opened_at,
    }


def chargeback_row(row: ChargebackRow) -> dict[str, Any]:
    """A line of the team's list."""
    found = chargeback_view(row.case, staff=True)
    return found | {"company": row.company_name, "payment_id": row.payment.id, "number": row.payment.number}


def reasons() -> list[tuple[str, str]]:
    """Reasons to choose from."""
    return [(key, gettext(label)) for key, label in REASONS.items()]
