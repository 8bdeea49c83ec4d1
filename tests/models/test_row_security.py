"""The database by itself keeps tenants apart, whatever the application forgets."""

from uuid import uuid4

import pytest
from sqlalchemy import create_engine, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.pool import NullPool

from portal.models import Base, Company, Tenanted, Ticket, TicketMessage
from portal.models.session import TenantSession, TenantSessions
from portal.services.tickets.opening import NewTicket, create_ticket
from portal.services.tickets.queries import search_ids

TENANTED = sorted(mapper.local_table.name for mapper in Base.registry.mappers if issubclass(mapper.class_, Tenanted))


@pytest.fixture
def raw(engine):
    """A plain connection of the application's role, rolled back."""
    with engine.connect() as connection:
        yield connection
        connection.rollback()


def as_tenant(connection, tenant):
    connection.execute(text("SELECT set_config('app.tenant_id', :t, true)"), {"t": str(tenant)})


@pytest.mark.parametrize("table", TENANTED)
def test_every_table_of_a_tenant_is_guarded_and_forced(raw, table):
    row = raw.execute(
        text("SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE relname = :t"), {"t": table}
    ).one()
    assert tuple(row) == (True, True)


@pytest.mark.parametrize("table", [*TENANTED, "tenant_counters"])
def test_without_a_tenant_there_is_nothing(raw, table):
    assert raw.execute(text(f"SELECT count(*) FROM {table}")).scalar() == 0


def test_a_tenant_sees_only_its_own_rows(raw, world):
    as_tenant(raw, world.nova)
    assert raw.execute(text("SELECT DISTINCT tenant_id FROM companies")).scalars().all() == [world.nova]


def test_rows_of_another_tenant_cannot_be_written(raw, world):
    as_tenant(raw, world.nova)
    with pytest.raises(ProgrammingError, match="row-level security"):
        raw.execute(
            text("INSERT INTO companies (id, tenant_id, name, customer_number) VALUES (:i, :t, 'x', 'x')"),
            {"i": uuid4(), "t": world.demo},
        )


def test_rows_of_another_tenant_can_neither_be_changed_nor_deleted(raw, world):
    as_tenant(raw, world.nova)
    assert raw.execute(text("UPDATE companies SET name = 'x' WHERE tenant_id = :t"), {"t": world.demo}).rowcount == 0
    assert raw.execute(text("DELETE FROM memberships WHERE tenant_id = :t"), {"t": world.demo}).rowcount == 0


def test_the_application_owns_nothing_and_bypasses_nothing(raw):
    role = raw.execute(text("SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")).one()
    assert tuple(role) == (False, False)
    assert raw.execute(text("SELECT count(*) FROM pg_tables WHERE tableowner = current_user")).scalar() == 0


def test_a_foreign_key_cannot_cross_tenants(settings, world):
    owner = create_engine(settings.owner_database_url, poolclass=NullPool)
    with pytest.raises(IntegrityError), TenantSessions(owner).begin(world.nova) as session:
        session.execute(
            text("INSERT INTO people (id, tenant_id, name, email) VALUES (:p, :nova, 'x', 'x@x');"),
            {"p": (person := uuid4()), "nova": world.nova},
        )
        session.execute(
            text(
                "INSERT INTO users (id, tenant_id, person_id, kind, status) VALUES (:u, :nova, :p, 'customer', 'active')"
            ),
            {"u": (user := uuid4()), "nova": world.nova, "p": person},
        )
        session.execute(
            text(
                "INSERT INTO memberships (id, tenant_id, user_id, company_id, role)"
                " VALUES (:m, :nova, :u, :c, 'customer')"
            ),
            {"m": uuid4(), "nova": world.nova, "u": user, "c": world.companies["acme"]},
        )


def test_the_audit_trail_refuses_change(session, settings, world, actor_of, now):
    create_ticket(session, NewTicket("a", "b", "drill"), actor=actor_of("bob"), now=now)
    session.commit()
    for statement in ("UPDATE audit_entries SET actor_name = 'x'", "DELETE FROM audit_entries"):
        with pytest.raises(DBAPIError, match="permission denied"), session.begin_nested():
            session.connection().execute(text(statement))


