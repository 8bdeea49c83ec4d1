"""Makes one statement in a process of its own: `python -m bench.statement <tenant> <statement>`.

Prints JSON: seconds, and megabytes of resident memory when everything was loaded and at the highest.
"""

import json
import re
import sys
import time
from pathlib import Path
from uuid import UUID

from portal.config import Settings
from portal.integrations.storage import build_storage
from portal.lib.clock import utcnow
from portal.models.session import TenantSessions, build_engine
from portal.services.statements.making import make_statement


def main() -> None:
    """Make it as the worker does."""
    settings = Settings.from_env()
    tenant_id, statement_id = map(UUID, sys.argv[1:3])
    sessions, storage = TenantSessions(build_engine(settings.database_url, pool_size=1)), build_storage(settings)
    with sessions.begin(tenant_id):
        pass
    loaded, began = resident("VmRSS"), time.perf_counter()
    make_statement(sessions, tenant_id, statement_id, storage=storage, base_url=settings.base_url, now=utcnow())
    print(json.dumps({"seconds": time.perf_counter() - began, "loaded": loaded, "peak": resident("VmHWM")}))


def resident(field: str) -> float:
    """Megabytes as the kernel counts them for this program (`getrusage` would also count what started it)."""
    found = re.search(rf"^{field}:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0


if __name__ == "__main__":
    main()
