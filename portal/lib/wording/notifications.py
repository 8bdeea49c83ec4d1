"""Words for notices: one short sentence per kind; the ticket's number and subject stand beside it."""

from collections.abc import Callable, Mapping
from typing import Any

from portal.lib.wording import N_, banking, disputes, payments, plans, scheduled, statements
from portal.lib.wording.tickets import ESCALATION_TARGET, STATUS_FOR_CUSTOMERS, STATUS_FOR_STAFF

Gettext = Callable[[str], str]

TEXTS = {
    "ticket_received": N_("Your ticket has arrived"),
    "ticket_answered": N_("%(actor)s answered"),
    "ticket_status_changed": N_("Status is now: %(status)s"),
    "ticket_merged": N_("Your ticket goes on in another one"),
    "ticket_handed_up": N_("Your ticket was handed to %(role)s"),
    "ticket_opened": N_("New ticket from %(actor)s"),
    "ticket_customer_replied": N_("%(actor)s replied"),
    "ticket_assigned": N_("%(actor)s gave you this ticket"),
    "ticket_assigned_by_system": N_("This ticket is yours now"),
    "ticket_escalated_first_response": N_("Escalated to you: no first answer in time"),
    "ticket_escalated_resolution": N_("Escalated to you: no solution in time"),
    "ticket_escalated_next_response": N_("Escalated to you: a question was not answered in time"),
    "ticket_escalated_update": N_("Escalated to you: no update in time"),
    "ticket_escalated_requested": N_("%(actor)s asks you to step in"),
    "ticket_withdrawn": N_("%(actor)s cancelled the ticket"),
    "ticket_mentioned": N_("%(actor)s mentioned you in an internal note"),
    "ticket_due_soon_first_response": N_("The first answer is due soon"),
    "ticket_due_soon_resolution": N_("The solution is due soon"),
    "ticket_due_soon_next_response": N_("The next answer is due soon"),
    "ticket_due_soon_update": N_("An update is due soon"),
    "ticket_colleague_replied": N_("%(actor)s replied"),
    "ticket_shared": N_("%(actor)s shares this ticket with you"),
    "ticket_mail_bounced": N_("A mail about this ticket came back"),
    "invoice_issued": N_("New invoice %(number)s"),
    "invoice_overdue": N_("Invoice %(number)s is overdue"),
    "invoice_reminder": N_("Invoice %(number)s waits for payment"),
    "invoice_voided": N_("Invoice %(number)s is void"),
    "invoice_credited": N_("Credit note for invoice %(number)s"),
    "quote_sent": N_("You have a new quote"),
    "quote_reminder": N_("A quote waits for your answer and ends soon"),
    "quote_viewed": N_("%(actor)s looks at the quote"),
    "quote_confirmed": N_("Your acceptance has arrived"),
    "quote_accepted": N_("%(actor)s accepted the quote"),
    "quote_declined": N_("%(actor)s declined the quote"),
    "quote_revision_requested": N_("%(actor)s asks for changes to the quote"),
    "quote_expired": N_("A quote expired without an answer"),
    "quote_requested": N_("%(actor)s asks for a quote"),
    "quote_request_refused": N_("There is no quote for your request"),
    "contract_to_sign": N_("Contract %(number)s waits for your signature"),
    "contract_reminder": N_("Contract %(number)s still waits for your signature"),
    "contract_signed": N_("Contract %(number)s is signed by all"),
    "contract_part_signed": N_("%(actor)s signed contract %(number)s"),
    "contract_declined": N_("%(actor)s declined contract %(number)s"),
    "contract_voided": N_("Contract %(number)s is void"),
    "contract_sealed": N_("The signed copy of contract %(number)s is ready"),
    "contract_expiring": N_("Contract %(number)s ends soon"),
    **payments.NOTICES,
    **scheduled.NOTICES,
    **banking.NOTICES,
    **disputes.NOTICES,
    **plans.NOTICES,
    **statements.NOTICES,
}
CATEGORIES = {
    "service": N_("Service updates"),
    "payment": N_("Payment alerts"),
    "blog": N_("Blog updates"),
    "system": N_("System alerts"),
    "security": N_("Account security"),
}
FALLBACK = N_("Something changed")


def notification_text(
    kind: str,
    params: Mapping[str, Any],
    translate: Gettext,
    *,
    staff: bool = False,
    own: Callable[[str], str | None] | None = None,
) -> str:
    """The sentence of a notice in the reader's language; `own` names the tenant's own statuses."""
    values: dict[str, Any] = dict(params)
    key = kind
    if f"{kind}_{params.get('metric')}" in TEXTS:
        key = f"{kind}_{params.get('metric')}"
    elif kind == "ticket_assigned" and not params.get("actor"):
        key = "ticket_assigned_by_system"
    if "status" in params:
        labels = STATUS_FOR_STAFF if staff else STATUS_FOR_CUSTOMERS
        named = own(params["own"]) if own and params.get("own") else None
        values["status"] = named or translate(labels.get(str(params["status"]), str(params["status"])))
    if "role" in params:
        values["role"] = translate(ESCALATION_TARGET.get(str(params["role"]), ESCALATION_TARGET["manager"]))
    return translate(TEXTS.get(key, FALLBACK)) % _Blank(values)


class _Blank(dict[str, Any]):
    """Places that the notice does not fill stay empty instead of failing."""

    def __missing__(self, key: str) -> str:
        return ""