def test_even_the_owner_cannot_change_the_audit_trail(settings, world, now, sessions, actor_of):
    with sessions.begin(world.demo) as session:
        create_ticket(session, NewTicket("a", "b", "drill"), actor=actor_of("bob"), now=now)
    owner = create_engine(settings.owner_database_url, poolclass=NullPool)
    for statement in ("UPDATE audit_entries SET actor_name = 'x'", "DELETE FROM audit_entries"):
        with pytest.raises(DBAPIError, match="append-only"), TenantSessions(owner).begin(world.demo) as session:
            session.connection().execute(text(statement))


def test_the_relay_reads_events_and_nothing_else(settings, world):
    relay = create_engine(settings.relay_database_url, poolclass=NullPool)
    with relay.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM outbox_events")).scalar() >= 0
        with pytest.raises(ProgrammingError, match="permission denied"):
            connection.execute(text("SELECT * FROM portal_tickets"))


class TestSessions:
    def test_a_session_without_a_tenant_refuses(self, engine):
        with TenantSession(engine) as session, pytest.raises(LookupError):
            session.scalars(select(Ticket)).all()

    def test_a_session_keeps_its_tenant(self, engine, world):
        with TenantSession(engine) as session:
            session.use_tenant(world.demo)
            with pytest.raises(LookupError):
                session.use_tenant(world.nova)

    def test_rows_are_stamped_and_foreign_ones_refused(self, engine, world):
        with TenantSession(engine) as session:
            session.use_tenant(world.demo)
            session.add(Company(name="x", customer_number="x", tenant_id=world.nova))
            with pytest.raises(LookupError):
                session.flush()

    def test_every_kind_of_statement_is_scoped(self, engine, world, statements):
        with TenantSession(engine) as session:
            session.use_tenant(world.nova)
            for statement in (
                select(Company.name),
                select(Company).where(select(Ticket.id).where(Ticket.customer_id == Company.id).exists()),
            ):
                session.execute(statement).all()
        assert all("tenant_id = " in text for text in statements if "FROM companies" in text)


class TestSearch:
    @pytest.fixture
    def ticket(self, session, actor_of, now):
        request = NewTicket("Zebra crossing", "The xylophone is out of tune.", "technical")
        return create_ticket(session, request, actor=actor_of("bob"), now=now)

    @pytest.mark.parametrize("name", ["bob", "alice", "sam"])
    def test_those_who_may_find_it(self, session, ticket, actor_of, name):
        assert search_ids(session, "xylo:*", actor=actor_of(name)) == [ticket.id]

    @pytest.mark.parametrize("name", ["charlie", "nia"])
    def test_strangers_do_not(self, session, ticket, actor_of, name):
        assert search_ids(session, "xylo:*", actor=actor_of(name)) == []

    def test_another_tenant_does_not(self, session, engine, world, ticket, actor_of):
        session.connection().execute(text("SELECT set_config('app.tenant_id', :t, true)"), {"t": str(world.nova)})
        assert search_ids(session, "xylo:*", actor=actor_of("noor")) == []

    def test_internal_notes_are_found_by_staff_only(self, session, ticket, actor_of, now):
        session.add(
            TicketMessage(
                tenant_id=ticket.tenant_id,
                ticket_id=ticket.id,
                sender_type="agent",
                sender_id=uuid4(),
                sender_name="Sam",
                message="kryptonite",
                message_html="kryptonite",
                is_internal=True,
                created_at=now,
            )
        )
        session.flush()
        assert search_ids(session, "krypton:*", actor=actor_of("sam")) == [ticket.id]
        for name in ("bob", "alice"):
            assert search_ids(session, "krypton:*", actor=actor_of(name)) == []

    def test_accents_and_case_do_not_matter(self, session, actor_of, now):
        request = NewTicket("Réseau coupé", "b", "technical")
        ticket = create_ticket(session, request, actor=actor_of("bob"), now=now)
        assert search_ids(session, "reseau:*", actor=actor_of("bob")) == [ticket.id]
