"""Lost second factors, cleared by staff who have made sure of the person (ASVS 6.4.4).

Whoever has neither authenticator nor recovery codes cannot prove to be it, so somebody else has to answer for that:
with a reason, in the trail, and not unnoticed by the owner.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select

from portal.authz import Actor
from portal.errors import Conflict, Forbidden
from portal.events import audit
from portal.lib.wording import N_
from portal.models import Passkey, Role, User, UserKind
from portal.models.session import TenantSession
from portal.services.accounts.access_control import Login, get_login
from portal.services.accounts.delivery import Delivery
from portal.services.accounts.factor_policy import requires_factor
from portal.services.accounts.factors import Factors, read_factors
from portal.services.accounts.messages import AccountMessage, queue_mail
from portal.services.accounts.person_fields import FieldCheck
from portal.services.accounts.recovery import addressee_of, door_path, origin_facts
from portal.services.accounts.recovery_codes import drop_recovery_codes
from portal.services.accounts.sessions import end_sessions
from portal.services.accounts.totp import remove_totp

REASON_LENGTH = 255


def may_reset_factors(login: Login, *, actor: Actor) -> bool:
    """Whether the actor, who may manage this login, may also clear its factors: never one's own, the team's only
    the tenant's administrators.
    """
    if login.user.id == actor.user_id:
        return False
    return login.user.kind is UserKind.CUSTOMER or actor.is_system or Role.TENANT_ADMIN in actor.roles


def read_resettable(session: TenantSession, person_id: UUID, *, actor: Actor) -> Factors:
    """What there is to clear. Raises as `reset_factors`, but for the reason."""
    return _resettable(session, get_login(session, person_id, actor=actor), actor)


def reset_factors(
    session: TenantSession, person_id: UUID, reason: str, *, delivery: Delivery, actor: Actor, now: datetime
) -> Factors:
    """Clear authenticator, passkeys and recovery codes, end every session and tell the owner; returns what was there.

    Where the tenant requires a factor, the next sign-in opens nothing but setting up a new one: no days of grace.
    Among racing calls one wins. Raises as `get_login`, Forbidden `not_yourself` and `not_allowed`, Conflict
    `factor_not_on`, Invalid about `reason`.
    """
    login = get_login(session, person_id, actor=actor)
    _require_resettable(login, actor)
    why = _checked(reason)
    # Sign-ins first: one that proves the lost factor at this moment is waited for and ended with the others.
    end_sessions(session, login.user.id, now=now)
    user = session.scalars(
        select(User).where(User.id == login.user.id).with_for_update().execution_options(populate_existing=True)
    ).one()
    held = _resettable(session, login, actor)
    remove_totp(session, user.id)
    session.execute(delete(Passkey).where(Passkey.user_id == user.id), execution_options={"synchronize_session": False})
    drop_recovery_codes(session, user.id)
    user.second_factor_due_at = now if requires_factor(delivery.tenant.sign_in, user) else None
    after = {"reason": why, "totp": held.totp, "passkeys": held.passkeys}
    audit(session, "user.factors_reset", "user", user.id, actor=actor, now=now, after=after)
    _tell(session, user, delivery, actor, now)
    return held


def _resettable(session: TenantSession, login: Login, actor: Actor) -> Factors:
    _require_resettable(login, actor)
    held = read_factors(session, login.user.id)
    if not held.any:
        raise Conflict("factor_not_on")
    return held


def _require_resettable(login: Login, actor: Actor) -> None:
    if not may_reset_factors(login, actor=actor):
        raise Forbidden("not_yourself" if login.user.id == actor.user_id else "not_allowed")


def _checked(reason: str) -> str:
    check = FieldCheck()
    why = check.text("reason", reason, REASON_LENGTH, needed=True) or ""
    check.done()
    return why


def _tell(session: TenantSession, user: User, delivery: Delivery, actor: Actor, now: datetime) -> None:
    to = addressee_of(session, user)
    facts = [
        *origin_facts(to, delivery.tenant, now, "", ""),
        (N_("Changed by"), actor.name),
        (N_("Help"), delivery.tenant.support_email),
    ]
    message = AccountMessage("factors_reset", path=f"{door_path(user)}/login", facts=facts)
    queue_mail(session, message, to, tenant=delivery.tenant, base_url=delivery.base_url, actor=actor, now=now)
