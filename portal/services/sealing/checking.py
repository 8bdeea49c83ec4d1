"""Checking a sealed document by its code: the stored file, the row about it and the rows of the signers must agree."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from portal.errors import Conflict, NotFound
from portal.integrations.seal_check import Certificates, Findings, validate
from portal.integrations.storage import FileGone, FileStorage
from portal.models import SealedDocument
from portal.models.session import TenantSession
from portal.services.signing.evidence import describe_signatures
from portal.services.signing.queries import list_signatures


@dataclass(frozen=True)
class Check:
    """What was sealed when, by whom, and what is wrong with it (codes; none: everything agrees)."""

    code: str
    number: str
    title: str
    issuer: str
    names: tuple[str, ...]
    content_sha256: str
    sealed_sha256: tuple[str, ...]
    level: str
    sealed_at: datetime | None
    faults: tuple[str, ...]


def find_sealed(session: TenantSession, record_type: str, record_id: UUID) -> SealedDocument:
    """The sealed file of a record that the caller may read. Raises Conflict `not_signed` or `seal_pending`."""
    row = session.scalar(
        select(SealedDocument).where(SealedDocument.record_type == record_type, SealedDocument.record_id == record_id)
    )
    if row is None or row.sealed_at is None:
        raise Conflict("seal_pending", retry_after=2)
    return row


def read_sealed(row: SealedDocument, storage: FileStorage) -> bytes:
    """The sealed bytes. Raises NotFound where the file is gone, Conflict where it is not what was sealed."""
    try:
        content = b"".join(storage.read(row.storage_key or ""))
    except FileGone as error:
        raise NotFound("sealed_document") from error
    if hashlib.sha256(content).digest() != row.sealed_sha256:
        raise Conflict("document_damaged")
    return content


def check_code(session: TenantSession, code: str, *, storage: FileStorage, certificates: Certificates) -> Check:
    """What is known under a code, and whether all of it still agrees. Raises NotFound for unknown codes.

    Looked at by hash first, then at the seal within, then at what the rows say.
    """
    row = session.scalar(select(SealedDocument).where(SealedDocument.code == code))
    if row is None or row.sealed_at is None or row.sealed_sha256 is None:
        raise NotFound("sealed_document")
    told = row.evidence
    return Check(
        code=row.code,
        number=str(told.get("number", "")),
        title=str(told.get("title", "")),
        issuer=str(told.get("issuer", "")),
        names=tuple(str(entry.get("name", "")) for entry in told.get("signers", ())),
        content_sha256=row.content_sha256.hex(),
        sealed_sha256=(row.sealed_sha256.hex(), *map(str, row.earlier)),
        level=row.level,
        sealed_at=row.sealed_at,
        faults=tuple(_faults(session, row, storage, certificates)),
    )


def _faults(session: TenantSession, row: SealedDocument, storage: FileStorage, certificates: Certificates) -> list[str]:
    try:
        content = b"".join(storage.read(row.storage_key or ""))
    except FileGone:
        return ["file_gone"]
    found = validate(content, certificates)
    faults = []
    if hashlib.sha256(content).digest() != row.sealed_sha256 or not found.sound:
        faults.append("file_changed")
    if not _row_agrees(row, found, content):
        faults.append("record_changed")
    places = list_signatures(session, row.record_type, row.record_id)
    if describe_signatures(places) != row.evidence.get("signers"):
        faults.append("signatures_changed")
    return faults


def _row_agrees(row: SealedDocument, found: Findings, content: bytes) -> bool:
    """Whether the row says what the sealed file itself says, and the file begins with what was signed."""
    try:
        inside: dict[str, Any] = json.loads(found.record)
        document = content[: int(inside["document_size"])]
        as_signed = hashlib.sha256(document).hexdigest() == inside["document_sha256"]
    except (ValueError, KeyError, TypeError):
        return False
    same = inside == row.evidence and inside["code"] == row.code and inside["record_id"] == str(row.record_id)
    return bool(same and as_signed and inside["content_sha256"] == row.content_sha256.hex())
