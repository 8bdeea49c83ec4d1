"""Words for permissions, and the areas in which people look for them."""

from portal.lib.wording import N_

PERMISSIONS = {
    "dashboard:view": N_("See the dashboard"),
    "preferences:edit": N_("Change own preferences"),
    "notifications:read": N_("Read own notices"),
    "tickets:read": N_("Read own tickets"),
    "tickets:create": N_("Create tickets"),
    "tickets:reply": N_("Answer own tickets"),
    "tickets:close": N_("Close own tickets"),
    "tickets:rate": N_("Rate own tickets"),
    "desk:read": N_("Read every ticket"),
    "desk:reply": N_("Answer customers"),
    "desk:note": N_("Write internal notes"),
    "desk:update": N_("Assign and change tickets"),
    "desk:trash": N_("Put tickets into the trash and restore them"),
    "customers:read": N_("See customers and the team"),
    "customers:edit": N_("Change customers"),
    "sla:read": N_("See promises"),
    "sla:configure": N_("Change promises, hours, categories, statuses and macros"),
    "mail:read": N_("Read sent mail"),
    "audit:read": N_("Read the audit log"),
    "branding:edit": N_("Change the branding"),
    "profile:edit": N_("Change the own profile"),
    "company:manage": N_("Manage the company's people"),
    "api_keys:manage": N_("Manage own API keys"),
    "access:manage": N_("Invite, unlock and suspend logins"),
    "staff:manage": N_("Manage the team"),
    "roles:configure": N_("Change roles"),
    "sign_in:configure": N_("Change how people sign in"),
    "audit:export": N_("Export the audit log"),
    "desk:views": N_("Change the views that the team shares"),
    "desk:export": N_("Export tickets"),
    "mail:decide": N_("Release or reject held mail"),
    "mail:configure": N_("Change how mail comes in"),
}
# In the order of the matrix; every permission is in one area.
AREAS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (N_("Own account"), ("dashboard:view", "preferences:edit", "notifications:read", "profile:edit")),
    (
        N_("Customer portal"),
        (
            "tickets:read",
            "tickets:create",
            "tickets:reply",
            "tickets:close",
            "tickets:rate",
            "company:manage",
            "api_keys:manage",
        ),
    ),
    (
        N_("Tickets"),
        ("desk:read", "desk:reply", "desk:note", "desk:update", "desk:trash", "desk:views", "desk:export"),
    ),
    (N_("Promises"), ("sla:read", "sla:configure")),
    (N_("Customers and team"), ("customers:read", "customers:edit", "access:manage", "staff:manage")),
    (N_("Records"), ("mail:read", "mail:decide", "audit:read", "audit:export")),
    (N_("Set-up"), ("branding:edit", "roles:configure", "sign_in:configure", "mail:configure")),
)
