"""What a signer agrees to, word for word; whoever changes the words gives them a new version."""

from dataclasses import dataclass

from sqlalchemy import select

from portal.lib.letters import translator
from portal.lib.wording import N_
from portal.models import Tenant
from portal.models.session import TenantSession
from portal.services.signing.policy import SigningPolicy, read_signing_policy

CONSENT_VERSION = "2026-1"
CONSENT = N_(
    "I have read this document and agree to it. I may sign for %(party)s, and my electronic signature shall count "
    "like one on paper."
)
# Stands in a tenant's own text for whom the signer signs for.
PARTY = "{party}"


@dataclass(frozen=True)
class Consent:
    """The text as a signer reads it, and its version: the standard one's, or how often the tenant changed its own."""

    version: str
    text: str


def load_consent(session: TenantSession, party: str, locale: str) -> Consent:
    """What holds now, for whom the signer stands for, in a language; the tenant's own text in its main one else."""
    settings, main = session.execute(select(Tenant.settings, Tenant.locale).where(Tenant.id == session.tenant_id)).one()
    return consent_of(read_signing_policy(settings or {}), party, locale, main)


def consent_of(policy: SigningPolicy, party: str, locale: str, main: str) -> Consent:
    """The same by a policy."""
    own = policy.consent.get(locale) or policy.consent.get(main)
    if not own:
        return Consent(CONSENT_VERSION, translator(locale)(CONSENT, party=party))
    return Consent(str(policy.consent_version), own.replace(PARTY, party))
