"""Emptying a tenant's mailbox: each message is committed first and settled at the server afterwards.

A crash between the two leaves it unread; it is read once more then and known by its Message-ID. The last number
seen is kept for people to see; it is not what decides, since people mark messages as unread again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update

from portal.authz import Actor, Permission, require
from portal.errors import invalid
from portal.events import audit
from portal.integrations.imap import Mailbox, MailboxError, MailboxLogin, OpenMailbox
from portal.lib.faults import crash_point
from portal.lib.mail_parsing import MAX_BYTES
from portal.lib.vault import UnreadableSecret, Vault
from portal.models import MailIntake, Tenant
from portal.models.session import TenantSession, TenantSessions
from portal.services.mail_in.delivering import deliver
from portal.services.mail_in.taking import MailTools

# So many messages of one tenant, then it is the next one's turn.
BATCH = 50


@dataclass(frozen=True)
class Polled:
    """How many messages were taken, and the code of what went wrong."""

    taken: int
    error: str = ""


def list_polled(sessions: TenantSessions) -> list[UUID]:
    """Tenants whose mailbox is to be emptied."""
    with sessions.begin_directory() as session:
        tenant_ids = list(session.scalars(select(Tenant.id).execution_options(all_tenants=True)))
    return [tenant_id for tenant_id in tenant_ids if _is_polled(sessions, tenant_id)]


def poll_mailbox(
    sessions: TenantSessions,
    tenant_id: UUID,
    *,
    tools: MailTools,
    open_mailbox: OpenMailbox,
    clock: Callable[[], datetime],
) -> Polled:
    """Take what is unread. Raises MailNotTaken during outages of ours; the server's are noted for the team."""
    with sessions.begin(tenant_id) as session:
        login = _login(session, tools.vault)
        recipient = session.scalars(select(Tenant.support_email).where(Tenant.id == tenant_id)).one()
    taken, error = 0, "mailbox_not_set"
    if login is not None:
        try:
            with open_mailbox(login) as mailbox:
                for uid in mailbox.unread()[:BATCH]:
                    taken += _take(sessions, tenant_id, mailbox, uid, recipient, tools=tools, now=clock())
            error = ""
        except MailboxError as refused:
            error = refused.code
    with sessions.begin(tenant_id) as session:
        session.execute(update(MailIntake).values(polled_at=clock(), last_error=error))
    return Polled(taken, error)


def try_mailbox(session: TenantSession, *, vault: Vault, open_mailbox: OpenMailbox, actor: Actor, now: datetime) -> int:
    """Try what is stored; gives the number of unread messages. Raises Forbidden and Invalid about `host`."""
    require(actor, Permission.MAIL_CONFIGURE)
    login = _login(session, vault)
    if login is None:
        raise invalid("host", "mailbox_not_set")
    audit(session, "mail_intake.tested", "mail_intake", session.tenant_id, actor=actor, now=now)
    try:
        with open_mailbox(login) as mailbox:
            return len(mailbox.unread())
    except MailboxError as refused:
        raise invalid("host", refused.code) from refused


def _take(
    sessions: TenantSessions,
    tenant_id: UUID,
    mailbox: Mailbox,
    uid: int,
    recipient: str,
    *,
    tools: MailTools,
    now: datetime,
) -> bool:
    raw = mailbox.fetch(uid, MAX_BYTES + 1)
    if raw is None:
        return False
    seen = {"uid_validity": mailbox.uid_validity, "last_uid": uid}

    def note(session: TenantSession) -> None:
        session.execute(update(MailIntake).values(**seen))

    deliver(sessions, tenant_id, raw, recipient=recipient, tools=tools, now=now, beside=note)
    crash_point("mail_in.pre_settle")
    mailbox.settle(uid)
    return True


def _is_polled(sessions: TenantSessions, tenant_id: UUID) -> bool:
    with sessions.begin(tenant_id) as session:
        return bool(session.scalar(select(MailIntake.polled)))


def _login(session: TenantSession, vault: Vault) -> MailboxLogin | None:
    intake = session.scalar(select(MailIntake))
    if intake is None or not intake.host or intake.password is None:
        return None
    try:
        password = vault.decrypt(intake.password).decode()
    except UnreadableSecret:
        return None
    return MailboxLogin(
        intake.host, intake.port, intake.security, intake.username, password, intake.folder, intake.done_folder
    )
