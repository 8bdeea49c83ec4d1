"""Tokens for programs (contract §4); customers and staff alike get them at their tenant's host."""

from flask import Blueprint, g

from portal.blueprints import http
from portal.blueprints.accounts.schemas import Credentials, Me, RefreshRequest, RevokeRequest, Tokens
from portal.blueprints.api.limits import count_wrong_guess, refuse_guessing
from portal.blueprints.api.operations import operation
from portal.blueprints.api.schemas import Named
from portal.blueprints.denials import note_refused_sign_in
from portal.blueprints.localisation import current_locale, select_timezone
from portal.blueprints.policies import public, signed_in
from portal.errors import Unauthenticated
from portal.models import User
from portal.services.accounts import api_tokens
from portal.services.accounts.api_tokens import TokenPair
from portal.services.accounts.sign_in import Attempt, has_second_factor, open_challenge, prove_password

bp = Blueprint("auth_api", __name__, url_prefix="/api/v1/auth")


@bp.post("/token")
@public
@operation("Sign in", body=Credentials, answer=Tokens, keyed=False)
def token(body: Credentials) -> Tokens:
    """Exchanges address or phone number and password for tokens.

    After 10 failures in five minutes the identifier is refused for a while (429).
    """
    refuse_guessing(body.identifier)
    try:
        user = _prove(body)
    except Unauthenticated:
        http.session().rollback()
        count_wrong_guess(body.identifier)
        note_refused_sign_in(body.identifier)
        raise
    if has_second_factor(http.session(), user.id):
        owed = open_challenge(http.session(), user, door="api", method="password", now=http.now())
        http.commit()
        raise Unauthenticated("second_factor_required", challenge=owed.challenge)
    pair = api_tokens.issue_tokens(
        http.session(), user, factor=False, signer=http.token_signer(), origin=http.origin(), now=http.now()
    )
    return _tokens(pair)


def _prove(body: Credentials) -> User:
    attempt = Attempt(body.identifier, body.password, door="api", kind=None, origin=http.origin())
    user = prove_password(http.session(), attempt, passwords=http.passwords(), now=http.now())
    if user is None:
        # The failure is counted although the sign-in is refused.
        http.commit()
        raise Unauthenticated("wrong_credentials")
    return user


@bp.post("/refresh")
@public
@operation("Refresh tokens", body=RefreshRequest, answer=Tokens, keyed=False)
def refresh(body: RefreshRequest) -> Tokens:
    """Exchanges a refresh token, once. Using one twice ends the sign-in it came from, with all its tokens."""
    pair = api_tokens.refresh_tokens(http.session(), body.refresh_token, signer=http.token_signer(), now=http.now())
    if pair is None:
        # The revocation stands although the request is refused.
        http.commit()
        raise Unauthenticated("token_invalid")
    return _tokens(pair)


@bp.post("/revoke")
@public
@operation("Sign out", body=RevokeRequest, answer=None, status=204, keyed=False)
def revoke(body: RevokeRequest) -> None:
    """Ends the sign-in of the refresh token, or without one that of the access token. Unknown tokens are no error."""
    if body.refresh_token is not None:
        api_tokens.revoke_tokens(http.session(), body.refresh_token, now=http.now())
        return
    api_tokens.revoke_family(http.session(), g.get("token_family"), actor=http.actor(), now=http.now())


@bp.get("/me")
@signed_in
@operation("Who I am", answer=Me)
def me() -> Me:
    """The login, its roles and companies."""
    found = http.identity()
    if found is None:
        raise Unauthenticated("authentication_required")
    return Me(
        id=found.user.id,
        name=found.person_name,
        email=found.email,
        kind=found.user.kind,
        roles=sorted(found.actor.roles),
        permissions=sorted(found.actor.permissions),
        companies=[Named(id=id_, name=name) for id_, name in found.companies],
        tenant=Named(id=http.tenant().id, name=http.tenant().name),
        locale=current_locale(),
        timezone=select_timezone(),
    )


def _tokens(pair: TokenPair) -> Tokens:
    return Tokens(
        access_token=pair.access_token,
        token_type="Bearer",  # noqa: S106 - the name of the scheme
        expires_in=pair.expires_in,
        refresh_token=pair.refresh_token,
    )
