"""Activities of accounts."""

from temporalio import activity

from portal.integrations.dns import TxtLookup
from portal.lib.clock import utcnow
from portal.models.session import TenantSessions
from portal.services.accounts.sso.proof import look_for_proof
from portal.workflows.accounts.shared import DomainLook, LookForProof


class AccountActivities:
    """What the workflows of accounts ask to be done."""

    def __init__(self, sessions: TenantSessions, dns: TxtLookup) -> None:
        self._sessions = sessions
        self._dns = dns

    @activity.defn(name="accounts.look_for_proof")
    def look_for_proof(self, run: LookForProof) -> DomainLook:
        """Look for a domain's record once and note what was found; safe to repeat."""
        now = max(run.now, utcnow())
        look = look_for_proof(self._sessions, run.tenant_id, run.domain_id, dns=self._dns, now=now)
        return DomainLook(look.again_at, look.gone)
