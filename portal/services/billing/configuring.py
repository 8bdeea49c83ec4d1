"""Changing how the tenant bills: seller, numbers, terms, fees, and the plan of reminders."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select

from portal.authz import Actor, Permission, require
from portal.errors import Conflict, FieldError, Invalid
from portal.events import audit, tell
from portal.events.billing import InvoiceChanged
from portal.lib.iso_durations import parse_iso_duration
from portal.lib.money import EXPONENTS, LARGEST
from portal.lib.pay_methods import PayMethod, known
from portal.lib.pricing import TaxRounding
from portal.models import BillingSettings, Invoice
from portal.models.session import TenantSession
from portal.services.billing.numbering import check_number_format
from portal.services.billing.plan import OVERDUE, PLANNED_IN
from portal.services.billing.planning import plan_invoice
from portal.services.billing.settings import load_settings
from portal.services.billing.steps import write_next_steps

SELLER_FIELDS = {
    "legal_name": 160,
    "tax_number": 40,
    "line1": 160,
    "line2": 160,
    "postal_code": 20,
    "city": 80,
    "country": 2,
    "iban": 34,
    "bic": 11,
}
FORMATS = ("invoice_number_format", "credit_note_number_format", "quote_number_format", "contract_number_format")
MOST_DAYS = 365
MOST_STEPS = 12


@dataclass(frozen=True)
class SettingsForm:
    """What is edited together; amounts in minor units of `currency`, `version` is the one that was shown."""

    currency: str
    seller: dict[str, str]
    tax_rounding: str
    payment_terms_days: int | None
    quote_valid_days: int | None
    invoice_number_format: str
    credit_note_number_format: str
    quote_number_format: str
    contract_number_format: str
    partial_payments: bool
    partial_minimum: int | None
    late_fee_percent: Decimal | None
    late_fee_after_days: int | None
    four_eyes_over: int | None
    version: int | None = None
    problems: Sequence[FieldError] = field(default=())


def get_settings(session: TenantSession, *, actor: Actor) -> BillingSettings:
    """The settings for whoever changes them. Raises Forbidden."""
    require(actor, Permission.BILLING_CONFIGURE)
    return load_settings(session)


def save_settings(session: TenantSession, form: SettingsForm, *, actor: Actor, now: datetime) -> BillingSettings:
    """Store the settings; invoices that are issued keep what was printed on them.

    Raises Forbidden, Invalid per field and Conflict `changed_meanwhile`.
    """
    require(actor, Permission.BILLING_CONFIGURE)
    _check(form)
    settings = load_settings(session, lock=True)
    if form.version is not None and form.version != settings.version:
        raise Conflict("changed_meanwhile")
    values = {name: value for name, value in asdict(form).items() if name not in ("version", "problems", "seller")}
    values |= {name: check_number_format(name, values[name]) for name in FORMATS}
    values["seller"] = {name: form.seller.get(name, "").strip() for name in SELLER_FIELDS}
    before = {name: getattr(settings, name) for name in values}
    changed = {name for name, value in values.items() if value != before[name]}
    if not changed:
        return settings
    for name, value in values.items():
        setattr(settings, name, value)
    _saved(session, settings, actor, now, {name: before[name] for name in changed}, {n: values[n] for n in changed})
    if changed & {"late_fee_percent", "late_fee_after_days"}:
        plan_anew(session, settings, actor=actor, now=now)
    return settings


def save_dunning(
    session: TenantSession,
    *,
    retry_after: Sequence[str] | None = None,
    reminders: Sequence[str] | None = None,
    actor: Actor,
    now: datetime,
) -> BillingSettings:
    """Store the plan in ISO 8601 durations; None keeps what there is. Unpaid invoices follow the new one.

    Retries count from the failed attempt before, reminders from the due time (negative: before it).
    Raises Forbidden and Invalid per field.
    """
    require(actor, Permission.BILLING_CONFIGURE)
    wanted = {"retry_after": retry_after, "reminders": reminders}
    checked = {name: _durations(name, texts) for name, texts in wanted.items() if texts is not None}
    settings = load_settings(session, lock=True)
    before = dict(settings.dunning)
    if before | checked == before:
        return settings
    settings.dunning = before | checked
    _saved(session, settings, actor, now, {"dunning": before}, {"dunning": settings.dunning})
    plan_anew(session, settings, actor=actor, now=now)
    return settings


def save_payment_methods(
    session: TenantSession, wanted: Sequence[str], *, version: int | None = None, actor: Actor, now: datetime
) -> BillingSettings:
    """Store which ways of paying are offered from now on; payments that were started go on as they are.

    `version` is the one that was shown. Raises Forbidden, Invalid for `payment_methods`, and Conflict
    `changed_meanwhile`.
    """
    require(actor, Permission.BILLING_CONFIGURE)
    if not wanted:
        raise Invalid(FieldError("payment_methods", "required"))
    if set(wanted) - set(PayMethod):
        raise Invalid(FieldError("payment_methods", "unknown_choice"))
    settings = load_settings(session, lock=True)
    if version is not None and version != settings.version:
        raise Conflict("changed_meanwhile")
    before, after = list(settings.payment_methods), [method.value for method in known(wanted)]
    if after == before:
        return settings
    settings.payment_methods = after
    _saved(session, settings, actor, now, {"payment_methods": before}, {"payment_methods": after})
    return settings


def plan_anew(session: TenantSession, settings: BillingSettings, *, actor: Actor, now: datetime) -> None:
    """Set the timers of unpaid invoices anew; what the new plan would have done by now is passed over."""
    session.flush()
    query = select(Invoice).where(Invoice.status.in_(PLANNED_IN)).order_by(Invoice.id).with_for_update()
    for invoice in session.scalars(query):
        planned = plan_invoice(session, invoice, settings)
        past = {step.key: "" for step in planned if step.at <= now and step.key != OVERDUE}
        if past:
            invoice.dunned = {**invoice.dunned, **past}
        write_next_steps(session, invoice, now=now)
        state = invoice.status.value
        tell(session, InvoiceChanged.about(invoice, from_status=state, to_status=state), actor=actor, now=now)


def _saved(
    session: TenantSession,
    settings: BillingSettings,
    actor: Actor,
    now: datetime,
    before: dict[str, Any],
    after: dict[str, Any],
) -> None:
    settings.version += 1
    record: UUID = settings.tenant_id
    plain = [{name: str(v) if isinstance(v, Decimal) else v for name, v in one.items()} for one in (before, after)]
    audit(
        session,
        "billing_settings.saved",
        "billing_settings",
        record,
        actor=actor,
        now=now,
        before=plain[0],
        after=plain[1],
    )


def _durations(field_name: str, texts: Sequence[str]) -> list[str]:
    if len(texts) > MOST_STEPS:
        raise Invalid(FieldError(field_name, "too_many", (("limit", MOST_STEPS),)))
    kept: list[str] = []
    for text in texts:
        try:
            span = parse_iso_duration(text)
        except ValueError:
            raise Invalid(FieldError(field_name, "iso_duration_invalid")) from None
        if field_name == "retry_after" and span <= timedelta():
            raise Invalid(FieldError(field_name, "iso_duration_invalid"))
        if text not in kept or field_name == "retry_after":
            kept.append(text)
    return kept


def _check(form: SettingsForm) -> None:
    errors = list(form.problems)
    if form.currency not in EXPONENTS:
        errors.append(FieldError("currency", "currency_unknown"))
    if form.tax_rounding not in tuple(TaxRounding):
        errors.append(FieldError("tax_rounding", "unknown_choice"))
    for name, low in (("payment_terms_days", 0), ("quote_valid_days", 1), ("late_fee_after_days", 0)):
        days = getattr(form, name)
        if days is None or not low <= days <= MOST_DAYS:
            errors.append(FieldError(name, "out_of_range", (("low", low), ("high", MOST_DAYS))))
    if form.late_fee_percent is None or not 0 <= form.late_fee_percent <= 100:
        errors.append(FieldError("late_fee_percent", "tax_rate_invalid"))
    for name in ("partial_minimum", "four_eyes_over"):
        amount = getattr(form, name)
        if (amount is None and name == "partial_minimum") or (amount is not None and not 0 <= amount <= LARGEST):
            errors.append(FieldError(name, "amount_invalid"))
    for name, length in SELLER_FIELDS.items():
        if len(form.seller.get(name, "").strip()) > length:
            errors.append(FieldError(name, "too_long", (("limit", length),)))
    country = form.seller.get("country", "").strip()
    if country and not (len(country) == 2 and country.isascii() and country.isupper() and country.isalpha()):
        errors.append(FieldError("country", "country_invalid"))
    if not form.seller.get("legal_name", "").strip():
        errors.append(FieldError("legal_name", "required"))
    if errors:
        raise Invalid(*{error.field: error for error in reversed(errors)}.values())
