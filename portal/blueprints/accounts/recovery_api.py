"""A new password and a new account for programs (API-09); the answers do not tell who exists."""

from flask import Blueprint

from portal.blueprints import http
from portal.blueprints.accounts.forms import site, stranger
from portal.blueprints.accounts.registration import ask_for_account
from portal.blueprints.accounts.schemas import (
    Accepted,
    ResetConfirmRequest,
    ResetRequest,
    SignupConfirmRequest,
    SignupRequest,
    Tokens,
)
from portal.blueprints.api.limits import count_request
from portal.blueprints.api.operations import operation
from portal.blueprints.localisation import current_locale, gettext
from portal.blueprints.policies import public
from portal.services.accounts.access_requests import request_reset
from portal.services.accounts.api_tokens import issue_tokens
from portal.services.accounts.recovery import reset_password
from portal.services.accounts.registration import (
    NewAccount,
    Registration,
    complete_registration,
    find_registration,
)

bp = Blueprint("recovery_api", __name__, url_prefix="/api/v1/auth")
_CLOSED = "Registration is closed at this tenant"
_EXPIRED = "The link does not work (any more)"


@bp.post("/signup")
@public
@operation("Ask for an account", body=SignupRequest, answer=Accepted, status=202, keyed=False, conflicts=f"{_CLOSED}.")
def signup(body: SignupRequest) -> Accepted:
    """Mails a link to the address, behind which the account is set up. Known addresses get another mail instead."""
    count_request()
    ask_for_account(Registration(body.name, body.email, body.company, current_locale()))
    return Accepted(detail=gettext("A mail is on its way to the address you entered."))


@bp.post("/signup/confirm")
@public
@operation(
    "Set an account up",
    body=SignupConfirmRequest,
    answer=Tokens,
    status=201,
    keyed=False,
    conflicts=f"{_EXPIRED}, the address has got an account meanwhile, or registration is closed.",
)
def confirm_signup(body: SignupConfirmRequest) -> Tokens:
    """Makes person, company and login of the proven address, once, and signs in. The person administers the company."""
    asked = find_registration(http.session(), body.token, tenant=http.tenant(), vault=http.vault(), now=http.now())
    user = complete_registration(
        http.session(),
        body.token,
        NewAccount(
            name=asked.name if body.name is None else body.name,
            company=asked.company if body.company is None else body.company,
            title=body.title or "",
            password=body.password,
            locale=asked.locale,
        ),
        tenant=http.tenant(),
        vault=http.vault(),
        passwords=http.passwords(),
        origin=http.origin(),
        now=http.now(),
    )
    pair = issue_tokens(
        http.session(), user, factor=False, signer=http.token_signer(), origin=http.origin(), now=http.now()
    )
    return Tokens(
        access_token=pair.access_token,
        token_type="Bearer",  # noqa: S106 - the name of the scheme
        expires_in=pair.expires_in,
        refresh_token=pair.refresh_token,
    )


@bp.post("/reset-password")
@public
@operation("Ask for a new password", body=ResetRequest, answer=Accepted, status=202, keyed=False)
def ask_for_reset(body: ResetRequest) -> Accepted:
    """Mails a link, good once for 30 minutes, where there is a login; the answer is the same where there is none."""
    count_request()
    request_reset(http.session(), body.identifier, vault=http.vault(), actor=stranger(), now=http.now())
    return Accepted(detail=gettext("If there is a login for it, a mail with a link is on its way to its address."))


@bp.post("/reset-password/confirm")
@public
@operation(
    "Set a new password", body=ResetConfirmRequest, answer=None, status=204, keyed=False, conflicts=f"{_EXPIRED}."
)
def confirm_reset(body: ResetConfirmRequest) -> None:
    """Ends every session and token of before, and lifts locks; a second factor stays required."""
    reset_password(
        http.session(),
        body.token,
        body.password,
        passwords=http.passwords(),
        site=site(),
        origin=http.origin(),
        now=http.now(),
    )
