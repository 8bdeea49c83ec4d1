"""Words about payments: states, methods, and why one did not come."""

from collections.abc import Callable, Mapping

from portal.lib.wording import N_

STATUS = {
    "created": N_("Started"),
    "open": N_("Not finished"),
    "requires_action": N_("Waits for your bank's question"),
    "processing": N_("On its way"),
    "succeeded": N_("Paid"),
    "failed": N_("Failed"),
    "cancelled": N_("Cancelled"),
}
KIND = {
    "hosted": N_("Payment page"),
    "saved": N_("Saved method"),
    "auto_pay": N_("Auto-pay"),
    "scheduled": N_("Scheduled"),
    "transfer": N_("Bank transfer"),
    "credit": N_("Credit"),
}
REFUND_STATUS = {
    "requested": N_("Waits for a colleague"),
    "approved": N_("Being sent"),
    "pending": N_("On its way"),
    "succeeded": N_("Refunded"),
    "failed": N_("Failed"),
    "refused": N_("Refused"),
}
METHOD_KIND = {
    "card": N_("Card"),
    "sepa_debit": N_("SEPA direct debit"),
    "us_bank_account": N_("Bank account"),
    "transfer": N_("Bank transfer"),
    "link": N_("Link"),
    "ideal": N_("iDEAL"),
    "bancontact": N_("Bancontact"),
    "upi": N_("UPI"),
    "bacs_debit": N_("Bacs direct debit"),
    "eps": "EPS",
    "p24": "Przelewy24",
    "fpx": "FPX",
    "pay_by_bank": N_("Pay by Bank"),
    "amazon_pay": "Amazon Pay",
    "klarna": "Klarna",
    "affirm": "Affirm",
}
# The gateway's own codes (research: payments §6), in words for whoever pays.
FAILURES = {
    "insufficient_funds": N_("there is not enough money on the account"),
    "card_declined": N_("the bank declined the card"),
    "generic_decline": N_("the bank declined the card"),
    "do_not_honor": N_("the bank declined the card"),
    "expired_card": N_("the card has expired"),
    "stolen_card": N_("the bank declined the card"),
    "lost_card": N_("the bank declined the card"),
    "pickup_card": N_("the bank declined the card"),
    "fraudulent": N_("the bank declined the card"),
    "incorrect_cvc": N_("the card's security code is not right"),
    "incorrect_number": N_("the card's number is not right"),
    "processing_error": N_("the bank had a problem; try again in a moment"),
    "authentication_required": N_("the bank wants you to confirm this payment"),
    "payment_intent_authentication_failure": N_("the payment was not confirmed at the bank"),
    "payment_intent_payment_attempt_failed": N_("the payment was not confirmed"),
    "amount_too_small": N_("the amount is too small for this method"),
    "amount_too_large": N_("the amount is too large for this method"),
    "method_removed": N_("the saved method was removed"),
    "gateway_unavailable": N_("our payment provider could not be reached"),
    "over_limit": N_("the amount is above the limit you set for auto-pay"),
    "not_finished": N_("it was not finished in time"),
}
FALLBACK = N_("the payment provider refused it")
REFUSALS = {
    "payment_not_found": N_("Payment not found."),
    "payment_method_not_found": N_("Payment method not found."),
    "refund_not_found": N_("Refund not found."),
    "payment_already_processed": N_("Payment already processed."),
    "payment_invalid": N_("Invalid payment data. Check your input."),
    "payment_validation_failed": N_("Payment validation failed."),
    "payment_processing_failed": N_("Payment processing failed. Please try again."),
    "payments_off": N_("Online payment is not set up. Please pay by bank transfer."),
    "invoice_not_payable": N_("This invoice cannot be paid."),
    "invoices_differ": N_("Choose invoices of one company in one currency."),
    "no_credit": N_("There is no credit that could be used."),
    "credit_too_small": N_("There is less credit than that."),
    "amount_not_due": N_("Enter an amount above zero and at most what is outstanding."),
    "amount_invalid": N_("Enter an amount such as 1250.00."),
    "partial_not_allowed": N_("This invoice is paid in one payment."),
    "partial_too_small": N_("This is less than the least amount of a part payment."),
    "method_unknown": N_("Choose one of your saved methods."),
    "method_not_enabled": N_("This way of paying is not offered."),
    "method_does_not_fit": N_("This way of paying does not take this amount or currency. Choose another one."),
    "method_none_fits": N_("Nothing that is offered online takes this amount and currency. Pay by bank transfer."),
    "method_not_kept": N_("Only cards and bank debits can be kept for later payments."),
    "method_in_use": N_("Auto-pay uses this method. Choose another one for it first."),
    "must_be_above_zero": N_("Enter an amount above zero."),
    "consent_required": N_("Tick the box to agree."),
    "payment_not_cancellable": N_("This payment cannot be cancelled any more."),
    "payment_not_refundable": N_("Only money that arrived can go back."),
    "refund_too_large": N_("At most what has not gone back yet."),
    "refund_decided": N_("This refund was decided about already."),
    "refund_own": N_("Somebody else has to decide about a refund you asked for."),
    "invoice_disputed": N_("The rest of this invoice is in dispute. Withdraw the dispute to pay all of it."),
    "payment_disputed": N_("The customer's bank decides about this payment. Nothing can go back meanwhile."),
    "receipt_not_ready": N_("A receipt is there once the payment has arrived."),
    "transfer_not_reversible": N_("Only a transfer of which nothing went back can be undone."),
    "more_than_came": N_("This is more than the transfer brought."),
}
ACTIONS = {
    "payment.started": N_("Payment started"),
    "payment.status_changed": N_("Payment is on its way"),
    "payment.succeeded": N_("Payment received"),
    "payment.credit_used": N_("Credit used"),
    "payment.failed": N_("Payment failed"),
    "payment.cancelled": N_("Payment not finished"),
    "payment.refund_requested": N_("Refund asked for"),
    "payment.refund_approved": N_("Refund approved"),
    "payment.refund_declined": N_("Refund not agreed to"),
    "payment.refunded": N_("Payment refunded"),
    "payment.refund_failed": N_("Refund failed"),
    "payment.disputed": N_("Payment disputed at the bank"),
    "payment.charged_back": N_("Payment taken back by the bank"),
    "payment.dispute_won": N_("Bank left the payment with us"),
    "payment_method.added": N_("Payment method saved"),
    "payment_method.updated": N_("Payment method chosen"),
    "payment_method.removed": N_("Payment method removed"),
    "auto_pay.saved": N_("Auto-pay changed"),
    "auto_pay.noticed": N_("Automatic payment announced"),
    "payment.reversed": N_("Transfer taken back"),
}
RECORDS = {
    "payment": N_("Payment"),
    "payment_method": N_("Payment method"),
    "auto_pay": N_("Auto-pay"),
}
NOTICES = {
    "payment_received": N_("Payment %(number)s of %(amount)s has arrived"),
    "payment_failed": N_("Payment %(number)s of %(amount)s failed"),
    "payment_refunded": N_("%(amount)s of payment %(number)s go back to you"),
    "payment_excess": N_("Payment %(number)s brought more than was owed: %(amount)s are credit now"),
    "payment_refund_failed": N_("A refund of payment %(number)s failed"),
    "payment_refund_waiting": N_("A refund of %(amount)s waits for a second pair of eyes"),
    "payment_differs": N_("The gateway and the ledger differ about payment %(number)s"),
    "payment_auto_failed": N_("Automatic payment %(number)s of %(amount)s failed"),
    "payment_bank_disputed": N_("Payment %(number)s is disputed at the bank: %(amount)s"),
    "payment_charged_back": N_("The bank took back %(amount)s of payment %(number)s"),
    "payment_bank_kept": N_("The bank decided: payment %(number)s stays as it is"),
    "payment_announced": N_("%(amount)s will be charged automatically"),
    "payment_reversed": N_("Payment %(number)s of %(amount)s was booked by mistake and taken back"),
}


def failure_text(code: str | None, translate: Callable[[str], str]) -> str:
    """Why a payment did not come, as the end of a sentence."""
    return translate(FAILURES.get(code or "", FALLBACK))


def method_text(method: Mapping[str, object], translate: Callable[[str], str]) -> str:
    """A method in a few words: `Visa ···· 4242`, `SEPA direct debit ···· 3000`."""
    kind = str(method.get("kind") or "")
    brand = str(method.get("brand") or "")
    name = brand.replace("_", " ").title() if kind == "card" and brand else translate(METHOD_KIND.get(kind, kind))
    last4 = method.get("last4")
    return f"{name} ···· {last4}" if last4 else name
