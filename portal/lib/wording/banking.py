"""Words about statements, transfers, receivables and write-offs."""

from collections.abc import Callable

from portal.lib.wording import N_

STATUS = {
    "unmatched": N_("To match"),
    "matched": N_("Matched"),
    "set_aside": N_("Set aside"),
}
# Why an invoice is suggested for a transfer.
REASONS = {
    "reference": N_("Number in the reference"),
    "number": N_("Number in the text"),
    "sum": N_("Numbers add up"),
    "amount": N_("Same amount"),
    "account": N_("Paid from this account before"),
    "name": N_("Same name"),
}
BUCKETS = {
    "not_due": N_("Not due"),
    "days_1_30": N_("1–30 days"),
    "days_31_60": N_("31–60 days"),
    "days_61_90": N_("61–90 days"),
    "days_over_90": N_("Over 90 days"),
}
COLUMNS = {
    "booked_on": N_("Day"),
    "amount": N_("Amount"),
    "currency_column": N_("Currency"),
    "payer_name": N_("Payer"),
    "payer_account": N_("Payer’s account"),
    "remittance": N_("Text"),
    "bank_reference": N_("Reference of the bank"),
}
DATE_FORMATS = {
    "iso": N_("2026-12-31"),
    "dot": N_("31.12.2026"),
    "slash_day": N_("31/12/2026"),
    "slash_month": N_("12/31/2026"),
}
AMOUNT_FORMATS = {"point": N_("1,234.50"), "comma": N_("1.234,50")}
WRITE_OFF_STATUS = {
    "requested": N_("Waits for a colleague"),
    "done": N_("Written off"),
    "refused": N_("Refused"),
    "taken_back": N_("Taken back"),
}
CHARGE_STEP = N_("Automatic payment")
REFUSALS = {
    "bank_statement_not_found": N_("Statement not found."),
    "bank_transaction_not_found": N_("Transfer not found."),
    "write_off_not_found": N_("Write-off not found."),
    "statement_too_large": N_("The file is larger than 5 MB."),
    "statement_too_long": N_("The file has more than 10,000 entries."),
    "statement_has_dtd": N_("The file declares a document type, which no bank sends. It was not read."),
    "statement_unreadable": N_("The file cannot be read."),
    "statement_unreadable_at": N_("Line %(line)s cannot be read."),
    "statement_unknown": N_("This is no statement (CAMT.053, versions 001.02 to 001.08)."),
    "statement_without_account": N_("The statement names no account."),
    "statement_no_table": N_("This is neither CAMT.053 nor a table with columns."),
    "statement_amount_invalid": N_("An amount cannot be read."),
    "statement_amount_invalid_at": N_("The amount in line %(line)s cannot be read."),
    "statement_day_invalid": N_("A day cannot be read."),
    "statement_day_invalid_at": N_("The day in line %(line)s cannot be read."),
    "statement_currency_invalid_at": N_("The currency in line %(line)s is unknown."),
    "statement_read_already": N_("This file was read already."),
    "account_needed": N_("Enter the number of your account, such as its IBAN."),
    "column_needed": N_("Choose the column."),
    "transfer_decided": N_("Somebody has matched this transfer, or set it aside, in the meantime."),
    "transfer_credit_used": N_(
        "A part of this transfer became credit that has paid another invoice, so the match stays."
    ),
    "transfer_not_matched": N_("This transfer is not matched."),
    "transfer_customer_needed": N_("Choose at least one invoice, or the customer whose credit it becomes."),
    "write_off_waits": N_("A write-off of this invoice waits for a colleague already."),
    "write_off_not_reversible": N_("Only what was written off, and not taken back yet, can be taken back."),
    "write_off_decided": N_("This write-off was decided about already."),
    "write_off_own": N_("Somebody else has to decide about a write-off you asked for."),
    "write_off_too_large": N_("Enter an amount above zero and at most what is outstanding."),
    "invoice_not_writable_off": N_("Only what an issued invoice still owes can be written off."),
}
ACTIONS = {
    "bank_statement.imported": N_("Bank statement imported"),
    "bank_statement.discarded": N_("Bank statement discarded"),
    "bank_transaction.matched": N_("Transfer matched"),
    "bank_transaction.match_undone": N_("Match of a transfer undone"),
    "bank_transaction.set_aside": N_("Transfer set aside"),
    "bank_transaction.taken_back": N_("Transfer waits again"),
    "invoice.write_off_requested": N_("Write-off asked for"),
    "invoice.write_off_declined": N_("Write-off not agreed to"),
    "invoice.write_off_reversal_requested": N_("Taking back a write-off asked for"),
    "invoice.write_off_reversed": N_("Write-off taken back"),
    "invoice.written_off": N_("Rest of an invoice written off"),
    "receivables.exported": N_("Receivables exported"),
}
RECORDS = {
    "bank_statement": N_("Bank statement"),
    "bank_transaction": N_("Transfer"),
    "receivables": N_("Receivables"),
}
NOTICES = {
    "invoice_write_off_waiting": N_("A write-off of %(amount)s on %(number)s waits for a second pair of eyes"),
    "invoice_reversal_waiting": N_(
        "Taking back a write-off of %(amount)s on %(number)s waits for a second pair of eyes"
    ),
}


def reason_texts(reasons: tuple[str, ...], translate: Callable[[str], str]) -> str:
    """Why something is suggested, in a few words."""
    return " · ".join(translate(REASONS[one]) for one in reasons)
