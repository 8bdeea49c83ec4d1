"""Words for the audit trail: what was done to what, and what was refused."""

from collections.abc import Callable, Mapping
from typing import Any

<<<<<<< HEAD
<<<<<<< HEAD
from portal.lib.wording import N_, payments, people, scheduled
=======
from portal.lib.wording import N_, banking, payments, people
>>>>>>> receivables
=======
from portal.lib.wording import N_, disputes, payments, people
>>>>>>> disputes
from portal.lib.wording.permissions import PERMISSIONS

ACTIONS = {
    "ticket.created": N_("Ticket opened"),
    "invoice.issued": N_("Invoice issued"),
    "invoice.overdue": N_("Invoice overdue"),
    "invoice.reminded": N_("Reminder of an invoice sent"),
    "invoice.paid": N_("Invoice paid"),
    "invoice.voided": N_("Invoice voided"),
    "invoice.credited": N_("Credit note issued"),
    "invoice.changed": N_("Amounts of an invoice changed"),
    "invoice.copy_mailed": N_("Copy of an invoice mailed"),
    "billing_settings.saved": N_("Billing settings saved"),
    "tax_rate.saved": N_("Tax rate saved"),
    "catalog_item.saved": N_("Catalogue item saved"),
    "company.billing_saved": N_("Billing details of a company saved"),
    "ticket.replied": N_("Ticket answered"),
    "ticket.note_added": N_("Internal note added"),
    "ticket.status_changed": N_("Ticket status changed"),
    "ticket.assigned": N_("Ticket assigned"),
    "record.changed": N_("Ticket changed"),
    "ticket.escalated": N_("Ticket escalated"),
    "ticket.sla_warned": N_("Promise warning given"),
    "ticket.rated": N_("Ticket rated"),
    "ticket.escalation_requested": N_("Escalation of a ticket asked for"),
    "ticket.message_edited": N_("Message of a ticket edited"),
    "ticket_view.saved": N_("View of tickets saved"),
    "ticket_view.renamed": N_("View of tickets renamed"),
    "ticket_view.deleted": N_("View of tickets deleted"),
    "tickets.exported": N_("Tickets exported"),
    "ticket.follower_added": N_("Ticket shared with a colleague"),
    "ticket.follower_removed": N_("Ticket shared no more with a colleague"),
    "ticket.file_checked": N_("File of a ticket checked"),
    "ticket.file_removed": N_("File of a ticket removed"),
    "ticket.recording_decided": N_("Consent to a recording given or refused"),
    "ticket.merged": N_("Ticket merged into another one"),
    "ticket.absorbed": N_("Another ticket merged in"),
    "ticket.split": N_("Messages split off a ticket"),
    "ticket.followed_up": N_("Follow-up of a closed ticket opened"),
    "ticket.linked": N_("Ticket linked"),
    "ticket.unlinked": N_("Link between tickets removed"),
    "ticket.trashed": N_("Ticket put into the trash"),
    "ticket.restored": N_("Ticket restored from the trash"),
    "ticket.purged": N_("Ticket deleted for good"),
    "ticket.side_message": N_("Mail of a side conversation"),
    "ticket.side_closed": N_("Side conversation closed"),
    "quote.drafted": N_("Quote drafted"),
    "quote.edited": N_("Draft of a quote changed"),
    "quote.discarded": N_("Draft of a quote discarded"),
    "quote.sent": N_("Quote sent"),
    "quote.viewed": N_("Quote looked at for the first time"),
    "quote.reminded": N_("Reminder of a quote sent"),
    "quote.accepted": N_("Quote accepted"),
    "quote.declined": N_("Quote declined"),
    "quote.revision_requested": N_("Changes to a quote asked for"),
    "quote.superseded": N_("Quote replaced by another version"),
    "quote.expired": N_("Quote expired"),
    "quote.clock_changed": N_("Timer of a quote set"),
    "quote.invoiced": N_("Accepted quote invoiced"),
    "quote_request.created": N_("Quote asked for"),
    "quote_request.answered": N_("Request answered by a quote"),
    "quote_request.refused": N_("Request for a quote refused"),
    "quote_template.saved": N_("Template of quotes saved"),
    "quote_template.deleted": N_("Template of quotes deleted"),
    "company.decision_limit_changed": N_("Limit for decisions on quotes changed"),
    "attachment.uploaded": N_("File uploaded"),
    "contract.drafted": N_("Contract drafted"),
    "contract.sent": N_("Contract sent"),
    "contract.part_signed": N_("Contract signed by one of several"),
    "contract.signed": N_("Contract signed by all"),
    "contract.declined": N_("Contract declined"),
    "contract.voided": N_("Contract voided"),
    "contract.reminded": N_("Reminder of a contract sent"),
    "contract.expiring": N_("Contract ends soon"),
    "contract.sealed": N_("Signed contract sealed"),
    "quote.sealed": N_("Accepted quote sealed"),
    "document.level_raised": N_("Time stamp added to a seal"),
    "attachment.removed": N_("File deleted"),
    "attachment.refused": N_("File refused by the virus scanner"),
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
    "user.sign_in_locked": N_("Sign-in locked"),
    "access.requested": N_("Account or password link asked for"),
    "user.reset_link_sent": N_("Password link sent"),
    "user.password_reset_owed": N_("New password demanded"),
    "user.password_reset": N_("New password set by link"),
    "user.registered": N_("Account registered"),
    "device.disowned": N_("Device disowned"),
    "access.denied": N_("Access denied"),
    "user.token_issued": N_("API token issued"),
    "user.token_revoked": N_("API token revoked"),
    "user.preferences_saved": N_("Preferences saved"),
    "user.mail_preferences_saved": N_("Mail settings saved"),
    "user.device_notice_saved": N_("Notice of new devices changed"),
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
    "assignment_rule.saved": N_("Rule of assignment saved"),
    "assignment_rule.deleted": N_("Rule of assignment deleted"),
    "assignment_rule.moved": N_("Rule of assignment moved"),
    "staff_profile.saved": N_("Skills and absence saved"),
    "category.saved": N_("Category saved"),
    "category.moved": N_("Category moved"),
    "ticket.mentioned": N_("Colleagues mentioned"),
    "ticket.followed": N_("Ticket followed"),
    "ticket.unfollowed": N_("Ticket not followed any more"),
    "ticket.time_changed": N_("Time spent written down or taken back"),
    "satisfaction.exported": N_("Ratings exported"),
    "mail_words.saved": N_("Text of a mail saved"),
    "macro.saved": N_("Macro saved"),
    "macro.applied": N_("Macro used"),
    "custom_status.saved": N_("Own status saved"),
    "custom_status.moved": N_("Own status moved"),
    "identity_provider.saved": N_("Identity provider saved"),
    "identity_provider.removed": N_("Identity provider removed"),
    "email_domain.claimed": N_("Domain claimed"),
    "email_domain.check_asked": N_("Domain's record looked for on request"),
    "email_domain.verified": N_("Domain proved"),
    "email_domain.lost": N_("Domain's proof lost"),
    "email_domain.removed": N_("Domain removed"),
    "user.created": N_("Login created"),
    "user.sso_linked": N_("Single sign-on linked"),
    "user.sso_unlinked": N_("Single sign-on unlinked"),
    "user.sso_signed_out": N_("Signed out at the identity provider"),
    "role.created": N_("Role created"),
    "role.changed": N_("Role changed"),
    "role.deleted": N_("Role deleted"),
    "tenant.sign_in_changed": N_("Sign-in rules changed"),
    "tenant.sessions_ended": N_("Many signed out at once"),
    "tenant.tickets_changed": N_("Rules of customers' tickets changed"),
    "tenant.feature_switched": N_("Feature switched on or off"),
    "audit.exported": N_("Audit log exported"),
    "keys.rotated": N_("Secrets encrypted anew"),
    "ticket_view.moved": N_("View of tickets moved"),
    "bulk_change.made": N_("Many tickets changed at once"),
    "bulk_change.undone": N_("Change of many tickets undone"),
    "mail.bounced": N_("Mail about a ticket came back"),
    "mail.address_bounced": N_("Mail came back"),
    "bounced_address.cleared": N_("Address takes mail again"),
    "inbound_mail.held": N_("Mail held back"),
    "inbound_mail.released": N_("Held mail released"),
    "inbound_mail.opened": N_("Held mail opened as a ticket"),
    "inbound_mail.rejected": N_("Held mail rejected"),
    "mail_intake.saved": N_("Mailbox settings saved"),
    "mail_intake.tested": N_("Mailbox tested"),
    "mail_intake.key_renewed": N_("Key of the mail webhook replaced"),
    **people.ACTIONS,
    **payments.ACTIONS,
<<<<<<< HEAD
<<<<<<< HEAD
    **scheduled.ACTIONS,
=======
    **banking.ACTIONS,
>>>>>>> receivables
=======
    **disputes.ACTIONS,
>>>>>>> disputes
}
RECORDS = {
    "ticket": N_("Ticket"),
    "user": N_("Login"),
    "address": N_("Address"),
    "api_key": N_("API key"),
    "sla_policy": N_("Promise"),
    "assignment_rule": N_("Rule of assignment"),
    "staff_profile": N_("Member of the team"),
    "calendar": N_("Working hours"),
    "category": N_("Category"),
    "custom_status": N_("Own status"),
    "invoice": N_("Invoice"),
    "billing_settings": N_("Billing settings"),
    "tax_rate": N_("Tax rate"),
    "catalog_item": N_("Catalogue item"),
    "macro": N_("Macro"),
    "mail_words": N_("Text of a mail"),
    "access": N_("Access"),
    "identity_provider": N_("Identity provider"),
    "email_domain": N_("Domain"),
    "role": N_("Role"),
    "tenant": N_("Portal"),
    "audit": N_("Audit log"),
    "tickets": N_("Tickets"),
    "access_request": N_("Request"),
    "attachment": N_("File"),
    "contract": N_("Contract"),
    "ticket_view": N_("View of tickets"),
    "bulk_change": N_("Change of many tickets"),
    "inbound_mail": N_("Mail"),
    "bounced_address": N_("Mail address"),
    "mail_intake": N_("Mailbox"),
    "quote": N_("Quote"),
    "quote_request": N_("Request for a quote"),
    "quote_template": N_("Template of quotes"),
    **people.RECORDS,
    **payments.RECORDS,
<<<<<<< HEAD
<<<<<<< HEAD
    **scheduled.RECORDS,
=======
    **banking.RECORDS,
>>>>>>> receivables
=======
    **disputes.RECORDS,
>>>>>>> disputes
}
DOORS = {
    "portal": N_("Customer portal"),
    "admin": N_("Back office"),
    "api": N_("API"),
    "live": N_("Live updates"),
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
