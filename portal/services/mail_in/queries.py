"""Reads of mail that came in, and of addresses that take none."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, or_, select, tuple_
from sqlalchemy.orm import defer

from portal.authz import Actor, Permission, require
from portal.errors import NotFound
from portal.events import audit
from portal.lib.paging import DEFAULT_LIMIT, Page, decode_cursor, paginate
from portal.models import BouncedAddress, InboundMail, Ticket
from portal.models.session import TenantSession


def list_inbound(
    session: TenantSession,
    *,
    search: str = "",
    outcome: str = "",
    limit: int = 25,
    offset: int = 0,
    actor: Actor,
) -> list[InboundMail]:
    """Mail, the newest first, without its text; `search` looks at sender and subject. Raises Forbidden."""
    require(actor, Permission.MAIL_READ)
    return list(session.scalars(_matching(search, outcome).limit(limit).offset(offset)))


def page_inbound(
    session: TenantSession,
    *,
    search: str = "",
    outcome: str = "",
    limit: int = DEFAULT_LIMIT,
    cursor: str | None = None,
    actor: Actor,
) -> Page[InboundMail]:
    """The same by pages that stay where they are while mail comes in. Raises Forbidden, and Invalid (`cursor`)."""
    require(actor, Permission.MAIL_READ)
    query, at = _matching(search, outcome), decode_cursor(cursor)
    if at is not None:
        query = query.where(tuple_(InboundMail.received_at, InboundMail.id) < tuple_(at.moment(), at.id))
    rows = session.scalars(query.limit(limit + 1)).all()
    return paginate(rows, limit, at, lambda row: (row.received_at, row.id))


def _matching(search: str, outcome: str) -> Select[InboundMail]:
    query = select(InboundMail).options(defer(InboundMail.text))
    words = " ".join(search.split())
    if words:
        query = query.where(
            or_(
                InboundMail.sender.icontains(words, autoescape=True),
                InboundMail.subject.icontains(words, autoescape=True),
            )
        )
    if outcome:
        query = query.where(InboundMail.outcome == outcome)
    return query.order_by(InboundMail.received_at.desc(), InboundMail.id.desc())


def get_inbound(session: TenantSession, mail_id: UUID, *, actor: Actor) -> tuple[InboundMail, str, bool]:
    """A mail, the number of its ticket, and whether the whole message is kept. Raises Forbidden and NotFound."""
    require(actor, Permission.MAIL_READ)
    row = session.execute(
        select(InboundMail, Ticket.ticket_number, InboundMail.raw.is_not(None))
        .outerjoin(Ticket, (Ticket.tenant_id == InboundMail.tenant_id) & (Ticket.id == InboundMail.ticket_id))
        .where(InboundMail.id == mail_id)
    ).first()
    if row is None:
        raise NotFound("inbound_mail")
    return row[0], row[1] or "", bool(row[2])


def list_bounced(
    session: TenantSession, *, search: str = "", limit: int = 25, offset: int = 0, actor: Actor
) -> list[BouncedAddress]:
    """Addresses whose mails came back, the newest first. Raises Forbidden."""
    require(actor, Permission.MAIL_READ)
    query = select(BouncedAddress)
    if words := " ".join(search.split()):
        query = query.where(BouncedAddress.address.icontains(words, autoescape=True))
    query = query.order_by(BouncedAddress.last_at.desc(), BouncedAddress.id)
    return list(session.scalars(query.limit(limit).offset(offset)))


def clear_bounced(session: TenantSession, address_id: UUID, *, actor: Actor, now: datetime) -> None:
    """Send to an address again. Raises Forbidden, and NotFound also the second time."""
    require(actor, Permission.MAIL_DECIDE)
    found = session.scalar(select(BouncedAddress).where(BouncedAddress.id == address_id).with_for_update())
    if found is None:
        raise NotFound("bounced_address")
    session.delete(found)
    audit(session, "bounced_address.cleared", "bounced_address", address_id, actor=actor, now=now,
          before={"hard": found.hard, "count": found.count})  # fmt: skip
