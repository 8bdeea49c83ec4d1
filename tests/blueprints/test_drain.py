"""Refusals of large bodies arrive: a real server, a client that sends first and reads then."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from portal.config import ROOT

PROGRAM = """
from werkzeug.exceptions import RequestEntityTooLarge
from portal.blueprints.drain import DrainUnread
app = DrainUnread(RequestEntityTooLarge())
"""


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """gunicorn with nothing but a refusal behind the middleware."""
    folder = tmp_path_factory.mktemp("drain")
    (folder / "refusing.py").write_text(PROGRAM)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "-k", "gthread", "-b", f"127.0.0.1:{free}", "refusing:app"]
    environ = {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}
    child = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", free)) == 0:
                break
        time.sleep(0.05)
    yield free
    child.send_signal(signal.SIGTERM)
    child.wait(15)


@pytest.mark.parametrize("chunked", [False, True])
def test_client_sees_the_refusal_and_keeps_its_connection(port: int, chunked: bool) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    for _ in range(2):
        body = (b"x" * 65536 for _ in range(160)) if chunked else b"x" * 10_000_000
        connection.request("POST", "/", body=body)
        answer = connection.getresponse()
        assert answer.status == 413
        answer.read()
    connection.close()
