"""Earlier states of what a tenant sets up: kept with every saving, to look at and to go back to."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select

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


def list_versions(session: TenantSession, record_type: str, record_id: UUID) -> list[ConfigVersion]:
    """The newest states of a record (at most 50), newest first."""
    states = select(ConfigVersion).where(ConfigVersion.record_type == record_type, ConfigVersion.record_id == record_id)
    return list(session.scalars(states.order_by(ConfigVersion.version.desc()).limit(SHOWN)))


def get_version(session: TenantSession, record_type: str, record_id: UUID, version: int) -> ConfigVersion:
    """One state of a record; raises NotFound."""
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
