"""The bell under /api/v1/portal/notifications (NTF-01)."""

from typing import Literal, cast
from uuid import UUID

from flask import Blueprint
from pydantic import Field

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.accounts.bell import since
from portal.blueprints.api.operations import operation
from portal.blueprints.api.schemas import NoBody, Query, Shape, UtcDateTime
from portal.blueprints.localisation import gettext
from portal.blueprints.policies import permission
from portal.lib.wording.notifications import notification_text
from portal.services.notifications import bell
from portal.services.notifications.bell import NoticeRow
from portal.services.notifications.categories import category_of

bp = Blueprint("notices_api", __name__, url_prefix="/api/v1/portal/notifications")
Category = Literal["service", "payment", "blog", "system", "security"]


class NoticeQuery(Query):
    """Which notices."""

    category: Category | None = Field(None, description="Of one category only.")
    period: Literal["7", "30", "all"] = Field("7", description="Of so many days.")


class Notice(Shape):
    """Something you were told."""

    id: UUID
    category: Category
    kind: str
    text: str = Field(description="In your language.")
    record_type: str
    record_id: UUID
    number: str
    subject: str
    created_at: UtcDateTime
    read: bool

    @classmethod
    def of(cls, row: NoticeRow) -> "Notice":
        """The notice as the API tells."""
        notice = row.notice
        return cls(
            id=notice.id,
            category=cast("Category", category_of(notice.kind)),
            kind=notice.kind,
            text=notification_text(notice.kind, notice.params, gettext),
            record_type=notice.record_type,
            record_id=notice.record_id,
            number=row.number,
            subject=row.subject,
            created_at=notice.created_at,
            read=notice.read_at is not None,
        )


class Notices(Shape):
    """The newest notices, at most 50."""

    items: list[Notice]


class ReadCount(Shape):
    """How many notices were unread."""

    read: int


@bp.get("")
@permission(Permission.NOTIFICATIONS_READ)
@operation("List notifications", query=NoticeQuery, answer=Notices)
def index(query: NoticeQuery) -> Notices:
    """What you were told in the last seven days, the newest first."""
    rows = bell.list_notifications(
        http.session(), since=since(query.period, http.now()), category=query.category, actor=http.actor()
    )
    return Notices(items=[Notice.of(row) for row in rows])


@bp.post("/read")
@permission(Permission.NOTIFICATIONS_READ)
@operation("Mark all notifications read", body=NoBody, answer=ReadCount)
def read_all(body: NoBody) -> ReadCount:
    """Notes that you read them all."""
    return ReadCount(read=bell.mark_all_read(http.session(), actor=http.actor(), now=http.now()))


@bp.post("/<uuid:notification_id>/read")
@permission(Permission.NOTIFICATIONS_READ)
@operation("Mark a notification read", body=NoBody, answer=None, status=204)
def read(notification_id: UUID, body: NoBody) -> None:
    """Notes that you read it; again changes nothing."""
    bell.mark_read(http.session(), notification_id, actor=http.actor(), now=http.now())
