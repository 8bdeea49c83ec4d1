"""Words for people and companies: refusals, what was done, states of invitations and logins."""

from portal.lib.wording import N_

REFUSALS = {
    "email_invalid": N_("Enter an email address such as name@company.com."),
    "phone_invalid": N_("Enter a phone number such as +33 4 72 55 01 84."),
    "unknown_role": N_("Choose one of the offered roles."),
    "unknown_language": N_("Choose one of the offered languages."),
    "unknown_country": N_("Enter a country code of two letters such as FR."),
    "address_taken": N_("Somebody here has this address already."),
    "phone_taken": N_("Somebody here has this number already."),
    "address_refused": N_("This address cannot be used here."),
    "phone_refused": N_("This number cannot be used here."),
    "number_taken": N_("Another company has this customer number."),
    "invitation_refused": N_("This address cannot be invited. Please ask our team."),
    "already_member": N_("This person belongs to the company already."),
    "already_invited": N_("This person is invited already. Send the invitation again instead."),
    "invitation_not_found": N_("Invitation not found."),
    "invitation_over": N_("This invitation is over. Invite the person again."),
    "invited_too_often": N_("This address got several messages already. Please wait before you send another one."),
    "contact_not_found": N_("Contact not found."),
    "contact_has_login": N_("This person has a login. Deactivate it instead."),
    "login_owns_address": N_("Only the person can change this, in the own profile."),
    "no_login": N_("This person has no login."),
    "last_administrator": N_("At least one administrator has to stay. Make somebody else administrator first."),
    "not_yourself": N_("You cannot do this to your own login."),
    "more_than_own": N_("You can only give rights that you have yourself."),
    "sign_in_to_accept": N_("Sign in with the address that was invited to accept."),
    "other_login": N_("This invitation is for another login. Sign out first."),
    "code_wrong": N_("This code is not right."),
    "status_not_possible": N_("This login cannot be put into that state."),
    "roles_required": N_("Choose at least one role."),
    "sign_up_closed": N_("Accounts are opened by invitation here."),
}
ACTIONS = {
    "customer.invited": N_("Customer invited"),
    "team.invited": N_("Member of the team invited"),
    "invitation.renewed": N_("Invitation sent again"),
    "invitation.revoked": N_("Invitation withdrawn"),
    "invitation.accepted": N_("Invitation accepted"),
    "user.linked": N_("Login linked to a customer"),
    "company.saved": N_("Company saved"),
    "person.saved": N_("Person saved"),
    "person.removed": N_("Contact removed"),
    "user.role_changed": N_("Role changed"),
    "user.deactivated": N_("Login deactivated"),
    "user.reactivated": N_("Login reactivated"),
    "user.left_company": N_("Taken out of the company"),
    "user.status_changed": N_("State of the login changed"),
    "user.unlocked": N_("Login unlocked"),
    "user.sessions_ended": N_("Sessions ended"),
}
RECORDS = {
    "invitation": N_("Invitation"),
    "company": N_("Company"),
    "person": N_("Person"),
}
INVITATION_STATE = {
    "sent": N_("Sent"),
    "expired": N_("Expired"),
    "accepted": N_("Accepted"),
    "revoked": N_("Withdrawn"),
}
