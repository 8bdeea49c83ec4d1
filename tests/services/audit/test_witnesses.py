"""The heads that are noted outside of the database: at once, and once a day for good."""

import json
from datetime import timedelta

import pytest

from portal.services.audit.anchors import ANCHORS, HEADS, UnreadableAnchors
from portal.services.audit.sealing import SealingRounds
from portal.services.audit.verifying import What
from portal.services.audit.witnessing import Witnessing
from tests.services.audit.conftest import NOW


@pytest.fixture
def sealer(trail):
    """Seal and note, as the worker does every second."""
    with trail.engine.connect() as connection:
        rounds, witnessing = SealingRounds(connection), Witnessing(connection, trail.anchors)

        def run(now=NOW):
            witnessing.note(rounds.run_once(now=now), now=now)

        yield run


def lines(trail):
    return (trail.anchors.folder / ANCHORS).read_text().splitlines()


def test_every_head_is_noted_at_once_and_every_chain_once_a_day(trail, sealer):
    trail.write(3, "one")
    sealer()
    trail.write(2, "one")
    trail.write(1, "two")
    sealer()
    heads = trail.anchors.read_heads()
    assert {heads[trail.tenants[slug]].position for slug in ("one", "two")} == {5, 1}
    assert [anchor.head.position for anchor in trail.anchors.read_anchors()] == [3, 1]
    sealer(NOW + timedelta(days=1))
    assert sorted(anchor.head.position for anchor in trail.anchors.read_anchors()[2:]) == [1, 5]
    assert json.loads(lines(trail)[0]) == {
        "date": "2026-11-24",
        "tenant": str(trail.tenants["one"]),
        "position": 3,
        "hash": trail.rows("SELECT hash FROM audit_links WHERE position = 3")[0].hash.hex(),
    }


def test_a_worker_that_starts_again_anchors_no_second_time(trail):
    trail.write()
    for _ in range(3):
        with trail.engine.connect() as connection:
            rounds = SealingRounds(connection)
            Witnessing(connection, trail.anchors).note(rounds.run_once(now=NOW), now=NOW)
    assert len(lines(trail)) == 1


def test_nothing_is_anchored_before_there_is_a_chain(trail, sealer):
    sealer()
    assert not (trail.anchors.folder / ANCHORS).exists()


def test_witnesses_are_for_nobody_else(trail, sealer):
    trail.write()
    sealer()
    assert trail.anchors.folder.stat().st_mode & 0o077 == 0
    for name in (ANCHORS, HEADS):
        assert (trail.anchors.folder / name).stat().st_mode & 0o077 == 0


def test_a_tail_that_was_cut_off_stays_on_record(trail, sealer, caplog):
    trail.write(5)
    sealer()
    one = {"one": trail.tenants["one"]}
    trail.tamper("DELETE FROM audit_links WHERE position > 3 AND tenant_id = :one", **one)
    trail.tamper(
        "DELETE FROM audit_entries WHERE tenant_id = :one AND id NOT IN (SELECT entry_id FROM audit_links)", **one
    )
    trail.write(9)
    sealer()
    sealer()
    head = trail.anchors.read_heads()[trail.tenants["one"]]
    assert head.position == 5, "the chain went on, its witness did not go along"
    assert "does not go on from position 5" in caplog.text
    (finding,) = trail.verify("one", head).findings
    assert finding.what is What.REWRITTEN


@pytest.mark.parametrize(
    "text",
    [
        "x\n",
        '{"date": "2026-11-24"}\n',
        '{"date": "2026-11-24", "tenant": "t", "position": 1, "hash": ""}\n',
        '{"date": "2026-11-24", "tenant": "00000000-0000-0000-0000-000000000000", "position": true, "hash": ""}\n',
        "[]\n",
    ],
)
def test_what_the_sealer_did_not_write_is_said(trail, sealer, text):
    trail.write()
    sealer()
    with (trail.anchors.folder / ANCHORS).open("a") as file:
        file.write(text)
    with pytest.raises(UnreadableAnchors, match=r"anchors.jsonl, line 2"):
        trail.anchors.read_anchors()


def test_heads_that_the_sealer_did_not_write(trail, sealer):
    trail.write()
    sealer()
    (trail.anchors.folder / HEADS).write_text("[1]")
    with pytest.raises(UnreadableAnchors, match="heads"):
        trail.anchors.read_heads()
