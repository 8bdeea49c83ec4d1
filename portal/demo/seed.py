"""Turns the demo world's data into rows, as if it had been lived through until now."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Engine, func, select

from portal.authz import system_actor
from portal.demo.answering import seed_answering
from portal.demo.assignment import seed_assignment
from portal.demo.banking import seed_banking
from portal.demo.billing import seed_billing
from portal.demo.colleagues import seed_colleagues
from portal.demo.content import STAFF_ROLES, DemoPerson, DemoTenant, demo_uuid
from portal.demo.contracts import seed_contracts
from portal.demo.disputes import seed_disputes
from portal.demo.files import seed_files
from portal.demo.inbound import seed_inbound
from portal.demo.invitations import seed_invitations
from portal.demo.mail_texts import seed_mail_texts
from portal.demo.payments import seed_payments
from portal.demo.people import TENANTS
from portal.demo.postal import seed_addresses
from portal.demo.prepared import seed_prepared
from portal.demo.quotes import seed_quotes
from portal.demo.relations import seed_relations
from portal.demo.settings import (
    ALWAYS_HOURS,
    AUTO_CLOSE,
    CATEGORIES,
    FIELDS,
    LYON_HOLIDAYS,
    LYON_HOURS,
    POLICIES,
    RIYADH_HOLIDAYS,
    RIYADH_HOURS,
)
from portal.demo.side_files import seed_side_files
from portal.demo.statements import seed_statements
from portal.demo.tickets import seed_ticket
from portal.demo.views import seed_views
from portal.integrations.storage import FileStorage
from portal.models import (
    BusinessCalendar,
    Company,
    Membership,
    Person,
    Role,
    SlaPolicy,
    Tenant,
    TenantCounter,
    TenantDomain,
    TicketCategory,
    User,
    UserKind,
    UserStatus,
)
from portal.models.session import TenantSession, TenantSessions
from portal.services.accounts.passwords import Passwords
from portal.services.tenants.sign_in_policy import SETTING
from portal.services.tickets.policies import load_terms
from portal.services.tickets.sla_policies import tell_open_tickets

# Told of new devices by mail and by text message.
_TOLD_TWICE = frozenset({"lena"})
# The logins that the contract names follow the browser's language; everybody else has chosen one.
_NO_CHOICE = frozenset({"ana", "ben", "chloe", "sam", "mia", "bill", "dora", "ada"})


def is_empty(engine: Engine) -> bool:
    """Whether no tenant exists yet."""
    with TenantSessions(engine).begin_directory() as session:
        count = session.scalar(select(func.count()).select_from(Tenant).execution_options(all_tenants=True))
    return not count


def seed_demo(engine: Engine, *, password: str, passwords: Passwords, storage: FileStorage, now: datetime) -> None:
    """Create both demo tenants, and their files in `storage`; needs the owner's rights.

    Fails where they exist already.
    """
    for tenant in TENANTS:
        with TenantSessions(engine).begin_directory() as directory:
            _add_tenant(directory, tenant, now)
        with TenantSessions(engine).begin(tenant_id(tenant)) as session:
            _add_rules(session, tenant)
            users = _add_people(session, tenant, passwords, password, now)
            session.flush()
            seed_assignment(session, tenant)
            seed_invitations(session, tenant, now=now)
            seed_addresses(session, tenant, now=now)
            seed_views(session, tenant, now=now)
            policies = load_terms(session)
            for ticket in tenant.tickets:
                row = seed_ticket(session, tenant, ticket, users=users, policies=policies, now=now)
                seed_files(session, tenant, ticket, row, storage, now)
            seed_inbound(session, tenant, now=now)
            seed_colleagues(session, tenant, now=now)
            seed_relations(session, tenant, users=users, policies=policies, now=now)
            seed_side_files(session, tenant, storage=storage, now=now)
            seed_prepared(session, tenant)
            seed_answering(session, tenant, now=now)
            seed_mail_texts(session, tenant, now=now)
            seed_billing(session, tenant, now=now)
            seed_contracts(session, tenant, storage=storage, now=now)
            seed_payments(session, tenant, now=now)
            seed_banking(session, tenant, now=now)
            seed_disputes(session, tenant, now=now)
            numbers = [ticket.number for ticket in tenant.tickets if ticket.number]
            session.add(TenantCounter(tenant_id=session.tenant_id, name="ticket", value=max(numbers, default=0)))
            session.flush()
            tell_open_tickets(session, actor=system_actor(session.tenant_id), now=now)
            seed_quotes(session, tenant, storage=storage, now=now)
            seed_statements(session, tenant, now=now)


def tenant_id(tenant: DemoTenant) -> UUID:
    """The stable id of a demo tenant."""
    return demo_uuid(tenant.key, "tenant")


def _add_tenant(session: TenantSession, tenant: DemoTenant, now: datetime) -> None:
    session.add(
        Tenant(
            id=tenant_id(tenant),
            slug=tenant.slug,
            name=tenant.name,
            locale=tenant.locale,
            locales=list(tenant.locales),
            timezone=tenant.timezone,
            support_email=tenant.support_email,
            support_phone=tenant.support_phone,
            postal_address="22 quai Perrache, 69002 Lyon" if tenant.key == "demo" else "طريق الملك فهد، الرياض",
            ticket_prefix=tenant.number_prefix,
            ticket_number_format="{prefix}-{counter}",
            brand={"mark_letter": tenant.mark_letter, "accent": tenant.accent},
            welcome=dict(tenant.welcome_message),
            features={},
            settings={SETTING: {"registration_open": tenant.registration_open}},
        )
    )
    session.flush()
    for host in tenant.hosts:
        session.add(
            TenantDomain(host=host, tenant_id=tenant_id(tenant), verified_at=now, is_primary=host == tenant.hosts[0])
        )


def _add_rules(session: TenantSession, tenant: DemoTenant) -> None:
    nova = tenant.key != "demo"
    calendars = {
        "always": ("Around the clock", ALWAYS_HOURS, []),
        "office": ("Riyadh office", RIYADH_HOURS, RIYADH_HOLIDAYS)
        if nova
        else ("Lyon office", LYON_HOURS, LYON_HOLIDAYS),
    }
    for key, (name, hours, holidays) in calendars.items():
        session.add(
            BusinessCalendar(
                id=demo_uuid(tenant.key, "calendar", key),
                tenant_id=session.tenant_id,
                name=name,
                timezone=tenant.timezone,
                intervals=hours,
                holidays=holidays,
            )
        )
    for position, (key, names) in enumerate(CATEGORIES.items()):
        session.add(
            TicketCategory(
                id=demo_uuid(tenant.key, "category", key),
                tenant_id=session.tenant_id,
                key=key,
                names=names,
                position=position,
                fields=FIELDS.get(key, []),
            )
        )
    session.flush()
    for position, rules in enumerate(POLICIES):
        values = {name: value for name, value in rules.items() if name != "calendar"}
        session.add(
            SlaPolicy(
                id=demo_uuid(tenant.key, "policy", rules["name"]),
                tenant_id=session.tenant_id,
                position=position,
                calendar_id=demo_uuid(tenant.key, "calendar", rules["calendar"]),
                auto_close_seconds=AUTO_CLOSE,
                pause_statuses=["waiting_customer", "awaiting_payment"],
                **{"match_categories": [], "match_priorities": [], "match_companies": []} | values,
            )
        )
    session.flush()


def _add_people(
    session: TenantSession, tenant: DemoTenant, passwords: Passwords, password: str, now: datetime
) -> dict[str, DemoPerson]:
    for company in tenant.companies:
        session.add(
            Company(
                id=demo_uuid(tenant.key, "company", company.key),
                tenant_id=session.tenant_id,
                name=company.name,
                customer_number=company.customer_number,
                phone=company.phone,
                city=company.city,
                country=company.country,
            )
        )
    session.flush()
    # One hash for all of them: the password is published, and seeding stays quick.
    hashed = passwords.hash(password)
    for age, person in enumerate(tenant.people):
        _add_login(session, tenant, person, hashed, now - timedelta(days=400 - age))
    return {person.email: person for person in tenant.people}


def _add_login(session: TenantSession, tenant: DemoTenant, person: DemoPerson, hashed: str, since: datetime) -> None:
    user_id = demo_uuid(tenant.key, "user", person.email)
    person_id = demo_uuid(tenant.key, "person", person.email)
    company_id = demo_uuid(tenant.key, "company", person.company) if person.company else None
    session.add(
        Person(
            id=person_id,
            tenant_id=session.tenant_id,
            company_id=company_id,
            name=person.name,
            email=person.email,
            phone=person.phone,
            title=person.title,
            email_verified_at=since,
            phone_verified_at=since if person.phone else None,
        )
    )
    session.flush()
    session.add(
        User(
            id=user_id,
            tenant_id=session.tenant_id,
            person_id=person_id,
            kind=UserKind.STAFF if person.role in STAFF_ROLES else UserKind.CUSTOMER,
            status=UserStatus.ACTIVE,
            password_hash=hashed,
            locale=None if person.key in _NO_CHOICE else person.locale,
            timezone=person.timezone,
            mail_preferences={"new_device": "both"} if person.key in _TOLD_TWICE else {},
            created_at=since,
        )
    )
    session.flush()
    session.add(
        Membership(
            id=demo_uuid(tenant.key, "membership", person.email),
            tenant_id=session.tenant_id,
            user_id=user_id,
            company_id=company_id,
            role=Role(person.role),
        )
    )
