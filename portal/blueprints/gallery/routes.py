"""Every component in every state, and mock-ups of the main pages; not in production."""

import re

from flask import Blueprint, abort, render_template
from flask.typing import ResponseReturnValue
from jinja2 import TemplateNotFound

from portal.blueprints.policies import public

bp = Blueprint("gallery", __name__, url_prefix="/_gallery")
_NAME = re.compile(r"[a-z-]{1,40}")


@bp.get("")
@public
def index() -> ResponseReturnValue:
    """The components."""
    return render_template("gallery/index.html")


@bp.get("/pages/<name>")
@public
def page(name: str) -> ResponseReturnValue:
    """A page with made-up data."""
    if not _NAME.fullmatch(name):
        abort(404)
    try:
        return render_template(f"gallery/pages/{name}.html")
    except TemplateNotFound:
        abort(404)
