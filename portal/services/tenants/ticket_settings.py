"""Changing what a tenant decides about its customers' tickets."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from portal.authz import Actor, Permission, require
from portal.errors import FieldError, Invalid
from portal.events import audit
from portal.models import ConfigVersion, Tenant, TicketPriority
from portal.models.session import TenantSession
from portal.services.tenants.config_versions import get_version, keep_next, list_versions
from portal.services.tenants.ticket_policy import (
    EDIT_MINUTES,
    HIGHEST,
    REOPEN_DAYS,
    SETTING,
    TicketPolicy,
    read_ticket_policy,
)

RECORD = "ticket_policy"


@dataclass(frozen=True)
class TicketPolicyForm:
    """The rules as they are edited; `edit_minutes` is only read where editing has a time."""

    highest_priority: str
    edit_timed: bool
    edit_minutes: int | None
    reopen_days: int | None = REOPEN_DAYS[1]


def load_policy(session: TenantSession, *, actor: Actor) -> TicketPolicy:
    """The rules as they are stored now. Raises Forbidden."""
    require(actor, Permission.SLA_CONFIGURE)
    return read_ticket_policy(_tenant(session).settings)


def save_policy(session: TenantSession, form: TicketPolicyForm, *, actor: Actor, now: datetime) -> TicketPolicy:
    """Store the rules, which makes a version where they differ; open tickets keep the priority they have.

    Raises Forbidden and Invalid per field. The caller has the directory of tenants read them again.
    """
    require(actor, Permission.SLA_CONFIGURE)
    policy = _checked(form)
    tenant = _tenant(session, lock=True)
    before = read_ticket_policy(tenant.settings)
    if policy == before:
        return policy
    kept = tenant.settings.get(SETTING)
    tenant.settings = {**tenant.settings, SETTING: {**(kept if isinstance(kept, dict) else {}), **_plain(policy)}}
    was, is_now = _plain(before), _plain(policy)
    keep_next(session, RECORD, tenant.id, before=was, form=is_now, actor=actor, now=now)
    audit(session, "tenant.tickets_changed", "tenant", tenant.id, actor=actor, now=now, before=was, after=is_now)
    return policy


def list_policy_versions(session: TenantSession, *, actor: Actor) -> list[ConfigVersion]:
    """The rules as they were saved, the newest first; none while nobody has changed them. Raises Forbidden."""
    require(actor, Permission.SLA_CONFIGURE)
    return list_versions(session, RECORD, session.tenant_id)


def restore_policy(session: TenantSession, version: int, *, actor: Actor, now: datetime) -> TicketPolicy:
    """Save the rules as they were in an earlier version, which makes a new one where they differ.

    Raises Forbidden, NotFound, and Invalid where they are out of today's bounds.
    """
    require(actor, Permission.SLA_CONFIGURE)
    kept = get_version(session, RECORD, session.tenant_id, version).data["form"]
    minutes = kept["edit_minutes"]
    form = TicketPolicyForm(kept["highest_priority"], minutes is not None, minutes, kept["reopen_days"])
    return save_policy(session, form, actor=actor, now=now)


def _plain(policy: TicketPolicy) -> dict[str, Any]:
    return {
        "highest_priority": policy.highest_priority.value,
        "edit_minutes": policy.edit_minutes,
        "reopen_days": policy.reopen_days,
    }


def _checked(form: TicketPolicyForm) -> TicketPolicy:
    errors: list[FieldError] = []
    if form.highest_priority not in HIGHEST:
        errors.append(FieldError("highest_priority", "unknown_choice"))
    minutes = form.edit_minutes if form.edit_timed else None
    low, high = EDIT_MINUTES
    if form.edit_timed and (minutes is None or not low <= minutes <= high):
        errors.append(FieldError("edit_minutes", "out_of_range", (("low", low), ("high", high))))
    soonest, _, latest = REOPEN_DAYS
    if form.reopen_days is None or not soonest <= form.reopen_days <= latest:
        errors.append(FieldError("reopen_days", "out_of_range", (("low", soonest), ("high", latest))))
    if errors or form.reopen_days is None:
        raise Invalid(*errors)
    return TicketPolicy(TicketPriority(form.highest_priority), minutes, form.reopen_days)


def _tenant(session: TenantSession, *, lock: bool = False) -> Tenant:
    query = select(Tenant).where(Tenant.id == session.tenant_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return session.scalars(query).one()
