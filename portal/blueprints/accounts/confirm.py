"""Step-up: views that are sensitive ask for a proof of the person that is at most ten minutes old.

Pages: `@fresh_proof`. Operations of the API: `@fresh_proof`, too, or `prove_again(body.password)` before anything
is changed; programs have no page to be led to, so each such call brings the password along.
"""

from dataclasses import dataclass
from dataclasses import field as data_field
from functools import wraps
from typing import Any, cast

from flask import Blueprint, Response, g, redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.accounts.doors import device_token
from portal.blueprints.accounts.passkey_forms import need_site, passkey_site, put_question, sent_answer, take_token
from portal.blueprints.api.limits import count_wrong_guess, refuse_guessing
from portal.blueprints.api.validation import read_body
from portal.blueprints.guard import cookie_name, door
from portal.blueprints.localisation import gettext
from portal.blueprints.policies import View, permission, while_enrolling
from portal.errors import Forbidden, Unauthenticated
from portal.lib.wording.errors import error_text
from portal.services.accounts.factors import Factors, read_factors
from portal.services.accounts.identity import Identity
from portal.services.accounts.passkey_proofs import CONFIRM, ask, take_answer
from portal.services.accounts.sessions import HeldSession
from portal.services.accounts.step_up import Again, has_password, is_fresh, prove_person, renew_proof

bp = Blueprint("confirm", __name__)
CODE_LENGTH = 64


@dataclass(frozen=True)
class WrongProof:
    """Why a proof does not hold: the field it is about, the code of the refusal and its parameters."""

    field: str
    code: str
    params: dict[str, Any] = data_field(default_factory=dict)
    status: int = 401

    @property
    def told(self) -> tuple[str, str]:
        """The field and the sentence about it."""
        return self.field, error_text(self.code, self.params, gettext)


def fresh_proof(view: View) -> View:
    """The view needs a proof younger than ten minutes; stands under the policy's decorator.

    Without one, pages lead to the confirmation and back. At the API the body has to hold the right `password`
    (which its operation declares); without it the call is refused with 403 `step_up_required`.
    """

    @wraps(view)
    def run(*args: Any, **kwargs: Any) -> Any:
        if door() == "api":
            prove_again(_password_sent())
        elif not has_fresh_proof():
            return ask_for_proof()
        return view(*args, **kwargs)

    return cast(View, run)


def has_fresh_proof() -> bool:
    """Whether the browser's session was proved within the last ten minutes."""
    held: HeldSession | None = g.get("auth_session")
    return held is not None and is_fresh(held.proved_at, http.now())


def ask_for_proof() -> ResponseReturnValue:
    """Lead to the confirmation, and from there back to the page that was asked for or stood on."""
    target = url_for(_endpoint(), next=_way_back())
    if http.wants_fragment():
        return Response(status=204, headers={"HX-Redirect": target})
    return redirect(target, code=303)


def prove_again(password: str | None) -> None:
    """Refuse a call of the API with Forbidden `step_up_required` unless the password is right.

    Called before anything is changed, since a wrong one is counted, and committed, like a failed sign-in; raises
    Unauthenticated `sign_in_locked` after too many. Tokens of people with a second factor came by that factor.
    """
    if g.get("proved_again"):
        return
    if not password or not _prove(password, "", with_factor=False):
        raise Forbidden("step_up_required")
    g.proved_again = True


@bp.route("/portal/account/confirm", methods=["GET", "POST"], endpoint="portal")
@bp.route("/admin/confirm", methods=["GET", "POST"], endpoint="admin")
@while_enrolling
@permission(Permission.PROFILE_EDIT)
def confirm() -> ResponseReturnValue:
    """Somebody signed in proves once more to be it: by password and code, or by a passkey."""
    held = read_factors(http.session(), _who().user.id)
    if request.method != "POST":
        return _page(held)
    by_passkey = bool(request.form.get("credential"))
    wrong = _check_passkey() if by_passkey else check_proof(held)
    if wrong is not None:
        return _page(held, wrong)
    renew_session(factor=by_passkey or held.any, method="passkey" if by_passkey else "password")
    http.commit()
    return _leave()


