"""What a tenant decides about signing: a fresh proof before it, reminders, the notice before an end."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from portal.lib.iso_durations import parse_iso_duration
from portal.models import Tenant
from portal.models.session import TenantSession

SETTING = "signing"


@dataclass(frozen=True)
class SigningPolicy:
    """`step_up`: signers prove once more who they are; the durations count from the sending, and to the end."""

    step_up: bool = False
    reminders: tuple[timedelta, ...] = (timedelta(days=3), timedelta(days=7))
    expiring_before: timedelta = timedelta(days=30)


def read_signing_policy(settings: Mapping[str, Any]) -> SigningPolicy:
    """The policy in a tenant's settings; what is missing or makes no sense falls back to the default."""
    stored = settings.get(SETTING)
    if not isinstance(stored, Mapping):
        return SigningPolicy()
    standard = SigningPolicy()
    try:
        reminders = tuple(sorted(parse_iso_duration(str(one)) for one in stored["reminders"]))
    except (KeyError, TypeError, ValueError):
        reminders = standard.reminders
    try:
        before = parse_iso_duration(str(stored["expiring_before"]))
    except (KeyError, ValueError):
        before = standard.expiring_before
    return SigningPolicy(stored.get("step_up") is True, reminders, before)


def load_signing_policy(session: TenantSession) -> SigningPolicy:
    """The policy of the session's tenant, as of now."""
    return read_signing_policy(session.scalar(select(Tenant.settings).where(Tenant.id == session.tenant_id)) or {})
