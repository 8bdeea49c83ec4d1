"""Buttons of records: do it, say what came of it, go back to the record."""

from collections.abc import Callable
from typing import Any

from flask import flash, redirect
from flask.typing import ResponseReturnValue

from portal.blueprints import http
from portal.blueprints.localisation import gettext
from portal.errors import Conflict, Forbidden, Invalid, invalid
from portal.lib.wording.errors import error_text

# What the reader may see but not do; the record says so instead of a page of its own.
_SAID = frozenset({"not_yourself", "more_than_own"})


def act(work: Callable[[], Any], done: str, back: str) -> ResponseReturnValue:
    """Have a service do something; what it refuses about the record's state is shown on `back`."""
    try:
        work()
    except (Conflict, Invalid, Forbidden) as error:
        if isinstance(error, Forbidden) and error.code not in _SAID:
            raise
        http.session().rollback()
        item = error.errors[0] if isinstance(error, Invalid) and error.errors else None
        code, params = (item.code, dict(item.params)) if item else (error.code, error.params)
        flash(error_text(code, params, gettext), "err")
    else:
        http.commit()
        flash(done, "ok")
    return redirect(back, code=303)


def as_invalid(error: Conflict | Invalid, field: str) -> Invalid:
    """A refusal as something wrong with a form's field."""
    return error if isinstance(error, Invalid) else invalid(field, error.code, **error.params)
