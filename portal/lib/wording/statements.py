"""Words about statements of accounts, and about exports of payments."""

from portal.lib.wording import N_

STATE = {
    "queued": N_("Being made"),
    "ready": N_("Ready"),
    "failed": N_("Not made"),
}
KIND = {
    "period": N_("Account statement"),
    "annual": N_("Annual statement"),
}
FORMAT = {
    "pdf": "PDF",
    "xlsx": "Excel",
    "csv": "CSV",
}
REFUSALS = {
    "statement_not_found": N_("Statement not found."),
    "statement_not_ready": N_("This statement is not ready yet."),
    "statement_too_long": N_("This is too much for a PDF. Choose Excel or CSV, or fewer days."),
    "statement_not_made": N_("This statement could not be made. Please ask for it once more."),
    "statements_waiting": N_("%(limit)s statements are being made already. Wait until some of them are ready."),
    "end_before_start": N_("The end lies before the start."),
    "span_too_long": N_("Choose at most ten years."),
    "year_invalid": N_("Choose a year from 2000 on that has begun."),
}
ACTIONS = {
    "statement.requested": N_("Account statement asked for"),
    "statement.ready": N_("Account statement made"),
    "statement.failed": N_("Account statement not made"),
    "statement.downloaded": N_("Account statement downloaded"),
    "payment.exported": N_("Payments exported"),
}
RECORDS = {
    "statement": N_("Account statement"),
}
NOTICES = {
    "statement_ready": N_("Your account statement is ready: %(subject)s"),
    "statement_failed": N_("An account statement could not be made: %(subject)s"),
}
