"""Words for mail that came in: what became of it, and why."""

from collections.abc import Callable

from portal.lib.wording import N_

# Mails about tickets, as staff choose among them.
TICKET_MAILS = {
    "ticket_received": N_("Your ticket has arrived"),
    "ticket_answered": N_("The team has answered"),
    "ticket_status_changed": N_("The status has changed"),
    "ticket_handed_up": N_("The ticket was escalated"),
    "ticket_merged": N_("The ticket goes on in another one"),
    "ticket_shared": N_("A colleague shares a ticket"),
    "ticket_colleague_replied": N_("A colleague has answered"),
    "ticket_opened": N_("A new ticket"),
    "ticket_customer_replied": N_("The customer has answered"),
    "ticket_assigned": N_("The ticket is yours"),
    "ticket_escalated": N_("The ticket was escalated to you"),
    "ticket_withdrawn": N_("The customer has cancelled"),
    "ticket_mentioned": N_("You were mentioned"),
}

NO_SUBJECT = N_("(no subject)")
NO_TEXT = N_("(no text)")
OUTCOMES = {
    "opened": N_("Ticket opened"),
    "appended": N_("Added to a ticket"),
    "side": N_("Side conversation"),
    "bounce": N_("Came back"),
    "ignored": N_("Ignored"),
    "held": N_("Waiting for you"),
    "failed": N_("Failed"),
    "rejected": N_("Rejected"),
}
REASONS = {
    "follows_up": N_("The ticket was closed; a new one follows it"),
    "stand_in": N_("Unknown sender; opened for the stand-in"),
    "bounce_hard": N_("The address takes no mail"),
    "bounce_soft": N_("The mail is delayed"),
    "bounce_of_nothing": N_("A report about a mail that we did not send"),
    "loop": N_("Our own mail came back"),
    "hops": N_("The mail has been through too many servers"),
    "server": N_("Written by a mail server"),
    "auto_reply": N_("An automatic reply"),
    "bulk": N_("Sent to many, by a list or a newsletter"),
    "rate_sender": N_("Too much mail from this sender within an hour"),
    "rate_tenant": N_("Too much mail within an hour"),
    "no_sender": N_("The mail names no sender"),
    "several_senders": N_("The mail names several senders"),
    "spoofed": N_("The sender is not who the mail says"),
    "unverified": N_("Nothing proves the sender"),
    "staff_unverified": N_("From a colleague, but nothing proves it"),
    "staff_without_ticket": N_("From a colleague, but about no ticket"),
    "not_participant": N_("The sender does not take part in the ticket"),
    "unknown_sender": N_("Unknown sender"),
    "sender_without_login": N_("The sender has no active login"),
    "ticket_gone": N_("The ticket does not exist any more"),
    "ticket_closed": N_("The ticket is closed"),
    "too_large": N_("The mail is too large"),
    "nested": N_("The mail has too many parts"),
    "header_flood": N_("The mail has too many headers"),
    "unreadable": N_("The mail cannot be read"),
    "invalid": N_("The ticket did not take the text"),
    "not_allowed": N_("The sender's role does not allow it"),
    "error": N_("Something went wrong on our side"),
}


def outcome_text(outcome: str, translate: Callable[[str], str]) -> str:
    """What became of a mail."""
    return translate(OUTCOMES.get(outcome, outcome))


def reason_text(reason: str, translate: Callable[[str], str]) -> str:
    """Why; a reason without words shows its code."""
    return translate(REASONS[reason]) if reason in REASONS else reason
