"""One message, one transaction: what every way in calls, whether by a server, a mailbox or a webhook."""

import logging
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from portal.integrations.storage import StorageUnavailable
from portal.lib.faults import crash_point
from portal.models.session import TenantSession, TenantSessions
from portal.services.mail_in.taking import MailTools, Taken, note_broken, take_mail

log = logging.getLogger(__name__)


class MailNotTaken(Exception):
    """Not now: nothing was noted, the same message may come again."""


def deliver(
    sessions: TenantSessions,
    tenant_id: UUID,
    raw: bytes,
    *,
    recipient: str,
    tools: MailTools,
    now: datetime,
    beside: Callable[[TenantSession], None] | None = None,
) -> Taken:
    """Take a message in and commit; `beside` writes in the same transaction. Raises MailNotTaken during outages.

    A message that breaks something of ours is noted as held instead of coming again for ever.
    """
    try:
        with sessions.begin(tenant_id) as session:
            taken = take_mail(session, raw, recipient=recipient, tools=tools, now=now)
            if beside is not None:
                beside(session)
            crash_point("mail_in.pre_commit")
    except (OperationalError, InterfaceError, PoolTimeout, StorageUnavailable) as error:
        raise MailNotTaken(type(error).__name__) from error
    except Exception:
        log.exception("a mail of tenant %s broke its way in", tenant_id)
        taken = _note_broken(sessions, tenant_id, raw, recipient, now, beside)
    crash_point("mail_in.post_commit")
    return taken


def _note_broken(
    sessions: TenantSessions,
    tenant_id: UUID,
    raw: bytes,
    recipient: str,
    now: datetime,
    beside: Callable[[TenantSession], None] | None,
) -> Taken:
    try:
        with sessions.begin(tenant_id) as session:
            taken = note_broken(session, raw, recipient=recipient, now=now)
            if beside is not None:
                beside(session)
            return taken
    except (OperationalError, InterfaceError, PoolTimeout) as error:
        raise MailNotTaken(type(error).__name__) from error
