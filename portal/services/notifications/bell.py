"""The bell: a person's own notices, newest first."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, func, or_, select, update

from portal.authz import Actor, Permission, require
from portal.errors import NotFound
from portal.models import Notification, Ticket
from portal.models.session import TenantSession
from portal.services.notifications.categories import in_category
from portal.services.tickets.queries import visible_to

LIMIT = 50
COUNT_CAP = 1000


@dataclass(frozen=True)
class NoticeRow:
    """A notice with what it is about, as it reads now."""

    notice: Notification
    number: str
    subject: str


def list_notifications(
    session: TenantSession,
    *,
    since: datetime | None = None,
    category: str | None = None,
    actor: Actor,
    limit: int = LIMIT,
) -> list[NoticeRow]:
    """The actor's newest notices (at most `limit`), leaving out records that are not theirs to see any more.

    `since` and `category` (one of `CATEGORIES`) narrow them.
    """
    require(actor, Permission.NOTIFICATIONS_READ)
    narrowed = [] if since is None else [Notification.created_at >= since]
    if category is not None:
        narrowed.append(in_category(category))
    rows = session.execute(
        select(Notification, Ticket.ticket_number, Ticket.subject)
        .outerjoin(
            Ticket,
            and_(
                Notification.record_type == "ticket",
                Ticket.tenant_id == Notification.tenant_id,
                Ticket.id == Notification.record_id,
                visible_to(actor),
            ),
        )
        .where(
            Notification.user_id == actor.user_id,
            or_(Notification.record_type != "ticket", Ticket.id.is_not(None)),
            *narrowed,
        )
        .order_by(Notification.created_at.desc(), Notification.id.desc())
        .limit(limit)
    )
    return [_row(notice, number, subject) for notice, number, subject in rows]


def _row(notice: Notification, number: str | None, subject: str | None) -> NoticeRow:
    """Records that never change their name have it in the notice itself."""
    told = notice.params
    return NoticeRow(notice, number or str(told.get("number", "")), subject or str(told.get("subject", "")))


def count_unread(session: TenantSession, *, actor: Actor) -> int:
    """Unread notices of the actor, counted to 1,001 at most."""
    unread = select(Notification.id).where(Notification.user_id == actor.user_id, Notification.read_at.is_(None))
    return session.scalar(select(func.count()).select_from(unread.limit(COUNT_CAP + 1).subquery())) or 0


def get_notification(session: TenantSession, notification_id: UUID, *, actor: Actor) -> Notification:
    """One of the actor's own notices, else NotFound."""
    require(actor, Permission.NOTIFICATIONS_READ)
    found = session.scalar(
        select(Notification).where(Notification.id == notification_id, Notification.user_id == actor.user_id)
    )
    if found is None:
        raise NotFound("notification")
    return found


def mark_read(session: TenantSession, notification_id: UUID, *, actor: Actor, now: datetime) -> Notification:
    """Note that one own notice was read; again changes nothing. Raises NotFound."""
    notice = get_notification(session, notification_id, actor=actor)
    if notice.read_at is None:
        notice.read_at = now
    return notice


def mark_all_read(session: TenantSession, *, actor: Actor, now: datetime) -> int:
    """Note that every own notice was read; returns how many were not."""
    require(actor, Permission.NOTIFICATIONS_READ)
    changed = session.execute(
        update(Notification)
        .where(Notification.user_id == actor.user_id, Notification.read_at.is_(None))
        .values(read_at=now)
        .returning(Notification.id),
        execution_options={"synchronize_session": False},
    )
    return len(changed.all())
