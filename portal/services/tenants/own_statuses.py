"""A tenant's own statuses with their names, as they are kept between requests beside the tenant's profile."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select

from portal.models import CustomStatus
from portal.models.session import TenantSession


@dataclass(frozen=True)
class OwnStatus:
    """A status of the tenant's own: what it counts as, and what it is called for the team and for customers."""

    key: str
    category: str
    staff_names: Mapping[str, str]
    customer_names: Mapping[str, str]
    active: bool

    def name_in(self, locale: str, *, staff: bool, fallback: str) -> str:
        """The audience's name in `locale`, else in the tenant's language, else the key made readable."""
        names = self.staff_names if staff else self.customer_names
        return names.get(locale) or names.get(fallback) or self.key.replace("_", " ").capitalize()


def load_own_statuses(session: TenantSession) -> dict[str, OwnStatus]:
    """Every own status by its key, in the tenant's order; those out of use are still on tickets."""
    columns = (
        CustomStatus.key,
        CustomStatus.category,
        CustomStatus.staff_names,
        CustomStatus.customer_names,
        CustomStatus.active,
    )
    rows = session.execute(select(*columns).order_by(CustomStatus.position, CustomStatus.key))
    return {key: OwnStatus(key, category.value, staff, customer, on) for key, category, staff, customer, on in rows}
