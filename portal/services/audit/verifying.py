"""Recomputing a tenant's chain: names each row that is not as it was sealed (`portal audit verify`).

Each link is checked against the stored hash before it, so one change is one finding. Where a link fails, its
likely cause is told from what else still fits: its successor, the other links, the witnesses outside.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Row, exists, select

from portal.models import AuditEntry, AuditLink
from portal.models.session import TenantSession
from portal.services.audit.chain import GENESIS, Head, hashed_columns, link_hash, sealed_at_column
from portal.services.audit.sealing import last_sealed

PAGE = 1_000


class What(StrEnum):
    """What was done to a row."""

    CHANGED = "changed"
    DELETED = "deleted"
    INSERTED = "inserted out of order"
    LINK_CHANGED = "link changed"
    LINK_DELETED = "link deleted"
    TRUNCATED = "truncated tail"
    REWRITTEN = "chain rewritten"


@dataclass(frozen=True)
class Finding:
    """One row that is not as it was; `position` in the chain (0: in none), `last` where it is a whole stretch."""

    what: What
    position: int
    entry_id: UUID | None = None
    seq: int | None = None
    last: int | None = None


@dataclass
class ChainReport:
    """What was found in one tenant's chain."""

    sealed: int = 0
    waiting: int = 0
    witnessed: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether every row is as it was sealed."""
        return not self.findings


@dataclass(frozen=True)
class _Link:
    position: int
    hash: bytes
    entry_id: UUID
    sealed_at: str
    seq: int | None
    entry: Sequence[str | None]

    @classmethod
    def of(cls, row: Row[Any]) -> "_Link":
        position, stored, entry_id, sealed_at, seq, *entry = tuple(row)
        return cls(position, stored, entry_id, sealed_at, seq, entry)

    def after(self, previous: bytes) -> bytes:
        """What its hash would be behind `previous`."""
        return link_hash(previous, self.entry, self.sealed_at)

    def finding(self, what: What) -> Finding:
        return Finding(what, self.position, self.entry_id, self.seq)


@dataclass(frozen=True)
class _Gap:
    """Positions without a link, and the numbers of the entries around them."""

    positions: range
    above: int
    below: int | None


def verify_chain(session: TenantSession, witnesses: Sequence[Head]) -> ChainReport:
    """Recompute the chain of the session's tenant; `witnesses` are heads that were noted outside, read before."""
    walk = _Walk(session, {witness.position: witness.hash for witness in witnesses})
    walk.go()
    report = walk.report
    report.witnessed = max((witness.position for witness in witnesses), default=0)
    walk.find_misplaced()
    walk.compare(witnesses)
    walk.find_unlinked()
    report.findings.sort(key=lambda finding: (finding.position, finding.seq or 0))
    return report


