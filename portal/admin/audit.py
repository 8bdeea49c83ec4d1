"""The audit log: who did what to which record, newest first."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import request, url_for
from flask.typing import ResponseReturnValue

from portal.admin.base import ServiceView, route
from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.localisation import gettext, select_timezone
from portal.lib.text import has_forbidden_characters
from portal.lib.wording.audit import ACCESS_ACTIONS, ACTIONS, RECORDS, access_notes, action_text, record_text
from portal.models import AuditEntry
from portal.services.audit.queries import AuditFilter, list_entries

FIELDS = ("actor", "action", "record_type", "record_id", "since", "until")
TEXT_LENGTH = 100
_EARLIEST, _LATEST = date(2000, 1, 1), date(2999, 12, 31)


class AuditView(ServiceView):
    """The trail with its filters."""

    policy = Permission.AUDIT_READ

    @route("/")
    def index(self) -> ResponseReturnValue:
        """A page of the trail."""
        given = {name: _clean(request.args.get(name, "")) for name in FIELDS}
        page = list_entries(
            http.session(),
            AuditFilter(
                actor=given["actor"],
                action=given["action"],
                record_type=given["record_type"],
                record_id=_uuid(given["record_id"]),
                since=_day(given["since"]),
                until=_day(given["until"], after=True),
                cursor=request.args.get("cursor"),
            ),
            actor=http.actor(),
        )
        kept = {name: value for name, value in given.items() if value}
        return self.render(
            "admin/audit.html",
            entries=[_entry(entry) for entry in page.items],
            given=given,
            chips=_chips(kept),
            actions=[("", gettext("Any")), *((key, gettext(label)) for key, label in ACTIONS.items())],
            records=[("", gettext("Any")), *((key, gettext(label)) for key, label in RECORDS.items())],
            earlier=_url(kept, page.previous_cursor) if page.previous_cursor else None,
            later=_url(kept, page.next_cursor) if page.next_cursor else None,
        )


def _entry(entry: AuditEntry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "at": entry.at,
        "actor": entry.actor_name,
        "staff": entry.actor_kind == "staff",
        "notes": access_notes(entry.after, gettext) if entry.action in ACCESS_ACTIONS else [],
        "endpoint": entry.after.get("endpoint") if entry.action in ACCESS_ACTIONS else None,
        "action": action_text(entry.action, gettext),
        "record": record_text(entry.record_type, gettext),
        "url": url_for("desk.ticket", ticket_id=entry.record_id)
        if entry.record_type == "ticket" and entry.record_id
        else None,
        "record_url": url_for("audit.index", record_id=entry.record_id) if entry.record_id else None,
        "changes": [] if entry.action in ACCESS_ACTIONS else _changes(entry.before, entry.after),
        "ip": entry.ip,
        "request_id": entry.request_id,
    }


def _changes(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, str, str]]:
    """(field, before, after) of what changed, each as short text."""
    names = sorted({*before, *after})
    return [
        (name, _plain(before[name]) if name in before else "", _plain(after.get(name)))
        for name in names
        if before.get(name) != after.get(name)
    ]


def _plain(value: Any) -> str:
    if value is None:
        return "–"
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= TEXT_LENGTH else f"{text[:TEXT_LENGTH]}…"


def _chips(kept: dict[str, str]) -> list[dict[str, str]]:
    labels = {
        "actor": gettext("By"),
        "action": gettext("Action"),
        "record_type": gettext("Kind"),
        "record_id": gettext("Record"),
        "since": gettext("From"),
        "until": gettext("Until"),
    }
    words = {"action": lambda v: action_text(v, gettext), "record_type": lambda v: record_text(v, gettext)}
    return [
        {
            "field": labels[name],
            "value": words[name](value) if name in words else value,
            "remove": _url({key: other for key, other in kept.items() if key != name}),
        }
        for name, value in kept.items()
    ]


def _url(kept: dict[str, Any], cursor: str | None = None) -> str:
    return url_for("audit.index", **kept, cursor=cursor)


def _clean(text: str) -> str:
    return "" if has_forbidden_characters(text) else text.strip()[:TEXT_LENGTH]


def _uuid(text: str) -> UUID | None:
    """The id; a text that is none finds nothing, rather than everything."""
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)


def _day(text: str, *, after: bool = False) -> datetime | None:
    """Midnight of a day in the reader's zone; `after` gives the next one. Unreadable dates are left out."""
    try:
        day = min(max(date.fromisoformat(text), _EARLIEST), _LATEST)
    except ValueError:
        return None
    start = datetime.combine(day + timedelta(days=int(after)), time(), ZoneInfo(select_timezone()))
    return start.astimezone(UTC)
