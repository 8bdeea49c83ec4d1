"""Sealing what everybody has signed: made once, whatever is repeated and wherever it dies.

The code that is printed on the evidence is written first and stays; the file lies under a key made of its own
content, so that of two attempts at a time neither overwrites what the other has recorded.
"""

import hashlib
import io
from dataclasses import dataclass
from datetime import datetime
from secrets import token_urlsafe
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from portal.authz import system_actor
from portal.errors import Conflict
from portal.events import audit, publish
from portal.integrations.seal import Annex, Seal
from portal.integrations.storage import FileGone, FileStorage
from portal.lib.faults import crash_point
from portal.lib.letters import translator
from portal.lib.links import site_address
from portal.models import SealedDocument, Signature, Tenant
from portal.models.session import TenantSession, TenantSessions
from portal.services.sealing.documents import SignedRecord, documents_to_sign
from portal.services.sealing.evidence_page import draw_evidence, draw_stamp
from portal.services.signing.evidence import canonical, describe_signatures
from portal.services.signing.queries import list_signatures
from portal.services.signing.signing import is_complete
from portal.services.tenants.directory import TenantProfile, load_profile

# 128 random bits.
CODE_BYTES = 16


@dataclass(frozen=True)
class SealTools:
    """Where files lie, what seals them, and the site's address for the code."""

    storage: FileStorage
    seal: Seal
    base_url: str


@dataclass(frozen=True)
class _Matter:
    """Everything that is needed to make a sealed file, read in one transaction."""

    row_id: UUID
    record: SignedRecord
    evidence: dict[str, Any]
    drawings: dict[str, str]
    tenant: TenantProfile


def seal_record(
    sessions: TenantSessions, tenant_id: UUID, record_type: str, record_id: UUID, *, tools: SealTools, now: datetime
) -> str:
    """Seal what was signed and record it; gives the level. What is sealed already stays as it is.

    Raises NotFound or Conflict where it is not (wholly) signed, SealUnavailable and StorageUnavailable.
    """
    with sessions.begin(tenant_id) as session:
        matter = _prepare(session, record_type, record_id, tools, now)
    if isinstance(matter, str):
        return matter
    site = site_address(tools.base_url, matter.tenant.primary_host)
    shown = matter.evidence | {
        "signers": [e | {"drawing": matter.drawings.get(e["id"], "")} for e in matter.evidence["signers"]]
    }
    _ = translator(matter.record.locale)
    annex = Annex(
        pages=draw_evidence(matter.record, shown, tenant=matter.tenant, site=site, now=now),
        stamp=draw_stamp(matter.record, matter.evidence["code"], tenant=matter.tenant, now=now),
        record=canonical(matter.evidence),
        reason=_("Signed by all parties: %(number)s", number=matter.record.number),
    )
    sealed = tools.seal.seal(matter.record.content, annex)
    digest = hashlib.sha256(sealed.content).digest()
    key = key_of(digest)
    tools.storage.put(key, io.BytesIO(sealed.content))
    crash_point("seal.pre_rename")
    values = {"sealed_sha256": digest, "storage_key": key, "size": len(sealed.content), "level": sealed.level}
    with sessions.begin(tenant_id) as session:
        if _record(session, matter, values, now):
            event = documents_to_sign[record_type].sealed(record_id, sealed.level)
            told = {"sha256": digest.hex(), "level": sealed.level}
            publish(session, event, actor=system_actor(tenant_id), now=now, after=told)
        else:
            # Another attempt was faster; what it made is what counts.
            tools.storage.delete([key])
    return sealed.level


