"""What the keys do that hold on every page (UXA-08); a page's own say it themselves."""

from portal.lib.wording import N_

FOR_EVERYBODY = (
    ("/", N_("Search")),
    ("j", N_("Next row")),
    ("k", N_("Previous row")),
    ("Enter", N_("Open the row")),
    ("x", N_("Select the row")),
    ("r", N_("Reply")),
    ("Esc", N_("Close a dialog, clear the selection")),
    ("?", N_("This help")),
)
FOR_CUSTOMERS = (FOR_EVERYBODY[0], ("c", N_("New ticket")), *FOR_EVERYBODY[1:])
# In the queue, and on a ticket that was opened from it.
FOR_STAFF = (
    *FOR_EVERYBODY,
    ("a", N_("Take the ticket")),
    ("n", N_("Next ticket")),
    ("p", N_("Previous ticket")),
    ("u", N_("Back to the queue")),
)
