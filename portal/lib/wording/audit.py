"""Words for the audit trail: what was done to what, and what was refused."""

from collections.abc import Callable, Mapping
from typing import Any

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
    "user.factor_added": N_("Second factor added"),
    "user.factor_removed": N_("Second factor removed"),
    "user.recovery_codes_renewed": N_("Recovery codes replaced"),
    "user.recovery_code_used": N_("Recovery code used"),
    "user.passkey_renamed": N_("Passkey renamed"),
    "user.passkey_copied": N_("Passkey refused: it may have been copied"),
    "user.confirmed": N_("Identity confirmed"),
    "user.sign_in_refused": N_("Sign-in refused"),
    "access.denied": N_("Access denied"),
    "user.token_issued": N_("API token issued"),
    "user.token_revoked": N_("API token revoked"),
    "user.preferences_saved": N_("Preferences saved"),
    "sla_policy.saved": N_("Promise saved"),
    "sla_policy.moved": N_("Promise moved"),
    "calendar.saved": N_("Working hours saved"),
    "category.saved": N_("Category saved"),
    "category.moved": N_("Category moved"),
}
RECORDS = {
    "ticket": N_("Ticket"),
    "user": N_("Login"),
    "sla_policy": N_("Promise"),
    "calendar": N_("Working hours"),
    "category": N_("Category"),
    "access": N_("Access"),
}
DOORS = {
    "portal": N_("Customer portal"),
    "admin": N_("Back office"),
    "api": N_("API"),
    "live": N_("Live updates"),
}
PERMISSIONS = {
    "dashboard:view": N_("See the dashboard"),
    "preferences:edit": N_("Change own preferences"),
    "notifications:read": N_("Read own notices"),
    "tickets:read": N_("Read own tickets"),
    "tickets:create": N_("Open tickets"),
    "tickets:reply": N_("Answer own tickets"),
    "tickets:close": N_("Close own tickets"),
    "tickets:rate": N_("Rate own tickets"),
    "desk:read": N_("Read every ticket"),
    "desk:reply": N_("Answer customers"),
    "desk:note": N_("Write internal notes"),
    "desk:update": N_("Assign and change tickets"),
    "customers:read": N_("See customers and the team"),
    "customers:edit": N_("Change customers"),
    "sla:read": N_("See promises"),
    "sla:configure": N_("Change promises, hours and categories"),
    "mail:read": N_("Read sent mail"),
    "audit:read": N_("Read the audit log"),
    "branding:edit": N_("Change the branding"),
    "profile:edit": N_("Change the own profile"),
    "company:manage": N_("Manage the company's people"),
    "api_keys:manage": N_("Manage own API keys"),
    "access:manage": N_("Unlock logins and end sessions"),
    "staff:manage": N_("Manage the team"),
    "roles:configure": N_("Change roles"),
    "sign_in:configure": N_("Change how people sign in"),
    "audit:export": N_("Export the audit log"),
}
REASONS = {
    "second_factor_enrolment_required": N_("A second factor has to be set up first"),
    "second_factor_mandatory": N_("The last second factor may not be removed"),
    "step_up_required": N_("No fresh proof of the person"),
    "foreign_page": N_("A page of another site asked"),
    "no_company": N_("The login belongs to no company"),
}
# What these entries tell is where somebody came in, or did not.
ACCESS_ACTIONS = frozenset({"access.denied", "user.sign_in_refused", "user.signed_in"})


def action_text(action: str, translate: Callable[[str], str]) -> str:
    """What an action is called; one without a name shows its code."""
    return translate(ACTIONS[action]) if action in ACTIONS else action


def record_text(record_type: str, translate: Callable[[str], str]) -> str:
    """What a kind of record is called."""
    return translate(RECORDS[record_type]) if record_type in RECORDS else record_type


def access_notes(told: Mapping[str, Any], translate: Callable[[str], str]) -> list[str]:
    """Where it was; for refusals what was missing, and whether more of them were left out."""
    notes = []
    if (door := told.get("door")) in DOORS:
        notes.append(translate(DOORS[door]))
    if needed := told.get("permission"):
        label = translate(PERMISSIONS[needed]) if needed in PERMISSIONS else needed
        notes.append(translate(N_("Needs: %(permission)s")) % {"permission": label})
    if (reason := told.get("code")) in REASONS:
        notes.append(translate(REASONS[reason]))
    if told.get("last"):
        notes.append(translate(N_("Too many in a minute: those that followed were not written down")))
    return notes
