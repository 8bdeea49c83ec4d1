"""Evidence of a dispute: files that the customer adds while it is open, and the team with its answer (H7.10).

Whoever sees the dispute now sees the files of both sides, and nobody else does: not those who may see tickets, and
not whoever uploaded one and lost sight of the dispute. A file that was added stays, so that neither side takes back
what the other has read; what the virus scanner refuses nobody gets.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, or_, select

from portal.authz import Actor, Permission, require
from portal.errors import Conflict, NotFound, invalid
from portal.events import publish
from portal.events.disputes import DisputeEvidenceAdded
from portal.models import ACTIVE_DISPUTE, Attachment, Dispute, FileState
from portal.models.session import TenantSession
from portal.services.disputes.queries import get_dispute, visible_disputes
from portal.services.tenants.file_policy import FILES_A_MESSAGE

FIELD = "attachment_ids"
EVIDENCE, ANSWER = "evidence", "answer"
# Of both sides together: more than anybody reads, less than what fills a tenant's room.
MOST_FILES = 50


def add_evidence(
    session: TenantSession, dispute_id: UUID, file_ids: Sequence[UUID], *, actor: Actor, now: datetime
) -> Dispute:
    """Add own loose files while nobody has decided. The same files once more change nothing.

    Raises Forbidden, NotFound, Invalid about `attachment_ids` (`required`, and what `bind_evidence` refuses) and
    Conflict `dispute_decided`.
    """
    require(actor, Permission.INVOICES_READ if actor.is_customer else Permission.BILLING_MANAGE)
    if not file_ids:
        raise invalid(FIELD, "required")
    dispute = lock_dispute(session, get_dispute(session, dispute_id, actor=actor).id)
    if dispute.status not in ACTIVE_DISPUTE:
        raise Conflict("dispute_decided")
    added = bind_evidence(session, dispute, file_ids, actor=actor)
    if added:
        publish(session, DisputeEvidenceAdded.about(dispute), actor=actor, now=now, after=told_of(added))
    return dispute


def bind_evidence(
    session: TenantSession, dispute: Dispute, file_ids: Sequence[UUID], *, actor: Actor
) -> list[Attachment]:
    """Bind the actor's own loose files to a dispute that is new or locked; those that were not bound to it before.

    Raises Invalid about `attachment_ids`: more than ten at once, more than the dispute holds, and what is neither
    loose nor of this dispute, or not the actor's.
    """
    if not file_ids:
        return []
    if len(file_ids) > FILES_A_MESSAGE:
        raise invalid(FIELD, "files_too_many", limit=FILES_A_MESSAGE)
    rows = session.scalars(
        select(Attachment)
        .where(
            Attachment.id.in_(file_ids),
            Attachment.uploaded_by == actor.user_id,
            Attachment.removed_at.is_(None),
            Attachment.state != FileState.REFUSED,
            or_(Attachment.is_loose(), Attachment.dispute_id == dispute.id),
        )
        .order_by(Attachment.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    if len(rows) != len(file_ids):
        raise invalid(FIELD, "file_unknown")
    added = [row for row in rows if row.dispute_id is None]
    if _count(session, dispute.id) + len(added) > MOST_FILES:
        raise invalid(FIELD, "evidence_full", limit=MOST_FILES)
    for row in added:
        row.dispute_id, row.purpose = dispute.id, EVIDENCE if actor.is_customer else ANSWER
    session.flush()
    return sorted(added, key=lambda row: file_ids.index(row.id))


def told_of(added: Sequence[Attachment]) -> dict[str, Any]:
    """What the audit trail keeps of files that were added: their ids; nothing where there are none."""
    return {"files": [str(file.id) for file in added]} if added else {}


def list_evidence(session: TenantSession, dispute_id: UUID, *, actor: Actor) -> list[Attachment]:
    """The files of a dispute in the order they came; NotFound for a dispute that the actor does not see."""
    get_dispute(session, dispute_id, actor=actor)
    query = select(Attachment).where(Attachment.dispute_id == dispute_id, Attachment.removed_at.is_(None))
    return list(session.scalars(query.order_by(Attachment.created_at, Attachment.id)))


def find_evidence(session: TenantSession, file_id: UUID, *, actor: Actor) -> Attachment:
    """A file of a dispute that the actor sees, or an own loose one; NotFound for all others."""
    of_dispute = select(Dispute.id).where(Dispute.id == Attachment.dispute_id, visible_disputes(actor)).exists()
    own = and_(Attachment.is_loose(), Attachment.uploaded_by == actor.user_id)
    query = select(Attachment).where(Attachment.id == file_id, Attachment.removed_at.is_(None))
    found = session.scalar(query.where(or_(own, of_dispute)))
    if found is None:
        raise NotFound("attachment")
    return found


def get_evidence(session: TenantSession, file_id: UUID, *, actor: Actor) -> Attachment:
    """One to hand out now. Raises NotFound, and Conflict `file_scanning` or `file_refused`."""
    found = find_evidence(session, file_id, actor=actor)
    if found.state is not FileState.CLEAN:
        raise Conflict("file_scanning" if found.state is FileState.SCANNING else "file_refused")
    return found


def lock_dispute(session: TenantSession, dispute_id: UUID) -> Dispute:
    """The dispute's row, locked and fresh."""
    query = select(Dispute).where(Dispute.id == dispute_id).with_for_update()
    return session.scalars(query.execution_options(populate_existing=True)).one()


def _count(session: TenantSession, dispute_id: UUID) -> int:
    query = select(func.count()).where(Attachment.dispute_id == dispute_id, Attachment.removed_at.is_(None))
    return session.scalar(query) or 0
