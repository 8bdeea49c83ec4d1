"""The people of the tests: alice administers Acme, bob works there, charlie administers Globex.

sam is an agent, mia a manager, bill billing, dora a designer, ada the tenant's admin; nia and noor live in
another tenant. Policies: `Drill` (20 s / 90 s, always) for category drill, `Standard` (4 h / 27 h, office hours).
"""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import Engine

from portal.authz import Actor
from portal.models import (
    BusinessCalendar,
    Company,
    Membership,
    Person,
    Role,
    SlaPolicy,
    Tenant,
    TenantDomain,
    TicketCategory,
    User,
    UserKind,
    UserStatus,
)
from portal.models.session import TenantSession, TenantSessions
from portal.services.accounts.identity import build_identity, select_identity
from portal.services.accounts.passwords import Passwords

PASSWORD = "correct horse battery"
OFFICE = [[day, start, end] for day in range(5) for start, end in ((480, 720), (780, 1080))]
ALWAYS = [[day, 0, 1440] for day in range(7)]
STAFF = {
    "sam": ("Sam Okafor", Role.AGENT),
    "jonas": ("Jonas Thiel", Role.AGENT),
    "mia": ("Mia Lindqvist", Role.MANAGER),
    "bill": ("Bill Hartmann", Role.BILLING),
    "dora": ("Dora Vance", Role.DESIGNER),
    "ada": ("Ada Brandt", Role.TENANT_ADMIN),
}
CUSTOMERS = {
    "alice": ("Alice Moreau", Role.CUSTOMER_ADMIN, "acme"),
    "bob": ("Bob Keller", Role.CUSTOMER, "acme"),
    "charlie": ("Charlie Laurent", Role.CUSTOMER_ADMIN, "globex"),
}


@dataclass
class TestPerson:
    """A login of the tests."""

    __test__ = False

    name: str
    email: str
    actor: Actor

    @property
    def user_id(self) -> UUID:
        """The login's id."""
        assert self.actor.user_id is not None
        return self.actor.user_id


@dataclass
class World:
    """Ids of what the tests start with."""

    demo: UUID
    nova: UUID
    people: dict[str, TestPerson] = field(default_factory=dict)
    companies: dict[str, UUID] = field(default_factory=dict)
    policies: dict[str, UUID] = field(default_factory=dict)
    calendars: dict[str, UUID] = field(default_factory=dict)


def build_world(engine: Engine, passwords: Passwords, *, now: datetime) -> World:
    """Write the world with the owner's rights."""
    sessions = TenantSessions(engine)
    world = World(demo=uuid4(), nova=uuid4())
    with sessions.begin_directory() as session:
        _add_tenant(session, world.demo, "demo", "Kestrel IT", "en", ["127.0.0.1", "localhost", "demo.localhost"], now)
        _add_tenant(session, world.nova, "nova", "Nova Tech", "ar", ["nova.localhost"], now)
    hashed = passwords.hash(PASSWORD)
    with sessions.begin(world.demo) as session:
        _add_rules(session, world)
        for key in ("acme", "globex"):
            world.companies[key] = _add_company(session, key.title(), key[:3].upper())
        for key, (name, role, company) in CUSTOMERS.items():
            email = f"{key}@{company}.example"
            _add_person(session, world, key, name, email, role, world.companies[company], hashed)
        for key, (name, role) in STAFF.items():
            _add_person(session, world, key, name, f"{key}@demo.example", role, None, hashed)
    with sessions.begin(world.nova) as session:
        _add_rules(session, World(world.demo, world.nova))
        world.companies["ofuq"] = _add_company(session, "Ofuq", "OFU")
        company = world.companies["ofuq"]
        _add_person(session, world, "nia", "Nia Karim", "nia@nova.example", Role.CUSTOMER_ADMIN, company, hashed)
        _add_person(session, world, "noor", "Noor Haddad", "noor@nova.example", Role.TENANT_ADMIN, None, hashed)
    return world


def _add_tenant(
    session: TenantSession, tenant_id: UUID, slug: str, name: str, locale: str, hosts: list[str], now: datetime
) -> None:
    session.add(
        Tenant(
            id=tenant_id,
            slug=slug,
            name=name,
            locale=locale,
            locales=["en", "es", "fr", "de", "ar"],
            timezone="Europe/Paris",
            support_email=f"help@{slug}.example",
            support_phone="+33 4 72 55 01 84",
            ticket_prefix="TCK",
            ticket_number_format="{prefix}-{counter}",
            brand={"mark_letter": name[0]},
            welcome={"en": f"Welcome to {name}."},
            features={},
            settings={},
        )
    )
    session.flush()
    for host in hosts:
        session.add(TenantDomain(host=host, tenant_id=tenant_id, verified_at=now, is_primary=host == hosts[0]))


def _add_rules(session: TenantSession, world: World) -> None:
    for key, hours in (("office", OFFICE), ("always", ALWAYS)):
        calendar = BusinessCalendar(
            id=uuid4(), tenant_id=session.tenant_id, name=key, timezone="Europe/Paris", intervals=hours, holidays=[]
        )
        session.add(calendar)
        world.calendars[key] = calendar.id
    for position, key in enumerate(("technical", "billing", "general", "feature_request", "drill")):
        names = {"en": key.replace("_", " ").capitalize()}
        session.add(TicketCategory(tenant_id=session.tenant_id, key=key, names=names, position=position))
    session.flush()
    for position, (name, match, calendar, answer, solution, second) in enumerate(
        (("Drill", ["drill"], "always", 20, 90, 20), ("Standard", [], "office", 14_400, 97_200, 3_600))
    ):
        policy = SlaPolicy(
            id=uuid4(),
            tenant_id=session.tenant_id,
            name=name,
            position=position,
            match_categories=match,
            match_priorities=[],
            match_companies=[],
            calendar_id=world.calendars[calendar],
            first_response_seconds=answer,
            resolution_seconds=solution,
            warn_before_seconds=answer // 4,
            auto_close_seconds=432_000,
            pause_statuses=["waiting_customer", "awaiting_payment"],
            levels=[
                {"metric": metric, "after_seconds": after, "notify_role": role, "assign_role": assign}
                for metric in ("first_response", "resolution")
                for after, role, assign in ((0, "manager", "manager"), (second, "tenant_admin", None))
            ],
        )
        session.add(policy)
        world.policies[name] = policy.id
    session.flush()


def _add_company(session: TenantSession, name: str, number: str) -> UUID:
    company = Company(id=uuid4(), tenant_id=session.tenant_id, name=name, customer_number=number)
    session.add(company)
    session.flush()
    return company.id


def _add_person(
    session: TenantSession,
    world: World,
    key: str,
    name: str,
    email: str,
    role: Role,
    company_id: UUID | None,
    hashed: str,
) -> None:
    person = Person(id=uuid4(), tenant_id=session.tenant_id, company_id=company_id, name=name, email=email)
    session.add(person)
    session.flush()
    kind = UserKind.CUSTOMER if company_id else UserKind.STAFF
    user = User(
        id=uuid4(),
        tenant_id=session.tenant_id,
        person_id=person.id,
        kind=kind,
        status=UserStatus.ACTIVE,
        password_hash=hashed,
        mail_preferences={},
    )
    session.add(user)
    session.flush()
    session.add(Membership(tenant_id=session.tenant_id, user_id=user.id, company_id=company_id, role=role))
    session.flush()
    row = session.execute(select_identity().where(User.id == user.id)).one()
    world.people[key] = TestPerson(name, email, build_identity(row).actor)
