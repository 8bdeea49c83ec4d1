"""A company's agreement to be charged by itself: on, off, by which method, up to what amount (H7.7)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from portal.authz import Actor, Permission, require
from portal.errors import Forbidden, NotFound, invalid
from portal.events import publish
from portal.events.payments import AutoPaySaved
from portal.models import AutoPay, AutoPayAttempt, AutoPayState, Invoice, PaymentMethod
from portal.models.session import TenantSession
from portal.services.billing.settings import load_settings
from portal.services.payments.auto_outcome import retry_now
from portal.services.payments.methods import CONSENT_VERSION, get_method
from portal.services.payments.offering import refusal_of

PLANS_SHOWN = 20


@dataclass(frozen=True)
class Agreement:
    """What is wanted; no method is the default one, no limit (minor units) whatever is due."""

    enabled: bool
    method_id: UUID | None = None
    limit: int | None = None


def read_agreement(session: TenantSession, company_id: UUID) -> AutoPay | None:
    """The agreement of a company, if it ever made one."""
    return session.get(AutoPay, company_id)


def own_company(actor: Actor, company_id: UUID | None) -> UUID:
    """The company whose money the actor may decide about. Raises Forbidden and NotFound."""
    require(actor, Permission.INVOICES_PAY)
    wanted = company_id or next(iter(actor.admin_company_ids), None)
    if wanted is None or wanted not in actor.company_ids:
        raise NotFound("company")
    if wanted not in actor.admin_company_ids:
        raise Forbidden("not_allowed", permission=Permission.INVOICES_PAY.value)
    return wanted


def save_agreement(
    session: TenantSession, company_id: UUID | None, wanted: Agreement, *, actor: Actor, now: datetime
) -> AutoPay:
    """Switch auto-pay on or off. With another method what failed is tried again at once.

    Raises Forbidden, NotFound and Invalid (`payment_method_id`, `limit`).
    """
    company = own_company(actor, company_id)
    if wanted.limit is not None and wanted.limit <= 0:
        raise invalid("limit", "must_be_above_zero")
    plan = session.scalar(select(AutoPay).where(AutoPay.customer_id == company).with_for_update())
    if plan is None:
        plan = AutoPay(customer_id=company, enabled=False)
        session.add(plan)
    before = {"enabled": plan.enabled, "limit": plan.limit}
    if wanted.enabled:
        _agree(session, plan, wanted, actor, now)
    plan.enabled, plan.updated_at = wanted.enabled, now
    after = {"enabled": plan.enabled, "limit": plan.limit}
    fact = AutoPaySaved(company, company_id=company, enabled=plan.enabled)
    publish(session, fact, actor=actor, now=now, before=before, after=after)
    return plan


def plans_of(session: TenantSession, company_id: UUID) -> list[tuple[Invoice, AutoPayAttempt]]:
    """What auto-pay is about to do with which invoice of a company, the one due first in front."""
    rows = session.execute(
        select(Invoice, AutoPayAttempt)
        .join(AutoPayAttempt, AutoPayAttempt.invoice_id == Invoice.id)
        .where(
            Invoice.customer_id == company_id, AutoPayAttempt.state != AutoPayState.DONE, AutoPayAttempt.attempts > 0
        )
        .order_by(Invoice.due_on, Invoice.id)
        .limit(PLANS_SHOWN)
    )
    return [(invoice, attempt) for invoice, attempt in rows]


def _agree(session: TenantSession, plan: AutoPay, wanted: Agreement, actor: Actor, now: datetime) -> None:
    method = _method(session, plan, wanted, actor)
    refusal = refusal_of(load_settings(session), method, None)
    if refusal:
        raise invalid("payment_method_id", refusal)
    changed = plan.method_id != method.id
    plan.method_id, plan.limit = method.id, wanted.limit
    plan.consent_by, plan.consent_at = actor.user_id, now
    plan.consent_address, plan.consent_version = actor.ip, CONSENT_VERSION
    if changed:
        retry_now(session, plan.customer_id, now=now)


def _method(session: TenantSession, plan: AutoPay, wanted: Agreement, actor: Actor) -> PaymentMethod:
    if wanted.method_id is not None:
        try:
            method = get_method(session, wanted.method_id, actor=actor)
        except NotFound:
            raise invalid("payment_method_id", "method_unknown") from None
        if method.customer_id != plan.customer_id:
            raise invalid("payment_method_id", "method_unknown")
        return method
    found = session.scalar(
        select(PaymentMethod).where(
            PaymentMethod.customer_id == plan.customer_id, PaymentMethod.is_default, PaymentMethod.removed_at.is_(None)
        )
    )
    if found is None:
        raise invalid("payment_method_id", "method_unknown")
    return found
