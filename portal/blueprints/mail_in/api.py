"""`POST /api/v1/mail/in/<tenant>`: a message as it is (RFC 5322), signed by the server that received it."""

from typing import cast

from flask import Blueprint, current_app, jsonify, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Engine

from portal.blueprints import http
from portal.blueprints.errors import problem
from portal.blueprints.files.receiving import place
from portal.blueprints.policies import public
from portal.blueprints.uploads import takes_file
from portal.errors import NotFound
from portal.lib.mail_parsing import MAX_BYTES
from portal.models.session import TenantSessions
from portal.services.mail_in.delivering import MailNotTaken, deliver
from portal.services.mail_in.taking import MailTools
from portal.services.mail_in.webhook import check_signature, own_recipient

bp = Blueprint("mail_in_api", __name__, url_prefix="/api/v1/mail/in")
SIGNATURE, RECIPIENT = "X-Portico-Signature", "X-Portico-Recipient"
RETRY_SECONDS = 30


@bp.post("/<key>")
@public
@takes_file(MAX_BYTES // 2)
def take(key: str) -> ResponseReturnValue:
    """Take a message; repeats are told what became of the first.

    The signature is `t=<unix seconds>,v1=<hex>` with HMAC-SHA256 over `<t>.<recipient>.<body>`; the recipient is
    what `X-Portico-Recipient` says, or empty.
    """
    if key != http.tenant().slug:
        raise NotFound("mailbox")
    body, given = request.get_data(cache=False), request.headers.get(RECIPIENT, "")
    check_signature(http.session(), request.headers.get(SIGNATURE, ""), given, body, vault=http.vault(), now=http.now())
    recipient = own_recipient(http.session(), given)
    # The message has a transaction of its own, as it has whatever way it comes.
    http.session().rollback()
    sessions = TenantSessions(cast(Engine, current_app.extensions["portal_engine"]))
    tools = MailTools(http.vault(), place())
    try:
        taken = deliver(sessions, http.tenant().id, body, recipient=recipient, tools=tools, now=http.now())
    except MailNotTaken:
        answer = problem(503, "unavailable")
        answer.headers["Retry-After"] = str(RETRY_SECONDS)
        return answer
    return jsonify(id=str(taken.mail_id), outcome=taken.outcome, reason=taken.reason, repeated=taken.repeated)
