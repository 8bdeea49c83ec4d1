"""Rating from the mail, without signing in: the link's page asks, the confirmation rates (H2.8)."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from portal.blueprints import http
from portal.blueprints.localisation import gettext
from portal.blueprints.policies import public
from portal.errors import Conflict, Invalid
from portal.lib.wording.errors import error_text
from portal.services.tickets.rating_links import LinkState, find_rating_link, rate_by_link

bp = Blueprint("rating", __name__, url_prefix="/portal/rate")
GONE, UNACCEPTABLE = 410, 422


@bp.route("/<token>", methods=["GET", "POST"])
@public
def rate(token: str) -> ResponseReturnValue:
    """The question with the chosen number, which changes nothing; or the rating itself."""
    if request.method != "POST":
        return _ask(token, _number(request.args.get("rating", "")))
    given, comment = _number(request.form.get("rating", "")), request.form.get("comment", "")
    try:
        rate_by_link(http.session(), token, rating=given, comment=comment, origin=http.origin(), now=http.now())
    except Invalid as error:
        http.session().rollback()
        return _ask(token, given, comment, error)
    except Conflict:
        http.session().rollback()
        return _ask(token, given)
    http.commit()
    return http.see_other("rating.thanks")


@bp.get("/thanks")
@public
def thanks() -> ResponseReturnValue:
    """It has arrived."""
    return render_template("rating/told.html", state="thanks")


def _ask(token: str, rating: int, comment: str = "", error: Invalid | None = None) -> ResponseReturnValue:
    """The form, or in plain words why there is none."""
    try:
        found = find_rating_link(http.session(), token, origin=http.origin(), now=http.now())
    except Conflict:
        return render_template("rating/told.html", state="expired"), GONE
    if found.state is not LinkState.OPEN:
        return render_template("rating/told.html", state=found.state.value, ticket=found.ticket), GONE
    errors = {item.field: [error_text(item.code, dict(item.params), gettext)] for item in error.errors} if error else {}
    page = render_template(
        "rating/rate.html", ticket=found.ticket, form={"rating": rating, "comment": comment}, errors=errors
    )
    return page, UNACCEPTABLE if error else 200


def _number(given: str) -> int:
    return int(given) if given.isascii() and given.isdigit() and len(given) == 1 else 0
