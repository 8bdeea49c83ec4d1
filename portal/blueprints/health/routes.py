"""Whether the process lives, and whether the whole product can be used."""

from datetime import timedelta
from typing import cast

from flask import Blueprint, current_app, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy import Engine

from portal.blueprints.policies import public
from portal.integrations.gateway_probe import GatewayProbe
from portal.lib.clock import utcnow
from portal.services.tenants.health import read_health

bp = Blueprint("health", __name__)
HEARTBEAT_LIFE = timedelta(seconds=10)


@bp.get("/healthz")
@public
def live() -> ResponseReturnValue:
    """The process answers."""
    return jsonify(status="ok")


@bp.get("/readyz")
@public
def ready() -> ResponseReturnValue:
    """Database, worker, Temporal and the payment gateway answer; 503 while one does not."""
    engine = cast(Engine, current_app.extensions["portal_engine"])
    probe = cast(GatewayProbe, current_app.extensions["portal_gateway_probe"])
    checks = read_health(engine, now=utcnow(), life=HEARTBEAT_LIFE, payments=probe.state())
    fine = all(state in ("ok", "off") for state in checks.values())
    return jsonify(status="ok" if fine else "unavailable", checks=checks), 200 if fine else 503
