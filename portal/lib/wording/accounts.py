"""Words for somebody's own account: what a profile lacks, how and where somebody signed in."""

from portal.lib.wording import N_

# What is missing -> (its name, what it would be good for).
PIECES = {
    "name": (N_("Your name"), N_("We know how to address you.")),
    "email_verified": (N_("A verified mail address"), N_("Notices and new passwords reach you, and nobody else.")),
    "phone_verified": (N_("A verified phone number"), N_("We can call you back, and you can sign in with it.")),
    "title": (N_("Your job title"), N_("We know what you need to see, and who to ask about what.")),
    "address": (N_("A postal address"), N_("Technicians and parcels find you without asking.")),
    "picture": (N_("A picture"), N_("The people who answer you know your face.")),
}
METHODS = {
    "password": N_("Password"),
    "passkey": N_("Passkey"),
    "sso": N_("Single sign-on"),
    "link": N_("Link by mail"),
    "token": N_("API token"),
}
EVENTS = {
    "browser": N_("Signed in"),
    "program": N_("Program signed in"),
    "refused": N_("Refused"),
}
