"""What pages about passkeys share: the site they belong to, and the token that ties an answer to its question."""

import ipaddress

from flask import jsonify, request
from flask import session as cookie
from flask.typing import ResponseReturnValue

from portal.blueprints import http
from portal.blueprints.guard import door
from portal.errors import NotFound
from portal.lib.webauthn_answers import Site
from portal.services.accounts.passkey_proofs import Answer, Question


def passkey_site() -> Site | None:
    """The site of this request; None at a bare address, for which browsers make no passkeys (WebAuthn §5.1.2)."""
    host = request.host.lower()
    name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return Site(rp_id=name, origin=f"{request.scheme}://{host}", name=http.tenant().name)
    return None


def need_site() -> Site:
    """The site; NotFound where there can be none."""
    site = passkey_site()
    if site is None:
        raise NotFound("passkey")
    return site


def put_question(question: Question) -> ResponseReturnValue:
    """The question as JSON; the browser keeps the token of it in its cookie."""
    cookie[_ceremony_name()] = question.token
    return jsonify(question.options)


def take_token() -> str | None:
    """The token of the question that this browser was asked last; it is given once."""
    token = cookie.pop(_ceremony_name(), None)
    return token if isinstance(token, str) else None


def sent_answer() -> Answer:
    """What the form brought."""
    return Answer(request.form.get("credential", ""), need_site(), http.origin())


def _ceremony_name() -> str:
    return f"{door()}_passkey"
