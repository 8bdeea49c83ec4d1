"""Ways to an account: by an invitation's code, by customer number, by phone (AUTH-10 to AUTH-12)."""

from uuid import UUID

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from portal.blueprints import http
from portal.blueprints.accounts.asking import refuse_asking
from portal.blueprints.accounts.delivery import delivery
from portal.blueprints.accounts.joining import Joining, shown_errors, typed_code
from portal.blueprints.accounts.routes import DOOR
from portal.blueprints.localisation import current_locale
from portal.blueprints.policies import public
from portal.errors import Conflict, Invalid, invalid
from portal.models import UserKind
from portal.services.accounts.joining import load_offer
from portal.services.accounts.linking import load_contact, open_account, request_code, request_link, verify_code

bp = Blueprint("join", __name__, url_prefix="/portal/join")
JOINING = Joining(DOOR)
FIELD_LENGTH = 40


@bp.get("")
@public
def index() -> ResponseReturnValue:
    """The ways that the tenant offers; after asking, that something was sent where there was somebody to send to."""
    return _index(asked=request.args.get("asked") == "1")


@bp.post("/code")
@public
def code() -> ResponseReturnValue:
    """An access code typed by hand leads to what its link leads to."""
    refuse_asking("")
    token = typed_code(request.form.get("code", ""))
    try:
        load_offer(http.session(), token, UserKind.CUSTOMER, now=http.now())
    except Conflict as error:
        return _index(invalid("code", error.code if token else "required"), status=422)
    return http.see_other("join.invitation", token=token)


@bp.route("/<token>", methods=["GET", "POST"])
@public
def invitation(token: str) -> ResponseReturnValue:
    """An invitation into a company."""
    return JOINING.follow(token)


@bp.post("/account")
@public
def ask_by_number() -> ResponseReturnValue:
    """Have a link mailed to the address on record of a customer number."""
    number = request.form.get("customer_number", "").strip()[:FIELD_LENGTH]
    if not number:
        return _index(invalid("customer_number", "required"), status=422)
    refuse_asking(number)
    request_link(http.session(), number=number, locale=current_locale(), delivery=delivery(), now=http.now())
    http.commit()
    return http.see_other("join.index", asked="1")


@bp.post("/phone")
@public
def ask_by_phone() -> ResponseReturnValue:
    """Have a code sent to the phone on record; a link to the address on record where the tenant sends no codes."""
    phone = request.form.get("phone", "").strip()[:FIELD_LENGTH]
    if not phone:
        return _index(invalid("phone", "required"), status=422)
    refuse_asking(phone)
    if http.tenant().sign_in.phone_sign_up_open:
        challenge = request_code(http.session(), phone, locale=current_locale(), delivery=delivery(), now=http.now())
        http.commit()
        return http.see_other("join.phone_code", challenge=challenge)
    request_link(http.session(), phone=phone, locale=current_locale(), delivery=delivery(), now=http.now())
    http.commit()
    return http.see_other("join.index", asked="1")


@bp.route("/phone/<uuid:challenge>", methods=["GET", "POST"])
@public
def phone_code(challenge: UUID) -> ResponseReturnValue:
    """The code from the text message, before any password."""
    if request.method != "POST":
        return render_template("accounts/join_code.html", challenge=challenge, **shown_errors(None))
    refuse_asking("")
    try:
        token = verify_code(
            http.session(), challenge, request.form.get("code", ""), delivery=delivery(), now=http.now()
        )
    except Conflict:
        http.session().rollback()
        return JOINING.dead()
    # A wrong code counts, so that is kept, too.
    http.commit()
    if token is None:
        page = render_template(
            "accounts/join_code.html", challenge=challenge, **shown_errors(invalid("code", "code_wrong"))
        )
        return page, 422
    return http.see_other("join.account", token=token)


@bp.route("/account/<token>", methods=["GET", "POST"])
@public
def account(token: str) -> ResponseReturnValue:
    """The password, and with it the account."""
    error: Invalid | None = None
    try:
        contact = load_contact(http.session(), token, now=http.now())
        if request.method == "POST":
            user = open_account(
                http.session(),
                token,
                request.form.get("password", ""),
                tenant_name=http.tenant().name,
                passwords=http.passwords(),
                origin=http.origin(),
                now=http.now(),
            )
            return DOOR.let_in(user, method="link")
    except Conflict:
        http.session().rollback()
        return JOINING.dead()
    except Invalid as found:
        error = found
    page = render_template("accounts/join_account.html", contact=contact, **shown_errors(error))
    return page, 422 if error else 200


def _index(error: Invalid | None = None, *, asked: bool = False, status: int = 200) -> ResponseReturnValue:
    typed = {name: request.form.get(name, "")[:FIELD_LENGTH] for name in ("customer_number", "phone")}
    page = render_template(
        "accounts/join.html", policy=http.tenant().sign_in, asked=asked, typed=typed, **shown_errors(error)
    )
    return page, status
