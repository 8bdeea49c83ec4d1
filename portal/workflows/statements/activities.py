"""Activities of statements: each calls one service and can be repeated."""

from temporalio import activity

from portal.integrations.storage import FileStorage
from portal.lib.clock import utcnow
from portal.models.session import TenantSessions
from portal.services.statements.making import give_up, make_statement
from portal.workflows.statements.shared import StatementGivenUp, StatementRun


class StatementActivities:
    """What the workflow of a statement asks to be done."""

    def __init__(self, sessions: TenantSessions, storage: FileStorage, base_url: str) -> None:
        self._sessions = sessions
        self._storage = storage
        self._base_url = base_url

    @activity.defn(name="statements.make")
    def make(self, run: StatementRun) -> None:
        """Make and store the file, and tell whoever asked for it. Safe to repeat."""
        make_statement(
            self._sessions,
            run.tenant_id,
            run.statement_id,
            storage=self._storage,
            base_url=self._base_url,
            now=utcnow(),
        )

    @activity.defn(name="statements.give_up")
    def give_up(self, run: StatementGivenUp) -> None:
        """Say that there will be no file. Safe to repeat."""
        give_up(self._sessions, run.tenant_id, run.statement_id, code=run.code, base_url=self._base_url, now=utcnow())
