"""The second step of signing in, and signing in with a passkey, which needs no second step; alike at both doors."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Blueprint, jsonify, render_template, request
from flask import session as cookie
from flask.typing import ResponseReturnValue
from limits import RateLimitItemPerMinute
from werkzeug.exceptions import TooManyRequests

from portal.blueprints import http
from portal.blueprints.accounts.doors import Door, challenge_name, device_token
from portal.blueprints.accounts.passkey_forms import need_site, passkey_site, put_question, sent_answer, take_token
from portal.blueprints.api.limits import count_wrong_guess, refuse_guessing
from portal.blueprints.denials import note_refused_sign_in
from portal.blueprints.localisation import gettext
from portal.blueprints.policies import public
from portal.blueprints.rates import count, origin_key, seconds_to_wait
from portal.errors import Unauthenticated
from portal.lib.wording.errors import error_text
from portal.models import User
from portal.services.accounts.factor_changes import OwnFactors, tell_owner
from portal.services.accounts.factors import CodeKind
from portal.services.accounts.identity import Identity
from portal.services.accounts.passkey_proofs import SIGN_IN, ask, ask_for_second, take_answer, take_second
from portal.services.accounts.second_step import (
    MAX_TRIES,
    OpenChallenge,
    SecondProof,
    answer_by_code,
    count_wrong_try,
    find_challenge,
    note_recovery,
    use_up,
)
from portal.services.accounts.sessions import DOORS, Via
from portal.services.accounts.sign_in import finish_sign_in

CODE_LENGTH = 64
# Each is a row until it is five minutes old; a person needs a few.
QUESTIONS = RateLimitItemPerMinute(30, namespace="passkey-questions")


def add_second_step(bp: Blueprint, door: Door, sign_in_path: str) -> None:
    """Give a door its second step and its sign-in by passkey, below the path of its sign-in."""
    views = (
        ("/verify", "verify", verify, ["GET", "POST"]),
        ("/verify/passkey", "verify_question", ask_second, ["POST"]),
        ("/passkey", "passkey", sign_in, ["POST"]),
        ("/passkey/question", "passkey_question", ask_anybody, ["POST"]),
    )
    for path, endpoint, view, methods in views:
        bp.add_url_rule(f"{sign_in_path}{path}", endpoint, _at(door, view), methods=methods)


def _at(door: Door, view: Callable[[Door], ResponseReturnValue]) -> Callable[[], ResponseReturnValue]:
    @wraps(view)
    def run() -> ResponseReturnValue:
        return view(door)

    return public(run)


def verify(door: Door) -> ResponseReturnValue:
    """The page that asks for the second proof, and what was sent with it."""
    try:
        held = _find(door, lock=request.method == "POST")
    except Unauthenticated as error:
        cookie.pop(challenge_name(door.name), None)
        if request.method != "POST":
            return http.see_other(door.endpoint, next=_wanted() or None)
        return door.page(code=error.code, status=401)
    if request.method != "POST":
        return _page(door, held)
    code = request.form.get("code", "")[:CODE_LENGTH]
    if not code.strip() and not request.form.get("credential"):
        return _page(door, held, refusal="required", status=422)
    refuse_guessing(held.email)
    try:
        proved, kind = _prove(held, code)
    except Unauthenticated as error:
        http.session().rollback()
        note_refused_sign_in(held.email)
        return _page(door, _find(door), refusal=error.code, params=error.params, status=401)
    return _enter(door, held, kind) if proved else _refuse(door, held)


def ask_second(door: Door) -> ResponseReturnValue:
    """The question for a passkey of the login that is half signed in."""
    site = need_site()
    try:
        held = _find(door, lock=True)
    except Unauthenticated as error:
        # For the script that asked; whoever is signed in here besides stays so.
        return jsonify(code=error.code), 401
    question = ask_for_second(http.session(), held.row, site=site)
    http.commit()
    return jsonify(question)


def ask_anybody(door: Door) -> ResponseReturnValue:
    """The question for whichever passkey the browser has."""
    where = origin_key()
    if not count(QUESTIONS, where):
        raise TooManyRequests(retry_after=seconds_to_wait(QUESTIONS, where))
    question = ask(http.session(), SIGN_IN, user_id=None, site=need_site(), now=http.now())
    http.commit()
    return put_question(question)


def sign_in(door: Door) -> ResponseReturnValue:
    """A passkey alone: it has verified its user, so it is both proofs at once."""
    try:
        user = take_answer(http.session(), SIGN_IN, take_token(), sent_answer(), user_id=None, now=http.now())
    except Unauthenticated as error:
        return door.page(code=error.code, status=401)
    # The question is used up, whatever the answer was.
    http.commit()
    if user is None or user.kind is not DOORS[door.name] or not user.may_sign_in():
        note_refused_sign_in("")
        return door.page(code="passkey_refused", status=401)
    return _finish(door, user, "passkey")


def tell_recovery(identity: Identity) -> None:
    """A recovery code was used: audited, and mailed to whose it is."""
    left = note_recovery(http.session(), identity, now=http.now())
    own = OwnFactors(identity, http.tenant(), http.settings().base_url)
    tell_owner(http.session(), own, CodeKind.RECOVERY + "_used", now=http.now(), left=left)


def _find(door: Door, *, lock: bool = False) -> OpenChallenge:
    token = cookie.get(challenge_name(door.name))
    shown = token if isinstance(token, str) else None
    return find_challenge(http.session(), shown, door.name, now=http.now(), lock=lock)


def _prove(held: OpenChallenge, code: str) -> tuple[bool, CodeKind | None]:
    """Whether what was sent proves the login; a code may turn out to be a recovery code."""
    where, device = http.origin(), device_token()
    if not request.form.get("credential"):
        proof = SecondProof(code, where, device)
        kind = answer_by_code(http.session(), held, proof, vault=http.vault(), now=http.now())
        return kind is not None, kind
    if take_second(http.session(), held.row, sent_answer(), now=http.now()):
        use_up(http.session(), held, where, device=device, now=http.now())
        return True, None
    count_wrong_try(http.session(), held, where, device=device, now=http.now())
    return False, None


def _enter(door: Door, held: OpenChallenge, kind: CodeKind | None) -> ResponseReturnValue:
    return _finish(door, held.user, held.row.method, kind, held.via)


def _finish(
    door: Door, user: User, method: str, kind: CodeKind | None = None, via: Via | None = None
) -> ResponseReturnValue:
    """Every proof was given: the session, unless another way in is prescribed for the login."""
    try:
        done = finish_sign_in(
            http.session(),
            user,
            door=door.name,
            method=method,
            factor=True,
            origin=http.origin(),
            device=device_token(),
            now=http.now(),
            via=via,
        )
    except Unauthenticated as error:
        # The proofs are used up all the same.
        http.commit()
        return door.closed(user, error)
    if kind is CodeKind.RECOVERY:
        tell_recovery(done.identity)
    http.commit()
    return door.enter(done)


def _refuse(door: Door, held: OpenChallenge) -> ResponseReturnValue:
    """A wrong proof is counted, although the sign-in is refused; after five the sign-in begins anew."""
    worn_out = held.row.attempts >= MAX_TRIES
    http.commit()
    count_wrong_guess(held.email)
    note_refused_sign_in(held.email)
    if worn_out:
        cookie.pop(challenge_name(door.name), None)
        return door.page(code="challenge_expired", status=401)
    refusal = "passkey_refused" if request.form.get("credential") else "factor_wrong"
    return _page(door, held, refusal=refusal, status=401)


def _page(
    door: Door, held: OpenChallenge, *, refusal: str = "", params: dict[str, Any] | None = None, status: int = 200
) -> ResponseReturnValue:
    text = error_text(refusal, params or {}, gettext) if refusal else ""
    page = render_template(
        "accounts/verify.html",
        door=door,
        errors=[("code", text)] if text else [],
        factors=held.factors(http.session()),
        has_site=passkey_site() is not None,
        next=_wanted(),
    )
    return page, status


def _wanted() -> str:
    return http.safe_target(request.values.get("next"), "")
