"""Opening an account through the API (API-09): by invitation, by customer number, by phone."""

from flask import Blueprint

from portal.blueprints import http
from portal.blueprints.accounts.api import tokens_of
from portal.blueprints.accounts.asking import refuse_asking
from portal.blueprints.accounts.delivery import delivery
from portal.blueprints.accounts.people_schemas import (
    Asked,
    CodeRequest,
    JoinRequest,
    LinkRequest,
    LinkToken,
    OpenAccountRequest,
)
from portal.blueprints.accounts.schemas import Tokens
from portal.blueprints.api.operations import operation
from portal.blueprints.localisation import current_locale
from portal.blueprints.policies import public
from portal.errors import Unauthenticated, invalid
from portal.models import LinkPurpose, User, UserKind
from portal.services.accounts.api_tokens import issue_tokens
from portal.services.accounts.joining import NewAccess, join
from portal.services.accounts.linking import open_account, request_code, request_link, verify_code
from portal.services.accounts.one_time import LIFETIME

bp = Blueprint("join_api", __name__, url_prefix="/api/v1/auth")
OVER = "The link or code does not work any more."


@bp.post("/link-account")
@public
@operation(
    "Ask for an account",
    body=LinkRequest,
    answer=Asked,
    status=202,
    keyed=False,
    conflicts="Accounts are opened by invitation here.",
)
def link_account(body: LinkRequest) -> Asked:
    """For customers we know who have no login yet: mails a link to the address on record of a customer number.

    By phone a code is sent to the phone on record, where the tenant offers that; else the link is mailed. The
    answer is the same for everybody.
    """
    given = [value for value in (body.customer_number, body.phone) if value is not None]
    if len(given) != 1 or not given[0].strip():
        raise invalid("customer_number", "required")
    refuse_asking(given[0])
    if body.phone is not None and http.tenant().sign_in.phone_sign_up_open:
        challenge = request_code(
            http.session(), body.phone, locale=current_locale(), delivery=delivery(), now=http.now()
        )
        return Asked(challenge=challenge, expires_in=_seconds(LinkPurpose.PHONE_SIGN_UP))
    request_link(
        http.session(),
        number=body.customer_number,
        phone=body.phone,
        locale=current_locale(),
        delivery=delivery(),
        now=http.now(),
    )
    return Asked(challenge=None, expires_in=_seconds(LinkPurpose.LINK_ACCOUNT))


@bp.post("/link-account/verify")
@public
@operation("Give the code", body=CodeRequest, answer=LinkToken, keyed=False, conflicts=OVER)
def verify(body: CodeRequest) -> LinkToken:
    """Exchanges the code of a text message for the token that sets the password. Five wrong codes end it."""
    refuse_asking("")
    token = verify_code(http.session(), body.challenge, body.code, delivery=delivery(), now=http.now())
    if token is None:
        # The wrong code is counted although it is refused.
        http.commit()
        raise Unauthenticated("code_wrong")
    return LinkToken(token=token)


@bp.post("/link-account/confirm")
@public
@operation("Open the account", body=OpenAccountRequest, answer=Tokens, keyed=False, conflicts=OVER)
def confirm(body: OpenAccountRequest) -> Tokens:
    """Sets the password, links the login to the customer, and signs in."""
    user = open_account(
        http.session(),
        body.token,
        body.password,
        tenant_name=http.tenant().name,
        passwords=http.passwords(),
        origin=http.origin(),
        now=http.now(),
    )
    return _sign_in(user)


@bp.post("/join")
@public
@operation(
    "Accept an invitation",
    body=JoinRequest,
    answer=Tokens,
    keyed=False,
    conflicts="The code does not work any more, or the address has a login, which accepts in the portal.",
)
def accept(body: JoinRequest) -> Tokens:
    """Opens the login that was invited, proves its address, and signs in."""
    user = join(
        http.session(),
        body.token,
        NewAccess(body.name, body.password),
        UserKind.CUSTOMER,
        tenant_name=http.tenant().name,
        passwords=http.passwords(),
        origin=http.origin(),
        now=http.now(),
    )
    return _sign_in(user)


def _sign_in(user: User) -> Tokens:
    pair = issue_tokens(
        http.session(), user, factor=False, signer=http.token_signer(), origin=http.origin(), now=http.now()
    )
    return tokens_of(pair)


def _seconds(purpose: LinkPurpose) -> int:
    return int(LIFETIME[purpose].total_seconds())
