"""Prepared statements are as scoped as all others; connections keep their plans and are replaced when they die."""

import time

import pytest
from sqlalchemy import bindparam, select, text

from portal.models import Company, Ticket
from portal.models.session import IDLE_WITHOUT_PING, TenantSession, build_engine, prepare

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
