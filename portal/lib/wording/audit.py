"""Words for the audit trail: what was done to what."""

from collections.abc import Callable

from portal.lib.wording import N_, people

ACTIONS = {
    "ticket.created": N_("Ticket opened"),
    "ticket.replied": N_("Ticket answered"),
    "ticket.note_added": N_("Internal note added"),
    "ticket.status_changed": N_("Ticket status changed"),
    "ticket.assigned": N_("Ticket assigned"),
    "record.changed": N_("Ticket changed"),
    "ticket.escalated": N_("Ticket escalated"),
    "ticket.sla_warned": N_("Promise warning given"),
    "ticket.rated": N_("Ticket rated"),
    "user.signed_in": N_("Signed in"),
    "user.signed_out": N_("Signed out"),
    "user.token_issued": N_("API token issued"),
    "user.token_revoked": N_("API token revoked"),
    "user.preferences_saved": N_("Preferences saved"),
    "sla_policy.saved": N_("Promise saved"),
    "sla_policy.moved": N_("Promise moved"),
    "calendar.saved": N_("Working hours saved"),
    "category.saved": N_("Category saved"),
    "category.moved": N_("Category moved"),
    **people.ACTIONS,
}
RECORDS = {
    "ticket": N_("Ticket"),
    "user": N_("Login"),
    "sla_policy": N_("Promise"),
    "calendar": N_("Working hours"),
    "category": N_("Category"),
    **people.RECORDS,
}


def action_text(action: str, translate: Callable[[str], str]) -> str:
    """What an action is called; one without a name shows its code."""
    return translate(ACTIONS[action]) if action in ACTIONS else action


def record_text(record_type: str, translate: Callable[[str], str]) -> str:
    """What a kind of record is called."""
    return translate(RECORDS[record_type]) if record_type in RECORDS else record_type
