"""When what is asked for by itself begins anew: another due date, or the end of what kept it back."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select

from portal.authz import Actor
from portal.models import Invoice, Tenant
from portal.models.session import TenantSession
from portal.services.billing.issuing import end_of_day
from portal.services.billing.plan import LATE_FEE, OVERDUE
from portal.services.billing.planning import plan_invoice
from portal.services.billing.settings import load_settings
from portal.services.billing.status import settle_invoice
from portal.services.billing.steps import write_next_steps


def restart_dunning(session: TenantSession, invoice: Invoice, *, now: datetime) -> None:
    """Count reminders and the late fee from now where the due time is past; the row is locked by the caller.

    While a payment plan is in force, the due time is its next instalment's.
    Nobody is charged or reminded for the days in which nothing was asked for. Steps that would have come meanwhile
    are passed over.
    """
    due_at = invoice.plan_due_at or invoice.due_at
    if due_at is None or due_at > now:
        return
    invoice.dunning_from = now
    _pass_over(session, invoice, now)
    write_next_steps(session, invoice, now=now)


def move_due_day(session: TenantSession, invoice: Invoice, day: date, *, actor: Actor, now: datetime) -> None:
    """Another due date: it is overdue and reminded of anew, at the new date's times; the row is locked.

    What was done for the old date stays known under its date. A late fee that was charged stays, and is not charged
    a second time.
    """
    old = invoice.due_on
    zone = ZoneInfo(session.scalars(select(Tenant.timezone).where(Tenant.id == session.tenant_id)).one())
    invoice.due_on, invoice.due_at, invoice.dunning_from = day, end_of_day(day, zone), None
    kept = {key: at for key, at in invoice.dunned.items() if key == LATE_FEE and at}
    done = {f"{key}@{old}": at for key, at in invoice.dunned.items() if at and key != LATE_FEE and "@" not in key}
    earlier = {key: at for key, at in invoice.dunned.items() if "@" in key}
    invoice.dunned = earlier | done | kept
    settle_invoice(session, invoice, actor=actor, now=now)
    _pass_over(session, invoice, now)


def _pass_over(session: TenantSession, invoice: Invoice, now: datetime) -> None:
    steps = plan_invoice(session, invoice, load_settings(session))
    past = {step.key: "" for step in steps if step.at <= now and step.key != OVERDUE}
    invoice.dunned = {**invoice.dunned, **past}
