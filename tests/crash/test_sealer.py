"""A worker that dies while it seals: the next one goes on, no entry is linked twice and none is left out."""

import signal

import pytest
from sqlalchemy import text

from portal.models import AuditEntry, AuditLink
from portal.models.session import TenantSessions
from portal.services.audit.anchors import AnchorFolder
from portal.services.audit.sealing import BATCH
from portal.services.audit.verifying import verify_chain
from tests.crash.conftest import BUSY, wait_until

pytestmark = [pytest.mark.temporal, pytest.mark.timeout(600)]

ENTRIES = text(
    """
    INSERT INTO audit_entries (id, tenant_id, at, actor_kind, actor_name, action, record_type, ip, request_id)
    SELECT gen_random_uuid(), :tenant, now(), 'staff', 'Ada Brandt', 'user.signed_in', 'user', '', ''
    FROM generate_series(1, :count)
    """
)


@pytest.mark.parametrize("point", ["audit.pre_commit:2", "audit.post_commit:2"])
def test_a_worker_killed_between_batches(plant, point):
    with TenantSessions(plant.engine).begin(plant.world.demo) as session:
        session.connection().execute(ENTRIES, {"tenant": plant.world.demo, "count": 2 * BATCH + 7})
    worker = plant.start_worker(point)
    assert worker.wait(30 * BUSY) == -signal.SIGKILL, "the crash point was not reached"
    links = len(plant.rows(AuditLink.position))
    assert links == (BATCH if point.startswith("audit.pre") else 2 * BATCH)
    plant.start_worker()
    plant.start_worker()
    wait_until(lambda: len(plant.rows(AuditLink.position)) == len(plant.rows(AuditEntry.id)), 30, "all sealed")
    positions = sorted(position for (position,) in plant.rows(AuditLink.position))
    assert positions == list(range(1, len(positions) + 1))
    folder = AnchorFolder(plant.settings.audit_dir)
    wait_until(folder.read_anchors, 10, "the chain is anchored")
    with TenantSessions(plant.engine).begin(plant.world.demo) as session:
        assert verify_chain(session, list(folder.read_heads().values())).is_clean
