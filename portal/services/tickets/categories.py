"""What tickets can be about: names per language, the fields of the form, order, in use or not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select

from portal.authz import Actor, Permission, require
from portal.errors import FieldError, Invalid, NotFound
from portal.events import audit
from portal.lib.text import has_forbidden_characters
from portal.models import TicketCategory
from portal.models.session import TenantSession
from portal.services.tenants.config_versions import get_version, keep_next
from portal.services.tickets.category_fields import FieldForm, checked_fields, forms_of
from portal.services.tickets.names import checked_names, free_key

RECORD = "category"
KEY_LENGTH = 50


@dataclass(frozen=True)
class CategoryForm:
    """A category as staff edit it; `names` by language, the tenant's own language needs one.

    `fields` None leaves the form of new tickets as it is.
    """

    names: Mapping[str, str]
    active: bool = True
    fields: tuple[FieldForm, ...] | None = None


def save_category(
    session: TenantSession,
    category_id: UUID | None,
    *,
    form: CategoryForm,
    locales: Sequence[str],
    main_locale: str,
    actor: Actor,
    now: datetime,
) -> TicketCategory:
    """Create (id None) or change a category, which makes a version; its key stays for ever.

    A category that is not active keeps its tickets and cannot be chosen for new ones. Raises Forbidden, NotFound
    and Invalid.
    """
    require(actor, Permission.SLA_CONFIGURE)
    everything = _locked(session)
    category = next((row for row in everything if row.id == category_id), None)
    if category_id is not None and category is None:
        raise NotFound(RECORD)
    names, fields = _checked(form, category, locales, main_locale)
    others = [row for row in everything if row.id != category_id]
    if any(row.name_in(main_locale).casefold() == names[main_locale].casefold() for row in others):
        raise Invalid(FieldError(f"name_{main_locale}", "name_taken"))
    if not form.active and not any(row.active for row in others):
        raise Invalid(FieldError("active", "last_category"))
    before = state_of(category) if category else None
    if category is None:
        category = _new(session, names.get("en") or names[main_locale], everything)
        session.add(category)
    category.names, category.fields, category.active = names, fields, form.active
    after = state_of(category)
    version = keep_next(session, RECORD, category.id, before=before, form=after, actor=actor, now=now)
    after = after | {"version": version}
    audit(session, "category.saved", RECORD, category.id, actor=actor, now=now, before=before, after=after)
    return category


def restore_category(
    session: TenantSession,
    category_id: UUID,
    version: int,
    *,
    locales: Sequence[str],
    main_locale: str,
    actor: Actor,
    now: datetime,
) -> TicketCategory:
    """Save a category as it was in an earlier version, which makes a new one. Raises Forbidden, NotFound, Invalid."""
    require(actor, Permission.SLA_CONFIGURE)
    kept = get_version(session, RECORD, category_id, version).data["form"]
    form = CategoryForm(kept["names"], kept["active"], forms_of(kept["fields"]))
    return save_category(
        session, category_id, form=form, locales=locales, main_locale=main_locale, actor=actor, now=now
    )


def get_category(session: TenantSession, category_id: UUID) -> TicketCategory:
    """One category; NotFound where the tenant has none of that id."""
    found = session.scalar(select(TicketCategory).where(TicketCategory.id == category_id))
    if found is None:
        raise NotFound(RECORD)
    return found


def find_fields(session: TenantSession, key: str) -> list[dict[str, Any]]:
    """What new tickets of a category are asked; nothing where it is unknown or out of use."""
    if has_forbidden_characters(key):
        # The database takes no NUL, not even to compare with.
        return []
    wanted = select(TicketCategory.fields).where(TicketCategory.key == key, TicketCategory.active)
    return session.scalar(wanted) or []


def state_of(category: TicketCategory) -> dict[str, Any]:
    """What a version keeps."""
    return {"names": dict(category.names), "active": category.active, "fields": list(category.fields)}


def move_category(session: TenantSession, category_id: UUID, *, up: bool, actor: Actor, now: datetime) -> None:
    """Swap places with the neighbour; at the end of the list nothing happens. Raises Forbidden and NotFound."""
    require(actor, Permission.SLA_CONFIGURE)
    rows = _locked(session)
    index = next((i for i, row in enumerate(rows) if row.id == category_id), None)
    if index is None:
        raise NotFound(RECORD)
    other = index - 1 if up else index + 1
    if not 0 <= other < len(rows):
        return
    rows[index], rows[other] = rows[other], rows[index]
    for position, row in enumerate(rows):
        row.position = position
    audit(session, "category.moved", RECORD, category_id, actor=actor, now=now, after={"position": other})


def _locked(session: TenantSession) -> list[TicketCategory]:
    ordered = select(TicketCategory).order_by(TicketCategory.position, TicketCategory.key)
    # Tickets refer to the keys, which stay: they need not wait.
    return list(session.scalars(ordered.with_for_update(key_share=True)))


def _new(session: TenantSession, name: str, everything: Sequence[TicketCategory]) -> TicketCategory:
    return TicketCategory(
        id=uuid4(),
        tenant_id=session.tenant_id,
        key=free_key(name, {row.key for row in everything}, fallback="category", limit=KEY_LENGTH),
        position=max((row.position for row in everything), default=-1) + 1,
    )


def _checked(
    form: CategoryForm, category: TicketCategory | None, locales: Sequence[str], main_locale: str
) -> tuple[dict[str, str], list[dict[str, Any]]]:
    errors: list[FieldError] = []
    names = checked_names("name", form.names, locales, main_locale, errors)
    if form.fields is None:
        fields = list(category.fields) if category else []
    else:
        fields = checked_fields(form.fields, locales, main_locale, errors)
    if errors:
        raise Invalid(*errors)
    return names, fields
