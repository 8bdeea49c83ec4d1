"""Words about disputes, wishes for more time, and what banks take back."""

from portal.lib.wording import N_

REASONS = {
    "wrong_amount": N_("Price or quantity is wrong"),
    "not_delivered": N_("Not delivered"),
    "poor_quality": N_("Not as agreed"),
    "billed_twice": N_("Billed or charged twice"),
    "not_ordered": N_("Not ordered"),
    "already_paid": N_("Paid already"),
    "other": N_("Another reason"),
}
STATUS = {
    "open": N_("Sent"),
    "under_review": N_("Being looked into"),
    "resolved": N_("Decided"),
    "withdrawn": N_("Withdrawn"),
}
STATUS_FOR_STAFF = {
    "open": N_("New"),
    "under_review": N_("Being looked into"),
    "resolved": N_("Decided"),
    "withdrawn": N_("Withdrawn"),
}
OUTCOMES = {"accepted": N_("Accepted"), "partly": N_("Accepted in part"), "rejected": N_("Not accepted")}
LOOKS = {
    "open": ("warn", "ring"),
    "under_review": ("warn", "half"),
    "accepted": ("ok", "check"),
    "partly": ("ok", "check"),
    "rejected": ("neutral", "minus"),
    "withdrawn": ("neutral", "minus"),
}
EXTENSION_STATUS = {
    "open": N_("Waits for an answer"),
    "granted": N_("Granted"),
    "refused": N_("Refused"),
    "withdrawn": N_("Withdrawn"),
}
EXTENSION_LOOKS = {
    "open": ("warn", "ring"),
    "granted": ("ok", "check"),
    "refused": ("neutral", "minus"),
    "withdrawn": ("neutral", "minus"),
}
CHARGEBACK_STATE = {
    "open": N_("Disputed by the bank"),
    "won": N_("Decided for us"),
    "lost": N_("Taken back by the bank"),
}
CHARGEBACK_FOR_CUSTOMERS = {
    "open": N_("Disputed by your bank"),
    "won": N_("Your bank left the payment as it is"),
    "lost": N_("Taken back by your bank"),
}
CHARGEBACK_LOOKS = {"open": ("warn", "hold"), "won": ("ok", "check"), "lost": ("err", "failed")}
# The gateway's own codes, in words for the team.
BANK_REASONS = {
    "bank_cannot_process": N_("The bank could not process it"),
    "credit_not_processed": N_("A promised credit did not come"),
    "customer_initiated": N_("The customer asked for it"),
    "debit_not_authorized": N_("The debit was not authorised"),
    "duplicate": N_("Charged twice"),
    "fraudulent": N_("The owner of the card does not know the payment"),
    "general": N_("No particular reason"),
    "incorrect_account_details": N_("The account details were wrong"),
    "insufficient_funds": N_("There was not enough money on the account"),
    "noncompliant": N_("Against the rules of the card network"),
    "product_not_received": N_("Not delivered"),
    "product_unacceptable": N_("Not as agreed"),
    "subscription_canceled": N_("The subscription had ended"),
    "unrecognized": N_("The owner of the card does not recognise the payment"),
}
REFUSALS = {
    "dispute_not_found": N_("Dispute not found."),
    "extension_request_not_found": N_("Request not found."),
    "invoice_not_disputable": N_("There is nothing on this invoice that can be disputed."),
    "payment_not_disputable": N_("This payment cannot be disputed here. Dispute its invoice instead."),
    "already_disputed": N_("This is in dispute already."),
    "dispute_too_large": N_("Enter an amount above zero and at most what it comes to."),
    "evidence_full": N_("A dispute holds at most %(limit)s files."),
    "dispute_decided": N_("This dispute was decided about or withdrawn already."),
    "accepted_too_large": N_("Enter an amount above zero and at most what is disputed."),
    "invoice_not_owed": N_("Nothing of this invoice is owed any more."),
    "extension_open": N_("A request for this invoice waits for an answer already."),
    "extension_decided": N_("This request was answered or withdrawn already."),
    "not_later": N_("Choose a day after the due date, today or later."),
    "too_late": N_("At most one year later."),
}
ACTIONS = {
    "dispute.opened": N_("Dispute opened"),
    "dispute.under_review": N_("Dispute taken up"),
    "dispute.evidence_added": N_("Files added to a dispute"),
    "dispute.resolved": N_("Dispute decided"),
    "dispute.withdrawn": N_("Dispute withdrawn"),
    "extension.requested": N_("Later due date asked for"),
    "extension.granted": N_("Later due date granted"),
    "extension.refused": N_("Later due date refused"),
    "extension.withdrawn": N_("Request for a later due date withdrawn"),
}
RECORDS = {"dispute": N_("Dispute"), "extension_request": N_("Request for a later due date")}
NOTICES = {
    "dispute_opened": N_("%(company)s disputes %(number)s"),
    "dispute_withdrawn": N_("%(company)s withdrew the dispute of %(number)s"),
    "dispute_evidence": N_("%(company)s added files to the dispute of %(number)s"),
    "dispute_evidence_ours": N_("We added files to your dispute of %(number)s"),
    "dispute_under_review": N_("We are looking into your dispute of %(number)s"),
    "dispute_resolved": N_("Your dispute of %(number)s is decided"),
    "invoice_extension_requested": N_("%(company)s asks for more time for invoice %(number)s"),
    "invoice_extension_withdrawn": N_("%(company)s needs no more time for invoice %(number)s"),
    "invoice_extension_granted": N_("Invoice %(number)s may be paid later"),
    "invoice_extension_refused": N_("The due date of invoice %(number)s stays"),
}
