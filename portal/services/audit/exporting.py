"""Handing the trail out: who took which part of it when is in the trail itself."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from portal.authz import Actor, Permission, require
from portal.events import audit
from portal.models import AuditEntry
from portal.models.session import TenantSession, TenantSessions
from portal.services.audit.queries import AuditFilter, conditions

PAGE = 1_000


def begin_export(session: TenantSession, wanted: AuditFilter, *, actor: Actor, now: datetime) -> int:
    """Note that somebody exports these entries; returns the number they go up to. Raises Forbidden.

    The caller commits before the first entry leaves, so an export that was begun is always on record.
    """
    require(actor, Permission.AUDIT_EXPORT)
    up_to = session.scalar(select(func.max(AuditEntry.seq))) or 0
    audit(session, "audit.exported", "audit", None, actor=actor, now=now, after=_named(wanted))
    return up_to


def read_export(
    sessions: TenantSessions, tenant_id: UUID, wanted: AuditFilter, *, up_to: int
) -> Iterator[Sequence[AuditEntry]]:
    """The entries of a begun export, newest first, by pages; each page is a short transaction of its own.

    However slowly the reader takes them, no transaction waits: entries do not change, so pages fit together.
    """
    below = up_to + 1
    while True:
        with sessions.begin(tenant_id) as session:
            page = session.scalars(
                select(AuditEntry)
                .where(AuditEntry.seq < below, *conditions(wanted))
                .order_by(AuditEntry.seq.desc())
                .limit(PAGE)
            ).all()
        if page:
            yield page
        if len(page) < PAGE:
            return
        below = page[-1].seq


def _named(wanted: AuditFilter) -> dict[str, object]:
    """The filters that were set, by their names."""
    plain = AuditFilter()
    names = ("actor", "action", "record_type", "record_id", "since", "until", "address", "denials")
    return {name: getattr(wanted, name) for name in names if getattr(wanted, name) != getattr(plain, name)}
