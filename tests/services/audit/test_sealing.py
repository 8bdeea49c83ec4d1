"""Entries become links in the order of their numbers, each once, however transactions overlap."""

import random
import threading
import time

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from portal.models import AuditEntry
from portal.services.audit.chain import HASHED
from portal.services.audit.sealing import SealingRounds
from portal.workflows.alone import try_lock
from portal.workflows.sealing import LOCK_KEY
from tests.services.audit.conftest import NOW


def check_chain(trail, tenant="one"):
    """Positions without gaps, numbers rising, every entry linked once."""
    chain = trail.chain(tenant)
    assert [row.position for row in chain] == list(range(1, len(chain) + 1))
    assert [row.seq for row in chain] == sorted(row.seq for row in chain)
    entries = trail.rows("SELECT id FROM audit_entries WHERE tenant_id = :t", t=trail.tenants[tenant])
    assert {row.entry_id for row in chain} == {row.id for row in entries}
    assert trail.verify(tenant).is_clean
    return chain


def test_every_column_of_an_entry_is_hashed():
    assert set(HASHED) == set(AuditEntry.__table__.columns.keys())


def test_each_tenant_has_a_chain_of_its_own(trail):
    for _ in range(3):
        trail.write(2, "one")
        trail.write(1, "two")
    grown = trail.seal()
    assert {head.position for head in grown.values()} == {6, 3}
    assert len(check_chain(trail, "one")) == 6
    assert len(check_chain(trail, "two")) == 3


def test_a_chain_goes_on_where_it_ended(trail):
    trail.write(3)
    trail.seal()
    trail.write(2)
    trail.seal()
    assert trail.seal() == {}
    assert len(check_chain(trail)) == 5


def test_more_than_a_batch(trail):
    trail.write(25)
    trail.seal(batch=10)
    assert len(check_chain(trail)) == 25


def test_an_open_transaction_holds_back_what_it_could_overtake(trail):
    with trail.engine.connect() as slow, trail.engine.connect() as connection:
        outer = slow.begin()
        trail.write(connection=slow)
        trail.write(2)
        sealer = SealingRounds(connection)
        for _ in range(3):
            assert sealer.run_once(now=NOW) == {}
        assert trail.chain() == []
        outer.commit()
        sealer.run_once(now=NOW)
        sealer.run_once(now=NOW)
    chain = check_chain(trail)
    assert len(chain) == 3, "the late one is first, since its number is the lowest"


def test_a_number_without_a_transaction_id_yet_holds_back_too(trail):
    """The number is taken before the row: a writer that is between the two has no transaction id."""
    with trail.engine.connect() as slow, trail.engine.connect() as connection:
        slow.begin()
        slow.execute(text("LOCK TABLE audit_entries IN ROW EXCLUSIVE MODE"))
        assert slow.scalar(text("SELECT pg_current_xact_id_if_assigned()")) is None
        trail.write()
        sealer = SealingRounds(connection)
        assert sealer.run_once(now=NOW) == {}
        assert sealer.run_once(now=NOW) == {}
        slow.rollback()
        assert sealer.run_once(now=NOW)


def test_one_who_came_later_or_only_reads_holds_nothing_back(trail):
    with trail.engine.connect() as reader, trail.engine.connect() as slow, trail.engine.connect() as connection:
        reader.execute(text("SELECT count(*) FROM audit_entries"))
        early = trail.engine.connect()
        early.begin()
        trail.write(connection=early)
        trail.write()
        sealer = SealingRounds(connection)
        sealer.run_once(now=NOW)
        slow.begin()
        trail.write(connection=slow)
        early.commit()
        early.close()
        assert sealer.run_once(now=NOW), "whoever began after the look cannot hold a lower number"
        assert len(trail.chain()) == 2
        slow.commit()
    trail.seal()
    check_chain(trail)


def test_numbers_that_were_rolled_back_are_no_gap(trail):
    trail.write()
    with trail.engine.connect() as connection:
        connection.begin()
        trail.write(3, connection=connection)
        connection.rollback()
    trail.write()
    trail.seal()
    chain = check_chain(trail)
    assert chain[1].seq > chain[0].seq + 1


def test_many_writers_at_once(trail):
    """Thirty transactions that overlap at random, some rolled back, while the sealer goes round."""
    chance = random.Random(4)
    ended = threading.Event()

    def write(pause, keep):
        with trail.engine.connect() as connection:
            connection.begin()
            trail.write(connection=connection)
            time.sleep(pause)
            trail.write(connection=connection)
            connection.commit() if keep else connection.rollback()

    def seal():
        with trail.engine.connect() as connection:
            sealer = SealingRounds(connection, batch=7)
            while not ended.is_set():
                sealer.run_once(now=NOW)

    sealing = threading.Thread(target=seal)
    sealing.start()
    for _ in range(5):
        writers = [threading.Thread(target=write, args=(chance.random() / 20, chance.random() > 0.2)) for _ in range(6)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join(20)
    ended.set()
    sealing.join(20)
    trail.seal()
    assert len(check_chain(trail)) > 20


def test_one_sealer_holds_the_lock(trail):
    with trail.engine.connect() as first, trail.engine.connect() as second:
        assert try_lock(first, LOCK_KEY)
        assert not try_lock(second, LOCK_KEY)
        first.invalidate()
        deadline = time.monotonic() + 60
        while not try_lock(second, LOCK_KEY):
            assert time.monotonic() < deadline


@pytest.mark.parametrize("statement", ["UPDATE audit_links SET position = position + 1", "DELETE FROM audit_links"])
def test_links_can_neither_be_changed_nor_deleted_by_the_application(trail, statement):
    trail.write()
    trail.seal()
    with trail.engine.connect() as connection, pytest.raises(DBAPIError, match="permission denied"):
        connection.execute(text(statement))


def test_a_position_is_given_once(trail):
    """Even a second sealer that thought it was alone could not fork the chain."""
    trail.write()
    trail.seal()
    trail.write()
    entry = trail.rows("SELECT id FROM audit_entries ORDER BY seq DESC LIMIT 1")[0].id
    for position, linked in ((1, entry), (2, trail.chain()[0].entry_id)):
        with pytest.raises(DBAPIError, match="audit_links"):
            trail.tamper(
                "INSERT INTO audit_links (tenant_id, position, entry_id, hash) VALUES (:tenant, :position, :entry, '')",
                tenant=trail.tenants["one"],
                position=position,
                entry=linked,
            )
