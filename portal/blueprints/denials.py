"""Denials go to the audit trail, each in a short transaction of its own, after the request's was rolled back.

A flood is cut off: of one person, or of one address where nobody is signed in, sixty a minute are written, and
the row that reaches the limit says so. What was asked too often, or without a form's token, is no denial.
"""

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import structlog
from flask import current_app, g, request
from limits import RateLimitItemPerMinute
from sqlalchemy.exc import SQLAlchemyError

from portal.authz import Actor, visitor
from portal.blueprints import http
from portal.blueprints.guard import door
from portal.blueprints.rates import count, is_within, origin_key
from portal.errors import Forbidden
from portal.models.session import TenantSession, TenantSessions
from portal.services.accounts.refused_sign_ins import record_refused_login, record_refused_sign_in
from portal.services.audit.denials import Denial, record_denial

log = structlog.get_logger()
DENIALS = RateLimitItemPerMinute(60, namespace="denials")
Write = Callable[[TenantSession, bool], None]


def asked_for() -> tuple[str | None, UUID | None]:
    """The record that the address names: `<uuid:ticket_id>` is a ticket."""
    for name, value in (request.view_args or {}).items():
        if name.endswith("_id") and isinstance(value, UUID):
            return name.removesuffix("_id"), value
    return None, None


def note_refusal(error: Forbidden) -> None:
    """Write that the guard or a service refused this request."""
    found = http.identity()
    where = http.origin()
    actor = found.actor if found else visitor(http.tenant().id, ip=where.ip, request_id=where.request_id)
    record_type, record_id = asked_for()
    note_denial(
        Denial(
            door=door(),
            endpoint=request.endpoint or "",
            code=error.code,
            permission=error.params.get("permission"),
            record_type=record_type,
            record_id=record_id,
        ),
        actor,
    )


def note_denial(denial: Denial, actor: Actor) -> None:
    """Write a denial of somebody's."""

    def write(session: TenantSession, last: bool) -> None:
        record_denial(session, replace(denial, last=last), actor=actor, now=http.now())

    _write_unless_flooded(actor.tenant_id, str(actor.user_id or origin_key()), write)


def note_refused_sign_in(identifier: str) -> None:
    """Write that a sign-in was refused at the request's door."""

    def write(session: TenantSession, last: bool) -> None:
        record_refused_sign_in(
            session, identifier=identifier, door=door(), origin=http.origin(), now=http.now(), last=last
        )

    _write_unless_flooded(http.tenant().id, origin_key(), write)


def note_refused_login(login_id: UUID) -> None:
    """Write that a login was refused at the request's door, after a right proof."""

    def write(session: TenantSession, last: bool) -> None:
        record_refused_login(session, login_id, door=door(), origin=http.origin(), now=http.now(), last=last)

    _write_unless_flooded(http.tenant().id, origin_key(), write)


def _write_unless_flooded(tenant_id: UUID, who: str, write: Write) -> None:
    key = (str(tenant_id), who)
    if not count(DENIALS, *key):
        return
    try:
        with TenantSessions(current_app.extensions["portal_engine"]).begin(tenant_id) as session:
            write(session, not is_within(DENIALS, *key))
    except SQLAlchemyError as error:
        # What was refused stays refused, whether or not it could be written down.
        log.warning("denial_not_written", error=type(error).__name__, request_id=g.get("request_id", ""))
