"""Accepting a payment plan in writing: once, of exactly what was shown; from then on it is in force."""

import re
from dataclasses import dataclass
from datetime import datetime, time
from uuid import UUID, uuid4

from sqlalchemy import select

from portal.authz import Actor, Permission, require
from portal.errors import Conflict, FieldError, Forbidden, Invalid, NotFound, invalid
from portal.events import publish
from portal.events.plans import PlanAccepted
from portal.events.scheduled import PaymentScheduled
from portal.lib.letters import translator
from portal.lib.text import clean_text, has_forbidden_characters
from portal.lib.wording.plans import CONSENT_VERSION, consent_text
from portal.models import (
    Company,
    Invoice,
    PaymentMethod,
    PaymentPlan,
    Person,
    PlanInstalment,
    PlanStatus,
    ScheduledPayment,
    ScheduleStatus,
    Signature,
    SignatureStatus,
    User,
)
from portal.models.session import TenantSession
from portal.services.billing.instalments import list_instalments
from portal.services.billing.issuing import tenant_today
from portal.services.billing.plan import INSTALMENT
from portal.services.billing.planned import end_one, list_planned, write_step
from portal.services.billing.planning import plan_invoice
from portal.services.billing.settings import load_settings
from portal.services.billing.status import settle_invoice
from portal.services.payments.auto_outcome import plan_anew
from portal.services.payments.methods import get_method
from portal.services.payments.scheduling import tenant_zone
from portal.services.plans.asking import is_plannable, lock_plan, may_answer_plan
from portal.services.plans.content import fingerprint
from portal.services.plans.queries import get_plan
from portal.services.quotes.accepting import NAME_LENGTH, Evidence

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class PlanAcceptance:
    """What the signer sent; with a saved method each instalment is charged as its day begins."""

    signer_name: str
    content_sha256: str
    consent: bool
    method_id: UUID | None = None


def accept_plan(
    session: TenantSession, plan_id: UUID, given: PlanAcceptance, *, evidence: Evidence, actor: Actor, now: datetime
) -> PaymentPlan:
    """Sign an offered plan of the own company; it replaces what was scheduled for its invoice.

    Raises NotFound, Forbidden, Invalid per field, and Conflict: `plan_not_offered`, `plan_changed` where another
    content was shown than the one that stands, and `plan_outdated` where its first day is past, or what is owed is
    another amount, in a payment or in dispute by now.
    """
    require(actor, Permission.INVOICES_READ)
    if not may_answer_plan(get_plan(session, plan_id, actor=actor), actor):
        raise Forbidden("not_allowed")
    name = _check_fields(given)
    invoice, plan = lock_plan(session, plan_id, actor=actor)
    if plan.status is not PlanStatus.GRANTED:
        raise Conflict("plan_not_offered")
    instalments = list_instalments(session, plan.id)
    stands = fingerprint(plan, invoice, instalments)
    if given.content_sha256 != stands.hex() or plan.content_sha256 != stands:
        raise Conflict("plan_changed")
    late = instalments[0].due_on < tenant_today(session, now)
    if late or not is_plannable(invoice) or invoice.outstanding != plan.total:
        raise Conflict("plan_outdated")
    method = _method(session, plan, instalments, given.method_id, actor) if given.method_id else None
    signature = _sign(session, plan, name, evidence, actor, now)
    plan.status, plan.accepted_at, plan.signature_id = PlanStatus.IN_FORCE, now, signature.id
    for planned in list_planned(session, invoice.id):
        end_one(session, planned, "plan_accepted", actor=actor, now=now)
    if method is not None:
        _schedule(session, plan, instalments, method, actor, now)
    _begin(session, invoice, instalments, actor, now)
    after = {"status": plan.status.value, "content_sha256": stands.hex(), "signature_id": str(signature.id)}
    publish(session, PlanAccepted.about(plan), actor=actor, now=now, before={"status": "granted"}, after=after)
    return plan


