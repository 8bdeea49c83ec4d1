"""Adding and removing one's own second factors: what changes is audited, mailed, and ends every other sign-in."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update

from portal.errors import Conflict, Forbidden
from portal.events import audit
from portal.lib.i18n import format_day_and_time
from portal.lib.vault import Vault
from portal.lib.wording import N_
from portal.models import AuthSession, TokenFamily, User, UserKind
from portal.models.session import TenantSession
from portal.services.accounts.factor_policy import requires_factor
from portal.services.accounts.factors import read_factors
from portal.services.accounts.identity import Identity
from portal.services.accounts.messages import AccountMessage, Addressee, queue_mail
from portal.services.accounts.recovery_codes import drop_recovery_codes, make_recovery_codes
from portal.services.accounts.sessions import end_sessions
from portal.services.accounts.totp import (
    Enrolment,
    begin_enrolment,
    confirm_enrolment,
    read_enrolment,
    remove_totp,
)
from portal.services.tenants.directory import TenantProfile

_OPTIONS = {"synchronize_session": False}


@dataclass(frozen=True)
class OwnFactors:
    """Somebody at work on their own factors, in a browser's session or a program's sign-in, which stays."""

    identity: Identity
    tenant: TenantProfile
    base_url: str
    session_id: UUID | None = None
    family_id: UUID | None = None

    @property
    def user_id(self) -> UUID:
        """Whose factors they are."""
        return self.identity.user.id

    def forbid_last(self) -> None:
        """Raise Forbidden `second_factor_mandatory` where the tenant requires a factor of this login."""
        if requires_factor(self.tenant.sign_in, self.identity.user):
            raise Forbidden("second_factor_mandatory")


def begin_totp(session: TenantSession, own: OwnFactors, *, vault: Vault, now: datetime) -> Enrolment:
    """A secret for an authenticator, which counts once a code confirms it; Conflict `factor_already_on`."""
    return begin_enrolment(
        session, own.user_id, account=own.identity.email, issuer=own.tenant.name, vault=vault, now=now
    )


def read_totp(session: TenantSession, own: OwnFactors, *, vault: Vault) -> Enrolment | None:
    """The secret that waits for its first code, if there is one."""
    return read_enrolment(session, own.user_id, account=own.identity.email, issuer=own.tenant.name, vault=vault)


def confirm_totp(
    session: TenantSession, own: OwnFactors, code: str, *, vault: Vault, now: datetime
) -> list[str] | None:
    """Switch the authenticator on by its first code; returns new recovery codes, None for a wrong code."""
    if not confirm_enrolment(session, own.user_id, code, vault=vault, now=now):
        return None
    codes = make_recovery_codes(session, own.user_id, now=now)
    note_added(session, own, "totp", now=now)
    return codes


def switch_off_totp(session: TenantSession, own: OwnFactors, *, now: datetime) -> None:
    """Remove the authenticator, after password and code were proved.

    Raises Conflict `factor_not_on`, and Forbidden `second_factor_mandatory` for the last factor of somebody whose
    tenant requires one.
    """
    # One after the other with a passkey's removal: somebody may lose one factor at a time, not both at once.
    session.execute(select(User.id).where(User.id == own.user_id).with_for_update())
    held = read_factors(session, own.user_id)
    if not held.totp:
        raise Conflict("factor_not_on")
    if not held.passkeys:
        own.forbid_last()
        drop_recovery_codes(session, own.user_id)
    if not remove_totp(session, own.user_id):
        raise Conflict("factor_not_on")
    note_removed(session, own, "totp", now=now)


def renew_recovery_codes(session: TenantSession, own: OwnFactors, *, now: datetime) -> list[str]:
    """Ten new recovery codes instead of all earlier ones; Conflict `factor_not_on` without a second factor."""
    if not read_factors(session, own.user_id).any:
        raise Conflict("factor_not_on")
    codes = make_recovery_codes(session, own.user_id, now=now)
    _audit(session, own, "user.recovery_codes_renewed", None, now)
    tell_owner(session, own, "recovery_codes_renewed", now=now)
    return codes


def note_added(session: TenantSession, own: OwnFactors, kind: str, *, now: datetime, **params: object) -> None:
    """What follows a new factor (`totp` or `passkey`): mail, audit, and an end to what was proved by less."""
    session.execute(
        update(User).where(User.id == own.user_id).values(second_factor_due_at=None), execution_options=_OPTIONS
    )
    _audit(session, own, "user.factor_added", kind, now)
    _end_others(session, own, now)
    for model, kept in ((AuthSession, own.session_id), (TokenFamily, own.family_id)):
        if kept is not None:
            # The factor was just given here.
            session.execute(update(model).where(model.id == kept).values(factor_at=now), execution_options=_OPTIONS)
    tell_owner(session, own, f"{kind}_added", now=now, **params)


def note_removed(session: TenantSession, own: OwnFactors, kind: str, *, now: datetime, **params: object) -> None:
    """What follows the removal of a factor: mail, audit, and an end to every other sign-in."""
    _audit(session, own, "user.factor_removed", kind, now)
    _end_others(session, own, now)
    tell_owner(session, own, f"{kind}_removed", now=now, **params)


def tell_owner(session: TenantSession, own: OwnFactors, change: str, *, now: datetime, **params: object) -> None:
    """Mail the login what happened to its factors, when, and from where."""
    user, actor = own.identity.user, own.identity.actor
    locale = user.locale if user.locale in own.tenant.locales and user.locale else own.tenant.locale
    when = format_day_and_time(now, locale, user.timezone or own.tenant.timezone)
    queue_mail(
        session,
        AccountMessage(
            template=change,
            path="/admin/security" if user.kind is UserKind.STAFF else "/portal/account/security",
            params=params,
            facts=[(N_("When"), when), *([(N_("Network address"), actor.ip)] if actor.ip else [])],
        ),
        Addressee(own.identity.email, own.identity.person_name, user.id, user.locale, user.timezone),
        tenant=own.tenant,
        base_url=own.base_url,
        actor=actor,
        now=now,
    )


def _end_others(session: TenantSession, own: OwnFactors, now: datetime) -> None:
    end_sessions(session, own.user_id, now=now, keep=own.session_id, keep_family=own.family_id)


def _audit(session: TenantSession, own: OwnFactors, action: str, kind: str | None, now: datetime) -> None:
    after = {"factor": kind} if kind else None
    audit(session, action, "user", own.user_id, actor=own.identity.actor, now=now, after=after)
