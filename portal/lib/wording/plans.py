"""Words about payment plans."""

from collections.abc import Callable

from portal.lib.wording import N_

INTERVALS = {"monthly": N_("Every month"), "weekly": N_("Every week")}
STATUS = {
    "open": N_("Waits for an answer"),
    "granted": N_("Waits for your signature"),
    "refused": N_("Refused"),
    "withdrawn": N_("Withdrawn"),
    "in_force": N_("In force"),
    "kept": N_("Kept"),
    "missed": N_("Ended: an instalment was missed"),
    "ended": N_("Ended"),
}
STATUS_FOR_STAFF = STATUS | {
    "open": N_("Waits for your answer"),
    "granted": N_("Waits for the customer’s signature"),
}
LOOKS = {
    "open": ("warn", "ring"),
    "granted": ("warn", "half"),
    "refused": ("neutral", "minus"),
    "withdrawn": ("neutral", "minus"),
    "in_force": ("ok", "half"),
    "kept": ("ok", "check"),
    "missed": ("err", "failed"),
    "ended": ("neutral", "minus"),
}
INSTALMENTS = {
    "paid": N_("Paid"),
    "charged": N_("Charged automatically"),
    "due": N_("Not paid yet"),
    "late": N_("Late"),
    "none": N_("Not paid yet"),
}
INSTALMENT_LOOKS = {
    "paid": ("ok", "check"),
    "charged": ("neutral", "ring"),
    "due": ("neutral", "ring"),
    "late": ("err", "triangle"),
    "none": ("neutral", "minus"),
}
ENDS = {
    "invoice_paid": N_("The invoice was settled before the plan came into force."),
    "invoice_void": N_("The invoice is void."),
}
# Evidence names the version; a change of the words is a new one.
CONSENT_VERSION = "2026-11"
CONSENT = N_(
    "I am allowed to sign for %(company)s. I agree to this payment plan: the instalments are paid on their dates, and "
    "all that is left is due at once when one is more than three days late. I sign electronically."
)
REFUSALS = {
    "payment_plan_not_found": N_("Payment plan not found."),
    "invoice_not_plannable": N_("There is nothing on this invoice that can be paid in instalments now."),
    "plan_stands": N_("A payment plan for this invoice is asked for or agreed already."),
    "plan_decided": N_("This payment plan was decided about already."),
    "plan_not_offered": N_("There is no offer of a payment plan to accept (any more)."),
    "plan_changed": N_("The plan is not the one that was shown. Please read it again."),
    "plan_outdated": N_("What is owed or the first date has changed since. Withdraw the request and ask anew."),
    "plan_count": N_("Between 2 and 12 instalments."),
    "plan_first_day": N_("Choose a day after today, within the next three months."),
    "plan_sum": N_("The instalments have to add up to what is outstanding, each above zero."),
    "plan_days": N_("The days have to follow one another, from tomorrow on."),
    "plan_too_long": N_("The last instalment is at most two years away."),
}
ACTIONS = {
    "payment_plan.requested": N_("Payment plan asked for"),
    "payment_plan.granted": N_("Payment plan offered"),
    "payment_plan.refused": N_("Payment plan refused"),
    "payment_plan.withdrawn": N_("Request for a payment plan withdrawn"),
    "payment_plan.accepted": N_("Payment plan accepted"),
    "payment_plan.kept": N_("Payment plan kept"),
    "payment_plan.missed": N_("Payment plan ended: instalment missed"),
    "payment_plan.ended": N_("Payment plan ended"),
    "payment_plan.reminded": N_("Reminded of an instalment"),
}
RECORDS = {"payment_plan": N_("Payment plan")}
NOTICES = {
    "payment_plan_requested": N_("%(company)s asks for a payment plan for invoice %(number)s"),
    "payment_plan_withdrawn": N_("%(company)s asks for no payment plan for invoice %(number)s any more"),
    "payment_plan_signed": N_("%(company)s accepted the payment plan for invoice %(number)s"),
    "payment_plan_broken": N_("%(company)s missed an instalment of invoice %(number)s"),
    "payment_plan_fulfilled": N_("%(company)s kept the payment plan for invoice %(number)s"),
    "payment_plan_granted": N_("A payment plan for invoice %(number)s waits for your signature"),
    "payment_plan_refused": N_("There is no payment plan for invoice %(number)s"),
    "payment_plan_accepted": N_("The payment plan for invoice %(number)s is in force"),
    "payment_plan_missed": N_("The payment plan for invoice %(number)s has ended: an instalment was missed"),
    "payment_plan_kept": N_("The payment plan for invoice %(number)s is paid"),
    "instalment_due": N_("An instalment of invoice %(number)s is due soon"),
    "instalment_late": N_("An instalment of invoice %(number)s is late"),
}


def consent_text(company: str, translate: Callable[[str], str]) -> str:
    """What the signer agrees to."""
    return translate(CONSENT) % {"company": company}
