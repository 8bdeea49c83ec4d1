"""Changing how a tenant has contracts signed: the consent, the usual order, the reminders; each saving is a version."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from portal.authz import Actor, Permission, require
from portal.errors import FieldError, Invalid
from portal.events import audit, tell
from portal.events.contracts import ContractReplanned
from portal.lib.iso_durations import format_iso_duration, parse_iso_duration
from portal.lib.text import clean_text, has_forbidden_characters
from portal.models import ConfigVersion, Contract, ContractStatus, Tenant
from portal.models.session import TenantSession
from portal.services.contracts.steps import write_next_steps
from portal.services.signing.policy import SETTING, SigningPolicy, read_signing_policy
from portal.services.tenants.config_versions import get_version, keep_next, list_versions

RECORD = "signing_policy"
CONSENT_LENGTH = 1000
MOST_REMINDERS = 12
LATEST_REMINDER = timedelta(days=366)


@dataclass(frozen=True)
class SigningForm:
    """The rules as they are edited; reminders are ISO 8601 durations after the sending, the consent is by language."""

    in_order: bool
    reminders: Sequence[str]
    consent: Mapping[str, str] = field(default_factory=dict)


def get_signing(session: TenantSession, *, actor: Actor) -> SigningPolicy:
    """The rules for whoever changes them. Raises Forbidden."""
    require(actor, Permission.BILLING_CONFIGURE)
    return read_signing_policy(_tenant(session).settings or {})


def save_signing(session: TenantSession, form: SigningForm, *, actor: Actor, now: datetime) -> SigningPolicy:
    """Store the rules, which makes a version where they differ; other words are a new version of the consent.

    Contracts that wait for signatures follow the new reminders at once; what would have come by now is passed over.
    Raises Forbidden and Invalid per field.
    """
    require(actor, Permission.BILLING_CONFIGURE)
    tenant = _tenant(session, lock=True)
    before = read_signing_policy(tenant.settings or {})
    policy = _checked(form, before, tenant)
    if policy == before:
        return policy
    kept = (tenant.settings or {}).get(SETTING)
    is_now, was = _plain(policy), _plain(before)
    stored = (kept if isinstance(kept, dict) else {}) | is_now | {"consent_version": policy.consent_version}
    tenant.settings = {**(tenant.settings or {}), SETTING: stored}
    keep_next(session, RECORD, tenant.id, before=was, form=is_now, actor=actor, now=now)
    audit(session, "tenant.signing_changed", "tenant", tenant.id, actor=actor, now=now, before=was, after=is_now)
    if policy.reminders != before.reminders:
        _plan_anew(session, policy, actor=actor, now=now)
    return policy


def list_signing_versions(session: TenantSession, *, actor: Actor) -> list[ConfigVersion]:
    """The rules as they were saved, the newest first; none while nobody has changed them. Raises Forbidden."""
    require(actor, Permission.BILLING_CONFIGURE)
    return list_versions(session, RECORD, session.tenant_id)


def restore_signing(session: TenantSession, version: int, *, actor: Actor, now: datetime) -> SigningPolicy:
    """Save the rules as they were in an earlier version, which makes a new one where they differ.

    Raises Forbidden, NotFound, and Invalid where a language of it is not in use any more.
    """
    require(actor, Permission.BILLING_CONFIGURE)
    kept = get_version(session, RECORD, session.tenant_id, version).data["form"]
    form = SigningForm(kept["in_order"], kept["reminders"], kept["consent"])
    return save_signing(session, form, actor=actor, now=now)


def _plan_anew(session: TenantSession, policy: SigningPolicy, *, actor: Actor, now: datetime) -> None:
    session.flush()
    waiting = select(Contract).where(Contract.status == ContractStatus.SENT).order_by(Contract.id).with_for_update()
    for contract in session.scalars(waiting.execution_options(populate_existing=True)):
        if contract.sent_at is not None:
            contract.reminders = sum(contract.sent_at + after <= now for after in policy.reminders)
        write_next_steps(session, contract, now=now)
        tell(session, ContractReplanned(contract.id), actor=actor, now=now)


def _plain(policy: SigningPolicy) -> dict[str, Any]:
    return {
        "in_order": policy.in_order,
        "reminders": [format_iso_duration(one) for one in policy.reminders],
        "consent": dict(policy.consent),
    }


def _checked(form: SigningForm, before: SigningPolicy, tenant: Tenant) -> SigningPolicy:
    errors: list[FieldError] = []
    reminders = _reminders(form.reminders, errors)
    consent = {locale: clean_text(text) for locale, text in form.consent.items() if clean_text(text)}
    for locale, text in consent.items():
        if locale not in (tenant.locales or [tenant.locale]):
            errors.append(FieldError(f"consent_{locale}", "unknown_choice"))
        elif len(text) > CONSENT_LENGTH:
            errors.append(FieldError(f"consent_{locale}", "too_long", (("limit", CONSENT_LENGTH),)))
        elif has_forbidden_characters(text):
            errors.append(FieldError(f"consent_{locale}", "characters_forbidden"))
    # Whoever reads another language gets the text of the main one: it has to be there.
    if consent and tenant.locale not in consent:
        errors.append(FieldError(f"consent_{tenant.locale}", "required"))
    if errors:
        raise Invalid(*errors)
    version = before.consent_version + (consent != dict(before.consent))
    return replace(before, in_order=form.in_order, reminders=reminders, consent=consent, consent_version=version)


def _reminders(texts: Sequence[str], errors: list[FieldError]) -> tuple[timedelta, ...]:
    if len(texts) > MOST_REMINDERS:
        errors.append(FieldError("reminders", "too_many", (("limit", MOST_REMINDERS),)))
        return ()
    try:
        spans = {parse_iso_duration(text) for text in texts}
    except ValueError:
        spans = {timedelta()}
    if any(not timedelta() < span <= LATEST_REMINDER for span in spans):
        errors.append(FieldError("reminders", "reminder_invalid"))
    return tuple(sorted(spans))


def _tenant(session: TenantSession, *, lock: bool = False) -> Tenant:
    query = select(Tenant).where(Tenant.id == session.tenant_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return session.scalars(query).one()
