"""What tickets can be about: names per language, order, in use or not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import select

from portal.authz import Actor, Permission, require
from portal.errors import FieldError, Invalid, NotFound
from portal.events import audit
from portal.models import TicketCategory
from portal.models.session import TenantSession
from portal.services.tickets.names import checked_names, free_key
from portal.services.tickets.queries import list_categories

KEY_LENGTH = 50


@dataclass(frozen=True)
class CategoryForm:
    """A category as staff edit it; `names` by language, the tenant's own language needs one."""

    names: Mapping[str, str]
    active: bool = True


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
    """Create (id None) or change a category; its key stays for ever. Raises Forbidden, NotFound and Invalid.

    A category that is not active keeps its tickets and cannot be chosen for new ones.
    """
    require(actor, Permission.SLA_CONFIGURE)
    names = _checked(form.names, locales, main_locale)
    everything = list_categories(session, include_inactive=True)
    category = next((row for row in everything if row.id == category_id), None)
    if category_id is not None and category is None:
        raise NotFound("category")
    others = [row for row in everything if row.id != category_id]
    if any(row.name_in(main_locale).casefold() == names[main_locale].casefold() for row in others):
        raise Invalid(FieldError(f"name_{main_locale}", "name_taken"))
    if not form.active and not any(row.active for row in others):
        raise Invalid(FieldError("active", "last_category"))
    before = {"names": category.names, "active": category.active} if category else None
    if category is None:
        category = TicketCategory(
            id=uuid4(),
            tenant_id=session.tenant_id,
            key=free_key(
                names.get("en") or names[main_locale],
                {row.key for row in everything},
                fallback="category",
                limit=KEY_LENGTH,
            ),
            position=max((row.position for row in everything), default=-1) + 1,
        )
        session.add(category)
    category.names = names
    category.active = form.active
    after = {"names": names, "active": form.active}
    audit(session, "category.saved", "category", category.id, actor=actor, now=now, before=before, after=after)
    return category


def move_category(session: TenantSession, category_id: UUID, *, up: bool, actor: Actor, now: datetime) -> None:
    """Swap places with the neighbour; at the end of the list nothing happens. Raises Forbidden and NotFound."""
    require(actor, Permission.SLA_CONFIGURE)
    rows = list(
        session.scalars(select(TicketCategory).order_by(TicketCategory.position, TicketCategory.key).with_for_update())
    )
    index = next((i for i, row in enumerate(rows) if row.id == category_id), None)
    if index is None:
        raise NotFound("category")
    other = index - 1 if up else index + 1
    if not 0 <= other < len(rows):
        return
    rows[index], rows[other] = rows[other], rows[index]
    for position, row in enumerate(rows):
        row.position = position
    audit(session, "category.moved", "category", category_id, actor=actor, now=now, after={"position": other})


def _checked(given: Mapping[str, str], locales: Sequence[str], main_locale: str) -> dict[str, str]:
    errors: list[FieldError] = []
    names = checked_names("name", given, locales, main_locale, errors)
    if errors:
        raise Invalid(*errors)
    return names
