"""Tokens for programs (contract §4); customers and staff alike get them at their tenant's host."""

from flask import Blueprint, g

from portal.blueprints import http
from portal.blueprints.accounts.schemas import Me, RefreshRequest, RevokeRequest, SignIn, Tokens
from portal.blueprints.accounts.second_step import tell_recovery
from portal.blueprints.api.limits import count_wrong_guess, refuse_guessing
from portal.blueprints.api.operations import operation
from portal.blueprints.api.schemas import Named
from portal.blueprints.denials import note_refused_sign_in
from portal.blueprints.localisation import current_locale, select_timezone
from portal.blueprints.policies import public, signed_in, while_enrolling
from portal.errors import FieldError, Invalid, Unauthenticated
from portal.models import User
from portal.services.accounts import api_tokens
from portal.services.accounts.api_tokens import TokenPair
from portal.services.accounts.factors import CodeKind
from portal.services.accounts.second_step import SecondProof, answer_by_code, find_challenge
from portal.services.accounts.sessions import load_identity
from portal.services.accounts.sign_in import (
    Attempt,
    ask_for_new_password,
    has_second_factor,
    open_challenge,
    prove_password,
)

bp = Blueprint("auth_api", __name__, url_prefix="/api/v1/auth")
_FIRST_PAIR = ("identifier", "password")
_SECOND_PAIR = ("challenge", "code")


@bp.post("/token")
@public
@operation("Sign in", body=SignIn, answer=Tokens, keyed=False)
def token(body: SignIn) -> Tokens:
    """Exchanges address or phone number and password for tokens.

    Where a second factor is on the answer is 401 `second_factor_required` with a `challenge`; send that and the
    `code` here within ten minutes. Five wrong codes end the challenge. After five failures in a row identifier
    and origin are locked for a while (401, `sign_in_locked`); after ten in five minutes further tries are
    answered 429. Either way Retry-After says how long.
    """
    errors = _missing_or_mixed(body)
    if errors:
        raise Invalid(*errors)
    return _second_step(body.challenge, body.code) if body.challenge else _first_step(body)


def _missing_or_mixed(body: SignIn) -> list[FieldError]:
    """Either pair, whole: what is lacking of it, and what belongs to the other."""
    sent = body.model_fields_set
    pair, other = _SECOND_PAIR, _FIRST_PAIR
    if sent & set(_FIRST_PAIR) or not sent:
        pair, other = _FIRST_PAIR, _SECOND_PAIR
    lacking = [FieldError(name, "required") for name in pair if name not in sent]
    return lacking + [FieldError(name, "unknown_field") for name in other if name in sent]


def _first_step(body: SignIn) -> Tokens:
    refuse_guessing(body.identifier)
    try:
        user = _prove(body)
    except Unauthenticated:
        http.session().rollback()
        count_wrong_guess(body.identifier)
        note_refused_sign_in(body.identifier)
        raise
    if ask_for_new_password(http.session(), user, origin=http.origin(), now=http.now()) is not None:
        http.commit()
        raise Unauthenticated("password_reset_required")
    if has_second_factor(http.session(), user.id):
        owed = open_challenge(http.session(), user, door="api", method="password", now=http.now())
        http.commit()
        raise Unauthenticated("second_factor_required", challenge=owed.challenge)
    return _issue(user, factor=False)


def _second_step(challenge: str, code: str) -> Tokens:
    held = find_challenge(http.session(), challenge, "api", now=http.now(), lock=True)
    refuse_guessing(held.email)
    try:
        proof = SecondProof(code, http.origin())
        kind = answer_by_code(http.session(), held, proof, vault=http.vault(), now=http.now())
    except Unauthenticated:
        http.session().rollback()
        note_refused_sign_in(held.email)
        raise
    if kind is None:
        # The try is counted although the sign-in is refused.
        http.commit()
        count_wrong_guess(held.email)
        note_refused_sign_in(held.email)
        raise Unauthenticated("factor_wrong")
    if not held.user.may_sign_in():
        raise Unauthenticated("wrong_credentials")
    pair = _issue(held.user, factor=True)
    if kind is CodeKind.RECOVERY:
        tell_recovery(load_identity(http.session(), held.user, http.origin()))
    return pair


def _issue(user: User, *, factor: bool) -> Tokens:
    pair = api_tokens.issue_tokens(
        http.session(), user, factor=factor, signer=http.token_signer(), origin=http.origin(), now=http.now()
    )
    return tokens_of(pair)


def _prove(body: SignIn) -> User:
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
    return tokens_of(pair)


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
@while_enrolling
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


def tokens_of(pair: TokenPair) -> Tokens:
    """Tokens as the API gives them."""
    return Tokens(
        access_token=pair.access_token,
        token_type="Bearer",  # noqa: S106 - the name of the scheme
        expires_in=pair.expires_in,
        refresh_token=pair.refresh_token,
    )
