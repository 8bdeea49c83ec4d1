"""Which tenant a host belongs to; nobody else decides that (PLT-04)."""

import threading
import time
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, select

from portal.models import Tenant, TenantDomain
from portal.models.session import TenantSession, TenantSessions
from portal.services.tenants.file_policy import FilePolicy, read_file_policy
from portal.services.tenants.own_statuses import OwnStatus, load_own_statuses
from portal.services.tenants.sign_in_policy import SignInPolicy, read_policy
from portal.services.tenants.ticket_policy import TicketPolicy, read_ticket_policy

FRESH_FOR_SECONDS = 5.0


@dataclass(frozen=True)
class TenantProfile:
    """What every page of a tenant needs, copied from its row so that it can be kept between requests."""

    id: UUID
    slug: str
    name: str
    locale: str
    locales: tuple[str, ...]
    timezone: str
    support_email: str
    support_phone: str
    postal_address: str
    primary_host: str
    brand: dict[str, Any] = field(default_factory=dict)
    welcome: dict[str, str] = field(default_factory=dict)
    features: dict[str, bool] = field(default_factory=dict)
    sign_in: SignInPolicy = field(default_factory=SignInPolicy)
    files: FilePolicy = field(default_factory=FilePolicy)
    tickets: TicketPolicy = field(default_factory=TicketPolicy)
    statuses: dict[str, OwnStatus] = field(default_factory=dict)

    def welcome_in(self, locale: str) -> str:
        """The welcome message in a language, else in the tenant's own."""
        return self.welcome.get(locale) or self.welcome.get(self.locale) or ""

    def has_feature(self, name: str) -> bool:
        """Whether a feature is switched on (the default)."""
        return self.features.get(name, True)


class TenantDirectory:
    """Looks tenants up by verified host and remembers them for a few seconds."""

    def __init__(self, engine: Engine) -> None:
        self._sessions = TenantSessions(engine)
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, TenantProfile | None]] = {}

    def by_host(self, host: str) -> TenantProfile | None:
        """The tenant served at `host` (without port), or None for hosts that nobody has proved."""
        wanted = host.lower().rstrip(".")
        with self._lock:
            found = self._known.get(wanted)
        if found and time.monotonic() - found[0] < FRESH_FOR_SECONDS:
            return found[1]
        profile = self._load(wanted)
        with self._lock:
            if len(self._known) > 10_000:
                # Hosts are chosen by strangers; the memory for them is bounded.
                self._known.clear()
            self._known[wanted] = (time.monotonic(), profile)
        return profile

    def forget(self) -> None:
        """Read again at the next request, after a change of domains or branding."""
        with self._lock:
            self._known.clear()

    def _load(self, host: str) -> TenantProfile | None:
        with self._sessions.begin_directory() as session:
            tenant = session.scalar(
                select(Tenant)
                .join(TenantDomain, TenantDomain.tenant_id == Tenant.id)
                .where(TenantDomain.host == host, TenantDomain.verified_at.is_not(None))
                .execution_options(all_tenants=True)
            )
            profile = load_profile(session, tenant) if tenant else None
        return self._with_statuses(profile) if profile else None

    def _with_statuses(self, profile: TenantProfile) -> TenantProfile:
        with self._sessions.begin(profile.id) as session:
            return replace(profile, statuses=load_own_statuses(session))


def load_sign_in_policy(session: TenantSession) -> SignInPolicy:
    """How people of the session's tenant sign in, as of now."""
    stored = session.scalar(select(Tenant.settings).where(Tenant.id == session.tenant_id))
    return read_policy(stored or {})


def load_file_policy(session: TenantSession) -> FilePolicy:
    """How much the session's tenant takes and keeps, as of now."""
    stored = session.scalar(select(Tenant.settings).where(Tenant.id == session.tenant_id))
    return read_file_policy(stored or {})


def load_ticket_policy(session: TenantSession) -> TicketPolicy:
    """What the session's tenant decides about its customers' tickets, as of now."""
    stored = session.scalar(select(Tenant.settings).where(Tenant.id == session.tenant_id))
    return read_ticket_policy(stored or {})


def load_profile(session: Any, tenant: Tenant) -> TenantProfile:
    """The profile of a tenant's row."""
    primary = session.scalar(
        select(TenantDomain.host)
        .where(TenantDomain.tenant_id == tenant.id, TenantDomain.verified_at.is_not(None))
        .order_by(TenantDomain.is_primary.desc(), TenantDomain.host)
        .limit(1)
        .execution_options(all_tenants=True)
    )
    return TenantProfile(
        id=tenant.id,
        slug=tenant.slug,
        name=tenant.name,
        locale=tenant.locale,
        locales=tuple(tenant.locales) or (tenant.locale,),
        timezone=tenant.timezone,
        support_email=tenant.support_email,
        support_phone=tenant.support_phone,
        postal_address=tenant.postal_address,
        primary_host=primary or "",
        brand=dict(tenant.brand),
        welcome=dict(tenant.welcome),
        features=dict(tenant.features),
        sign_in=read_policy(tenant.settings),
        files=read_file_policy(tenant.settings),
        tickets=read_ticket_policy(tenant.settings),
    )
