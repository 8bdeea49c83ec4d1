"""Payment plans as pages show them."""

from datetime import datetime
from typing import Any

from portal.blueprints.billing.presenters import money
from portal.blueprints.localisation import format_day, gettext, ngettext
from portal.lib.money import Money
from portal.lib.wording.plans import (
    ENDS,
    INSTALMENT_LOOKS,
    INSTALMENTS,
    INTERVALS,
    LOOKS,
    STATUS,
    STATUS_FOR_STAFF,
)
from portal.models import PlanInterval, PlanStatus
from portal.services.billing.instalments import Coverage
from portal.services.plans.dividing import Part
from portal.services.plans.queries import PlanRow


def plan_view(row: PlanRow, now: datetime, *, staff: bool = False) -> dict[str, Any]:
    """A plan with its badge, its instalments and its signature; address and program of it are for the team."""
    plan, signed, coming = row.plan, row.signature, row.next
    tone, shape = LOOKS[plan.status.value]
    labels = STATUS_FOR_STAFF if staff else STATUS
    return {
        "id": plan.id,
        "invoice_id": plan.invoice_id,
        "number": row.invoice.number,
        "company": row.company_name,
        "status": plan.status.value,
        "badge": {"label": gettext(labels[plan.status.value]), "tone": tone, "shape": shape},
        "wanted": ngettext("%(num)d instalment", "%(num)d instalments", plan.wanted_count),
        "interval": gettext(INTERVALS[plan.wanted_interval.value]),
        "first": format_day(plan.wanted_first_on),
        "reason": plan.reason,
        "answer": plan.answer,
        "ended": gettext(ENDS[plan.code]) if plan.code in ENDS else "",
        "total": money(plan.total, plan.currency) if plan.total else "",
        "outstanding": money(row.invoice.outstanding, row.invoice.currency),
        "instalments": [_instalment(row, one, now) for one in row.coverage],
        "next": _instalment(row, coming, now) if coming else None,
        "fingerprint": plan.content_sha256.hex() if plan.content_sha256 else "",
        "signer": signed.signer_name if signed else "",
        "signed_at": signed.decided_at if signed else None,
        "address": signed.address if signed else "",
        "consent": signed.consent_text if signed else "",
        "asked_at": plan.asked_at,
    }


def _instalment(row: PlanRow, one: Coverage, now: datetime) -> dict[str, Any]:
    state = "none" if row.plan.status not in (PlanStatus.IN_FORCE, PlanStatus.KEPT) else "due"
    if one.left == 0:
        state = "paid"
    elif state == "due" and one.instalment.due_at <= now:
        state = "late"
    elif state == "due" and one.instalment.scheduled_id in row.charged:
        state = "charged"
    tone, shape = INSTALMENT_LOOKS[state]
    amount, currency = one.instalment.amount, row.plan.currency
    return {
        "position": one.instalment.position,
        "day": format_day(one.instalment.due_on),
        "amount": money(amount, currency),
        "left": money(one.left, currency) if one.left not in (0, amount) else "",
        "pay": money(one.left, currency),
        "badge": {"label": gettext(INSTALMENTS[state]), "tone": tone, "shape": shape},
    }


def part_fields(parts: list[Part], currency: str, most: int) -> list[dict[str, str]]:
    """What stands in the lines of the team's form: the parts, and lines that are empty."""
    rows = [{"day": part.due_on.isoformat(), "amount": str(Money(part.amount, currency).decimal)} for part in parts]
    return rows + [{"day": "", "amount": ""}] * (most - len(rows))


def intervals() -> list[tuple[str, str]]:
    """Intervals to choose from."""
    return [(one.value, gettext(INTERVALS[one.value])) for one in PlanInterval]
