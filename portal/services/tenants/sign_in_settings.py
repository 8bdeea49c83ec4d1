"""Changing how people of a tenant sign in, and knowing beforehand whom it concerns."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import exists, func, select, update

from portal.authz import Actor, Permission, require
from portal.errors import FieldError, Invalid
from portal.events import audit
from portal.models import (
    AuthSession,
    Passkey,
    Tenant,
    TenantDomain,
    TotpFactor,
    User,
    UserKind,
    UserStatus,
)
from portal.models.session import TenantSession
from portal.services.tenants.sign_in_policy import (
    GRACE_DAYS,
    IDLE_MINUTES,
    SETTING,
    SecondFactor,
    SignInPolicy,
    read_policy,
)


@dataclass(frozen=True)
class SignInForm:
    """The rules as they are edited."""

    second_factor: str
    grace_days: int | None
    idle_minutes: int | None
    registration_open: bool
    link_account_open: bool
    phone_sign_up_open: bool


@dataclass(frozen=True)
class Concerned:
    """How many active people there are of a kind, how many have no second factor, and whose sessions are open."""

    people: int
    without_factor: int
    sessions: int


def load_policy(session: TenantSession, *, actor: Actor) -> SignInPolicy:
    """The rules as they are stored now. Raises Forbidden."""
    require(actor, Permission.SIGN_IN_CONFIGURE)
    return read_policy(_tenant(session).settings)


def count_concerned(session: TenantSession, *, actor: Actor, now: datetime) -> dict[UserKind, Concerned]:
    """Whom the rules concern, by kind; one statement. Raises Forbidden."""
    require(actor, Permission.SIGN_IN_CONFIGURE)
    open_session = exists().where(
        AuthSession.user_id == User.id, AuthSession.revoked_at.is_(None), AuthSession.expires_at > now
    )
    rows = session.execute(
        select(
            User.kind,
            func.count(),
            func.count().filter(~_has_factor()),
            func.count().filter(open_session),
        )
        .where(User.status == UserStatus.ACTIVE, User.portal_access)
        .group_by(User.kind)
    )
    found = {row[0]: Concerned(row[1], row[2], row[3]) for row in rows}
    return {kind: found.get(kind, Concerned(0, 0, 0)) for kind in UserKind}


def save_policy(session: TenantSession, form: SignInForm, *, actor: Actor, now: datetime) -> SignInPolicy:
    """Store the rules; the grace period of those who newly need a second factor begins now.

    Raises Forbidden and Invalid per field. The caller has the directory of tenants read them again.
    """
    require(actor, Permission.SIGN_IN_CONFIGURE)
    policy = _checked(form)
    tenant = _tenant(session, lock=True)
    before = read_policy(tenant.settings)
    if policy == before:
        return policy
    tenant.settings = {**tenant.settings, SETTING: plain(policy)}
    newly = [kind for kind in UserKind if _required(policy, kind) and not _required(before, kind)]
    _begin_grace(session, newly, due=now + timedelta(days=policy.grace_days))
    audit(
        session,
        "tenant.sign_in_changed",
        "tenant",
        tenant.id,
        actor=actor,
        now=now,
        before=plain(before),
        after=plain(policy),
    )
    return policy


def list_domains(session: TenantSession, *, actor: Actor) -> list[TenantDomain]:
    """The hosts that this tenant was given, the main one first. Raises Forbidden."""
    require(actor, Permission.SIGN_IN_CONFIGURE)
    return list(
        session.scalars(
            select(TenantDomain)
            .where(TenantDomain.tenant_id == session.tenant_id)
            .order_by(TenantDomain.is_primary.desc(), TenantDomain.host)
        )
    )


def plain(policy: SignInPolicy) -> dict[str, Any]:
    """The rules as they are stored."""
    return {**asdict(policy), "second_factor": policy.second_factor.value}


def _checked(form: SignInForm) -> SignInPolicy:
    errors: list[FieldError] = []
    if form.second_factor not in set(SecondFactor):
        errors.append(FieldError("second_factor", "unknown_choice"))
    for field, (low, _, high) in (("grace_days", GRACE_DAYS), ("idle_minutes", IDLE_MINUTES)):
        value = getattr(form, field)
        if value is None or not low <= value <= high:
            errors.append(FieldError(field, "out_of_range", (("low", low), ("high", high))))
    if errors or form.grace_days is None or form.idle_minutes is None:
        raise Invalid(*errors)
    return SignInPolicy(
        second_factor=SecondFactor(form.second_factor),
        grace_days=form.grace_days,
        idle_minutes=form.idle_minutes,
        registration_open=form.registration_open,
        link_account_open=form.link_account_open,
        phone_sign_up_open=form.phone_sign_up_open,
    )


def _tenant(session: TenantSession, *, lock: bool = False) -> Tenant:
    query = select(Tenant).where(Tenant.id == session.tenant_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return session.scalars(query).one()


def _required(policy: SignInPolicy, kind: UserKind) -> bool:
    return policy.requires_factor(staff=kind is UserKind.STAFF)


def _begin_grace(session: TenantSession, kinds: Collection[UserKind], *, due: datetime) -> None:
    """Whoever is signed in just now has not less time than who comes later, nor a day from an earlier requirement."""
    if kinds:
        session.execute(
            update(User).where(User.kind.in_(kinds), ~_has_factor()).values(second_factor_due_at=due),
            execution_options={"synchronize_session": False},
        )


def _has_factor() -> Any:
    return exists().where(TotpFactor.user_id == User.id, TotpFactor.confirmed_at.is_not(None)) | exists().where(
        Passkey.user_id == User.id
    )
