"""Notices as the page shows them."""

from collections.abc import Iterable
from typing import Any

from portal.blueprints import http
from portal.blueprints.localisation import gettext
from portal.blueprints.tickets.labels import own_for_customers, own_for_staff
from portal.lib.wording.notifications import notification_text
from portal.services.notifications.bell import NoticeRow


def notice_rows(rows: Iterable[NoticeRow]) -> list[dict[str, Any]]:
    """Sentence, record and time of each notice, in the reader's language."""
    staff = http.actor().is_staff
    own = own_for_staff if staff else own_for_customers
    return [
        {
            "id": row.notice.id,
            "text": notification_text(row.notice.kind, row.notice.params, gettext, staff=staff, own=own),
            "number": row.number,
            "subject": row.subject,
            "at": row.notice.created_at,
            "unread": row.notice.read_at is None,
        }
        for row in rows
    ]
