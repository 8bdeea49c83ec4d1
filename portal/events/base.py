"""Publishing: the event for the outbox and the entry for the audit trail, in the caller's transaction."""

import json
from dataclasses import dataclass, fields
from datetime import datetime
from enum import Enum
from typing import Any, ClassVar
from uuid import UUID, uuid4

from sqlalchemy import text

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
        return {f.name: _plain(getattr(self, f.name)) for f in fields(self) if f.name != "record_id"}


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


# One statement for both rows: no audit, no action, and one round trip less on every write.
_PUBLISH = text(
    """
    WITH told AS (
        INSERT INTO outbox_events (id, tenant_id, kind, record_type, record_id, payload, actor_kind, actor_id,
                                   correlation_id, depth, occurred_at)
        VALUES (:id, :tenant_id, :kind, :record_type, :record_id, cast(:payload AS jsonb), :actor_kind, :actor_id,
                :correlation_id, :depth, :at)
    )
    INSERT INTO audit_entries (id, tenant_id, at, actor_kind, actor_id, actor_name, action, record_type, record_id,
                               ip, request_id, before, after)
    VALUES (:audit_id, :tenant_id, :at, :actor_kind, :actor_id, :actor_name, :kind, :record_type, :record_id,
            :ip, :request_id, cast(:before AS jsonb), cast(:after AS jsonb))
    """
)
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
) -> UUID:
    """Write outbox and audit rows for the events; returns the id of the first event.

    `before` and `after` are the changed fields an auditor may see; texts people wrote stay out of them.
    """
    # The rows refer to what the session is about to insert, so that goes first.
    session.flush()
    rows = [
        {
            "id": uuid4(),
            "payload": json.dumps(event.payload()),
            "correlation_id": actor.correlation_id or uuid4(),
            "depth": actor.depth,
            **_audit_row(event.kind, event.record_type, event.record_id, actor, now, before, after),
        }
        for event in events
    ]
    session.connection().execute(_PUBLISH, rows)
    first: UUID = rows[0]["id"]
    return first


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
    session.connection().execute(_AUDIT, _audit_row(action, record_type, record_id, actor, now, before, after))


def _audit_row(
    action: str,
    record_type: str,
    record_id: UUID | None,
    actor: Actor,
    now: datetime,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
) -> dict[str, Any]:
    return {
        "audit_id": uuid4(),
        "tenant_id": actor.tenant_id,
        "kind": action,
        "record_type": record_type,
        "record_id": record_id,
        "at": now,
        "actor_kind": actor.kind.value,
        "actor_id": actor.user_id,
        "actor_name": actor.name,
        "ip": actor.ip,
        "request_id": actor.request_id,
        "before": json.dumps(_plain(before or {})),
        "after": json.dumps(_plain(after or {})),
    }
