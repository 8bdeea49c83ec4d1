"""Sign-ins that did not work, kept for whoever looks into them later (SEC-05)."""

from datetime import datetime
from uuid import UUID

from portal.authz import visitor
from portal.events import audit
from portal.lib.text import has_forbidden_characters
from portal.models.session import TenantSession
from portal.services.accounts.identity import find_login
from portal.services.accounts.sessions import Origin


def record_refused_sign_in(
    session: TenantSession, *, identifier: str, door: str, origin: Origin, now: datetime, last: bool = False
) -> None:
    """Write that somebody was refused at a door (`portal`, `admin`, `api`).

    Of what was typed only the id of the login is kept, and only where there is one: people type passwords into
    the wrong field. The same statements run either way. `last` as in `Denial`.
    """
    login = None if has_forbidden_characters(identifier) else find_login(session, identifier, None)
    _record(session, login.id if login else None, door=door, origin=origin, now=now, last=last)


def record_refused_login(
    session: TenantSession, login_id: UUID, *, door: str, origin: Origin, now: datetime, last: bool = False
) -> None:
    """Write that a login was refused at a door although its proof was right: another way in is prescribed."""
    _record(session, login_id, door=door, origin=origin, now=now, last=last)


def _record(
    session: TenantSession, login_id: UUID | None, *, door: str, origin: Origin, now: datetime, last: bool
) -> None:
    audit(
        session,
        "user.sign_in_refused",
        "user",
        login_id,
        actor=visitor(session.tenant_id, ip=origin.ip, request_id=origin.request_id),
        now=now,
        after={"door": door} | ({"last": True} if last else {}),
    )
