"""What a plan says, written in one canonical way, and its fingerprint: the bytes that a customer signs.

JSON with sorted keys and no white space, like the content of quotes.
"""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from portal.models import Invoice, PaymentPlan, PlanInstalment


def content_of(plan: PaymentPlan, invoice: Invoice, instalments: Sequence[PlanInstalment]) -> dict[str, Any]:
    """Everything that was offered, as plain values; amounts in minor units."""
    return {
        "plan_id": str(plan.id),
        "customer_id": str(plan.customer_id),
        "invoice": str(invoice.number),
        "currency": plan.currency,
        "total": plan.total,
        "answer": plan.answer,
        "instalments": [
            {"position": one.position, "due_on": one.due_on.isoformat(), "amount": one.amount}
            for one in sorted(instalments, key=lambda one: one.position)
        ],
    }


def fingerprint(plan: PaymentPlan, invoice: Invoice, instalments: Sequence[PlanInstalment]) -> bytes:
    """SHA-256 of the canonical bytes."""
    content = content_of(plan, invoice, instalments)
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).digest()
