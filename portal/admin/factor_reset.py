"""The page that clears somebody's lost second factors, for customers and for the team."""

from typing import Any
from uuid import UUID

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue

from portal.admin.base import GuardedView
from portal.blueprints import http
from portal.blueprints.accounts.delivery import delivery
from portal.blueprints.localisation import gettext
from portal.errors import Conflict, Invalid
from portal.lib.wording.errors import error_text
from portal.services.accounts.factor_reset import REASON_LENGTH, read_resettable, reset_factors


def factor_reset_page(view: GuardedView, person_id: UUID, model: Any, *, back: str) -> ResponseReturnValue:
    """Ask for the reason; with one, clear the factors and go back to the person."""
    reason, errors = request.form.get("reason", ""), []
    try:
        read_resettable(http.session(), person_id, actor=http.actor())
        if request.method == "POST":
            reset_factors(http.session(), person_id, reason, delivery=delivery(), actor=http.actor(), now=http.now())
            http.commit()
            flash(gettext("The second factor is reset"), "ok")
            return redirect(back, code=303)
    except Conflict as error:
        http.session().rollback()
        flash(error_text(error.code, error.params, gettext), "err")
        return redirect(back, code=303)
    except Invalid as error:
        http.session().rollback()
        errors = [("reason", error_text(item.code, dict(item.params), gettext)) for item in error.errors]
    page = view.render(
        "admin/customers/reset_factors.html",
        model=model,
        back=back,
        reason=reason,
        reason_length=REASON_LENGTH,
        errors=errors,
    )
    return page, 422 if errors else 200
