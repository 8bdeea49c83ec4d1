"""Requests that may come twice: the first answer is kept in the transaction of the change itself."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text

from portal.errors import Conflict, invalid
from portal.models import IdempotencyKey
from portal.models.session import TenantSession

# A transaction-level advisory lock is the "still running" mark: a crash drops it together with the change,
# so no key is ever stuck.
_TRY_LOCK = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 0))")


@dataclass(frozen=True)
class StoredAnswer:
    """The first answer to a key."""

    status: int
    body: str


def fingerprint(*parts: bytes) -> bytes:
    """What makes two requests the same: method, path and body."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.digest()


def claim_key(session: TenantSession, key: str, *, user_id: UUID, digest: bytes) -> StoredAnswer | None:
    """The stored answer, or None when this request is the first and now holds the key.

    Raises Conflict `idempotency_in_progress` while another request holds it, and Invalid
    `idempotency_mismatch` when the key was used for a different request.
    """
    if not session.execute(_TRY_LOCK, {"name": f"idempotency:{user_id}:{key}"}).scalar():
        raise Conflict("idempotency_in_progress")
    row = session.scalar(select(IdempotencyKey).where(IdempotencyKey.user_id == user_id, IdempotencyKey.key == key))
    if row is None:
        return None
    if row.fingerprint != digest:
        error = invalid("Idempotency-Key", "idempotency_mismatch")
        error.code = "idempotency_mismatch"
        raise error
    return StoredAnswer(row.status, row.body)


def store_answer(
    session: TenantSession, key: str, *, user_id: UUID, digest: bytes, status: int, body: str, now: datetime
) -> None:
    """Keep the answer; committed together with what the request changed."""
    session.add(
        IdempotencyKey(
            tenant_id=session.tenant_id,
            user_id=user_id,
            key=key,
            fingerprint=digest,
            status=status,
            body=body,
            created_at=now,
        )
    )
    session.flush()
