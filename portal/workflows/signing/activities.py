"""Activities of contracts and seals: each calls one service and can be repeated."""

from temporalio import activity

from portal.lib.clock import utcnow
from portal.lib.faults import crash_point
from portal.models.session import TenantSessions
from portal.services.contracts.advancing import advance_contract
from portal.services.sealing.making import SealTools, raise_level, seal_record
from portal.workflows.signing.shared import AdvanceContract, ContractWake, Sealed, SealRun


class SigningActivities:
    """What the workflows of contracts and seals ask to be done."""

    def __init__(self, sessions: TenantSessions, tools: SealTools) -> None:
        self._sessions = sessions
        self._tools = tools

    @activity.defn(name="contracts.advance")
    def advance_contract(self, run: AdvanceContract) -> ContractWake:
        """Do what is due and say when to come back. Safe to repeat."""
        now = max(run.now, utcnow())
        with self._sessions.begin(run.tenant_id) as session:
            wake = advance_contract(session, run.contract_id, now=now)
        return ContractWake(wake.at, wake.done)

    @activity.defn(name="signing.seal")
    def seal(self, run: SealRun) -> Sealed:
        """Make the sealed copy. Safe to repeat."""
        level = seal_record(
            self._sessions, run.tenant_id, run.record_type, run.record_id, tools=self._tools, now=utcnow()
        )
        crash_point("seal.pre_report")
        return self._told(level)

    @activity.defn(name="signing.raise_level")
    def raise_level(self, run: SealRun) -> Sealed:
        """Ask the time-stamp authority once more. Safe to repeat."""
        level = raise_level(
            self._sessions, run.tenant_id, run.record_type, run.record_id, tools=self._tools, now=utcnow()
        )
        return self._told(level)

    def _told(self, level: str) -> Sealed:
        return Sealed(level, rises=level == "B-B" and self._tools.seal.stamps_time)
