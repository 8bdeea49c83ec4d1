"""Names of the tenant's own statuses, for filters."""

from sqlalchemy import select

from portal.models import CustomStatus
from portal.models.session import TenantSession


def list_status_names(session: TenantSession, *, locale: str) -> list[tuple[str, str]]:
    """(key, name for the team) of each in the tenant's order; those out of use, too: tickets may still have them."""
    rows = session.scalars(select(CustomStatus).order_by(CustomStatus.position, CustomStatus.key))
    return [(row.key, str(row.staff_names.get(locale) or row.staff_names.get("en") or row.key)) for row in rows]
