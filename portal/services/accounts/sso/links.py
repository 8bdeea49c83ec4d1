"""Which accounts of a provider belong to which logins, for staff to see and to undo."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select, true

from portal.authz import Actor, Permission, require
from portal.errors import NotFound
from portal.events import audit
from portal.models import ExternalIdentity, Person, User
from portal.models.session import TenantSession
from portal.services.accounts.sessions import end_sessions


@dataclass(frozen=True)
class LinkRow:
    """A login that signs in through a provider."""

    id: UUID
    person_id: UUID
    name: str
    email: str
    created_at: datetime
    last_used_at: datetime | None


def list_links(
    session: TenantSession, provider_id: UUID, *, search: str = "", limit: int = 10, actor: Actor
) -> list[LinkRow]:
    """Logins by the time they last came in through a provider; `search` looks at name and address."""
    require(actor, Permission.SIGN_IN_CONFIGURE)
    words = " ".join(search.split())
    matches = (
        or_(Person.name.icontains(words, autoescape=True), Person.email.icontains(words, autoescape=True))
        if words
        else true()
    )
    query = (
        select(
            ExternalIdentity.id,
            Person.id,
            Person.name,
            Person.email,
            ExternalIdentity.created_at,
            ExternalIdentity.last_used_at,
        )
        .join(User, User.id == ExternalIdentity.user_id)
        .join(Person, Person.id == User.person_id)
        .where(ExternalIdentity.provider_id == provider_id, matches)
        .order_by(ExternalIdentity.last_used_at.desc().nulls_last(), ExternalIdentity.id)
    )
    return [LinkRow(*row) for row in session.execute(query.limit(limit))]


def remove_link(session: TenantSession, link_id: UUID, *, actor: Actor, now: datetime) -> UUID:
    """The account belongs to the login no more, so that another one may; its sessions end.

    Returns the provider's id. Raises Forbidden and NotFound.
    """
    require(actor, Permission.SIGN_IN_CONFIGURE)
    link = session.scalar(select(ExternalIdentity).where(ExternalIdentity.id == link_id).with_for_update())
    if link is None:
        raise NotFound("external_identity")
    session.delete(link)
    end_sessions(session, link.user_id, now=now, programs=False)
    before = {"provider": link.provider_id}
    audit(session, "user.sso_unlinked", "user", link.user_id, actor=actor, now=now, before=before)
    return link.provider_id
