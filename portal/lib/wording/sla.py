"""Words for the steps of a promise's clock, told to the team."""

from collections.abc import Callable

from portal.lib.wording import N_
from portal.lib.wording.tickets import STATUS_FOR_STAFF

MOMENTS = {
    "started": N_("The clock started"),
    "paused": N_("Paused: the status was “%(status)s”"),
    "resumed": N_("The clock ran again"),
    "closed": N_("Outside of the working hours"),
    "opened": N_("Working hours began"),
    "holiday": N_("Holiday: %(day)s"),
    "due": N_("Due"),
    "breached": N_("The promise was missed"),
    "kept": N_("Fulfilled in time"),
    "late": N_("Fulfilled too late"),
}


def moment_text(kind: str, translate: Callable[[str], str], *, reason: str | None = None, day: str = "") -> str:
    """The sentence of one step; `day` is the holiday's date as the reader writes it."""
    status = translate(STATUS_FOR_STAFF[reason]) if reason in STATUS_FOR_STAFF else (reason or "")
    return translate(MOMENTS[kind]) % {"status": status, "day": day}


# How a rule of assignment chooses among those who can take a ticket.
STRATEGIES = {
    "round_robin": N_("Everybody in turn"),
    "least_loaded": N_("Whoever has the fewest open tickets"),
    "person": N_("The first of these people who is there"),
}
GROUPINGS = {"week": N_("Week"), "category": N_("Category"), "agent": N_("Agent"), "policy": N_("Promise")}
