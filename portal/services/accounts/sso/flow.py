"""Signing in through an identity provider: who offers it, the trip there, and the way back, once (AUTH-17)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import exists, select, update

from portal.errors import Conflict, NotFound
from portal.integrations.oidc import Client, Departure
from portal.integrations.oidc_claims import Demand
from portal.lib.tokens import token_hash
from portal.lib.vault import UnreadableSecret, Vault
from portal.models import EmailDomain, IdentityProvider, SsoAttempt
from portal.models.session import TenantSession
from portal.services.accounts.expiry import forget_expired

ATTEMPT_LIFE = timedelta(minutes=10)
NEXT_LENGTH = 500
AUDIENCE = {"portal": "customer", "admin": "staff"}


@dataclass(frozen=True)
class Way:
    """A provider as a door leads to it; `name` is what people know it by."""

    provider_id: UUID
    name: str
    client: Client


@dataclass(frozen=True)
class Arrival:
    """A trip that came back, used up: what is needed to finish it."""

    way: Way
    nonce: str
    verifier: str
    next: str


def list_offered(session: TenantSession, door: str) -> list[IdentityProvider]:
    """Providers for everybody at a door; those of single companies are found by address."""
    query = select(IdentityProvider).where(
        IdentityProvider.enabled, IdentityProvider.audience == AUDIENCE[door], IdentityProvider.company_id.is_(None)
    )
    return list(session.scalars(query.order_by(IdentityProvider.name, IdentityProvider.id)))


def has_providers(session: TenantSession, door: str) -> bool:
    """Whether anybody at this door signs in through a provider."""
    query = exists().where(IdentityProvider.enabled, IdentityProvider.audience == AUDIENCE[door])
    return bool(session.scalar(select(query).select_from(IdentityProvider).limit(1)))


def find_by_address(session: TenantSession, address: str, door: str) -> UUID | None:
    """The id of the provider that has proved to speak for an address's domain."""
    domain = address.strip().lower().rpartition("@")[2]
    return session.scalar(
        select(IdentityProvider.id)
        .join(EmailDomain, EmailDomain.provider_id == IdentityProvider.id)
        .where(
            IdentityProvider.enabled,
            IdentityProvider.audience == AUDIENCE[door],
            EmailDomain.domain == domain,
            EmailDomain.verified_at.is_not(None),
        )
        .limit(1)
    )


def find_way(session: TenantSession, provider_id: UUID, *, door: str, site: str, vault: Vault) -> Way:
    """How a provider is reached from a door; `site` is the verified address of the tenant the browser is at.

    Raises NotFound for providers that are not in use at this door, Conflict `sso_misconfigured` where the secret
    cannot be read any more.
    """
    provider = session.scalar(
        select(IdentityProvider)
        .where(
            IdentityProvider.id == provider_id, IdentityProvider.enabled, IdentityProvider.audience == AUDIENCE[door]
        )
        .execution_options(populate_existing=True)
    )
    if provider is None:
        raise NotFound("identity_provider")
    try:
        secret = vault.decrypt(provider.client_secret).decode()
    except UnreadableSecret as error:
        raise Conflict("sso_misconfigured") from error
    client = Client(
        issuer=provider.issuer,
        client_id=provider.client_id,
        client_secret=secret,
        redirect_uri=f"{site}/{door}/sso/callback",
        demand=demand_of(provider),
    )
    return Way(provider.id, provider.name, client)


def demand_of(provider: IdentityProvider) -> Demand:
    """How the provider must have asked whoever comes from it."""
    minutes = provider.max_age_minutes
    return Demand(
        acr=tuple(provider.demanded_acr.split()),
        amr=tuple(provider.demanded_amr.split()),
        max_age=None if minutes is None else minutes * 60,
    )


def note_departure(
    session: TenantSession,
    way: Way,
    leaving: Departure,
    *,
    door: str,
    next_path: str,
    vault: Vault,
    now: datetime,
) -> None:
    """Note a trip to a provider, for ten minutes; the browser keeps its state, the row the hash of it."""
    forget_expired(session, SsoAttempt, now=now)
    session.add(
        SsoAttempt(
            state_hash=token_hash(leaving.state),
            tenant_id=session.tenant_id,
            provider_id=way.provider_id,
            door=door,
            nonce=leaving.nonce,
            verifier=vault.encrypt(leaving.verifier.encode()),
            next=next_path if len(next_path) <= NEXT_LENGTH else "",
            created_at=now,
            expires_at=now + ATTEMPT_LIFE,
        )
    )


def arrive(session: TenantSession, state: str, *, door: str, site: str, vault: Vault, now: datetime) -> Arrival:
    """Use a trip up; among racing returns one wins.

    Raises Conflict `sso_expired` for the others, for what is late or of another door, and where the provider was
    taken out of use meanwhile.
    """
    row = session.execute(
        update(SsoAttempt)
        .where(
            SsoAttempt.state_hash == token_hash(state),
            SsoAttempt.door == door,
            SsoAttempt.used_at.is_(None),
            SsoAttempt.expires_at > now,
        )
        .values(used_at=now)
        .returning(SsoAttempt.provider_id, SsoAttempt.nonce, SsoAttempt.verifier, SsoAttempt.next),
        execution_options={"synchronize_session": False},
    ).first()
    if row is None:
        raise Conflict("sso_expired")
    try:
        way = find_way(session, row.provider_id, door=door, site=site, vault=vault)
        return Arrival(way, row.nonce, vault.decrypt(row.verifier).decode(), row.next)
    except (NotFound, UnreadableSecret) as error:
        raise Conflict("sso_expired") from error
