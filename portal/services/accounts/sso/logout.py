"""Signed out at the identity provider, signed out here (back-channel logout, ASVS 7.6.1 and 10.5.5)."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from portal.authz import system_actor
from portal.errors import Conflict, NotFound, Unauthenticated
from portal.events import publish
from portal.events.sso import SsoSignedOut
from portal.integrations.oidc_logout import Logout
from portal.lib.tokens import token_hash
from portal.models import AuthSession, ExternalIdentity, IdentityProvider, ProviderLogout, SignInChallenge
from portal.models.session import TenantSession
from portal.services.accounts.expiry import forget_expired
from portal.services.accounts.sessions import Origin, Via

UNCHECKED = {"synchronize_session": False}


@dataclass(frozen=True)
class Sender:
    """A provider as its logout tokens name it."""

    provider_id: UUID
    name: str
    issuer: str
    client_id: str


def find_sender(session: TenantSession, provider_id: UUID) -> Sender:
    """The provider, in use or not: sessions from before it was taken out of use may live. Raises NotFound."""
    found = session.scalar(select(IdentityProvider).where(IdentityProvider.id == provider_id))
    if found is None:
        raise NotFound("identity_provider")
    return Sender(found.id, found.name, found.issuer, found.client_id)


def take_logout(session: TenantSession, sender: Sender, logout: Logout, *, origin: Origin, now: datetime) -> int:
    """End what was begun through the provider by whom a valid token names; returns how many sessions.

    Each token counts once: Conflict `logout_repeated` afterwards, among racing uses one wins. Half sign-ins end, too.
    Sessions that were begun by password or passkey are none of the provider's and stay.
    """
    forget_expired(session, ProviderLogout, now=now)
    if logout.sid is not None:
        _in_turn(session, sender.provider_id, logout.sid)
    first = session.scalar(
        insert(ProviderLogout)
        .values(
            id=uuid4(),
            tenant_id=session.tenant_id,
            provider_id=sender.provider_id,
            token_hash=token_hash(logout.token_id),
            sid=logout.sid,
            created_at=now,
            expires_at=logout.forgotten_at,
        )
        .on_conflict_do_nothing()
        .returning(ProviderLogout.id)
    )
    if first is None:
        raise Conflict("logout_repeated")
    half_done = update(SignInChallenge).where(
        *_meant(SignInChallenge, sender, logout), SignInChallenge.used_at.is_(None)
    )
    session.execute(half_done.values(used_at=now), execution_options=UNCHECKED)
    living = update(AuthSession).where(*_meant(AuthSession, sender, logout), AuthSession.revoked_at.is_(None))
    ended = session.scalars(living.values(revoked_at=now).returning(AuthSession.user_id), execution_options=UNCHECKED)
    owners = ended.all()
    actor = replace(system_actor(session.tenant_id, sender.name), ip=origin.ip, request_id=origin.request_id)
    for user_id in sorted(set(owners)):
        after = {"provider": sender.provider_id, "sessions": owners.count(user_id)}
        publish(session, SsoSignedOut(user_id), actor=actor, now=now, after=after)
    return len(owners)


def refuse_signed_out(session: TenantSession, via: Via | None) -> None:
    """Raise Unauthenticated `sso_ended` where the provider has ended its session while somebody was on the way here."""
    if via is None or via.sid is None:
        return
    _in_turn(session, via.provider_id, via.sid)
    over = exists().where(ProviderLogout.provider_id == via.provider_id, ProviderLogout.sid == via.sid)
    if session.scalar(select(over).select_from(IdentityProvider).where(IdentityProvider.id == via.provider_id)):
        raise Unauthenticated("sso_ended")


def _in_turn(session: TenantSession, provider_id: UUID, sid: str) -> None:
    """Signing in and out by one session of the provider's wait for each other: neither overlooks the other."""
    key = int.from_bytes(token_hash(f"sso {provider_id} {sid}")[:8], "big", signed=True)
    session.execute(select(func.pg_advisory_xact_lock(key)))


def _meant(
    model: type[AuthSession] | type[SignInChallenge], sender: Sender, logout: Logout
) -> tuple[ColumnElement[bool], ...]:
    """Rows that a token names: by session, by subject, or by both where it names both.

    A session whose own name the provider never told ends by its subject.
    """
    of_provider = model.provider_id == sender.provider_id
    if logout.subject is None:
        return of_provider, model.provider_sid == logout.sid
    linked = select(ExternalIdentity.user_id).where(
        ExternalIdentity.provider_id == sender.provider_id, ExternalIdentity.subject == logout.subject
    )
    if logout.sid is None:
        return of_provider, model.user_id.in_(linked)
    named = or_(model.provider_sid == logout.sid, model.provider_sid.is_(None))
    return of_provider, model.user_id.in_(linked), named