class _Walk:
    """One pass along the chain, and what it leaves to be looked at afterwards."""

    def __init__(self, session: TenantSession, witnessed: dict[int, bytes]) -> None:
        self.report = ChainReport()
        self._session = session
        self._witnessed = witnessed
        self._previous = GENESIS
        self._at = self._seq = 0
        # Links that are whole, but stand behind another one than they were sealed behind: (link, that one's hash).
        self._elsewhere: list[tuple[_Link, bytes]] = []
        self._stored: dict[bytes, int] | None = None
        # What witnesses may be compared with: a link whose own hash was changed counts by what it should be.
        self._hash_at: dict[int, bytes] = {}
        self._gaps: list[_Gap] = []

    def go(self) -> None:
        links = _links(self._session)
        link = next(links, None)
        while link is not None:
            following = next(links, None)
            self._step(link, following)
            link = following

    def _step(self, link: _Link, following: _Link | None) -> None:
        self.report.sealed += 1
        counts = link.hash
        if link.seq is None:
            self._missing(link)
            self.report.findings.append(link.finding(What.DELETED))
        else:
            computed = link.after(self._previous)
            if computed != link.hash:
                counts = self._examine(link, following, computed)
            elif link.position != self._at + 1:
                # It follows directly, only its number says otherwise.
                self.report.findings.append(link.finding(What.LINK_CHANGED))
        self._previous, self._at, self._seq = counts, link.position, link.seq or self._seq
        if link.position in self._witnessed:
            self._hash_at[link.position] = counts

    def _examine(self, link: _Link, following: _Link | None, computed: bytes) -> bytes:
        """Name why a link fails; returns the hash that its successor has to build on."""
        fits = following is not None and following.seq is not None and following.after(computed) == following.hash
        if fits or self._witnessed.get(link.position) == computed:
            self.report.findings.append(link.finding(What.LINK_CHANGED))
            return computed
        before = self._sealed_behind(link)
        if before is not None:
            self._elsewhere.append((link, before))
            return link.hash
        if not self._missing(link):
            self.report.findings.append(link.finding(What.CHANGED))
        return link.hash

    def _missing(self, link: _Link) -> bool:
        """Note the positions that are missing before a link; behind a gap it cannot be recomputed."""
        positions = range(self._at + 1, link.position)
        if positions:
            self._gaps.append(_Gap(positions, self._seq, link.seq))
        return bool(positions)

    def _sealed_behind(self, link: _Link) -> bytes | None:
        """The stored hash that the link was made with, wherever it stands now."""
        return next((stored for stored in self._positions() if link.after(stored) == link.hash), None)

    def _positions(self) -> dict[bytes, int]:
        if self._stored is None:
            rows = self._session.execute(select(AuditLink.hash, AuditLink.position))
            self._stored = {GENESIS: 0} | {row[0]: row[1] for row in rows}
        return self._stored

    def find_misplaced(self) -> None:
        """Name the links that stand elsewhere than they were sealed, not those behind which others were moved."""
        behind = {link.position: before for link, before in self._elsewhere}
        for link, _ in self._elsewhere:
            if self._true_position(link.position, behind) != link.position:
                self.report.findings.append(link.finding(What.LINK_CHANGED))

    def _true_position(self, position: int, behind: dict[int, bytes]) -> int:
        steps, seen = 0, set()
        while position in behind and position not in seen:
            seen.add(position)
            steps, position = steps + 1, self._positions()[behind[position]]
        return position + steps

    def compare(self, witnesses: Sequence[Head]) -> None:
        """Compare with the heads that were noted outside."""
        good = 0
        misplaced = {found.position for found in self.report.findings if found.what is What.LINK_CHANGED}
        for witness in sorted(set(witnesses), key=lambda head: head.position):
            found = self._hash_at.get(witness.position)
            if found == witness.hash:
                good = witness.position
            elif found is not None and witness.position not in misplaced:
                self.report.findings.append(Finding(What.REWRITTEN, good + 1, last=witness.position))
        if self.report.witnessed > self._at:
            self.report.findings.append(Finding(What.TRUNCATED, self._at + 1, last=self.report.witnessed))

    def find_unlinked(self) -> None:
        """Tell entries that wait for their link from those that lost it and those that were put in later."""
        unlinked = _unlinked(self._session)
        newest = last_sealed(self._session)
        self.report.waiting = sum(seq > newest for _, seq in unlinked)
        old = [(entry_id, seq) for entry_id, seq in unlinked if seq <= newest]
        for gap in self._gaps:
            within = [row for row in old if gap.above < row[1] < (gap.below or row[1] + 1)]
            if len(within) == len(gap.positions):
                old = [row for row in old if row not in within]
                lost = zip(gap.positions, within, strict=True)
                self.report.findings += [Finding(What.LINK_DELETED, at, id_, seq) for at, (id_, seq) in lost]
            else:
                last = gap.positions[-1] if len(gap.positions) > 1 else None
                self.report.findings.append(Finding(What.DELETED, gap.positions[0], last=last))
        self.report.findings += [Finding(What.INSERTED, 0, entry_id, seq) for entry_id, seq in old]


def _links(session: TenantSession) -> Iterator[_Link]:
    """The chain in its order, a page at a time; a link whose entry is gone has no `seq`."""
    query = (
        select(
            AuditLink.position,
            AuditLink.hash,
            AuditLink.entry_id,
            sealed_at_column(),
            AuditEntry.seq,
            *hashed_columns(),
        )
        .outerjoin(AuditEntry, AuditEntry.id == AuditLink.entry_id)
        .order_by(AuditLink.position)
        .limit(PAGE)
    )
    after = None
    while True:
        page = query if after is None else query.where(AuditLink.position > after)
        rows = session.execute(page).all()
        yield from map(_Link.of, rows)
        if len(rows) < PAGE:
            return
        after = rows[-1][0]


def _unlinked(session: TenantSession) -> list[tuple[UUID, int]]:
    """Entries without a link (id and number), oldest first."""
    rows = session.execute(
        select(AuditEntry.id, AuditEntry.seq)
        .where(~exists().where(AuditLink.entry_id == AuditEntry.id))
        .order_by(AuditEntry.seq)
    )
    return [(row[0], row[1]) for row in rows]
