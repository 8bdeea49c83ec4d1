"""Tenants that require a second factor (AUTH-16): until when somebody may go without, and what follows.

The day is set when somebody who must have one, and has none, signs in. Nothing is asked of the database on pages:
the day comes with the login, the tenant's choice with the tenant.
"""

from datetime import datetime, timedelta

from sqlalchemy import select

from portal.models import Tenant, User, UserKind
from portal.models.session import TenantSession
from portal.services.accounts.factors import read_factors
from portal.services.accounts.identity import Login
from portal.services.tenants.sign_in_policy import SignInPolicy, read_policy


def set_factor_due(session: TenantSession, user: User, *, now: datetime) -> None:
    """At a sign-in: note until when the login needs a second factor, or that it need not (any more).

    The day stays once it is set: signing in again does not put it off.
    """
    settings = session.scalar(select(Tenant.settings).where(Tenant.id == session.tenant_id)) or {}
    policy = read_policy(settings)
    owed = requires_factor(policy, user) and not read_factors(session, user.id).any
    if not owed:
        user.second_factor_due_at = None
    elif user.second_factor_due_at is None:
        user.second_factor_due_at = now + timedelta(days=policy.grace_days)


def requires_factor(policy: SignInPolicy, user: User | Login) -> bool:
    """Whether the tenant requires a second factor of this login."""
    return policy.requires_factor(staff=user.kind is UserKind.STAFF)


def factor_due(policy: SignInPolicy, user: User | Login) -> datetime | None:
    """When the login's days without a second factor end; None where none is owed."""
    return user.second_factor_due_at if requires_factor(policy, user) else None


def must_enrol_now(policy: SignInPolicy, user: User | Login, now: datetime) -> bool:
    """Whether the grace period is over: nothing but the enrolment is open."""
    due = factor_due(policy, user)
    return due is not None and due <= now
