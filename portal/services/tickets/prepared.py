"""Prepared replies for customers: texts that the tenant keeps ready, to be edited before they are sent (H2.14)."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, or_, select

from portal.authz import Actor, Permission, require
from portal.lib.placeholders import fill
from portal.models import Company, Macro, Tenant
from portal.models.session import TenantSession
from portal.services.tickets.queries import get_ticket

# Whom a macro is for, as `macros.audience` says it.
CUSTOMER = "customer"
OFFERED = 30


@dataclass(frozen=True)
class PreparedReply:
    """A text with its places filled; nothing is sent before somebody has seen it."""

    id: UUID
    name: str
    text: str


def offer_replies(session: TenantSession, ticket_id: UUID, *, locale: str, actor: Actor) -> list[PreparedReply]:
    """What a customer can pick for this ticket, in the tenant's order, in `locale` or the tenant's own language.

    A reply that has neither is left out. Raises NotFound and Forbidden.
    """
    ticket = get_ticket(session, ticket_id, actor=actor)
    require(actor, Permission.TICKETS_REPLY)
    tenant = session.execute(select(Tenant.name, Tenant.locale).where(Tenant.id == session.tenant_id)).one()
    fits = or_(func.jsonb_array_length(Macro.categories) == 0, Macro.categories.contains([ticket.category]))
    rows = session.scalars(
        select(Macro)
        .where(Macro.audience == CUSTOMER, Macro.owner_id.is_(None), Macro.active, fits)
        .order_by(Macro.position, func.lower(Macro.name), Macro.id)
        .limit(OFFERED)
    )
    values = {
        "ticket.number": ticket.ticket_number,
        "ticket.subject": ticket.subject,
        "customer.name": actor.name,
        "customer.first_name": (actor.name.split() or [""])[0],
        "customer.company": session.scalar(select(Company.name).where(Company.id == ticket.customer_id)) or "",
        "portal.name": tenant.name,
    }
    texts = ((row, row.texts.get(locale) or row.texts.get(tenant.locale)) for row in rows)
    return [PreparedReply(row.id, row.name, fill(text, values)) for row, text in texts if text]
