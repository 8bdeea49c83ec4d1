"""A second question in a ticket becomes a ticket of its own; the first one keeps its messages, marked."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import select, text

from portal.authz import Actor, Permission, require
from portal.errors import Conflict, invalid
from portal.events import publish
from portal.events.relations import TicketSplit
from portal.models import LinkKind, SenderType, Ticket, TicketLink, TicketMessage
from portal.models.session import TenantSession
from portal.services.files.quota import recount
from portal.services.tickets.copying import copy_messages, pairs_json
from portal.services.tickets.opening import NewTicket, open_like
from portal.services.tickets.queries import lock_ticket
from portal.services.tickets.timeline import Line, add_line

FIELD = "message_ids"
MOST_MESSAGES = 100


def split_ticket(
    session: TenantSession,
    ticket_id: UUID,
    *,
    message_ids: Sequence[UUID],
    subject: str,
    actor: Actor,
    now: datetime,
    category: str = "",
    new_id: UUID | None = None,
) -> Ticket:
    """Open a ticket from chosen public messages; its promise runs from now.

    The customer's first chosen message becomes its text, and whoever wrote it its requester; the others are
    copied with their time and sender, with the files that can be handed out now. Raises NotFound, Conflict
    `ticket_merged`, and Invalid about `message_ids` (`unknown_message`, `split_needs_customer`) and the new
    ticket's fields.
    """
    ticket = lock_ticket(session, ticket_id, actor=actor)
    require(actor, Permission.DESK_UPDATE)
    if ticket.merged_into_id is not None:
        raise Conflict("ticket_merged", number=ticket.ticket_number)
    chosen = _chosen(session, ticket, message_ids)
    asked = next((entry for entry in chosen if entry.sender_type is SenderType.CUSTOMER), None)
    if asked is None:
        raise invalid(FIELD, "split_needs_customer")
    request = NewTicket(
        subject, asked.message, category or ticket.category, ticket.priority.value, source=asked.source, id=new_id
    )
    origin = Line("split_from", {"number": ticket.ticket_number, "ticket_id": str(ticket.id)})
    made = open_like(
        session, request, other=ticket, requester_id=asked.sender_id, lines=(origin,), actor=actor, now=now
    )
    pairs = {entry.id: uuid4() for entry in chosen if entry.id != asked.id}
    copy_messages(session, pairs, target_id=made.id)
    _copy_files(session, pairs, asked.id, made.id)
    _note(session, ticket, made, chosen, actor=actor, now=now)
    return made


def _note(
    session: TenantSession,
    ticket: Ticket,
    made: Ticket,
    chosen: Sequence[TicketMessage],
    *,
    actor: Actor,
    now: datetime,
) -> None:
    session.add(TicketLink(ticket_id=made.id, other_id=ticket.id, kind=LinkKind.SPLIT_FROM, created_by=actor.user_id))
    ticket.updated_at = now
    add_line(
        session, ticket, "split_off", actor=actor, now=now, number=made.ticket_number, ticket_id=str(made.id),
        messages=[str(entry.id) for entry in chosen],
    )  # fmt: skip
    publish(session, TicketSplit.about(ticket, new_id=made.id), actor=actor, now=now, after={"new": made.id})


def _chosen(session: TenantSession, ticket: Ticket, ids: Sequence[UUID]) -> Sequence[TicketMessage]:
    wanted = set(ids)
    if not wanted:
        raise invalid(FIELD, "required")
    if len(wanted) > MOST_MESSAGES:
        raise invalid(FIELD, "too_many", limit=MOST_MESSAGES)
    found = session.scalars(
        select(TicketMessage)
        .where(TicketMessage.id.in_(wanted), TicketMessage.ticket_id == ticket.id, TicketMessage.is_internal.is_(False))
        .order_by(TicketMessage.created_at, TicketMessage.id)
    ).all()
    if len(found) != len(wanted):
        raise invalid(FIELD, "unknown_message")
    return found


# One stored file may have several rows: its bytes go with the last of them. What still is looked at, or waits for
# the customer's consent, stays with the first ticket alone.
_FILES = text(
    """
    WITH pairs AS (
        SELECT old, new FROM jsonb_to_recordset(cast(:pairs AS jsonb)) AS pair(old uuid, new uuid)
    )
    INSERT INTO attachments (id, tenant_id, uploaded_by, ticket_id, message_id, filename, content_type, size, sha256,
                             storage_key, state, width, height, thumbnail_key, is_internal, purpose, consent_at,
                             created_at)
    SELECT gen_random_uuid(), a.tenant_id, a.uploaded_by, :target, pairs.new, a.filename, a.content_type, a.size,
           a.sha256, a.storage_key, a.state, a.width, a.height, a.thumbnail_key, false, a.purpose, a.consent_at,
           a.created_at
    FROM attachments a LEFT JOIN pairs ON pairs.old = a.message_id
    WHERE a.tenant_id = :tenant AND (pairs.old IS NOT NULL OR a.message_id = :asked) AND a.removed_at IS NULL
      AND NOT a.is_internal AND a.state = 'clean' AND (a.purpose <> 'recording' OR a.consent_at IS NOT NULL)
    RETURNING size
    """
)
_LIST = text(
    """
    UPDATE portal_ticket_messages m SET attachments = coalesce(
        (SELECT jsonb_agg(jsonb_build_object('id', a.id, 'filename', a.filename, 'content_type', a.content_type,
                                             'size', a.size) ORDER BY a.created_at, a.id)
         FROM attachments a WHERE a.tenant_id = m.tenant_id AND a.message_id = m.id), '[]')
    WHERE m.tenant_id = :tenant AND m.ticket_id = :target
    """
)


def _copy_files(session: TenantSession, pairs: dict[UUID, UUID], asked: UUID, target: UUID) -> None:
    session.flush()
    values = {"tenant": session.tenant_id, "target": target, "asked": asked, "pairs": pairs_json(pairs)}
    connection = session.connection()
    sizes = connection.execute(_FILES, values).scalars().all()
    connection.execute(_LIST, {"tenant": session.tenant_id, "target": target})
    if sizes:
        recount(session, sum(sizes))
