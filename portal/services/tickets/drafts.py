"""What somebody has typed and not sent: kept per person and place, so that it survives a lost session.

Nobody else ever reads it, and neither audit trail nor outbox hears of it: it was not said yet. Sending removes it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from portal.authz import Actor, Permission, require
from portal.errors import FieldError, Invalid, NotFound
from portal.events import Beside
from portal.lib.text import has_forbidden_characters
from portal.models import Draft
from portal.models.session import TenantSession
from portal.services.tickets.queries import get_ticket
from portal.services.tickets.validation import TEXT_LENGTH

NEW = "new"
# Of a new ticket its fields, of everything else the message.
FIELDS = {NEW: ("subject", "description", "category", "priority"), "reply": ("message",), "note": ("message",)}
KEPT_FOR = timedelta(days=60)
_NEEDED = {
    (NEW, False): Permission.TICKETS_CREATE,
    ("reply", False): Permission.TICKETS_REPLY,
    ("reply", True): Permission.DESK_REPLY,
    ("note", True): Permission.DESK_NOTE,
}


@dataclass(frozen=True)
class SavedDraft:
    """What was typed; without fields there is nothing."""

    fields: Mapping[str, str]
    updated_at: datetime | None


def save_draft(
    session: TenantSession, place: str, fields: Mapping[str, str], *, actor: Actor, now: datetime
) -> SavedDraft:
    """Keep what was typed at `place` (`new`, `reply:<ticket>`, `note:<ticket>`); nothing typed removes it.

    Raises NotFound (`draft`, `ticket`), Forbidden, and Invalid per field.
    """
    kind = _checked_place(session, place, actor)
    typed = _checked_fields(kind, fields)
    mine = Draft.user_id == actor.user_id
    if not any(value.strip() for name, value in typed.items() if name not in ("category", "priority")):
        session.execute(delete(Draft).where(mine, Draft.place == place))
        return SavedDraft({}, None)
    session.execute(delete(Draft).where(mine, Draft.updated_at < now - KEPT_FOR))
    values = {"fields": typed, "updated_at": now}
    row = insert(Draft).values(tenant_id=session.tenant_id, user_id=actor.user_id, place=place, **values)
    session.execute(row.on_conflict_do_update(index_elements=[Draft.user_id, Draft.place], set_=values))
    return SavedDraft(typed, now)


def load_draft(session: TenantSession, place: str, *, actor: Actor) -> SavedDraft:
    """What the actor has typed at `place`, perhaps nothing. Raises NotFound and Forbidden."""
    _checked_place(session, place, actor)
    found = session.execute(
        select(Draft.fields, Draft.updated_at).where(Draft.user_id == actor.user_id, Draft.place == place)
    ).first()
    return SavedDraft(found.fields, found.updated_at) if found else SavedDraft({}, None)


_SENT = """
    sent_draft AS (
        DELETE FROM drafts
        WHERE tenant_id = :tenant_id AND user_id = cast(:actor_id AS uuid) AND place = :draft_place
    )
"""


def sent_draft_beside(kind: str, ticket_id: UUID | None = None) -> Beside:
    """What was typed has been sent: the draft goes with the statement that writes it."""
    return Beside(_SENT, {"draft_place": kind if ticket_id is None else f"{kind}:{ticket_id}"})


def _checked_place(session: TenantSession, place: str, actor: Actor) -> str:
    kind, colon, ticket = place.partition(":")
    needed = _NEEDED.get((kind, actor.is_staff))
    if needed is None or (kind == NEW) == bool(colon):
        raise NotFound("draft")
    require(actor, needed)
    if kind != NEW:
        get_ticket(session, _ticket_id(ticket), actor=actor)
    return kind


def _ticket_id(text: str) -> UUID:
    try:
        found = UUID(text)
    except ValueError:
        raise NotFound("draft") from None
    if str(found) != text:
        # One place has one name.
        raise NotFound("draft")
    return found


def _checked_fields(kind: str, fields: Mapping[str, str]) -> dict[str, str]:
    errors: list[FieldError] = []
    for name, value in fields.items():
        if name not in FIELDS[kind]:
            errors.append(FieldError(name, "unknown_field"))
        elif len(value) > TEXT_LENGTH:
            errors.append(FieldError(name, "too_long", (("limit", TEXT_LENGTH),)))
        elif has_forbidden_characters(value):
            errors.append(FieldError(name, "characters_forbidden"))
    if errors:
        raise Invalid(*errors)
    return dict(fields)
