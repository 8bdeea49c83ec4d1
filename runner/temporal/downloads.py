"""Lets the Temporal SDK fetch a server by its own means, and keeps what it fetched."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

# os._exit: a clean exit right after using the SDK's client aborts now and then.
FETCH = """
import asyncio, os, sys
from temporalio.testing import WorkflowEnvironment
async def fetch():
    kind, version, folder = sys.argv[1:]
    start = getattr(WorkflowEnvironment, kind)
    option = "dev_server_download_version" if kind == "start_local" else "test_server_download_version"
    server = await start(download_dest_dir=folder, **{option: version})
    await server.shutdown()
try:
    asyncio.run(fetch())
except Exception as error:
    print(error, file=sys.stderr)
    os._exit(1)
os._exit(0)
"""
PATIENCE_SECONDS = 120


@contextmanager
def scratch(beside: Path) -> Iterator[Path]:
    """An empty folder beside a target, so that the last step is one rename; free of a cut-off run's leftovers."""
    folder = beside.parent / "new"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def download(kind: str, version: str, target: Path, *, python: str | Path, environ: Mapping[str, str]) -> Path | None:
    """`target` with the server in it, None when the SDK or the way to its files is missing.

    `kind` is the SDK's own word for the server (`start_local`, `start_time_skipping`); `python` has the SDK.
    """
    with scratch(target) as folder:
        words = [str(python), "-c", FETCH, kind, version, str(folder)]
        try:
            subprocess.run(words, env=dict(environ), capture_output=True, timeout=PATIENCE_SECONDS, check=True)
        except (OSError, subprocess.SubprocessError):
            return None
        fetched = [path for path in folder.rglob("*") if path.is_file() and os.access(path, os.X_OK)]
        if len(fetched) != 1:
            return None
        fetched[0].replace(target)
    return target
