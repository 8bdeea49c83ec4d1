"""Rules of assignment of the demo's team, and what they know of its people."""

from portal.demo.content import DemoTenant, demo_uuid
from portal.models import AssignmentRule, StaffProfile
from portal.models.session import TenantSession

# Drills and general questions wait in the queue, so that there is something to take.
_RULES: tuple[tuple[str, list[str], list[str], str, list[str]], ...] = (
    ("Network to network people", ["technical"], ["urgent", "high"], "least_loaded", ["network"]),
    ("Wishes in turn", ["feature_request"], [], "round_robin", []),
)


def seed_assignment(session: TenantSession, tenant: DemoTenant) -> None:
    """Two rules, and the skills of two agents; only where the tenant has agents enough to choose from."""
    agents = [person for person in tenant.people if person.role == "agent"]
    if len(agents) < 2:
        return
    for position, (name, categories, priorities, strategy, skills) in enumerate(_RULES):
        session.add(
            AssignmentRule(
                id=demo_uuid(tenant.key, "assignment", name),
                tenant_id=session.tenant_id,
                name=name,
                position=position,
                active=True,
                match_categories=categories,
                match_priorities=priorities,
                match_companies=[],
                strategy=strategy,
                people=[],
                skills=skills,
                only_working=False,
            )
        )
    for index, person in enumerate(agents[:2]):
        session.add(
            StaffProfile(
                tenant_id=session.tenant_id,
                user_id=demo_uuid(tenant.key, "user", person.email),
                calendar_id=demo_uuid(tenant.key, "calendar", "office"),
                skills=["network", "vpn"] if index == 0 else ["printers", "workplace"],
                most_open=25,
            )
        )
    session.flush()
