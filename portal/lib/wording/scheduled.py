"""Words about payments that wait for their day, and about which reminders somebody wants."""

from collections.abc import Callable

from portal.lib.wording import N_
from portal.lib.wording.payments import failure_text

STATUS = {
    "planned": N_("Planned"),
    "started": N_("Charged already"),
    "cancelled": N_("Cancelled"),
    "failed": N_("Failed"),
}
STEPS = {
    "payment_scheduled": N_("Scheduled payment is charged"),
    "auto_pay_charge": N_("Auto-pay charges it"),
    "auto_pay_retry": N_("Auto-pay tries again"),
}
MARKS = {
    "due": N_("Due"),
    "scheduled": N_("Scheduled"),
    "auto_pay": N_("Auto-pay"),
}
ENDS = {
    "invoice_paid": N_("the invoice is paid already"),
    "invoice_void": N_("the invoice is void"),
    "invoice_disputed": N_("something of the invoice is in dispute"),
    "method_removed": N_("the saved method was removed"),
    "method_unknown": N_("the saved method was removed"),
    "partial_not_allowed": N_("the invoice is paid in one payment"),
    "plan_accepted": N_("a payment plan was agreed"),
    "plan_missed": N_("the payment plan has ended"),
    "instalment_paid": N_("the instalment is paid already"),
    "partial_too_small": N_("the amount is less than the least part payment"),
}
REFUSALS = {
    "scheduled_payment_not_found": N_("Scheduled payment not found."),
    "payment_already_scheduled": N_("All that is due is scheduled already."),
    "schedule_not_cancellable": N_("This scheduled payment cannot be cancelled any more."),
    "day_not_future": N_("Choose a day after today."),
    "day_too_far": N_("Choose a day within the next twelve months."),
    "day_invalid": N_("Enter a day such as 2027-03-31."),
    "method_ends_before": N_("This card expires before that day."),
}
ACTIONS = {
    "scheduled_payment.created": N_("Payment scheduled"),
    "scheduled_payment.changed": N_("Scheduled payment changed"),
    "scheduled_payment.started": N_("Scheduled payment charged"),
    "scheduled_payment.cancelled": N_("Scheduled payment cancelled"),
    "scheduled_payment.failed": N_("Scheduled payment failed"),
    "payment_method.expiring": N_("End of a card announced"),
    "user.payment_reminders_saved": N_("Payment reminders chosen"),
}
RECORDS = {"scheduled_payment": N_("Scheduled payment")}
NOTICES = {
    "payment_scheduled": N_("%(amount)s for invoice %(number)s will be charged tomorrow"),
    "payment_method_expiring": N_("%(number)s expires soon"),
    "payment_schedule_ended": N_("The payment scheduled for invoice %(number)s will not be charged"),
}


def end_text(code: str | None, translate: Callable[[str], str]) -> str:
    """Why a planned payment was not charged, as the end of a sentence."""
    return translate(ENDS[code]) if code in ENDS else failure_text(code, translate)
