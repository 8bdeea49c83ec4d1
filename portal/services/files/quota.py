"""How much a tenant keeps: counted in the transaction that keeps or drops a file, never beyond its quota."""

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from portal.models import StorageUse
from portal.models.session import TenantSession

_UNSEEN = {"synchronize_session": False}


def used_bytes(session: TenantSession) -> int:
    """What the tenant keeps now."""
    return session.scalar(select(StorageUse.bytes)) or 0


def reserve(session: TenantSession, size: int, *, quota: int) -> bool:
    """Count `size` bytes more where they fit; of uploads that race for the last room, those that fit get it."""
    session.execute(
        insert(StorageUse).values(tenant_id=session.tenant_id, bytes=0).on_conflict_do_nothing(),
        execution_options=_UNSEEN,
    )
    won = session.execute(
        update(StorageUse)
        .where(StorageUse.bytes + size <= quota)
        .values(bytes=StorageUse.bytes + size)
        .returning(StorageUse.tenant_id),
        execution_options=_UNSEEN,
    )
    return won.first() is not None


def recount(session: TenantSession, size: int) -> None:
    """Count `size` bytes more without asking: what is here already got a further row, which is released in its turn."""
    session.execute(update(StorageUse).values(bytes=StorageUse.bytes + size), execution_options=_UNSEEN)


def release(session: TenantSession, size: int) -> None:
    """Count `size` bytes less."""
    session.execute(
        update(StorageUse).values(bytes=func.greatest(StorageUse.bytes - size, 0)), execution_options=_UNSEEN
    )
