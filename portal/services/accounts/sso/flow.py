"""Signing in through an identity provider: the trip there, the way back, and who the subject is here.

Identity is provider and subject, never an address. An address only links a subject to a login the first time, and
only where the provider has proved that it speaks for the address's domain (AUTH-17).
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import exists, select, update
from sqlalchemy.dialects.postgresql import insert

from portal.authz import system_actor
from portal.errors import Conflict, NotFound, Unauthenticated
from portal.events import audit
from portal.integrations.oidc import Client, OidcError, OidcProviders
from portal.lib.tokens import new_token, token_hash
from portal.lib.vault import Vault
from portal.models import (
    EmailDomain,
    ExternalIdentity,
    IdentityProvider,
    Membership,
    Person,
    Role,
    SsoAttempt,
    User,
    UserKind,
    UserStatus,
)
from portal.models.session import TenantSession

ATTEMPT_LIFE = timedelta(minutes=10)
AUDIENCE = {"portal": "customer", "admin": "staff"}


@dataclass(frozen=True)
class Departure:
    """Where the browser goes, and the state it has to come back with."""

    address: str
    state: str


@dataclass(frozen=True)
class Arrival:
    """A trip that came back, used up: what is needed to finish it."""

    provider: IdentityProvider
    door: str
    nonce: str
    verifier: str
    next: str


def list_offered(session: TenantSession, door: str) -> list[IdentityProvider]:
    """Providers for everybody at a door; those of single companies are found by address."""
    query = select(IdentityProvider).where(
        IdentityProvider.enabled, IdentityProvider.audience == AUDIENCE[door], IdentityProvider.company_id.is_(None)
    )
    return list(session.scalars(query.order_by(IdentityProvider.name)))


def has_providers(session: TenantSession, door: str) -> bool:
    """Whether anybody at this door signs in through a provider."""
    query = exists().where(IdentityProvider.enabled, IdentityProvider.audience == AUDIENCE[door])
    return bool(session.scalar(select(query).select_from(IdentityProvider).limit(1)))


def find_by_address(session: TenantSession, address: str, door: str) -> IdentityProvider | None:
    """The provider that speaks for an address's domain, proved."""
    domain = address.strip().lower().rpartition("@")[2]
    return session.scalar(
        select(IdentityProvider)
        .join(EmailDomain, EmailDomain.provider_id == IdentityProvider.id)
        .where(
            IdentityProvider.enabled,
            IdentityProvider.audience == AUDIENCE[door],
            EmailDomain.domain == domain,
            EmailDomain.verified_at.is_not(None),
        )
        .limit(1)
    )


def depart(
    session: TenantSession,
    provider_id: UUID,
    *,
    door: str,
    site: str,
    next_path: str,
    hint: str | None,
    oidc: OidcProviders,
    vault: Vault,
    now: datetime,
) -> Departure:
    """Note a trip to a provider and say where to send the browser.

    Raises NotFound for providers that are not offered at this door, Conflict `sso_unreachable` and the like.
    """
    provider = session.scalar(
        select(IdentityProvider).where(
            IdentityProvider.id == provider_id, IdentityProvider.enabled, IdentityProvider.audience == AUDIENCE[door]
        )
    )
    if provider is None:
        raise NotFound("identity_provider")
    state, nonce, verifier = new_token(), secrets.token_urlsafe(32), secrets.token_urlsafe(48)
    try:
        address = oidc.authorization_address(
            client_of(provider, site, door, vault), state=state, nonce=nonce, verifier=verifier, hint=hint
        )
    except OidcError as error:
        raise Conflict(error.code, name=provider.name) from error
    session.add(
        SsoAttempt(
            state_hash=token_hash(state),
            tenant_id=session.tenant_id,
            provider_id=provider.id,
            door=door,
            nonce=nonce,
            verifier=vault.encrypt(verifier.encode()),
            next=next_path[:500],
            created_at=now,
            expires_at=now + ATTEMPT_LIFE,
        )
    )
    return Departure(address, state)


def arrive(session: TenantSession, state: str, *, door: str, vault: Vault, now: datetime) -> Arrival:
    """Use a trip up; among racing returns one wins. Raises Conflict `link_expired` for the others."""
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
    provider = session.scalar(
        select(IdentityProvider).where(IdentityProvider.id == row.provider_id, IdentityProvider.enabled)
    )
    if provider is None:
        raise Conflict("sso_expired")
    return Arrival(provider, door, row.nonce, vault.decrypt(row.verifier).decode(), row.next)


def client_of(provider: IdentityProvider, site: str, door: str, vault: Vault) -> Client:
    """What the provider knows us as; `site` is the verified address of the tenant the browser is at."""
    return Client(
        issuer=provider.issuer,
        client_id=provider.client_id,
        client_secret=vault.decrypt(provider.client_secret).decode(),
        redirect_uri=f"{site}/{door}/sso/callback",
    )


