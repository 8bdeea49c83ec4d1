"""Postal addresses of the demo world, and whose contact details are proved."""

from datetime import datetime

from portal.demo.content import DemoTenant, demo_uuid
from portal.models import Address
from portal.models.session import TenantSession

# Label, street, postal code, city, country, landmark.
_Place = tuple[str, str, str, str, str, str | None]
# By tenant, company or person, and the company's key or the person's mail address.
_PLACES: dict[tuple[str, str, str], list[_Place]] = {
    ("demo", "company", "acme"): [
        ("Plant", "14 rue des Frères Lumière", "69008", "Lyon", "FR", "Gate 3, behind the fire station"),
        ("Warehouse", "Zone Industrielle Est, hall 7", "69150", "Décines", "FR", None),
    ],
    ("demo", "company", "globex"): [("", "8 quai Perrière", "38000", "Grenoble", "FR", None)],
    ("demo", "person", "ana@acme.example"): [
        ("Office", "14 rue des Frères Lumière", "69008", "Lyon", "FR", "Third floor, on the left"),
    ],
    ("nova", "company", "ofuq"): [("", "طريق الملك عبدالله 21", "23216", "جدة", "SA", None)],
}


def seed_addresses(session: TenantSession, tenant: DemoTenant, *, now: datetime) -> None:
    """Add the tenant's addresses; the first of an owner is the primary one, and verified."""
    for (key, kind, owner), places in _PLACES.items():
        if key != tenant.key:
            continue
        for position, (label, street, postal_code, city, country, landmark) in enumerate(places):
            owner_id = demo_uuid(tenant.key, kind, owner)
            session.add(
                Address(
                    id=demo_uuid(tenant.key, "address", f"{owner}/{position}"),
                    tenant_id=session.tenant_id,
                    company_id=owner_id if kind == "company" else None,
                    person_id=owner_id if kind == "person" else None,
                    label=label,
                    street=street,
                    postal_code=postal_code,
                    city=city,
                    country=country,
                    landmark=landmark,
                    is_primary=position == 0,
                    verified_at=now if position == 0 else None,
                    created_at=now,
                )
            )
    session.flush()