@bp.post("/portal/account/confirm/question", endpoint="portal_question")
@bp.post("/admin/confirm/question", endpoint="admin_question")
@while_enrolling
@permission(Permission.PROFILE_EDIT)
def question() -> ResponseReturnValue:
    """What a browser needs to ask for one of the reader's own passkeys."""
    asked = ask(http.session(), CONFIRM, user_id=_who().user.id, site=need_site(), now=http.now())
    http.commit()
    return put_question(asked)


def check_proof(held: Factors) -> WrongProof | None:
    """What is wrong with password and code of the form that was sent; None where they prove the reader.

    A wrong try is counted and committed like a failed sign-in, so this comes before any change.
    """
    password, code = request.form.get("password", ""), request.form.get("code", "")[:CODE_LENGTH]
    if not password:
        return WrongProof("password", "required", status=422)
    if held.any and not code.strip():
        return WrongProof("code", "required", status=422)
    try:
        right = _prove(password, code, with_factor=True)
    except Unauthenticated as error:
        return WrongProof("password", error.code, error.params)
    return None if right else WrongProof("password", "proof_wrong" if held.any else "password_wrong")


def renew_session(*, factor: bool, method: str) -> None:
    """Note a fresh proof in the browser's session; its cookie gets the new token, forms keep theirs."""
    held: HeldSession = g.auth_session
    token = renew_proof(http.session(), held.id, _who(), factor=factor, method=method, now=http.now())
    cookie[cookie_name(door())] = token


def _leave() -> ResponseReturnValue:
    """Back to the page that asked, or to the first one behind the door."""
    home = url_for("admin.index" if door() == "admin" else "dashboard.index")
    target = http.safe_target(request.values.get("next"), home)
    return redirect(target if target.startswith(f"/{door()}/") else home, code=303)


def _prove(password: str, code: str, *, with_factor: bool) -> bool:
    """One try; a wrong one is counted everywhere that failed sign-ins are."""
    found = _who()
    refuse_guessing(found.email)
    again = Again(found, password, http.origin(), code=code, device=device_token())
    right = prove_person(
        http.session(), again, with_factor=with_factor, passwords=http.passwords(), vault=http.vault(), now=http.now()
    )
    if not right:
        http.commit()
        count_wrong_guess(found.email)
    return right


def _check_passkey() -> WrongProof | None:
    try:
        proved = take_answer(
            http.session(), CONFIRM, take_token(), sent_answer(), user_id=_who().user.id, now=http.now()
        )
    except Unauthenticated as error:
        return WrongProof("", error.code, error.params)
    # The question is used up, whatever the answer was.
    http.commit()
    return WrongProof("", "passkey_refused") if proved is None else None


def _page(held: Factors, wrong: WrongProof | None = None) -> ResponseReturnValue:
    page = render_template(
        "accounts/confirm.html",
        action=url_for(_endpoint()),
        question_url=url_for(f"{_endpoint()}_question"),
        errors=[wrong.told] if wrong else [],
        factors=held,
        has_password=has_password(http.session(), _who().user.id),
        next=http.safe_target(request.values.get("next"), ""),
        site=passkey_site(),
    )
    return page, wrong.status if wrong else 200


def _who() -> Identity:
    found = http.identity()
    if found is None:
        raise Unauthenticated("authentication_required")
    return found


def _endpoint() -> str:
    return "confirm.admin" if door() == "admin" else "confirm.portal"


def _way_back() -> str | None:
    """A page that can be fetched: what was asked for, or where the form stood that was sent."""
    if request.method == "GET" and not http.wants_fragment():
        return request.full_path.rstrip("?")
    return http.own_referrer()


def _password_sent() -> str | None:
    sent = read_body(optional=True)
    given = sent.get("password") if isinstance(sent, dict) else None
    return given if isinstance(given, str) else None
