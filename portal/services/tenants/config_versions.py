"""Earlier states of what a tenant sets up: kept with every saving, to look at and to go back to."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, select

from portal.authz import Actor
from portal.errors import NotFound
from portal.models import ConfigVersion
from portal.models.session import TenantSession

SHOWN = 50


def keep_version(
    session: TenantSession,
    record_type: str,
    record_id: UUID,
    *,
    version: int,
    data: Mapping[str, Any],
    actor: Actor,
    now: datetime,
) -> None:
    """Note how the record stands from now on."""
    session.add(
        ConfigVersion(
            id=uuid4(),
            tenant_id=session.tenant_id,
            record_type=record_type,
            record_id=record_id,
            version=version,
            data=dict(data),
            saved_by=actor.user_id,
            saved_by_name=actor.name,
            saved_at=now,
        )
    )


def keep_next(
    session: TenantSession,
    record_type: str,
    record_id: UUID,
    *,
    before: Mapping[str, Any] | None,
    form: Mapping[str, Any],
    actor: Actor,
    now: datetime,
) -> int:
    """File the record's form under the next number, and say which; its row is locked by the caller.

    What was never filed before is filed first as it was (`before`, None for a new record), by nobody.
    """
    newest = session.scalar(
        select(func.max(ConfigVersion.version)).where(
            ConfigVersion.record_type == record_type, ConfigVersion.record_id == record_id
        )
    )
    if newest is None and before is not None:
        newest = 1
        session.add(
            ConfigVersion(
                tenant_id=session.tenant_id,
                record_type=record_type,
                record_id=record_id,
                version=newest,
                data={"form": dict(before)},
                saved_by_name="",
                saved_at=now,
            )
        )
    version = (newest or 0) + 1
    keep_version(session, record_type, record_id, version=version, data={"form": form}, actor=actor, now=now)
    return version


def list_versions(session: TenantSession, record_type: str, record_id: UUID) -> list[ConfigVersion]:
    """The newest states of a record (at most 50), newest first."""
    states = select(ConfigVersion).where(ConfigVersion.record_type == record_type, ConfigVersion.record_id == record_id)
    return list(session.scalars(states.order_by(ConfigVersion.version.desc()).limit(SHOWN)))


def get_version(session: TenantSession, record_type: str, record_id: UUID, version: int) -> ConfigVersion:
    """One state of a record; raises NotFound, also for numbers that the column cannot hold."""
    if version >= 2**31:
        raise NotFound("version")
    found = session.scalar(
        select(ConfigVersion).where(
            ConfigVersion.record_type == record_type,
            ConfigVersion.record_id == record_id,
            ConfigVersion.version == version,
        )
    )
    if found is None:
        raise NotFound("version")
    return found
