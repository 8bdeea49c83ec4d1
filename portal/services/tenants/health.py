"""The state of what the product stands on, as the worker's heartbeats and the database tell it."""

from datetime import datetime, timedelta

from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError

from portal.models import Heartbeat


def read_health(engine: Engine, *, now: datetime, life: timedelta, payments: str = "off") -> dict[str, str]:
    """`ok` or `unavailable` per part; a heartbeat older than `life` counts as none.

    The worker beats `worker` by itself and `temporal` through a call to the server, so that the web
    process needs no connection of its own to it. `payments` is what the probe of the gateway knows.
    """
    try:
        with engine.connect() as connection:
            beats = {row.name: row.at for row in connection.execute(select(Heartbeat.name, Heartbeat.at))}
    except SQLAlchemyError:
        return {"database": "unavailable", "temporal": "unavailable", "worker": "unavailable", "payments": payments}
    alive = {name for name, at in beats.items() if now - at < life}
    states = {name: "ok" if name in alive else "unavailable" for name in ("temporal", "worker")}
    return {"database": "ok", **states, "payments": payments}
