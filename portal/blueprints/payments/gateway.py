"""The gateway as requests use it, after their commit: the one outside call that a click on “Pay” waits for."""

from typing import cast
from uuid import UUID

import structlog
from flask import current_app
from sqlalchemy import Engine

from portal.blueprints import http
from portal.errors import Conflict
from portal.integrations.payment_gateway import PaymentGateway
from portal.integrations.payments import GatewayUnavailable
from portal.models.session import TenantSessions
from portal.services.payments.applying import Desk, GatewayMismatch, apply_payment
from portal.services.payments.calling import carry_out

log = structlog.get_logger()


def gateway() -> PaymentGateway | None:
    """The configured gateway; None where payments are off."""
    return cast("PaymentGateway | None", current_app.extensions.get("portal_gateway"))


def desk() -> Desk:
    """What booking needs, for the request's tenant. Raises Conflict `payments_off`."""
    found = gateway()
    if found is None:
        raise Conflict("payments_off")
    sessions = TenantSessions(cast(Engine, current_app.extensions["portal_engine"]))
    return Desk(sessions, found, http.tenant().id, http.settings().base_url)


def ask_gateway(payment_id: UUID) -> None:
    """Ask for a payment that was just committed. Without an answer it stays under way: its workflow asks again."""
    try:
        carry_out(desk(), payment_id, now=http.now())
    except GatewayUnavailable as error:
        log.warning("payment_waits", payment=str(payment_id), error=str(error))
    http.session().expire_all()


def bring_up_to_date(payment_id: UUID) -> None:
    """Read what became of a payment; without an answer the page shows what is known."""
    try:
        apply_payment(desk(), payment_id, now=http.now())
    except (Conflict, GatewayUnavailable, GatewayMismatch) as error:
        log.warning("payment_not_read", payment=str(payment_id), error=type(error).__name__)
    http.session().expire_all()
