"""Features that an operator switches on and off for a tenant; what nobody switched is on."""

from datetime import datetime

from sqlalchemy import select

from portal.authz import Actor
from portal.errors import Forbidden, invalid
from portal.events import audit
from portal.models import Tenant
from portal.models.session import TenantSession

# What the product asks about (`TenantProfile.has_feature`); a test holds the list to the source.
FEATURES = ("billing", "tickets")


def list_features(tenant: Tenant) -> dict[str, bool]:
    """Every known feature, and whatever else was switched, with its state."""
    return dict(sorted((dict.fromkeys(FEATURES, True) | dict(tenant.features)).items()))


def switch_feature(session: TenantSession, name: str, *, on: bool, actor: Actor, now: datetime) -> bool:
    """Switch a feature of the session's tenant; returns whether that changed anything.

    Raises Forbidden (only the system itself does this) and Invalid about `name`.
    """
    if not actor.is_system:
        raise Forbidden("not_allowed")
    if name not in FEATURES:
        raise invalid("name", "unknown_choice")
    tenant = session.scalars(select(Tenant).where(Tenant.id == session.tenant_id).with_for_update()).one()
    before = tenant.features.get(name, True)
    if before is on:
        return False
    tenant.features = {**tenant.features, name: on}
    audit(
        session,
        "tenant.feature_switched",
        "tenant",
        tenant.id,
        actor=actor,
        now=now,
        before={name: before},
        after={name: on},
    )
    return True
