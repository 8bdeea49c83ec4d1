"""Sessions that know their tenant: they refuse unscoped statements and tell the database who asks.

Two guards, one behind the other: every ORM statement gets the tenant's criterion here, and
row-level security checks `app.tenant_id`, which is set for each transaction.
"""

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar
from uuid import UUID

from psycopg.pq import ExecStatus, TransactionStatus
from pydantic_core import from_json
from sqlalchemy import Connection, Engine, Executable, Result, bindparam, create_engine, event, text
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.orm import ORMExecuteState, Session, SessionTransaction, sessionmaker, with_loader_criteria
from sqlalchemy.pool import ConnectionPoolEntry

from portal.models.base import Tenanted

_SET_TENANT = text("SELECT set_config('app.tenant_id', :tenant, true)")
# Seconds in which a connection that was just used is taken to live on.
IDLE_WITHOUT_PING = 1.0
# The parameter by which a prepared statement knows its tenant.
_TENANT = "session_tenant_id"
Statement = TypeVar("Statement", bound=Executable)


# The criterion of prepared statements; the guard recognises this very object.
_SCOPE = with_loader_criteria(
    # The name is written out: SQLAlchemy would take a variable in here for a value to bind.
    Tenanted,
    lambda cls: cls.tenant_id == bindparam("session_tenant_id"),
    include_aliases=True,
)


def prepare(statement: Statement) -> Statement:
    """A statement to keep and to run by `TenantSession.run`: built, scoped and keyed once, not at each request.

    The tenant's criterion is in it already, with a parameter that only the session gives.
    """
    return statement.options(_SCOPE)


def _is_prepared(statement: Any) -> bool:
    return any(option is _SCOPE for option in statement._with_options)


class TenantSession(Session):
    """A session of one tenant; `use_tenant` comes before the first statement."""

    @property
    def tenant_id(self) -> UUID:
        """The tenant of this session; LookupError before `use_tenant`."""
        try:
            tenant: UUID = self.info["tenant_id"]
        except KeyError:
            raise LookupError("session has no tenant") from None
        return tenant

    def use_tenant(self, tenant_id: UUID) -> None:
        """Bind the session to a tenant; a session never changes its tenant."""
        if self.info.setdefault("tenant_id", tenant_id) != tenant_id:
            raise LookupError("session already serves another tenant")

    def run(self, statement: Executable, values: Mapping[str, Any] | None = None) -> Result[*tuple[Any, ...]]:
        """Execute a prepared statement for this session's tenant."""
        return self.execute(statement, {**(values or {}), _TENANT: self.tenant_id})

    def read(self, statement: Executable, values: Mapping[str, Any] | None = None) -> Result[*tuple[Any, ...]]:
        """`run` for statements that select columns, no entities: nothing is loaded, so the session has no part in it.

        What the session has not flushed is not seen. LookupError for a statement that was not prepared.
        """
        if not _is_prepared(statement):
            raise LookupError("statement is not prepared")
        return self.connection().execute(statement, {**(values or {}), _TENANT: self.tenant_id})


@event.listens_for(TenantSession, "after_begin")
def _announce_tenant(session: TenantSession, transaction: SessionTransaction, connection: Any) -> None:
    tenant = session.info.get("tenant_id")
    if tenant is not None and not _begin_as(tenant, connection):
        connection.execute(_SET_TENANT, {"tenant": str(tenant)})


def _begin_as(tenant: UUID, connection: Connection) -> bool:
    """Begin the driver's transaction and name the tenant in one exchange; False where that is left to the driver.

    The driver would send its BEGIN by itself before the first statement. Inside of a transaction, or where the
    connection has an isolation of its own, nothing is done here.
    """
    driver: Any = connection.connection.dbapi_connection
    special = driver.autocommit or driver.read_only or driver.isolation_level is not None
    if special or driver.pgconn.transaction_status != TransactionStatus.IDLE:
        return False
    # `hex` has nothing that SQL could misread. A broken connection answers otherwise and fails by what follows.
    begin = f"BEGIN; SELECT set_config('app.tenant_id', '{UUID(hex=tenant.hex)}', true)"
    return bool(driver.pgconn.exec_(begin.encode()).status == ExecStatus.TUPLES_OK)


