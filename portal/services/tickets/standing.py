"""Who decides about a ticket: seeing one that colleagues share is not yet having a say in how it ends."""

from portal.authz import Actor, Permission
from portal.errors import Forbidden
from portal.models import Ticket


def decides(ticket: Ticket, actor: Actor) -> bool:
    """Whether the actor closes, cancels, reopens, rates and shares the ticket: its requester or an administrator.

    Everybody else who sees it reads along and may answer. Staff and the product itself have permissions of their own.
    """
    if not actor.is_customer:
        return True
    return ticket.requester_id == actor.user_id or ticket.customer_id in actor.admin_company_ids


def require_deciding(ticket: Ticket, actor: Actor) -> None:
    """Refuse with Forbidden `not_allowed` unless the actor decides about the ticket."""
    if not decides(ticket, actor):
        raise Forbidden("not_allowed", permission=Permission.TICKETS_CLOSE.value)
