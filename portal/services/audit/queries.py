"""Reads of the audit trail, newest first, by keyset."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select

from portal.authz import Actor, Permission, require
from portal.lib.paging import DEFAULT_LIMIT, Page, decode_cursor, paginate
from portal.models import AuditEntry
from portal.models.session import TenantSession

# Entries of what was refused, not done.
DENIALS = ("access.denied", "user.sign_in_refused")


@dataclass(frozen=True)
class AuditFilter:
    """What to look for; `since` and `until` are instants, `until` excluded; `address` is how one begins."""

    actor: str = ""
    action: str = ""
    record_type: str = ""
    record_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    address: str = ""
    denials: bool = False
    limit: int = DEFAULT_LIMIT
    cursor: str | None = None


def list_entries(session: TenantSession, wanted: AuditFilter, *, actor: Actor) -> Page[AuditEntry]:
    """A page of the trail by one statement. Raises Forbidden, and Invalid about the cursor."""
    require(actor, Permission.AUDIT_READ)
    cursor = decode_cursor(wanted.cursor)
    query = select(AuditEntry).where(*conditions(wanted))
    backwards = cursor is not None and cursor.backwards
    if cursor is not None:
        seq = AuditEntry.seq
        query = query.where(seq > cursor.number() if backwards else seq < cursor.number())
    query = query.order_by(AuditEntry.seq.asc() if backwards else AuditEntry.seq.desc())
    rows = list(session.scalars(query.limit(wanted.limit + 1)))
    return paginate(rows, wanted.limit, cursor, lambda entry: (entry.seq, entry.id))


def conditions(wanted: AuditFilter) -> list[ColumnElement[bool]]:
    """What the wanted entries have in common, paging apart."""
    found: list[ColumnElement[bool]] = []
    if wanted.actor.strip():
        found.append(AuditEntry.actor_name.icontains(wanted.actor.strip(), autoescape=True))
    if wanted.action:
        # `ticket` means every action on tickets, `ticket.replied` just that one.
        below = AuditEntry.action.startswith(f"{wanted.action}.", autoescape=True)
        found.append(or_(AuditEntry.action == wanted.action, below))
    if wanted.record_type:
        found.append(AuditEntry.record_type == wanted.record_type)
    if wanted.record_id is not None:
        found.append(AuditEntry.record_id == wanted.record_id)
    if wanted.since is not None:
        found.append(AuditEntry.at >= wanted.since)
    if wanted.until is not None:
        found.append(AuditEntry.at < wanted.until)
    if wanted.address.strip():
        found.append(AuditEntry.ip.startswith(wanted.address.strip(), autoescape=True))
    if wanted.denials:
        found.append(AuditEntry.action.in_(DENIALS))
    return found
