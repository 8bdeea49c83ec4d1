"""`/verify/<code>`: anybody checks a sealed document. A file that is chosen there never leaves the page."""

import re

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from limits import RateLimitItemPerMinute
from werkzeug.exceptions import TooManyRequests

from portal.blueprints import http
from portal.blueprints.contracts.signing_tools import certificates, storage
from portal.blueprints.policies import public
from portal.blueprints.rates import count, origin_key, seconds_to_wait
from portal.errors import NotFound
from portal.services.sealing.checking import check_code

bp = Blueprint("verify", __name__)
# Codes have 128 random bits, so this bounds work, not guessing.
LIMIT = RateLimitItemPerMinute(60, namespace="verify")
CODE_LENGTH = 64
_HASH = re.compile(r"[0-9a-f]{64}")


@bp.get("/verify")
@public
def index() -> ResponseReturnValue:
    """Where a code is typed in."""
    code = request.args.get("code", "").strip()[:CODE_LENGTH]
    if code:
        return http.see_other("verify.check", code=code)
    return render_template("verify/code.html", unknown=False, code="")


@bp.get("/verify/<code>")
@public
def check(code: str) -> ResponseReturnValue:
    """What was sealed when and by whom, whether it is as it was, and a place to compare a file or a hash."""
    tenant = str(http.tenant().id)
    if not count(LIMIT, tenant, origin_key()):
        raise TooManyRequests(retry_after=seconds_to_wait(LIMIT, tenant, origin_key()))
    code = code[:CODE_LENGTH]
    try:
        found = check_code(http.session(), code, storage=storage(), certificates=certificates())
    except NotFound:
        return render_template("verify/code.html", unknown=True, code=code), 404
    pasted = "".join(request.args.get("sha256", "").lower().split())
    return render_template(
        "verify/document.html",
        found=found,
        pasted=pasted,
        compared=_compare(pasted, found.sealed_sha256, found.content_sha256),
    )


def _compare(pasted: str, sealed: tuple[str, ...], content: str) -> str:
    """What a pasted hash is: the sealed file's, the unsigned document's, another file's, no hash, or nothing."""
    if not pasted:
        return ""
    if not _HASH.fullmatch(pasted):
        return "no_hash"
    if pasted in sealed:
        return "sealed"
    return "content" if pasted == content else "other"
