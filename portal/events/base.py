"""Publishing: the event for the outbox and the entry for the audit trail, in the caller's transaction."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any, ClassVar
from uuid import UUID, uuid4

from sqlalchemy import TextClause, text

from portal.authz import Actor
from portal.models.session import TenantSession


@dataclass(frozen=True)
class Event:
    """A fact in the past tense; payloads carry ids and codes, never text of people."""

    kind: ClassVar[str]
    record_type: ClassVar[str]

    record_id: UUID

    def payload(self) -> dict[str, Any]:
        """The event's own fields as JSON values."""
        return {f.name: plain(getattr(self, f.name)) for f in fields(self) if f.name != "record_id"}


def plain(value: Any) -> Any:
    """The value as JSON takes it; codes, ids and times become text."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


@dataclass(frozen=True)
class Beside:
    """Rows of a domain that belong to an event and are written by its statement: one exchange less for each.

    `sql` are common table expressions that write; besides their own `values` they may use those of the event:
    tenant_id, at, actor_kind, actor_id, actor_name. They neither see one another's rows nor the event's;
    foreign keys among them are checked when all are there. `returning` is an expression over their names that
    `publish` shall give back.
    """

    sql: str
    values: Mapping[str, Any]
    returning: str = ""


# One statement for both rows: no audit, no action, and one round trip less on every write.
_PUBLISH = """
    WITH {beside} facts AS (
        SELECT * FROM jsonb_to_recordset(cast(:facts AS jsonb))
            AS fact(id uuid, audit_id uuid, kind text, record_type text, record_id uuid, payload jsonb,
                    correlation_id uuid)
    ), told AS (
        INSERT INTO outbox_events (id, tenant_id, kind, record_type, record_id, payload, actor_kind, actor_id,
                                   correlation_id, depth, occurred_at)
        SELECT id, :tenant_id, kind, record_type, record_id, payload, :actor_kind, cast(:actor_id AS uuid),
               correlation_id, :depth, :at FROM facts
    )
    INSERT INTO audit_entries (id, tenant_id, at, actor_kind, actor_id, actor_name, action, record_type, record_id,
                               ip, request_id, before, after)
    SELECT audit_id, :tenant_id, :at, :actor_kind, cast(:actor_id AS uuid), :actor_name, kind, record_type, record_id,
           :ip, :request_id, cast(:before AS jsonb), cast(:after AS jsonb) FROM facts
"""


@cache
def _publish_statement(beside: tuple[str, ...], returning: str) -> TextClause:
    statement = _PUBLISH.format(beside="".join(f"{sql}, " for sql in beside))
    return text(f"{statement} RETURNING {returning}" if returning else statement)


_TELL = text(
    """
    INSERT INTO outbox_events (id, tenant_id, kind, record_type, record_id, payload, actor_kind, actor_id,
                               correlation_id, depth, occurred_at)
    VALUES (:id, :tenant_id, :kind, :record_type, :record_id, cast(:payload AS jsonb), :actor_kind, :actor_id,
            :correlation_id, :depth, :at)
    """
)
_AUDIT = text(
    """
    INSERT INTO audit_entries (id, tenant_id, at, actor_kind, actor_id, actor_name, action, record_type, record_id,
                               ip, request_id, before, after)
    VALUES (:audit_id, :tenant_id, :at, :actor_kind, :actor_id, :actor_name, :kind, :record_type, :record_id,
            :ip, :request_id, cast(:before AS jsonb), cast(:after AS jsonb))
    """
)


def publish(
    session: TenantSession,
    *events: Event,
    actor: Actor,
    now: datetime,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    beside: Sequence[Beside] = (),
) -> Any:
    """Write outbox and audit rows for the events, and the rows beside them; returns what those give back, or None.

    `before` and `after` are the changed fields an auditor may see; texts people wrote stay out of them.
    """
    # The rows refer to what the session is about to insert, so that goes first.
    session.flush()
    facts = [
        {
            "id": str(uuid4()),
            "audit_id": str(uuid4()),
            "kind": event.kind,
            "record_type": event.record_type,
            "record_id": str(event.record_id),
            "payload": event.payload(),
            "correlation_id": str(actor.correlation_id or uuid4()),
        }
        for event in events
    ]
    values = {"facts": json.dumps(facts), "depth": actor.depth, **_audit_values(actor, now, before, after)}
    for part in beside:
        values |= part.values
    returning = ", ".join(part.returning for part in beside if part.returning)
    statement = _publish_statement(tuple(part.sql for part in beside), returning)
    result = session.connection().execute(statement, values)
    return result.scalar() if returning else None


def tell(session: TenantSession, event: Event, *, actor: Actor, now: datetime) -> None:
    """Write the outbox row alone, for what follows from an audited change and changes no record itself."""
    session.flush()
    session.connection().execute(
        _TELL,
        {
            "id": uuid4(),
            "tenant_id": actor.tenant_id,
            "kind": event.kind,
            "record_type": event.record_type,
            "record_id": event.record_id,
            "payload": json.dumps(event.payload()),
            "actor_kind": actor.kind.value,
            "actor_id": actor.user_id,
            "correlation_id": actor.correlation_id or uuid4(),
            "depth": actor.depth,
            "at": now,
        },
    )


def audit(
    session: TenantSession,
    action: str,
    record_type: str,
    record_id: UUID | None,
    *,
    actor: Actor,
    now: datetime,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Write an audit row for something nobody else has to hear about (a sign-in, a denial)."""
    session.flush()
    values = {"audit_id": uuid4(), "kind": action, "record_type": record_type, "record_id": record_id}
    session.connection().execute(_AUDIT, values | _audit_values(actor, now, before, after))


def _audit_values(
    actor: Actor, now: datetime, before: dict[str, Any] | None, after: dict[str, Any] | None
) -> dict[str, Any]:
    return {
        "tenant_id": actor.tenant_id,
        "at": now,
        "actor_kind": actor.kind.value,
        "actor_id": actor.user_id,
        "actor_name": actor.name,
        "ip": actor.ip,
        "request_id": actor.request_id,
        "before": json.dumps(plain(before or {})),
        "after": json.dumps(plain(after or {})),
    }
