"""The meter beside every field for a new password: asked while somebody types, it stores and writes down nothing."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from portal.blueprints import http
from portal.blueprints.api.limits import may_rate
from portal.blueprints.localisation import gettext
from portal.blueprints.policies import public
from portal.lib.wording.errors import error_text
from portal.lib.wording.passwords import HINTS, STRENGTHS
from portal.services.accounts.password_rules import MAX_LENGTH, rate_password, split_words
from portal.services.accounts.recovery import own_words_of, own_words_of_link

bp = Blueprint("password_strength", __name__, url_prefix="/portal")
# Fields of the forms around it that tell whose password it is.
_TELLING = ("name", "email", "company")
_LENGTH = 254


@bp.post("/password-strength")
@public
def rate() -> ResponseReturnValue:
    """How strong what is typed is, and why; nothing (204) for somebody who asks too often."""
    if not may_rate():
        return "", 204
    password = request.form.get("password", "")
    if not password:
        return ""
    rating = rate_password(password[: MAX_LENGTH + 1], _own_words())
    problem, hint = rating.problem, HINTS.get(rating.hint)
    reason = error_text(problem.code, dict(problem.params), gettext) if problem else ""
    return render_template(
        "accounts/_strength.html",
        score=rating.score,
        label=gettext(STRENGTHS[rating.score]),
        accepted=problem is None,
        reason=reason,
        hint=gettext(hint) if hint else "",
    )


def _own_words() -> tuple[str, ...]:
    tenant, found = http.tenant().name, http.identity()
    typed = split_words(*(request.form.get(name, "")[:_LENGTH] for name in _TELLING))
    if found is not None:
        return own_words_of(http.session(), found.user.id, tenant) + typed
    token = request.form.get("token", "")
    if token:
        return own_words_of_link(http.session(), token[:_LENGTH], tenant, now=http.now()) + typed
    return split_words(tenant) + typed
