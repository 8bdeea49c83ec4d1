"""Words for quotes: states, steps, what a signer agrees to."""

from collections.abc import Callable

from portal.lib.wording import N_

Gettext = Callable[[str], str]

STATUS_FOR_CUSTOMERS = {
    "sent": N_("Waiting for your answer"),
    "revision_requested": N_("Being revised"),
    "accepted": N_("Accepted"),
    "declined": N_("Declined"),
    "expired": N_("Expired"),
    "superseded": N_("Replaced"),
}
STATUS_FOR_STAFF = {
    "draft": N_("Draft"),
    "sent": N_("With customer"),
    "revision_requested": N_("Revision requested"),
    "accepted": N_("Accepted"),
    "declined": N_("Declined"),
    "expired": N_("Expired"),
    "superseded": N_("Replaced"),
}
LOOKS = {
    "draft": ("neutral", "draft"),
    "sent": ("accent", "ring"),
    "revision_requested": ("warn", "half"),
    "accepted": ("ok", "check"),
    "declined": ("neutral", "minus"),
    "expired": ("neutral", "minus"),
    "superseded": ("neutral", "minus"),
}
REQUEST_STATUS = {
    "waiting": N_("Being worked on"),
    "answered": N_("Quote received"),
    "refused": N_("Refused"),
}
REQUEST_LOOKS = {"waiting": ("accent", "ring"), "answered": ("ok", "check"), "refused": ("neutral", "minus")}
STEPS = {"offer_expires": N_("Offer expires")}
STEPS_FOR_STAFF = {
    "offer_expires": N_("Offer expires"),
    "reminder": N_("Reminds the customer"),
}
FALLBACK_STEP = N_("Next automatic step")
# Evidence names the version; a change of the words is a new one.
CONSENT_VERSION = "2026-11"
CONSENT = N_("I am allowed to sign for %(company)s. I agree to this quote and its terms, and I sign electronically.")


def status_text(status: str, translate: Gettext, *, staff: bool = False) -> str:
    """The state of a quote as its reader calls it."""
    return translate((STATUS_FOR_STAFF if staff else STATUS_FOR_CUSTOMERS).get(status, status))


def step_text(kind: str, translate: Gettext, *, staff: bool = False) -> str:
    """What happens next, in a few words."""
    return translate((STEPS_FOR_STAFF if staff else STEPS).get(kind, FALLBACK_STEP))


def consent_text(company: str, translate: Gettext) -> str:
    """What the signer agrees to."""
    return translate(CONSENT) % {"company": company}
