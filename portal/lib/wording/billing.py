"""Words for invoices: states, kinds, steps, and what pages, PDF and mails say about them."""

from collections.abc import Callable, Mapping
from typing import Any

from portal.lib.wording import N_, scheduled

STATUS = {
    "draft": N_("Draft"),
    "open": N_("Open"),
    "processing": N_("Processing"),
    "overdue": N_("Overdue"),
    "paid": N_("Paid"),
    "failed": N_("Payment failed"),
    "disputed": N_("In dispute"),
    "void": N_("Void"),
}
KINDS = {
    "invoice": N_("Invoice"),
    "deposit": N_("Deposit invoice"),
    "remainder": N_("Final invoice"),
    "late_fee": N_("Late payment charge"),
    "credit_note": N_("Credit note"),
}
STEPS = {
    "invoice_overdue": N_("Counts as overdue if unpaid"),
    "invoice_reminder": N_("Reminder by mail if unpaid"),
    "invoice_late_fee": N_("Late payment charge if unpaid"),
    "invoice_instalment": N_("Reminder of the instalment if unpaid"),
    "invoice_plan_missed": N_("Payment plan ends if the instalment is unpaid"),
    **scheduled.STEPS,
}
LEDGER = {
    "invoiced": N_("Invoiced"),
    "credited": N_("Credited"),
    "voided": N_("Voided"),
    "paid": N_("Payment received"),
    "refunded": N_("Refunded"),
    "charged_back": N_("Taken back by the bank"),
    "restored": N_("Moved"),
    "written_off": N_("Written off"),
    "write_off_reversed": N_("Write-off taken back"),
    "credit_added": N_("Credit added"),
    "credit_used": N_("Credit used"),
}
# The same in customers' words: that somebody is not expected to pay is nothing to tell them.
MOVEMENTS = LEDGER | {"written_off": N_("Waived"), "write_off_reversed": N_("Waiver taken back")}
TAX_CATEGORIES = {
    "S": N_("Standard rate"),
    "Z": N_("Zero rate"),
    "E": N_("Exempt"),
    "AE": N_("Reverse charge"),
    "K": N_("Within the EU, free of tax"),
    "G": N_("Export, free of tax"),
    "O": N_("Outside of the scope of tax"),
}
UNITS = {
    "piece": "",
    "hour": N_("per hour"),
    "day": N_("per day"),
    "month": N_("per month"),
    "year": N_("per year"),
}
LATE_FEE_LINE = N_("Late payment charge for invoice %(number)s")
ROUNDING_LINE = N_("Rounding")


def step_text(kind: str, params: Mapping[str, Any], translate: Callable[..., str]) -> str:
    """What will happen, in the reader's language; steps of other kinds have their own words in `params`."""
    return translate(STEPS[kind]) if kind in STEPS else str(params.get("text", ""))
