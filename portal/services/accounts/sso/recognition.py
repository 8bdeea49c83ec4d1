"""Who a provider's subject is here: known, linked now, or made now.

Identity is provider and subject, never an address. An address links a subject to a login once, and only where the
provider has verified it and has proved that it speaks for its domain; whoever inherits an address later, at the
provider, does not inherit the login (AUTH-17).
"""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import exists, or_, select
from sqlalchemy.dialects.postgresql import insert

from portal.authz import system_actor
from portal.errors import Conflict, Unauthenticated
from portal.events import audit
from portal.integrations.oidc_claims import Subject
from portal.models import (
    EmailDomain,
    ExternalIdentity,
    IdentityProvider,
    Membership,
    Person,
    Role,
    User,
    UserKind,
    UserStatus,
)
from portal.models.session import TenantSession


def recognise(session: TenantSession, provider_id: UUID, subject: Subject, *, now: datetime) -> User:
    """The login that a proved subject is here; it may sign in.

    Raises Unauthenticated `sso_unknown` where nobody may be concluded from what the provider says, `sso_taken`
    where the address belongs to a login of another subject, and Conflict `sso_expired` where the provider was
    changed or taken out of use while it was asked.
    """
    known = _linked(session, provider_id, subject)
    # First sign-ins at a provider are served one after the other: none makes a login or a link twice.
    provider = _provider(session, provider_id, subject, lock=known is None)
    if known is None:
        known = _linked(session, provider_id, subject)
    if known is not None:
        known.last_used_at = now
        return _admitted(session, provider, session.get(User, known.user_id))
    address = _proved_address(session, provider, subject)
    if address is None:
        raise Unauthenticated("sso_unknown", name=provider.name)
    found = _login_of(session, address, provider) or _make_login(session, provider, address, subject.name, now)
    user = _admitted(session, provider, found)
    _link(session, provider, subject, user, now)
    return user


def refuse_other_ways(session: TenantSession, user: User) -> None:
    """Raise Unauthenticated `sso_required` where a required provider speaks for the login's domain and takes it in."""
    belongs = exists().where(Membership.user_id == user.id, Membership.company_id == IdentityProvider.company_id)
    name = session.scalar(
        select(IdentityProvider.name)
        .join(EmailDomain, EmailDomain.provider_id == IdentityProvider.id)
        .join(Person, Person.email.endswith("@" + EmailDomain.domain))
        .where(
            Person.id == user.person_id,
            IdentityProvider.enabled,
            IdentityProvider.required,
            IdentityProvider.audience == user.kind.value,
            or_(IdentityProvider.company_id.is_(None), belongs),
            EmailDomain.verified_at.is_not(None),
        )
        .limit(1)
    )
    if name is not None:
        raise Unauthenticated("sso_required", name=name)


def _linked(session: TenantSession, provider_id: UUID, subject: Subject) -> ExternalIdentity | None:
    return session.scalar(
        select(ExternalIdentity).where(
            ExternalIdentity.provider_id == provider_id, ExternalIdentity.subject == subject.subject
        )
    )


def _provider(session: TenantSession, provider_id: UUID, subject: Subject, *, lock: bool) -> IdentityProvider:
    """The provider as it is now, if it still is the one that was asked."""
    query = select(IdentityProvider).where(
        IdentityProvider.id == provider_id,
        IdentityProvider.enabled,
        IdentityProvider.issuer == subject.issuer,
        IdentityProvider.client_id == subject.client_id,
    )
    if lock:
        # Not the key: trips that begin meanwhile refer to the provider and need not wait.
        query = query.with_for_update(key_share=True)
    provider = session.scalar(query.execution_options(populate_existing=True))
    if provider is None:
        raise Conflict("sso_expired")
    return provider


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


def _proved_address(session: TenantSession, provider: IdentityProvider, subject: Subject) -> str | None:
    """The verified address, if the provider has proved to speak for its domain."""
    if subject.email is None:
        return None
    proved = session.scalar(
        select(EmailDomain.id).where(
            EmailDomain.provider_id == provider.id,
            EmailDomain.domain == subject.email.rpartition("@")[2],
            EmailDomain.verified_at.is_not(None),
        )
    )
    return subject.email if proved is not None else None


def _login_of(session: TenantSession, address: str, provider: IdentityProvider) -> User | None:
    """The login with this address; raises Unauthenticated `sso_taken` where another subject has it."""
    user = session.scalar(
        select(User)
        .join(Person, Person.id == User.person_id)
        .where(Person.email == address, User.kind == UserKind(provider.audience))
    )
    if user is not None and session.scalar(
        select(ExternalIdentity.id).where(
            ExternalIdentity.user_id == user.id, ExternalIdentity.provider_id == provider.id
        )
    ):
        raise Unauthenticated("sso_taken", name=provider.name)
    return user


def _make_login(
    session: TenantSession, provider: IdentityProvider, address: str, name: str, now: datetime
) -> User | None:
    """A login for a colleague of a company that has its own provider; nobody becomes staff this way."""
    if provider.company_id is None or provider.audience != "customer":
        return None
    person = _person(session, address, name or address.partition("@")[0], provider.company_id, now)
    taken = session.scalar(select(User.id).where(User.person_id == person.id))
    if taken is not None or person.company_id != provider.company_id:
        return None
    person.email_verified_at = person.email_verified_at or now
    user = User(
        id=uuid4(),
        tenant_id=session.tenant_id,
        person_id=person.id,
        kind=UserKind.CUSTOMER,
        status=UserStatus.ACTIVE,
        mail_preferences={},
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
    after = {"by": "sso", "provider": provider.id, "role": Role.CUSTOMER}
    audit(session, "user.created", "user", user.id, actor=actor, now=now, after=after)
    return user


def _person(session: TenantSession, address: str, name: str, company_id: UUID, now: datetime) -> Person:
    """The person with this address, made where there is none, also while somebody else makes them."""
    session.execute(
        insert(Person)
        .values(
            id=uuid4(),
            tenant_id=session.tenant_id,
            company_id=company_id,
            name=name,
            email=address,
            email_verified_at=now,
            created_at=now,
        )
        .on_conflict_do_nothing()
    )
    return session.scalars(select(Person).where(Person.email == address)).one()


def _link(session: TenantSession, provider: IdentityProvider, subject: Subject, user: User, now: datetime) -> None:
    session.add(
        ExternalIdentity(
            id=uuid4(),
            tenant_id=session.tenant_id,
            user_id=user.id,
            provider_id=provider.id,
            subject=subject.subject,
            created_at=now,
            last_used_at=now,
        )
    )
    actor = system_actor(session.tenant_id)
    audit(session, "user.sso_linked", "user", user.id, actor=actor, now=now, after={"provider": provider.id})
