"""Words for the audit trail: what was done to what."""

from collections.abc import Callable

from portal.lib.wording import N_

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
    "user.mail_preferences_saved": N_("Mail settings saved"),
    "user.profile_saved": N_("Profile saved"),
    "user.picture_saved": N_("Picture saved"),
    "user.picture_removed": N_("Picture removed"),
    "user.email_change_requested": N_("New mail address asked for"),
    "user.email_change_cancelled": N_("New mail address no longer wanted"),
    "user.email_verified": N_("Mail address verified"),
    "user.email_changed": N_("Mail address changed"),
    "user.email_kept": N_("Change of mail address stopped by the old one"),
    "user.phone_change_requested": N_("New phone number asked for"),
    "user.phone_changed": N_("Phone number changed"),
    "user.phone_removed": N_("Phone number removed"),
    "user.password_changed": N_("Password changed"),
    "user.session_ended": N_("Session ended"),
    "user.other_sessions_ended": N_("All other sessions ended"),
    "address.added": N_("Address added"),
    "address.changed": N_("Address changed"),
    "address.deleted": N_("Address deleted"),
    "address.made_primary": N_("Address made the primary one"),
    "address.verified": N_("Address verified"),
    "api_key.created": N_("API key created"),
    "api_key.revoked": N_("API key revoked"),
    "sla_policy.saved": N_("Promise saved"),
    "sla_policy.moved": N_("Promise moved"),
    "calendar.saved": N_("Working hours saved"),
    "category.saved": N_("Category saved"),
    "category.moved": N_("Category moved"),
}
RECORDS = {
    "ticket": N_("Ticket"),
    "user": N_("Login"),
    "address": N_("Address"),
    "api_key": N_("API key"),
    "sla_policy": N_("Promise"),
    "calendar": N_("Working hours"),
    "category": N_("Category"),
}


def action_text(action: str, translate: Callable[[str], str]) -> str:
    """What an action is called; one without a name shows its code."""
    return translate(ACTIONS[action]) if action in ACTIONS else action


def record_text(record_type: str, translate: Callable[[str], str]) -> str:
    """What a kind of record is called."""
    return translate(RECORDS[record_type]) if record_type in RECORDS else record_type