@event.listens_for(TenantSession, "do_orm_execute")
def _scope_statement(state: ORMExecuteState) -> None:
    if state.is_column_load or state.is_relationship_load or state.execution_options.get("all_tenants"):
        return
    tenant = state.session.info.get("tenant_id")
    if tenant is None:
        raise LookupError("statement without a tenant")
    if _is_prepared(state.statement):
        given = state.parameters.get(_TENANT) if isinstance(state.parameters, Mapping) else None
        if given != tenant:
            raise LookupError("prepared statement of another tenant")
        return
    if state.is_select or state.is_update or state.is_delete:
        state.statement = state.statement.options(
            with_loader_criteria(Tenanted, lambda cls: cls.tenant_id == tenant, include_aliases=True)
        )


@event.listens_for(TenantSession, "before_flush")
def _stamp_tenant(session: TenantSession, context: Any, instances: Any) -> None:
    for row in session.new:
        if isinstance(row, Tenanted):
            if row.tenant_id is None:
                row.tenant_id = session.tenant_id
            elif row.tenant_id != session.tenant_id:
                raise LookupError("row of another tenant")


def engine_options(pool_size: int, *, spare: int) -> dict[str, Any]:
    """Bounded waits: a pool slot 5 s, a statement 15 s, a lock 5 s. `spare` connections are closed after each use."""
    return {
        "pool_size": pool_size,
        "max_overflow": spare,
        "pool_recycle": 1800,
        "pool_timeout": 5,
        # Errors are logged; what was sent to the database is not (SEC-09).
        "hide_parameters": True,
        # A list reads three such values in each row, and the standard library's reader takes four times as long.
        "json_deserializer": from_json,
        "connect_args": {
            "options": "-c statement_timeout=15000 -c lock_timeout=5000 -c idle_in_transaction_session_timeout=30000",
            "application_name": "portico",
            "connect_timeout": 5,
        },
    }


def build_engine(url: str, *, pool_size: int) -> Engine:
    """An engine of our own, for processes without Flask."""
    engine = create_engine(normalise_url(url), **engine_options(pool_size, spare=pool_size))
    ping_idle_connections(engine)
    keep_plans(engine)
    return engine


def ping_idle_connections(engine: Engine) -> None:
    """Have a connection that lay idle for a second prove that it still lives; else the pool takes a new one.

    A database that was restarted then costs a ping, not an error page; asking before every request
    (`pool_pre_ping`) would cost three exchanges each time, as much as a query.
    """

    @event.listens_for(engine, "checkin")
    def note_time(connection: Any, record: ConnectionPoolEntry) -> None:
        record.info["idle_since"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def ping(connection: Any, record: ConnectionPoolEntry, proxy: Any) -> None:
        if time.monotonic() - record.info.get("idle_since", math.inf) < IDLE_WITHOUT_PING:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise DisconnectionError("the database closed an idle connection") from error
        # The ping began a transaction; the session's own begins after it.
        connection.rollback()


def keep_plans(engine: Engine) -> None:
    """End transactions so that PostgreSQL's prepared statements outlive a ROLLBACK.

    Reads end by one, and psycopg then throws all prepared statements away (a rolled back DDL could have made
    them wrong), so each page was planned anew: 1 ms of planning for 0.3 ms of work. Our role has no DDL.
    """

    def roll_back(connection: Any) -> None:
        if connection.pgconn.transaction_status not in (TransactionStatus.INTRANS, TransactionStatus.INERROR):
            connection.rollback()
            return
        if connection.pgconn.exec_(b"ROLLBACK").status != ExecStatus.COMMAND_OK:
            connection.rollback()

    engine.dialect.do_rollback = roll_back  # type: ignore[method-assign, assignment]


def normalise_url(url: str) -> str:
    """SQLAlchemy's spelling of a PostgreSQL address (psycopg 3), from any usual one."""
    scheme, separator, rest = url.partition("://")
    if separator and scheme in {"postgres", "postgresql"}:
        return f"postgresql+psycopg://{rest}"
    return url


class TenantSessions:
    """Makes sessions outside of requests: activities, the command line, tests."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._maker = sessionmaker(engine, class_=TenantSession, expire_on_commit=False)

    @contextmanager
    def begin(self, tenant_id: UUID) -> Iterator[TenantSession]:
        """One transaction of one tenant: commits at the end, rolls back on any error."""
        with self._maker() as session:
            session.use_tenant(tenant_id)
            with session.begin():
                yield session

    @contextmanager
    def begin_directory(self) -> Iterator[TenantSession]:
        """One transaction without a tenant: only the directory of tenants can be read."""
        with self._maker() as session, session.begin():
            yield session
