"""What a signer agrees to, word for word; whoever changes the words gives them a new version."""

from portal.lib.letters import translator
from portal.lib.wording import N_

CONSENT_VERSION = "2026-1"
CONSENT = N_(
    "I have read this document and agree to it. I may sign for %(party)s, and my electronic signature shall count "
    "like one on paper."
)


def consent_text(party: str, locale: str) -> str:
    """The sentence of the current version, for whom the signer stands for, in a language."""
    return translator(locale)(CONSENT, party=party)
