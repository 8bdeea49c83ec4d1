"""A database with two tenants and nothing but a trail in use, and somebody who may do anything to it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.pool import NullPool

from portal.authz import Actor, ActorKind
from portal.events import audit
from portal.models.session import TenantSession, TenantSessions, build_engine, normalise_url
from portal.services.audit.anchors import AnchorFolder
from portal.services.audit.chain import Head
from portal.services.audit.sealing import SealingRounds
from portal.services.audit.verifying import ChainReport, verify_chain

NOW = datetime(2026, 11, 24, 9, 0, 0, 123456, tzinfo=UTC)


@dataclass
class Trail:
    """The trails of the tenants `one` and `two`."""

    engine: Engine
    superuser: Engine
    tenants: dict[str, UUID]
    anchors: AnchorFolder

    def write(self, count: int = 1, tenant: str = "one", connection: Connection | None = None, **after: Any) -> None:
        """Add entries, committed at once unless they belong to somebody's open connection."""
        tenant_id = self.tenants[tenant]
        actor = Actor(ActorKind.STAFF, tenant_id, "Ada Brandt", uuid4(), ip="203.0.113.9", request_id="r-1")

        def add(session: TenantSession) -> None:
            for number in range(count):
                audit(session, "user.signed_in", "user", uuid4(), actor=actor, now=NOW, after={"n": number} | after)

        if connection is not None:
            with TenantSession(connection, join_transaction_mode="create_savepoint") as session:
                session.use_tenant(tenant_id)
                add(session)
                session.commit()
            return
        with TenantSessions(self.engine).begin(tenant_id) as session:
            add(session)

    def seal(self, rounds: int = 2, batch: int = 500, now: datetime = NOW) -> dict[UUID, Head]:
        """Let a sealer go round; one that is not kept waiting needs one round."""
        grown: dict[UUID, Head] = {}
        with self.engine.connect() as connection:
            sealer = SealingRounds(connection, batch)
            for _ in range(rounds):
                grown |= sealer.run_once(now=now)
        return grown

    def verify(self, tenant: str = "one", *witnesses: Head) -> ChainReport:
        """What `portal audit verify` finds."""
        with TenantSessions(self.engine).begin(self.tenants[tenant]) as session:
            return verify_chain(session, witnesses)

    def rows(self, query: str, **values: Any) -> list[Any]:
        """Rows as the superuser sees them."""
        with self.superuser.connect() as connection:
            return list(connection.execute(text(query), values))

    def chain(self, tenant: str = "one") -> list[Any]:
        """position, entry_id and seq of every link, in order."""
        return self.rows(
            "SELECT l.position, l.entry_id, e.seq FROM audit_links l JOIN audit_entries e ON e.id = l.entry_id"
            " WHERE l.tenant_id = :tenant ORDER BY l.position",
            tenant=self.tenants[tenant],
        )

    def tamper(self, statement: str, **values: Any) -> int:
        """Change what nobody may change: without triggers and foreign keys."""
        with self.superuser.begin() as connection:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            return connection.execute(text(statement), values).rowcount


@pytest.fixture
def trail(database: Any, new_database: Any, tmp_path: Path) -> Iterator[Trail]:
    """A trail of its own."""
    name = new_database(f"audit_{uuid4().hex[:8]}")
    tenants = {slug: uuid4() for slug in ("one", "two")}
    superuser = create_engine(normalise_url(database.superuser_url(name)), poolclass=NullPool)
    with superuser.begin() as connection:
        for slug, tenant_id in tenants.items():
            connection.execute(
                text(
                    "INSERT INTO tenants (id, slug, name, locale, timezone, support_email, support_phone,"
                    " postal_address, ticket_prefix, ticket_number_format)"
                    " VALUES (:id, :slug, :slug, 'en', 'UTC', 'h@x.example', '', '', 'T', '')"
                ),
                {"id": tenant_id, "slug": slug},
            )
    engine = build_engine(database.app_url(name), pool_size=5)
    yield Trail(engine, superuser, tenants, AnchorFolder(tmp_path / "audit"))
    engine.dispose()
    database.drop_database(name)