def raise_level(
    sessions: TenantSessions, tenant_id: UUID, record_type: str, record_id: UUID, *, tools: SealTools, now: datetime
) -> str:
    """Add the time stamp that was not to be had when a document was sealed; gives the level it has then."""
    with sessions.begin(tenant_id) as session:
        row = _find(session, record_type, record_id)
    if row is None or row.storage_key is None or row.sealed_sha256 is None or row.level == "B-T":
        return row.level if row else ""
    raised = tools.seal.raise_level(b"".join(tools.storage.read(row.storage_key)))
    if raised is None:
        return row.level
    digest = hashlib.sha256(raised).digest()
    tools.storage.put(key_of(digest), io.BytesIO(raised))
    with sessions.begin(tenant_id) as session:
        session.execute(
            update(SealedDocument)
            .where(SealedDocument.id == row.id, SealedDocument.level == "B-B")
            .values(
                sealed_sha256=digest,
                storage_key=key_of(digest),
                size=len(raised),
                level="B-T",
                earlier=[*row.earlier, row.sealed_sha256.hex()],
            ),
            execution_options={"synchronize_session": False},
        )
        told = {"sha256": digest.hex(), "level": "B-T"}
        audit(
            session, "document.level_raised", record_type, record_id, actor=system_actor(tenant_id), now=now, after=told
        )
    return "B-T"


def key_of(digest: bytes) -> str:
    """Where a file with this hash lies."""
    name = digest.hex()
    return f"{name[:2]}/seal-{name}"


def _prepare(
    session: TenantSession, record_type: str, record_id: UUID, tools: SealTools, now: datetime
) -> _Matter | str:
    """What is to be sealed, or the level of what was."""
    record = documents_to_sign[record_type].read(session, record_id, tools.storage)
    places = list_signatures(session, record_type, record_id)
    if not is_complete(places):
        raise Conflict("not_signed")
    content_sha256 = hashlib.sha256(record.signed_content or record.content).digest()
    if any(place.content_sha256 != content_sha256 for place in places):
        raise Conflict("document_damaged")
    session.execute(
        insert(SealedDocument)
        .values(
            id=uuid4(),
            tenant_id=session.tenant_id,
            record_type=record_type,
            record_id=record_id,
            code=token_urlsafe(CODE_BYTES),
            content_sha256=content_sha256,
            evidence={},
            created_at=now,
        )
        .on_conflict_do_nothing(index_elements=["tenant_id", "record_type", "record_id"])
    )
    row = _find(session, record_type, record_id)
    if row is None:
        raise LookupError(record_type)
    if row.sealed_at is not None:
        return row.level
    tenant = load_profile(session, session.scalars(select(Tenant).where(Tenant.id == session.tenant_id)).one())
    evidence = _evidence(row, record, places, tenant)
    return _Matter(row.id, record, evidence, _drawings(places, tools.storage), tenant)


def _evidence(
    row: SealedDocument, record: SignedRecord, places: list[Signature], tenant: TenantProfile
) -> dict[str, Any]:
    return {
        "format": 1,
        "code": row.code,
        "record_type": row.record_type,
        "record_id": str(row.record_id),
        "number": record.number,
        "title": record.title,
        "company": record.company,
        "issuer": tenant.name,
        "content_sha256": row.content_sha256.hex(),
        "document_sha256": hashlib.sha256(record.content).hexdigest(),
        "document_size": len(record.content),
        "signers": describe_signatures(places),
    }


def _drawings(places: list[Signature], storage: FileStorage) -> dict[str, Any]:
    """The drawn signatures as numbers of bytes, which is how the typesetter takes pictures."""
    found: dict[str, Any] = {}
    for place in places:
        if place.image_key is None:
            continue
        try:
            found[str(place.id)] = list(b"".join(storage.read(place.image_key)))
        except FileGone:
            # The evidence says that it was drawn; the picture is its decoration.
            continue
    return found


def _record(session: TenantSession, matter: _Matter, values: dict[str, Any], now: datetime) -> bool:
    written = session.execute(
        update(SealedDocument)
        .where(SealedDocument.id == matter.row_id, SealedDocument.sealed_at.is_(None))
        .values(**values, evidence=matter.evidence, sealed_at=now)
        .returning(SealedDocument.id),
        execution_options={"synchronize_session": False},
    ).first()
    return written is not None


def _find(session: TenantSession, record_type: str, record_id: UUID) -> SealedDocument | None:
    return session.scalar(
        select(SealedDocument)
        .where(SealedDocument.record_type == record_type, SealedDocument.record_id == record_id)
        .execution_options(populate_existing=True)
    )
