"""Sending a refund right after its commit, so that whoever asked for it sees what became of it."""

import structlog

from portal.blueprints import http
from portal.blueprints.payments.gateway import desk
from portal.errors import Conflict
from portal.integrations.payments import GatewayUnavailable
from portal.models import Refund, RefundStatus
from portal.services.payments.refunds import send_refund

log = structlog.get_logger()


def send_if_approved(refund: Refund) -> None:
    """Have the gateway send it; without an answer its workflow goes on trying."""
    if refund.status is not RefundStatus.APPROVED:
        return
    try:
        send_refund(desk(), refund.id, now=http.now())
    except (Conflict, GatewayUnavailable) as error:
        log.warning("refund_waits", refund=str(refund.id), error=type(error).__name__)
    http.session().expire_all()
