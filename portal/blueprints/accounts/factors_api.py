"""The second factor of the login a program acts for (API-08); customers and staff alike."""

from flask import Blueprint

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.accounts.confirm import prove_again
from portal.blueprints.accounts.schemas import (
    CodeRequest,
    FactorSecret,
    FactorsOffRequest,
    FactorsRequest,
    FactorStatus,
    RecoveryCodes,
)
from portal.blueprints.accounts.security import own_factors
from portal.blueprints.api.operations import operation
from portal.blueprints.policies import permission, while_enrolling
from portal.errors import Conflict, invalid
from portal.services.accounts.factor_changes import begin_totp, confirm_totp, read_totp, switch_off_totp
from portal.services.accounts.factor_policy import factor_due, requires_factor
from portal.services.accounts.factors import read_factors
from portal.services.accounts.step_up import take_own_code

bp = Blueprint("factors_api", __name__, url_prefix="/api/v1/portal/2fa")


@bp.get("")
@while_enrolling
@permission(Permission.PROFILE_EDIT)
@operation("My second factor", answer=FactorStatus)
def status() -> FactorStatus:
    """Whether a second factor is on, which, and whether the organisation requires one."""
    own = own_factors()
    held = read_factors(http.session(), own.user_id)
    policy = http.tenant().sign_in
    return FactorStatus(
        enabled=held.any,
        authenticator=held.totp,
        passkeys=held.passkeys,
        recovery_codes_left=held.recovery_codes,
        required=requires_factor(policy, own.identity.user),
        due_at=factor_due(policy, own.identity.user),
    )


@bp.post("/enable")
@while_enrolling
@permission(Permission.PROFILE_EDIT)
@operation(
    "Set up an authenticator",
    body=FactorsRequest,
    answer=FactorSecret,
    keyed=False,
    conflicts="An authenticator is on already.",
)
def enable(body: FactorsRequest) -> FactorSecret:
    """Gives a secret for an authenticator. It counts once `confirm` has seen a code of it.

    A wrong password is 403 `step_up_required`.
    """
    prove_again(body.password)
    made = begin_totp(http.session(), own_factors(), vault=http.vault(), now=http.now())
    return FactorSecret(otpauth_url=made.address, secret=made.secret)


@bp.post("/confirm")
@while_enrolling
@permission(Permission.PROFILE_EDIT)
@operation(
    "Switch the authenticator on",
    body=CodeRequest,
    answer=RecoveryCodes,
    keyed=False,
    conflicts="No authenticator waits for its first code.",
)
def confirm(body: CodeRequest) -> RecoveryCodes:
    """Takes a code of the new authenticator and gives recovery codes, once. Every other sign-in ends."""
    own = own_factors()
    if read_totp(http.session(), own, vault=http.vault()) is None:
        raise Conflict("factor_not_begun")
    codes = confirm_totp(http.session(), own, body.code, vault=http.vault(), now=http.now())
    if codes is None:
        raise invalid("code", "factor_wrong")
    return RecoveryCodes(recovery_codes=codes)


@bp.delete("")
@while_enrolling
@permission(Permission.PROFILE_EDIT)
@operation(
    "Switch the authenticator off",
    body=FactorsOffRequest,
    answer=None,
    status=204,
    conflicts="No authenticator is on.",
)
def disable(body: FactorsOffRequest) -> None:
    """Takes password and code. Refused with 403 `second_factor_mandatory` where the organisation requires a factor.

    Every other sign-in ends. Passkeys stay.
    """
    own = own_factors()
    if not read_factors(http.session(), own.user_id).totp:
        raise Conflict("factor_not_on")
    prove_again(body.password)
    if not take_own_code(
        http.session(), own.identity, body.code, origin=http.origin(), vault=http.vault(), now=http.now()
    ):
        # The try is counted although the change is refused.
        http.commit()
        raise invalid("code", "factor_wrong")
    switch_off_totp(http.session(), own, now=http.now())
