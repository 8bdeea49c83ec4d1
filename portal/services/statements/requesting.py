"""Asking for a statement: checked at once, made later by the worker (H7.12, BIL-07)."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from portal.authz import Actor, Permission, require
from portal.errors import Conflict, NotFound, invalid
from portal.events import audit, publish
from portal.events.statements import StatementRequested
from portal.models import Company, Statement, StatementFormat, StatementKind, StatementState, Tenant
from portal.models.session import TenantSession
from portal.services.statements.queries import get_statement

# Files are made one after the other; more at a time is somebody's program gone astray.
MOST_WAITING = 10
LONGEST = timedelta(days=3_660)
FIRST_YEAR, LAST_DAY = 2000, date(9000, 1, 1)


@dataclass(frozen=True)
class StatementRequest:
    """What is asked for: a span of days, both included, or a `year`; `company_id` None is the actor's own."""

    format: StatementFormat
    kind: StatementKind = StatementKind.PERIOD
    start: date | None = None
    end: date | None = None
    year: int | None = None
    company_id: UUID | None = None
    attach: bool = False


def request_statement(
    session: TenantSession, wanted: StatementRequest, *, locale: str, actor: Actor, now: datetime
) -> Statement:
    """Write down that a statement is wanted; what is booked after this transaction began is not in it.

    Raises Forbidden, NotFound (company), Invalid per field, and Conflict while many wait already.
    """
    company_id = _company(session, wanted.company_id, actor)
    tenant = session.scalars(select(Tenant).where(Tenant.id == session.tenant_id)).one()
    start, end = _span(wanted, now.astimezone(ZoneInfo(tenant.timezone)).date())
    _require_room(session, company_id)
    made = Statement(
        id=uuid4(),
        customer_id=company_id,
        requested_by=actor.user_id,
        kind=wanted.kind,
        format=wanted.format,
        state=StatementState.QUEUED,
        start_on=start,
        end_on=end,
        zone=tenant.timezone,
        locale=locale,
        attach=wanted.attach,
        created_at=now,
    )
    session.add(made)
    told = {"kind": wanted.kind, "format": wanted.format, "start": start.isoformat(), "end": end.isoformat()}
    publish(session, StatementRequested.about(made), actor=actor, now=now, after=told)
    return made


def begin_download(session: TenantSession, statement_id: UUID, *, actor: Actor, now: datetime) -> Statement:
    """Note that somebody takes the file out; NotFound, Conflict while it is not there."""
    found = get_statement(session, statement_id, actor=actor)
    if found.state is not StatementState.READY or found.storage_key is None:
        raise Conflict("statement_not_ready")
    audit(session, "statement.downloaded", "statement", found.id, actor=actor, now=now)
    return found


def _company(session: TenantSession, company_id: UUID | None, actor: Actor) -> UUID:
    if actor.is_customer:
        require(actor, Permission.INVOICES_READ)
        wanted = company_id or next(iter((*actor.admin_company_ids, *actor.company_ids)), None)
        if wanted is None or wanted not in actor.company_ids:
            raise NotFound("company")
        return wanted
    require(actor, Permission.BILLING_READ)
    if company_id is None:
        raise invalid("customer_id", "required")
    if session.scalar(select(Company.id).where(Company.id == company_id)) is None:
        raise NotFound("company")
    return company_id


def _span(wanted: StatementRequest, today: date) -> tuple[date, date]:
    if wanted.kind is StatementKind.ANNUAL:
        if wanted.year is None:
            raise invalid("year", "required")
        if not FIRST_YEAR <= wanted.year <= today.year:
            raise invalid("year", "year_invalid")
        return date(wanted.year, 1, 1), date(wanted.year, 12, 31)
    if wanted.start is None:
        raise invalid("start", "required")
    if wanted.end is None:
        raise invalid("end", "required")
    if wanted.start.year < FIRST_YEAR:
        raise invalid("start", "date_invalid")
    if wanted.end > LAST_DAY:
        raise invalid("end", "date_invalid")
    if wanted.end < wanted.start:
        raise invalid("end", "end_before_start")
    if wanted.end - wanted.start > LONGEST:
        raise invalid("end", "span_too_long")
    return wanted.start, wanted.end


def _require_room(session: TenantSession, company_id: UUID) -> None:
    waiting = select(func.count()).where(Statement.customer_id == company_id, Statement.state == StatementState.QUEUED)
    if (session.scalar(waiting) or 0) >= MOST_WAITING:
        raise Conflict("statements_waiting", limit=MOST_WAITING)
