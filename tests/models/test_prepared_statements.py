"""Prepared statements are as scoped as all others; connections keep their plans and are replaced when they die."""

import time

import pytest
from sqlalchemy import bindparam, func, select, text
from sqlalchemy.dialects import postgresql

from portal.lib.clock import utcnow
from portal.models import Company, Ticket
from portal.models.session import IDLE_WITHOUT_PING, TenantSession, build_engine, prepare
from portal.services.tickets.listing import view_conditions

NAMES = prepare(select(Company.name))


def names_of(engine, tenant):
    with TenantSession(engine) as session:
        session.use_tenant(tenant)
        return set(session.run(NAMES).scalars())


def test_one_statement_serves_each_tenant_its_own_rows(engine, world):
    first, second = names_of(engine, world.demo), names_of(engine, world.nova)
    assert first
    assert second
    assert not first & second
    assert names_of(engine, world.demo) == first


def test_the_criterion_is_in_every_part_of_the_statement(engine, world, statements):
    nested = prepare(select(Company).where(select(Ticket.id).where(Ticket.customer_id == Company.id).exists()))
    with TenantSession(engine) as session:
        session.use_tenant(world.nova)
        session.run(nested).all()
    text_ = next(text for text in statements if "EXISTS" in text)
    assert "companies.tenant_id = " in text_
    assert "portal_tickets.tenant_id = " in text_


def test_it_runs_neither_without_a_tenant_nor_for_another_one(engine, world):
    with TenantSession(engine) as session:
        with pytest.raises(LookupError):
            session.run(NAMES)
        session.use_tenant(world.demo)
        for values in ({}, {"session_tenant_id": world.nova}):
            with pytest.raises(LookupError):
                session.execute(NAMES, values)
        assert session.run(NAMES, {"session_tenant_id": world.nova}).all() == session.run(NAMES).all()


def test_columns_read_past_the_session_are_scoped_all_the_same(engine, world, statements):
    for tenant in (world.demo, world.nova):
        with TenantSession(engine) as session:
            session.use_tenant(tenant)
            assert set(session.read(NAMES, {"session_tenant_id": world.demo}).scalars()) == names_of(engine, tenant)
            with pytest.raises(LookupError):
                session.read(select(Company.name))
    assert all("companies.tenant_id = " in text for text in statements if "FROM companies" in text)
    with TenantSession(engine) as session, pytest.raises(LookupError):
        session.read(NAMES)


def test_the_tenant_is_announced_with_the_beginning_of_each_transaction(engine, world):
    announced = text("SELECT current_setting('app.tenant_id', true)")
    with TenantSession(engine) as session:
        session.use_tenant(world.nova)
        for end in (session.commit, session.rollback, session.commit):
            assert session.connection().execute(announced).scalar() == str(world.nova)
            with session.begin_nested():
                assert session.connection().execute(announced).scalar() == str(world.nova)
            end()
    with engine.connect() as connection:
        assert not connection.execute(announced).scalar()


def test_more_conditions_leave_the_criterion_in_force(engine, world):
    narrowed = NAMES.where(Company.name == bindparam("name"))
    with TenantSession(engine) as session:
        session.use_tenant(world.nova)
        for name in names_of(engine, world.demo):
            assert session.run(narrowed, {"name": name}).all() == []


def test_plans_outlive_a_rollback_and_what_was_written_does_not(settings, world):
    engine = build_engine(settings.database_url, pool_size=1)
    for _ in range(8):
        names_of(engine, world.demo)
    with TenantSession(engine) as session:
        session.use_tenant(world.demo)
        session.add(Company(name="never kept", customer_number="never"))
        session.flush()
        kept = session.connection().execute(text("SELECT count(*) FROM pg_prepared_statements")).scalar()
    assert kept > 0
    assert "never kept" not in names_of(engine, world.demo)
    engine.dispose()


def test_a_connection_that_died_idle_is_replaced(settings, engine, world):
    own = build_engine(settings.database_url, pool_size=1)
    with own.connect() as connection:
        number = connection.execute(text("SELECT pg_backend_pid()")).scalar()
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": number})
    time.sleep(IDLE_WITHOUT_PING + 0.1)
    assert names_of(own, world.demo)
    own.dispose()


@pytest.mark.parametrize("level", [None, "SERIALIZABLE"])
def test_every_transaction_names_its_tenant_and_forgets_it(settings, world, level):
    """Whether the name travels with BEGIN or, where a connection begins in its own way, behind it."""
    engine = build_engine(settings.database_url, pool_size=1)
    if level:
        engine = engine.execution_options(isolation_level=level)
    named, isolation = text("SELECT current_setting('app.tenant_id', true)"), text("SHOW transaction_isolation")
    for tenant in (world.demo, world.nova, world.demo):
        with TenantSession(engine) as session:
            session.use_tenant(tenant)
            for _ in range(2):
                assert session.execute(named).scalar() == str(tenant)
                assert session.execute(isolation).scalar() == (level or "read committed").lower()
                session.rollback()
        with engine.connect() as connection:
            assert not connection.execute(named).scalar()
    engine.dispose()


def test_what_is_due_is_counted_by_the_index_alone(engine, world):
    due = view_conditions("breached", None, bindparam("now"))
    counted = select(func.count()).select_from(Ticket).where(Ticket.tenant_id == world.demo, *due)
    with engine.connect() as connection:
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        connection.execute(text("SET LOCAL enable_bitmapscan = off"))
        plan = connection.execute(text(f"EXPLAIN {_written_out(counted, now=utcnow())}")).scalars().all()
    assert any("Index Only Scan using idx_tickets_due" in line for line in plan), plan


def _written_out(statement, **values):
    return statement.params(**values).compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True})
