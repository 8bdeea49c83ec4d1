"""Who a sender's address stands for, and to which ticket a mail belongs."""

import re
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import or_, select

from portal.authz import Actor
from portal.lib.mail_parsing import ReceivedMail
from portal.lib.mail_tokens import Thread, read_thread, tokens_of_addresses, tokens_of_references
from portal.lib.vault import Vault
from portal.models import Person, Ticket, TicketFollower, User, UserKind, UserStatus
from portal.models.session import TenantSession
from portal.services.accounts.identity import Identity, build_identity, select_identity

_NUMBER = re.compile(r"[A-Z0-9]+(?:-[A-Z0-9]+)+|#\d+", re.IGNORECASE)
_MERGES = 5


@dataclass(frozen=True)
class Sender:
    """A sender as the tenant knows it: an active login, or an address that may belong to somebody without one."""

    address: str
    identity: Identity | None = None
    known: bool = False

    @property
    def actor(self) -> Actor | None:
        """The person who acts, if one may."""
        return self.identity.actor if self.identity else None


def find_sender(session: TenantSession, address: str) -> Sender:
    """The active login with this address; of two, the customer's."""
    active = (User.status == UserStatus.ACTIVE, User.portal_access.is_(True))
    rows = session.execute(select_identity().where(Person.email == address, *active)).all()
    found = sorted((build_identity(row) for row in rows), key=lambda one: one.user.kind is UserKind.STAFF)
    if found:
        return Sender(address, found[0], known=True)
    return Sender(address, known=session.scalar(select(Person.id).where(Person.email == address)) is not None)


def find_thread(mail: ReceivedMail, recipient: str, vault: Vault, tenant_id: UUID) -> Thread | None:
    """What the first token that this tenant signed names: of the address first, then of the headers."""
    addressed = [recipient, *(text for name in ("to", "cc", "delivered-to") for text in mail.headers.get(name, ()))]
    referred = [text for name in ("references", "in-reply-to") for text in mail.headers.get(name, ())]
    for token in [*tokens_of_addresses(addressed), *tokens_of_references(referred)][:50]:
        thread = read_thread(vault, tenant_id, token)
        if thread is not None:
            return thread
    return None


def find_named_ticket(session: TenantSession, subject: str, actor: Actor) -> UUID | None:
    """The one ticket whose number the subject names, where the sender asked it or follows it (TKT-17).

    A number is no secret: for everybody else it means nothing.
    """
    numbers = {text.upper().removeprefix("#") for text in _NUMBER.findall(subject)[:20]}
    if not numbers:
        return None
    follows = select(TicketFollower.ticket_id).where(
        TicketFollower.ticket_id == Ticket.id, TicketFollower.user_id == actor.user_id
    )
    found = session.scalars(
        select(Ticket.id)
        .where(
            Ticket.ticket_number.in_(numbers),
            Ticket.trashed_at.is_(None),
            or_(Ticket.requester_id == actor.user_id, follows.exists()),
        )
        .limit(2)
    ).all()
    return found[0] if len(found) == 1 else None


def living_ticket(session: TenantSession, ticket_id: UUID) -> UUID | None:
    """The ticket, or the one that it was merged into; None once it is in the trash or gone."""
    for _ in range(_MERGES):
        row = session.execute(select(Ticket.merged_into_id, Ticket.trashed_at).where(Ticket.id == ticket_id)).first()
        if row is None or row.trashed_at is not None:
            return None
        if row.merged_into_id is None:
            return ticket_id
        ticket_id = row.merged_into_id
    return None
