"""Notices as the page shows them."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from portal.blueprints import http
from portal.blueprints.localisation import gettext
from portal.blueprints.tickets.labels import own_for_customers, own_for_staff
from portal.lib.wording.notifications import CATEGORIES, notification_text
from portal.services.notifications.bell import NoticeRow
from portal.services.notifications.categories import category_of

PERIODS = ("7", "30", "all")


def since(period: str, now: datetime) -> datetime | None:
    """When the days of a period began; None for everything."""
    return None if period == "all" else now - timedelta(days=int(period))


def notice_tabs(endpoint: str, category: str, period: str) -> list[dict[str, Any]]:
    """All notices, and each category of them."""
    kept = {} if period == PERIODS[0] else {"period": period}
    tabs = [{"label": gettext("All"), "url": http.address_of(endpoint, **kept), "current": not category}]
    for key, label in CATEGORIES.items():
        url = http.address_of(endpoint, category=key, **kept)
        tabs.append({"label": gettext(label), "url": url, "current": key == category})
    return tabs


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
            "category": gettext(CATEGORIES[category_of(row.notice.kind)]),
            "at": row.notice.created_at,
            "unread": row.notice.read_at is None,
        }
        for row in rows
    ]
