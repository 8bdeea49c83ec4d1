"""Rating from the mail: a link that takes the rating of one ticket from the one person it was sent to (H2.8).

The link signs nobody in and opens nothing else. Looking at it changes nothing; the confirmation uses it up.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select

from portal.errors import Conflict, NotFound
from portal.lib.tokens import token_hash
from portal.lib.vault import Vault
from portal.models import LinkPurpose, OneTimeLink, Ticket, TicketStatus, User
from portal.models.session import TenantSession
from portal.services.accounts.identity import Identity
from portal.services.accounts.one_time import consume_link, issue_link
from portal.services.accounts.sessions import Origin, load_identity
from portal.services.tickets.lifecycle import rate_ticket
from portal.services.tickets.queries import get_ticket

RATEABLE = frozenset({TicketStatus.RESOLVED, TicketStatus.CLOSED})
_TICKET = "ticket_id"


class LinkState(StrEnum):
    """What a link is still good for."""

    OPEN = "open"
    RATED = "rated"
    NOT_SOLVED = "not_solved"


@dataclass(frozen=True)
class RatingLink:
    """The ticket behind a link, and whether a rating can be given."""

    ticket: Ticket
    state: LinkState


def issue_rating_link(
    session: TenantSession, ticket: Ticket, *, user_id: UUID, vault: Vault, now: datetime
) -> UUID | None:
    """A new link for a mail to that person; None where there is nothing to rate (any more)."""
    if ticket.status not in RATEABLE or ticket.satisfaction_rating is not None:
        return None
    payload = {_TICKET: str(ticket.id)}
    return issue_link(session, LinkPurpose.RATE_TICKET, user_id=user_id, vault=vault, now=now, payload=payload).id


def find_rating_link(session: TenantSession, token: str, *, origin: Origin, now: datetime) -> RatingLink:
    """What a link leads to, without using it up.

    Raises Conflict `link_expired` for one that is unknown or over, and where its person may not see the ticket.
    """
    link = session.scalar(
        select(OneTimeLink).where(
            OneTimeLink.token_hash == token_hash(token),
            OneTimeLink.purpose == LinkPurpose.RATE_TICKET,
            OneTimeLink.revoked_at.is_(None),
            OneTimeLink.expires_at > now,
        )
    )
    if link is None:
        raise Conflict("link_expired")
    ticket = _ticket(session, link, _rater(session, link, origin))
    if ticket.satisfaction_rating is not None:
        return RatingLink(ticket, LinkState.RATED)
    if ticket.status not in RATEABLE:
        return RatingLink(ticket, LinkState.NOT_SOLVED)
    if link.used_at is not None:
        raise Conflict("link_expired")
    return RatingLink(ticket, LinkState.OPEN)


def rate_by_link(
    session: TenantSession, token: str, *, rating: int, comment: str, origin: Origin, now: datetime
) -> Ticket:
    """Rate as the person the link was sent to; of many at once one wins.

    Raises Invalid (`rating`, `comment`), and Conflict `link_expired`, `already_rated` or `not_resolved`.
    """
    link = consume_link(session, token, LinkPurpose.RATE_TICKET, now=now)
    rater = _rater(session, link, origin)
    ticket = _ticket(session, link, rater)
    return rate_ticket(session, ticket.id, rating=rating, comment=comment, actor=rater.actor, now=now)


def _rater(session: TenantSession, link: OneTimeLink, origin: Origin) -> Identity:
    user = session.scalar(select(User).where(User.id == link.user_id))
    if user is None or not user.may_sign_in():
        raise Conflict("link_expired")
    return load_identity(session, user, origin)


def _ticket(session: TenantSession, link: OneTimeLink, rater: Identity) -> Ticket:
    try:
        return get_ticket(session, UUID(str(link.payload.get(_TICKET))), actor=rater.actor)
    except NotFound:
        # Whoever has left the company has no say in its tickets.
        raise Conflict("link_expired") from None
