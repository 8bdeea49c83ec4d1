"""Messages of one ticket as messages of another: same words, sender and time, under new ids."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from portal.models import Attachment, TicketMessage
from portal.models.session import TenantSession
from portal.services.tickets.attaching import describe

_COPIES = text(
    """
    INSERT INTO portal_ticket_messages (id, tenant_id, ticket_id, sender_type, sender_id, sender_name, message,
                                        message_html, attachments, is_internal, source, edited_at, created_at)
    SELECT pair.new, tenant_id, :target, sender_type, sender_id, sender_name, message, message_html, attachments,
           is_internal, source, edited_at, created_at
    FROM portal_ticket_messages m
    JOIN jsonb_to_recordset(cast(:pairs AS jsonb)) AS pair(old uuid, new uuid) ON pair.old = m.id
    WHERE m.tenant_id = :tenant AND NOT m.is_internal
    """
)


def list_public(session: TenantSession, ticket_id: UUID) -> Sequence[TicketMessage]:
    """The public messages of a locked ticket in order of time."""
    return session.scalars(
        select(TicketMessage)
        .where(TicketMessage.ticket_id == ticket_id, TicketMessage.is_internal.is_(False))
        .order_by(TicketMessage.created_at, TicketMessage.id)
    ).all()


def copy_messages(session: TenantSession, pairs: Mapping[UUID, UUID], *, target_id: UUID) -> None:
    """Write the public messages (old id -> new id) into the target once more."""
    if pairs:
        session.flush()
        values = {"tenant": session.tenant_id, "target": target_id, "pairs": pairs_json(pairs)}
        session.connection().execute(_COPIES, values)


def pairs_json(pairs: Mapping[UUID, UUID]) -> str:
    """The pairs for `jsonb_to_recordset`."""
    return json.dumps([{"old": str(old), "new": str(new)} for old, new in pairs.items()])


def snapshot_of(session: TenantSession, ticket_id: UUID) -> list[dict[str, Any]]:
    """The files that came with the ticket itself, as a message would name them."""
    rows = session.scalars(
        select(Attachment)
        .where(
            Attachment.ticket_id == ticket_id,
            Attachment.message_id.is_(None),
            Attachment.removed_at.is_(None),
            Attachment.is_internal.is_(False),
        )
        .order_by(Attachment.created_at, Attachment.id)
    )
    return [describe(row) for row in rows]
