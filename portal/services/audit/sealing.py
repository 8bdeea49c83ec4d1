"""Sealing: entries that can no longer be overtaken become links of their tenant's chain, in the order of `seq`.

Numbers become visible out of order: a transaction takes a low one and commits late. So an entry is sealed only
once every transaction is over that was writing to the trail after the entry had been seen, since only such a one
can still hold a lower number. Such transactions are known by their lock on the table, which they take before the
number and keep until they end.

The caller holds the sealer's lock on the very connection that is used here, so two can never seal at once.
"""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, func, insert, select, text

from portal.lib.faults import crash_point
from portal.models import AuditEntry, AuditLink, Tenant
from portal.models.session import TenantSession
from portal.services.audit.chain import GENESIS, Head, hashed_columns, link_hash, moment_text

BATCH = 500
_WRITERS = text(
    """
    SELECT DISTINCT virtualtransaction FROM pg_locks
    WHERE locktype = 'relation' AND mode = 'RowExclusiveLock' AND relation = CAST('audit_entries' AS regclass)
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    """
)


@dataclass
class _Waiting:
    """Entries seen (per tenant up to a number), and the transactions that may still write below it."""

    up_to: dict[UUID, int]
    writers: frozenset[str]


@dataclass
class SealingRounds:
    """The rounds of the one active sealer; what it waits for lives only as long as its connection."""

    connection: Connection
    batch: int = BATCH
    _waiting: _Waiting | None = field(default=None, init=False)

    def run_once(self, *, now: datetime) -> dict[UUID, Head]:
        """Seal what can be sealed; returns the new heads of the tenants whose chain has grown."""
        if self._waiting is None:
            # Looked at in this order: whoever took a lower number before is either over by then or among the writers.
            seen = self._unsealed()
            self._waiting = _Waiting(seen, self._writers() if seen else frozenset())
        else:
            self._waiting.writers &= self._writers()
        if self._waiting.writers:
            return {}
        ready, self._waiting = self._waiting.up_to, None
        return {tenant_id: self._seal(tenant_id, up_to, now) for tenant_id, up_to in ready.items()}

    def _unsealed(self) -> dict[UUID, int]:
        """The newest number of each tenant that has entries without a link."""
        found: dict[UUID, int] = {}
        for tenant_id in tenant_ids(self.connection):
            with tenant_session(self.connection, tenant_id) as session, session.begin():
                newest = session.scalar(select(func.max(AuditEntry.seq))) or 0
                if newest > last_sealed(session):
                    found[tenant_id] = newest
        return found

    def _writers(self) -> frozenset[str]:
        with self.connection.begin():
            return frozenset(self.connection.scalars(_WRITERS))

    def _seal(self, tenant_id: UUID, up_to: int, now: datetime) -> Head:
        while True:
            with tenant_session(self.connection, tenant_id) as session, session.begin():
                sealed, head = seal_batch(session, up_to=up_to, limit=self.batch, now=now)
                crash_point("audit.pre_commit")
            crash_point("audit.post_commit")
            if sealed < self.batch:
                return head


def seal_batch(session: TenantSession, *, up_to: int, limit: int, now: datetime) -> tuple[int, Head]:
    """Link the next entries, `limit` at most and none numbered above `up_to`; returns how many, and the new head."""
    head = read_head(session)
    rows = session.execute(
        select(AuditEntry.id, *hashed_columns())
        .where(AuditEntry.seq > last_sealed(session), AuditEntry.seq <= up_to)
        .order_by(AuditEntry.seq)
        .limit(limit)
    ).all()
    links = []
    for entry_id, *values in rows:
        head = Head(head.tenant_id, head.position + 1, link_hash(head.hash, values, moment_text(now)))
        links.append(
            {
                "tenant_id": head.tenant_id,
                "position": head.position,
                "entry_id": entry_id,
                "hash": head.hash,
                "sealed_at": now,
            }
        )
    if links:
        session.execute(insert(AuditLink), links)
    return len(links), head


def read_head(session: TenantSession) -> Head:
    """The end of the tenant's chain."""
    row = session.execute(
        select(AuditLink.position, AuditLink.hash).order_by(AuditLink.position.desc()).limit(1)
    ).first()
    return Head(session.tenant_id, row[0], row[1]) if row else Head(session.tenant_id, 0, GENESIS)


def last_sealed(session: TenantSession) -> int:
    """The number of the newest entry with a link, 0 where there is none."""
    newest = (
        select(AuditEntry.seq)
        .join(AuditLink, AuditLink.entry_id == AuditEntry.id)
        .order_by(AuditLink.position.desc())
        .limit(1)
    )
    return session.scalar(newest) or 0


def tenant_ids(connection: Connection) -> list[UUID]:
    """Every tenant."""
    with TenantSession(connection) as session, session.begin():
        return list(session.scalars(select(Tenant.id).order_by(Tenant.slug).execution_options(all_tenants=True)))


def tenant_session(connection: Connection, tenant_id: UUID) -> TenantSession:
    """A session of one tenant on the sealer's own connection."""
    session = TenantSession(connection, expire_on_commit=False)
    session.use_tenant(tenant_id)
    return session
