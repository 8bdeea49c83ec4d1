"""Two people at one ticket: what was said since somebody began to write."""

from uuid import UUID

from portal.authz import Actor
from portal.errors import Conflict
from portal.models import TicketMessage
from portal.models.session import TenantSession
from portal.services.tickets.queries import list_messages, lock_ticket


def answers_since(session: TenantSession, ticket_id: UUID, *, seen: UUID | None, actor: Actor) -> list[TicketMessage]:
    """Public messages after `seen` (None: after none at all), in order of time.

    Locks the ticket, so that nothing comes between this look and the answer that follows it in the same
    transaction. Raises NotFound. Where `seen` is not of this ticket, every public message counts as new.
    """
    lock_ticket(session, ticket_id, actor=actor)
    messages = [entry for entry in list_messages(session, ticket_id, actor=actor) if not entry.is_internal]
    known = next((index for index, entry in enumerate(messages) if entry.id == seen), -1)
    return messages[known + 1 :]


def refuse_crossing(session: TenantSession, ticket_id: UUID, *, seen: UUID, actor: Actor) -> None:
    """Conflict `answered_meanwhile` where somebody else has written publicly since `seen`. Raises NotFound."""
    missed = answers_since(session, ticket_id, seen=seen, actor=actor)
    others = [entry.sender_name for entry in missed if entry.sender_id != actor.user_id]
    if others:
        raise Conflict("answered_meanwhile", name=others[-1])
