"""Views of the queue that the demo's team keeps: four shared ones, and one of Sam's own."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from portal.demo.content import DemoTenant, demo_uuid
from portal.models import ConfigVersion, TicketView
from portal.models.session import TenantSession
from portal.services.tickets.saved_views import AUDIENCE, RECORD, STANDARD_COLUMNS

_OPEN = ["open", "in_progress"]
# Name per tenant's language, filters, columns, order, and whose it is (None: everybody's).
_VIEWS: dict[str, tuple[tuple[str, str, Mapping[str, Any], tuple[str, ...], str, str | None], ...]] = {
    "demo": (
        ("security", "Security", {"status": _OPEN, "tags": ["security"]}, STANDARD_COLUMNS, "due", None),
        (
            "today",
            "Due within eight hours",
            {"due_hours": 8},
            ("priority", "number", "subject", "customer", "promise", "next_step", "assignee"),
            "due",
            None,
        ),
        (
            "asleep",
            "Nothing for a day",
            {"status": [*_OPEN, "waiting_customer"], "idle_days": 1},
            ("number", "subject", "customer", "status", "assignee", "active"),
            "updated",
            None,
        ),
        (
            "nobody",
            "High and nobody’s",
            {"status": _OPEN, "priority": ["high", "urgent"], "assignee": ["none"]},
            STANDARD_COLUMNS,
            "-priority",
            None,
        ),
        (
            "vpn",
            "VPN, my own",
            {"assignee": ["me"], "text": "vpn"},
            ("number", "subject", "customer", "tags", "status", "active"),
            "-updated",
            "sam@demo.example",
        ),
    ),
    "nova": (("today", "مستحقة خلال ثماني ساعات", {"due_hours": 8}, STANDARD_COLUMNS, "due", None),),
}


def seed_views(session: TenantSession, tenant: DemoTenant, *, now: datetime) -> None:
    """Write the tenant's views, each with its first version."""
    for position, (key, name, filters, columns, sort, owner) in enumerate(_VIEWS[tenant.key]):
        view_id = demo_uuid(tenant.key, "ticket_view", key)
        _add(session, view_id, name, dict(filters), list(columns), sort, position, now, _owner(tenant, owner))


def _owner(tenant: DemoTenant, owner: str | None) -> UUID | None:
    return demo_uuid(tenant.key, "user", owner) if owner else None


def _add(
    session: TenantSession,
    view_id: UUID,
    name: str,
    filters: dict[str, Any],
    columns: list[str],
    sort: str,
    position: int,
    now: datetime,
    owner: UUID | None,
) -> None:
    session.add(
        TicketView(
            id=view_id,
            tenant_id=session.tenant_id,
            audience=AUDIENCE,
            owner_id=owner,
            name=name,
            filters=filters,
            columns=columns,
            sort=sort,
            position=position,
            version=1,
            created_at=now,
        )
    )
    data = {"name": name, "filters": filters, "columns": columns, "sort": sort, "shared": owner is None}
    session.add(
        ConfigVersion(
            tenant_id=session.tenant_id,
            record_type=RECORD,
            record_id=view_id,
            version=1,
            data=data,
            saved_by=owner,
            saved_by_name="Portico",
            saved_at=now,
        )
    )
