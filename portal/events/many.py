"""Publishing what happened to many records at once: by one statement, each with its own event and audit entry."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any
from uuid import uuid4

from sqlalchemy import TextClause, text

from portal.authz import Actor
from portal.events.base import Beside, Event, plain
from portal.models.session import TenantSession


@dataclass(frozen=True)
class Happened:
    """The events of one record, and the fields of it that an auditor may see before and after."""

    events: tuple[Event, ...]
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)


_PUBLISH = """
    WITH {beside} facts AS (
        SELECT * FROM jsonb_to_recordset(cast(:facts AS jsonb))
            AS fact(id uuid, audit_id uuid, kind text, record_type text, record_id uuid, payload jsonb,
                    before jsonb, after jsonb, place integer)
    ), told AS (
        INSERT INTO outbox_events (id, tenant_id, kind, record_type, record_id, payload, actor_kind, actor_id,
                                   correlation_id, depth, occurred_at)
        SELECT id, :tenant_id, kind, record_type, record_id, payload, :actor_kind, cast(:actor_id AS uuid),
               cast(:correlation_id AS uuid), :depth, :at FROM facts ORDER BY place
    )
    INSERT INTO audit_entries (id, tenant_id, at, actor_kind, actor_id, actor_name, action, record_type, record_id,
                               ip, request_id, before, after)
    SELECT audit_id, :tenant_id, :at, :actor_kind, cast(:actor_id AS uuid), :actor_name, kind, record_type, record_id,
           :ip, :request_id, before, after FROM facts ORDER BY place
"""


@cache
def _statement(beside: tuple[str, ...]) -> TextClause:
    return text(_PUBLISH.format(beside="".join(f"{sql}, " for sql in beside)))


def publish_many(
    session: TenantSession,
    happened: Sequence[Happened],
    *,
    actor: Actor,
    now: datetime,
    beside: Sequence[Beside] = (),
) -> None:
    """Write outbox and audit rows for every event, and the rows beside them; all belong to one chain of events."""
    session.flush()
    pairs = [(event, one) for one in happened for event in one.events]
    facts = [
        {
            "place": place,
            "id": str(uuid4()),
            "audit_id": str(uuid4()),
            "kind": event.kind,
            "record_type": event.record_type,
            "record_id": str(event.record_id),
            "payload": event.payload(),
            "before": plain(one.before),
            "after": plain(one.after),
        }
        for place, (event, one) in enumerate(pairs)
    ]
    values: dict[str, Any] = {
        "facts": json.dumps(facts),
        "tenant_id": actor.tenant_id,
        "at": now,
        "actor_kind": actor.kind.value,
        "actor_id": actor.user_id,
        "actor_name": actor.name,
        "ip": actor.ip,
        "request_id": actor.request_id,
        "depth": actor.depth,
        "correlation_id": actor.correlation_id or uuid4(),
    }
    for part in beside:
        values |= part.values
    session.connection().execute(_statement(tuple(part.sql for part in beside)), values)
