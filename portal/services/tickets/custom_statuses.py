"""The tenant's own statuses: one of ours each, with a name for the team and one for customers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import select

from portal.authz import Actor, Permission, require
from portal.errors import FieldError, Invalid, NotFound
from portal.events import audit
from portal.models import CustomStatus, TicketStatus
from portal.models.session import TenantSession
from portal.services.tenants.config_versions import get_version, keep_next
from portal.services.tickets.names import checked_names, free_key

RECORD = "custom_status"
KEY_LENGTH = 40
MOST = 20


@dataclass(frozen=True)
class StatusForm:
    """An own status as staff edit it; the tenant's own language needs both names."""

    category: str
    staff_names: Mapping[str, str]
    customer_names: Mapping[str, str]
    active: bool = True


def list_custom_statuses(session: TenantSession) -> list[CustomStatus]:
    """Every own status in the tenant's order."""
    return list(session.scalars(select(CustomStatus).order_by(CustomStatus.position, CustomStatus.key)))


def save_custom_status(
    session: TenantSession,
    status_id: UUID | None,
    *,
    form: StatusForm,
    locales: Sequence[str],
    main_locale: str,
    actor: Actor,
    now: datetime,
) -> CustomStatus:
    """Create (id None) or change a status, which makes a version; what it counts as and its key stay for ever.

    One that is not active stays on its tickets and cannot be given any more. Raises Forbidden, NotFound, Invalid.
    """
    require(actor, Permission.SLA_CONFIGURE)
    everything = _locked(session)
    row = next((one for one in everything if one.id == status_id), None)
    if status_id is not None and row is None:
        raise NotFound(RECORD)
    staff, customer = _checked(form, row, everything, locales, main_locale)
    before = _told(row) if row else None
    if row is None:
        if len(everything) >= MOST:
            raise Invalid(FieldError("active", "too_many", (("limit", MOST),)))
        taken = {one.key for one in everything} | {status.value for status in TicketStatus}
        row = CustomStatus(
            id=uuid4(),
            tenant_id=session.tenant_id,
            key=free_key(staff.get("en") or staff[main_locale], taken, fallback="status", limit=KEY_LENGTH),
            category=TicketStatus(form.category),
            position=max((one.position for one in everything), default=-1) + 1,
        )
        session.add(row)
    row.staff_names, row.customer_names, row.active = staff, customer, form.active
    after = _told(row)
    version = keep_next(session, RECORD, row.id, before=before, form=after, actor=actor, now=now)
    after = after | {"version": version}
    audit(session, "custom_status.saved", RECORD, row.id, actor=actor, now=now, before=before, after=after)
    return row


def restore_custom_status(
    session: TenantSession,
    status_id: UUID,
    version: int,
    *,
    locales: Sequence[str],
    main_locale: str,
    actor: Actor,
    now: datetime,
) -> CustomStatus:
    """Save a status as it was in an earlier version, which makes a new one. Raises Forbidden, NotFound and Invalid."""
    require(actor, Permission.SLA_CONFIGURE)
    kept = get_version(session, RECORD, status_id, version).data["form"]
    form = StatusForm(kept["category"], kept["staff_names"], kept["customer_names"], kept["active"])
    return save_custom_status(
        session, status_id, form=form, locales=locales, main_locale=main_locale, actor=actor, now=now
    )


def move_custom_status(session: TenantSession, status_id: UUID, *, up: bool, actor: Actor, now: datetime) -> None:
    """Swap places with the neighbour; at the end of the list nothing happens. Raises Forbidden and NotFound."""
    require(actor, Permission.SLA_CONFIGURE)
    rows = _locked(session)
    index = next((i for i, row in enumerate(rows) if row.id == status_id), None)
    if index is None:
        raise NotFound(RECORD)
    other = index - 1 if up else index + 1
    if not 0 <= other < len(rows):
        return
    rows[index], rows[other] = rows[other], rows[index]
    for position, row in enumerate(rows):
        row.position = position
    after = {"position": other}
    audit(session, "custom_status.moved", RECORD, status_id, actor=actor, now=now, after=after)


def _locked(session: TenantSession) -> list[CustomStatus]:
    ordered = select(CustomStatus).order_by(CustomStatus.position, CustomStatus.key)
    # Tickets refer to the keys, which stay: they need not wait.
    return list(session.scalars(ordered.with_for_update(key_share=True)))


def _told(row: CustomStatus) -> dict[str, object]:
    return {
        "category": row.category.value,
        "staff_names": row.staff_names,
        "customer_names": row.customer_names,
        "active": row.active,
    }


def _checked(
    form: StatusForm,
    row: CustomStatus | None,
    everything: Sequence[CustomStatus],
    locales: Sequence[str],
    main_locale: str,
) -> tuple[dict[str, str], dict[str, str]]:
    errors: list[FieldError] = []
    if row is None and form.category not in set(TicketStatus):
        errors.append(FieldError("category", "unknown_choice"))
    if row is not None and form.category not in ("", row.category.value):
        errors.append(FieldError("category", "status_fixed"))
    staff = checked_names("staff", form.staff_names, locales, main_locale, errors)
    customer = checked_names("customer", form.customer_names, locales, main_locale, errors)
    name = staff.get(main_locale, "").casefold()
    if any(one is not row and str(one.staff_names.get(main_locale, "")).casefold() == name for one in everything):
        errors.append(FieldError(f"staff_{main_locale}", "name_taken"))
    if errors:
        raise Invalid(*errors)
    return staff, customer
