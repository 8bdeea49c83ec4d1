"""What comes to an unpaid invoice at its times: overdue, reminders, the late fee; each once, whoever asks how often."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select

from portal.authz import Actor, system_actor
from portal.events import publish
from portal.events.billing import InvoiceOverdue, InvoiceReminded
from portal.lib.letters import translator
from portal.lib.money import round_half_up
from portal.lib.wording.billing import LATE_FEE_LINE
from portal.models import BillingSettings, Invoice, InvoiceKind, InvoiceStatus
from portal.models.session import TenantSession
from portal.services.billing.holding import restart_dunning
from portal.services.billing.instalments import miss_plan, remind_of_instalment, standing_plan
from portal.services.billing.issuing import issue_from_lines
from portal.services.billing.lines import NewLine
from portal.services.billing.plan import OVERDUE, Step, StepKind, is_own
from portal.services.billing.planning import plan_invoice
from portal.services.billing.settings import load_settings
from portal.services.billing.status import settle_invoice, settle_status
from portal.services.billing.steps import write_next_steps

_ENDED = frozenset({InvoiceStatus.PAID, InvoiceStatus.VOID})


@dataclass(frozen=True)
class Wake:
    """When to look again (None: only when something changes); `done` ends the run."""

    at: datetime | None
    done: bool = False


def advance_invoice(session: TenantSession, invoice_id: UUID, *, cycle: int, now: datetime) -> Wake:
    """Carry out what is due by `now` and say when to come back; safe to repeat.

    Of several reminders that were missed (the worker was away) only the last is sent; of those that people chose
    for themselves each is told, and whoever writes to them takes the last of theirs.
    """
    invoice = session.scalar(select(Invoice).where(Invoice.id == invoice_id).with_for_update())
    if invoice is None or invoice.cycle != cycle or invoice.status in _ENDED:
        return Wake(None, done=True)
    settings, actor = load_settings(session), system_actor(session.tenant_id)
    due = [step for step in plan_invoice(session, invoice, settings) if step.at <= now]
    if due and invoice.plan_due_at is not None:
        _carry_out_plan(session, invoice, due, actor, now)
    elif due:
        _carry_out(session, invoice, due, settings, actor, now)
    if due:
        write_next_steps(session, invoice, now=now)
    left = plan_invoice(session, invoice, settings)
    return Wake(left[0].at if left else None)


def _carry_out(
    session: TenantSession,
    invoice: Invoice,
    due: list[Step],
    settings: BillingSettings,
    actor: Actor,
    now: datetime,
) -> None:
    reminders = [step for step in due if step.kind is StepKind.REMINDER and not is_own(step)]
    own = [step for step in due if step.kind is StepKind.REMINDER and is_own(step)]
    done = {step.key: "" for step in reminders[:-1]}
    done |= {step.key: step.at.isoformat() for step in due if step not in reminders[:-1]}
    # Marked before anything is told, in the same transaction: a repeat finds nothing left to do.
    invoice.dunned = {**invoice.dunned, **done}
    if OVERDUE in done:
        before, invoice.status = invoice.status, settle_status(invoice, now)
        after = {"status": invoice.status.value}
        publish(
            session, InvoiceOverdue.about(invoice), actor=actor, now=now, before={"status": before.value}, after=after
        )
    for step in reminders[-1:] + own:
        fact = InvoiceReminded.about(invoice, step=step.key.partition(":")[2])
        publish(session, fact, actor=actor, now=now, after={"step": fact.step})
    if any(step.kind is StepKind.LATE_FEE for step in due):
        _charge_late_fee(session, invoice, settings, actor, now)
    invoice.updated_at = now


def _carry_out_plan(session: TenantSession, invoice: Invoice, due: list[Step], actor: Actor, now: datetime) -> None:
    """Tell of an instalment, or end the plan whose instalment is missed: then the invoice is asked for as usual."""
    invoice.dunned = {**invoice.dunned, **{step.key: step.at.isoformat() for step in due}}
    invoice.updated_at = now
    plan = standing_plan(session, invoice.id)
    assert plan is not None
    if all(step.kind is not StepKind.PLAN_MISSED for step in due):
        remind_of_instalment(session, invoice, plan, due, actor=actor, now=now)
        return
    miss_plan(session, invoice, plan, actor=actor, now=now)
    restart_dunning(session, invoice, now=now)
    settle_invoice(session, invoice, actor=actor, now=now)


def _charge_late_fee(
    session: TenantSession, invoice: Invoice, settings: BillingSettings, actor: Actor, now: datetime
) -> None:
    """An invoice of its own over the tenant's percentage of what is owed and not disputed; damages bear no tax."""
    amount = round_half_up(Decimal(invoice.undisputed) * settings.late_fee_percent / 100)
    if amount <= 0:
        return
    label = translator(invoice.locale)(LATE_FEE_LINE, number=invoice.number)
    issue_from_lines(
        session,
        customer_id=invoice.customer_id,
        currency=invoice.currency,
        lines=[NewLine(label, unit_price=amount, tax_rate=Decimal(0), tax_name="", tax_category="E")],
        source_key=f"late_fee:{invoice.id}",
        kind=InvoiceKind.LATE_FEE,
        purchase_order=invoice.purchase_order,
        actor=actor,
        now=now,
    )