def recognise(session: TenantSession, provider: IdentityProvider, claims: Mapping[str, Any], *, now: datetime) -> User:
    """The login that a provider's subject is here: known, or linked now, or made now for a company's provider.

    Raises Unauthenticated `sso_unknown` where nobody may be concluded from the claims.
    """
    subject = str(claims["sub"])
    known = session.scalar(
        select(ExternalIdentity).where(ExternalIdentity.provider_id == provider.id, ExternalIdentity.subject == subject)
    )
    if known is not None:
        known.last_used_at = now
        user = session.get(User, known.user_id)
        return _admitted(session, provider, user)
    address = _proved_address(session, provider, claims)
    if address is None:
        raise Unauthenticated("sso_unknown", name=provider.name)
    user = _login_of(session, address, provider) or _make_login(session, provider, address, claims, now)
    _link(session, provider, subject, _admitted(session, provider, user), now)
    return _admitted(session, provider, user)


def refuse_other_ways(session: TenantSession, user: User) -> None:
    """Raise Unauthenticated `sso_required` where a provider that is required speaks for the login's domain."""
    name = session.scalar(
        select(IdentityProvider.name)
        .join(EmailDomain, EmailDomain.provider_id == IdentityProvider.id)
        .join(Person, Person.id == user.person_id)
        .where(
            IdentityProvider.enabled,
            IdentityProvider.required,
            IdentityProvider.audience == user.kind.value,
            EmailDomain.verified_at.is_not(None),
            Person.email.endswith("@" + EmailDomain.domain),
        )
        .limit(1)
    )
    if name is not None:
        raise Unauthenticated("sso_required", name=name)


def _admitted(session: TenantSession, provider: IdentityProvider, user: User | None) -> User:
    """The login, if it is of the provider's audience and company and may sign in."""
    if user is None or user.kind.value != provider.audience or not user.may_sign_in():
        raise Unauthenticated("sso_unknown", name=provider.name)
    if provider.company_id is not None and not session.scalar(
        select(Membership.id)
        .where(Membership.user_id == user.id, Membership.company_id == provider.company_id)
        .limit(1)
    ):
        raise Unauthenticated("sso_unknown", name=provider.name)
    return user


def _proved_address(session: TenantSession, provider: IdentityProvider, claims: Mapping[str, Any]) -> str | None:
    """The address in the claims, if the provider has verified it and has proved to speak for its domain."""
    address = claims.get("email")
    if not isinstance(address, str) or claims.get("email_verified") is not True or len(address) > 254:
        return None
    address = address.strip().lower()
    local, _, domain = address.rpartition("@")
    if not local or not domain:
        return None
    proved = session.scalar(
        select(EmailDomain.id).where(
            EmailDomain.provider_id == provider.id, EmailDomain.domain == domain, EmailDomain.verified_at.is_not(None)
        )
    )
    return address if proved is not None else None


def _login_of(session: TenantSession, address: str, provider: IdentityProvider) -> User | None:
    return session.scalar(
        select(User)
        .join(Person, Person.id == User.person_id)
        .where(Person.email == address, User.kind == UserKind(provider.audience))
    )


def _make_login(
    session: TenantSession, provider: IdentityProvider, address: str, claims: Mapping[str, Any], now: datetime
) -> User | None:
    """A login for a colleague of a company that has its own provider; nobody becomes staff this way."""
    if provider.company_id is None or provider.audience != "customer":
        return None
    person = session.scalar(select(Person).where(Person.email == address))
    if person is not None and person.company_id != provider.company_id:
        return None
    if person is None:
        name = " ".join(str(claims.get("name") or address.partition("@")[0]).split())[:100]
        person = Person(
            id=uuid4(),
            tenant_id=session.tenant_id,
            company_id=provider.company_id,
            name=name,
            email=address,
            created_at=now,
        )
        session.add(person)
    person.email_verified_at = now
    session.flush()
    if session.scalar(select(User.id).where(User.person_id == person.id)):
        return None
    user = User(
        id=uuid4(),
        tenant_id=session.tenant_id,
        person_id=person.id,
        kind=UserKind.CUSTOMER,
        status=UserStatus.ACTIVE,
        created_at=now,
    )
    session.add(user)
    session.flush()
    session.add(
        Membership(
            id=uuid4(),
            tenant_id=session.tenant_id,
            user_id=user.id,
            company_id=provider.company_id,
            role=Role.CUSTOMER,
            created_at=now,
        )
    )
    actor = system_actor(session.tenant_id)
    audit(session, "user.created", "user", user.id, actor=actor, now=now, after={"by": "sso", "role": "customer"})
    return user


def _link(session: TenantSession, provider: IdentityProvider, subject: str, user: User, now: datetime) -> None:
    written = session.execute(
        insert(ExternalIdentity)
        .values(
            id=uuid4(),
            tenant_id=session.tenant_id,
            user_id=user.id,
            provider_id=provider.id,
            subject=subject,
            created_at=now,
            last_used_at=now,
        )
        .on_conflict_do_nothing()
        .returning(ExternalIdentity.id)
    ).first()
    if written is not None:
        actor = system_actor(session.tenant_id)
        audit(session, "user.sso_linked", "user", user.id, actor=actor, now=now, after={"provider": str(provider.id)})
