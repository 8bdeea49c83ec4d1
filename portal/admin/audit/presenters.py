"""Entries of the trail for people: what changed, in words, and where it can be looked at."""

from typing import Any

from flask import url_for

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.localisation import gettext
from portal.lib.wording.audit import ACCESS_ACTIONS, access_notes, action_text, record_text
from portal.models import AuditEntry

TEXT_LENGTH = 100


def entry_row(entry: AuditEntry) -> dict[str, Any]:
    """An entry as the page shows it."""
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
        if entry.record_type == "ticket" and entry.record_id and http.actor().may(Permission.DESK_READ)
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
