"""What the sealer tells the witnesses: each new head at once, every chain once a day."""

import logging
from collections.abc import Collection, Mapping
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Connection, select

from portal.models import AuditLink
from portal.services.audit.anchors import AnchorFolder
from portal.services.audit.chain import Head
from portal.services.audit.sealing import read_head, tenant_ids, tenant_session

log = logging.getLogger(__name__)


class Witnessing:
    """Remembers what was anchored today, so that the files are read once a day."""

    def __init__(self, connection: Connection, anchors: AnchorFolder) -> None:
        self._connection = connection
        self._anchors = anchors
        self._day: date | None = None
        self._anchored: set[UUID] = set()

    def note(self, grown: Mapping[UUID, Head], *, now: datetime) -> None:
        """Write down what has grown. Raises OSError and UnreadableAnchors; then the next call tries again."""
        if grown:
            self._note_heads(grown)
        if self._day != now.date():
            self._anchored = {
                anchor.head.tenant_id for anchor in self._anchors.read_anchors() if anchor.day >= now.date()
            }
            self._anchor(tenant_ids(self._connection), now.date())
            self._day = now.date()
        else:
            self._anchor(grown, now.date())

    def _anchor(self, candidates: Collection[UUID], day: date) -> None:
        heads = {id_: self._head_of(id_) for id_ in candidates if id_ not in self._anchored}
        due = {id_: head for id_, head in heads.items() if head.position}
        if due:
            self._anchors.add_anchors(due, day)
            self._anchored.update(due)

    def _head_of(self, tenant_id: UUID) -> Head:
        with tenant_session(self._connection, tenant_id) as session, session.begin():
            return read_head(session)

    def _note_heads(self, grown: Mapping[UUID, Head]) -> None:
        known = self._anchors.read_heads()
        going_on = {id_: head for id_, head in grown.items() if self._goes_on(known.get(id_))}
        if going_on:
            self._anchors.write_heads(known | going_on)

    def _goes_on(self, before: Head | None) -> bool:
        """Whether the chain still holds what was its head before: one that was cut off stays on record."""
        if before is None:
            return True
        with tenant_session(self._connection, before.tenant_id) as session, session.begin():
            found = session.scalar(select(AuditLink.hash).where(AuditLink.position == before.position))
        if found != before.hash:
            log.error("the audit chain of tenant %s does not go on from position %s", before.tenant_id, before.position)
        return found == before.hash