def _check_fields(given: PlanAcceptance) -> str:
    errors, name = [], " ".join(clean_text(given.signer_name).split())
    if has_forbidden_characters(given.signer_name):
        errors.append(FieldError("signer_name", "characters_forbidden"))
    elif not name:
        errors.append(FieldError("signer_name", "required"))
    elif len(name) > NAME_LENGTH:
        errors.append(FieldError("signer_name", "too_long", (("limit", NAME_LENGTH),)))
    if given.consent is not True:
        errors.append(FieldError("consent", "consent_required"))
    if not _SHA256.fullmatch(given.content_sha256):
        errors.append(FieldError("content_sha256", "hash_invalid"))
    if errors:
        raise Invalid(*errors)
    return name


def _method(
    session: TenantSession, plan: PaymentPlan, instalments: list[PlanInstalment], method_id: UUID, actor: Actor
) -> PaymentMethod:
    """A saved method of the company, good until the last day; only whoever may pay names one."""
    require(actor, Permission.INVOICES_PAY)
    if plan.customer_id not in actor.admin_company_ids:
        raise Forbidden("not_allowed", permission=Permission.INVOICES_PAY.value)
    try:
        method = get_method(session, method_id, actor=actor)
    except NotFound:
        raise invalid("payment_method_id", "method_unknown") from None
    if method.customer_id != plan.customer_id:
        raise invalid("payment_method_id", "method_unknown")
    last = instalments[-1].due_on
    if method.exp_year and method.exp_month and (method.exp_year, method.exp_month) < (last.year, last.month):
        raise invalid("payment_method_id", "method_ends_before")
    return method


def _sign(
    session: TenantSession, plan: PaymentPlan, name: str, evidence: Evidence, actor: Actor, now: datetime
) -> Signature:
    company = session.get_one(Company, plan.customer_id)
    address = select(Person.email).join(User, User.person_id == Person.id).where(User.id == actor.user_id)
    signature = Signature(
        id=uuid4(),
        tenant_id=session.tenant_id,
        record_type="payment_plan",
        record_id=plan.id,
        user_id=actor.user_id,
        side="customer",
        status=SignatureStatus.SIGNED,
        signer_name=name,
        signer_email=session.scalar(address) or "",
        content_sha256=plan.content_sha256,
        consent_version=CONSENT_VERSION,
        consent_text=consent_text(company.name, translator(evidence.locale)),
        address=evidence.ip[:45],
        user_agent=evidence.user_agent[:255],
        factors=evidence.factors[:60],
        decided_at=now,
        created_at=now,
    )
    session.add(signature)
    session.flush()
    return signature


def _schedule(
    session: TenantSession,
    plan: PaymentPlan,
    instalments: list[PlanInstalment],
    method: PaymentMethod,
    actor: Actor,
    now: datetime,
) -> None:
    """A scheduled payment for each instalment; one whose day has begun is paid by hand."""
    zone, plan.method_id = tenant_zone(session), method.id
    for one in instalments:
        charge_at = datetime.combine(one.due_on, time(), zone)
        if charge_at <= now:
            continue
        planned = ScheduledPayment(
            id=uuid4(),
            customer_id=plan.customer_id,
            invoice_id=plan.invoice_id,
            method_id=method.id,
            amount=one.amount,
            currency=plan.currency,
            day=one.due_on,
            charge_at=charge_at,
            status=ScheduleStatus.PLANNED,
            created_by=actor.user_id,
            created_at=now,
            updated_at=now,
        )
        session.add(planned)
        session.flush()
        one.scheduled_id = planned.id
        write_step(session, planned)
        after = {"day": one.due_on.isoformat(), "amount": one.amount}
        publish(session, PaymentScheduled.about(planned), actor=actor, now=now, after=after)


def _begin(
    session: TenantSession, invoice: Invoice, instalments: list[PlanInstalment], actor: Actor, now: datetime
) -> None:
    """The instalments' dates count from now on; what an earlier plan of the invoice did is forgotten."""
    invoice.plan_due_at, invoice.dunning_from = instalments[0].due_at, None
    invoice.dunned = {key: at for key, at in invoice.dunned.items() if not key.startswith(INSTALMENT)}
    past = {step.key: "" for step in plan_invoice(session, invoice, load_settings(session)) if step.at <= now}
    invoice.dunned = {**invoice.dunned, **past}
    plan_anew(session, invoice, at=None, now=now)
    settle_invoice(session, invoice, actor=actor, now=now)
