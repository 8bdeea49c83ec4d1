"""What a tenant decides about signing: a fresh proof, the usual order, reminders, the end's notice, the consent."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from portal.lib.iso_durations import parse_iso_duration
from portal.models import Tenant
from portal.models.session import TenantSession

SETTING = "signing"


@dataclass(frozen=True)
class SigningPolicy:
    """`step_up`: signers prove once more who they are; the durations count from the sending, and to the end.

    `in_order` is what new contracts begin with. `consent` is the tenant's own text by language, none for the standard
    one; `consent_version` counts how often it was changed.
    """

    step_up: bool = False
    reminders: tuple[timedelta, ...] = (timedelta(days=3), timedelta(days=7))
    expiring_before: timedelta = timedelta(days=30)
    in_order: bool = True
    consent: Mapping[str, str] = field(default_factory=dict)
    consent_version: int = 0


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
    consent, version = stored.get("consent"), stored.get("consent_version")
    return SigningPolicy(
        step_up=stored.get("step_up") is True,
        reminders=reminders,
        expiring_before=before,
        in_order=stored.get("in_order") is not False,
        consent={str(one): str(text) for one, text in consent.items()} if isinstance(consent, Mapping) else {},
        consent_version=version if isinstance(version, int) else 0,
    )


def load_signing_policy(session: TenantSession) -> SigningPolicy:
    """The policy of the session's tenant, as of now."""
    return read_signing_policy(session.scalar(select(Tenant.settings).where(Tenant.id == session.tenant_id)) or {})
