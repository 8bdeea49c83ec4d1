"""`POST /webhooks/stripe`: what the gateway tells is checked, kept and acknowledged; the worker looks into it.

It belongs to no tenant's host, has no cookie and no form's token: the signature over the raw body is the proof.
"""

from typing import cast

import structlog
from flask import Blueprint, Response, abort, current_app, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Engine

from portal.blueprints import http
from portal.blueprints.payments.gateway import gateway
from portal.blueprints.policies import public
from portal.extensions import csrf
from portal.integrations.payments import EventRefused
from portal.models.session import TenantSessions
from portal.services.payments.inbox import store_events

bp = Blueprint("payment_webhook", __name__)
csrf.exempt(bp)
log = structlog.get_logger()
MOST_BYTES = 256 * 1024


@bp.post("/webhooks/stripe")
@public
def take() -> ResponseReturnValue:
    """204 once the event is committed, also where it was before; 400 for what our gateway did not send."""
    found = gateway()
    if found is None:
        abort(404)
    request.max_content_length = MOST_BYTES
    try:
        seen = found.construct_event(request.get_data(cache=False), request.headers.get("Stripe-Signature"))
    except EventRefused as refused:
        log.warning("webhook_refused", reason=str(refused))
        abort(400)
    sessions = TenantSessions(cast(Engine, current_app.extensions["portal_engine"]))
    store_events(sessions, [seen], now=http.now())
    return Response(status=204)
