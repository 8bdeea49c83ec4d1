"""Lines of a ticket's timeline."""

from datetime import datetime
from typing import Any

from portal.authz import Actor
from portal.models import Ticket, TicketEvent
from portal.models.session import TenantSession


def add_line(
    session: TenantSession,
    ticket: Ticket,
    kind: str,
    *,
    actor: Actor,
    now: datetime,
    staff_only: bool = False,
    **params: Any,
) -> None:
    """Add what happened; the text is made from `kind` and `params` in the reader's language."""
    session.add(
        TicketEvent(
            tenant_id=ticket.tenant_id,
            ticket_id=ticket.id,
            kind=kind,
            at=now,
            actor_kind=actor.kind.value,
            actor_id=actor.user_id,
            actor_name=actor.name,
            params=params,
            staff_only=staff_only,
        )
    )
