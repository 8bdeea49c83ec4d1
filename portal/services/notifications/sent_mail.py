"""Reads of the log of mails: what went (or will go) to whom, and each mail as it was sent."""

from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import defer

from portal.authz import Actor, Permission, require
from portal.errors import NotFound
from portal.models import MailMessage, MailState
from portal.models.session import TenantSession


def list_mails(
    session: TenantSession,
    *,
    search: str = "",
    state: MailState | None = None,
    limit: int = 25,
    offset: int = 0,
    actor: Actor,
) -> list[MailMessage]:
    """Mails, the newest first, without their bodies; `search` looks at recipient and subject."""
    require(actor, Permission.MAIL_READ)
    query = select(MailMessage).options(defer(MailMessage.text), defer(MailMessage.html))
    words = " ".join(search.split())
    if words:
        query = query.where(
            or_(
                MailMessage.recipient.icontains(words, autoescape=True),
                MailMessage.subject.icontains(words, autoescape=True),
            )
        )
    if state is not None:
        query = query.where(MailMessage.state == state)
    query = query.order_by(MailMessage.created_at.desc(), MailMessage.id).limit(limit).offset(offset)
    return list(session.scalars(query))


def get_mail(session: TenantSession, mail_id: UUID, *, actor: Actor) -> MailMessage:
    """One mail with both of its parts; NotFound where the tenant has none of that id."""
    require(actor, Permission.MAIL_READ)
    mail = session.scalar(select(MailMessage).where(MailMessage.id == mail_id))
    if mail is None:
        raise NotFound("mail")
    return mail
