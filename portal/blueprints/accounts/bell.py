"""Notices as the page shows them."""

from collections.abc import Iterable
from typing import Any

from portal.blueprints.localisation import gettext
from portal.lib.wording.notifications import notification_text
from portal.services.notifications.bell import NoticeRow


def notice_rows(rows: Iterable[NoticeRow]) -> list[dict[str, Any]]:
    """Sentence, record and time of each notice, in the reader's language."""
    return [
        {
            "id": row.notice.id,
            "text": notification_text(row.notice.kind, row.notice.params, gettext),
            "number": row.number,
            "subject": row.subject,
            "at": row.notice.created_at,
            "unread": row.notice.read_at is None,
        }
        for row in rows
    ]
