"""Whoever asked for a statement is told when it is ready, or that it will not be: by bell and by mail."""

from datetime import datetime
from uuid import uuid4

from sqlalchemy import select

from portal.authz import Permission, system_actor
from portal.events import tell
from portal.events.notifications import NotificationsCreated
from portal.lib.letters import translator
from portal.lib.wording import N_
from portal.lib.wording.statements import FORMAT, REFUSALS
from portal.models import Company, Notification, Statement, StatementState, Tenant, User, UserStatus
from portal.models.session import TenantSession
from portal.services.accounts.identity import Identity, build_identity, select_identity
from portal.services.accounts.messages import AccountMessage, Addressee, queue_mail
from portal.services.statements.files import CONTENT_TYPES
from portal.services.statements.words import day_text, file_name, statement_title
from portal.services.tenants.directory import TenantProfile, load_profile


def tell_requester(session: TenantSession, statement: Statement, *, attach: bool, base_url: str, now: datetime) -> None:
    """Write the notice and the mail; nobody is told who may not read the account any more."""
    person = _requester(session, statement)
    if person is None:
        return
    tenant = load_profile(session, session.scalars(select(Tenant).where(Tenant.id == session.tenant_id)).one())
    wanted = person.user.locale
    locale = wanted if wanted in tenant.locales and wanted else tenant.locale
    _mail(session, statement, person, tenant, locale, attach=attach, base_url=base_url, now=now)
    event_id = uuid4()
    session.add(
        Notification(
            id=uuid4(),
            user_id=person.user.id,
            event_id=event_id,
            kind="statement_ready" if statement.state is StatementState.READY else "statement_failed",
            record_type="statement",
            record_id=statement.id,
            params={"subject": _span(statement, locale)},
            created_at=now,
        )
    )
    told = NotificationsCreated(event_id, user_ids=(person.user.id,))
    tell(session, told, actor=system_actor(session.tenant_id), now=now)


def _mail(
    session: TenantSession,
    statement: Statement,
    person: Identity,
    tenant: TenantProfile,
    locale: str,
    *,
    attach: bool,
    base_url: str,
    now: datetime,
) -> None:
    company = session.scalar(select(Company.name).where(Company.id == statement.customer_id))
    ready, staff = statement.state is StatementState.READY, person.actor.is_staff
    file = {
        "key": statement.storage_key or "",
        "name": file_name(statement),
        "content_type": CONTENT_TYPES[statement.format],
    }
    message = AccountMessage(
        "statement_ready" if ready else "statement_failed",
        path=f"/admin/statements/{statement.id}" if staff else "/portal/statements",
        params={
            "topic": statement_title(statement, locale),
            "attached": attach,
            "why": translator(locale)(REFUSALS.get(statement.failure or "", "")) if statement.failure else "",
        },
        facts=[
            (N_("Account of"), company or ""),
            (N_("Period"), _span(statement, locale)),
            (N_("File"), FORMAT[statement.format.value]),
        ],
        folder="billing",
        attachment=file if attach else None,
    )
    queue_mail(
        session,
        message,
        Addressee(person.email, person.person_name, person.user.id, person.user.locale, person.user.timezone),
        tenant=tenant,
        base_url=base_url,
        actor=system_actor(session.tenant_id),
        now=now,
    )


def _requester(session: TenantSession, statement: Statement) -> Identity | None:
    row = session.execute(
        select_identity().where(User.id == statement.requested_by, User.status == UserStatus.ACTIVE, User.portal_access)
    ).one_or_none()
    person = build_identity(row) if row is not None else None
    if person is None:
        return None
    actor = person.actor
    if actor.is_staff:
        return person if actor.may(Permission.BILLING_READ) else None
    may = actor.may(Permission.INVOICES_READ) and statement.customer_id in actor.company_ids
    return person if may else None


def _span(statement: Statement, locale: str) -> str:
    return f"{day_text(statement.start_on, locale)} – {day_text(statement.end_on, locale)}"
