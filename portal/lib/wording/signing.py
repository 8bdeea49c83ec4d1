"""Words for contracts and signatures."""

from collections.abc import Callable

from portal.lib.wording import N_

CONTRACT_STATUS = {
    "draft": N_("Draft"),
    "sent": N_("To be signed"),
    "signed": N_("Signed"),
    "void": N_("Void"),
}
SIGNATURE_STATUS = {
    "waiting": N_("Has not signed yet"),
    "signed": N_("Signed"),
    "declined": N_("Declined"),
}
FACTORS = {
    "pwd": N_("Password"),
    "otp": N_("Second factor"),
    "webauthn": N_("Passkey"),
    "sso": N_("Single sign-on"),
    "recent": N_("Identity confirmed again"),
}
STEPS = {
    "contract_reminder": N_("Reminder if nobody has signed"),
    "contract_expiring": N_("Notice that the contract ends soon"),
}


def factors_text(factors: str, translate: Callable[[str], str]) -> str:
    """How somebody had signed in: `pwd+otp` in words."""
    return ", ".join(translate(FACTORS[one]) for one in factors.split("+") if one in FACTORS)
