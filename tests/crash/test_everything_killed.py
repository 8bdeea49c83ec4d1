"""`make run` with every process killed in turn while a drill runs: all come back, the promise is kept once."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from portal.config import ROOT
from tests.browser.conftest import free_port
from tests.crash.conftest import BUSY

pytestmark = [pytest.mark.temporal, pytest.mark.timeout(600)]
VICTIMS = ("postgres", "temporal", "worker", "web")


class Running:
    """The product as a newcomer starts it."""

    def __init__(self, folder):
        self.port = free_port()
        self.folder = folder
        environ = os.environ | {"PORT": str(self.port), "PORTAL_DATA_DIR": str(folder)}
        self.log = (folder.parent / "run.log").open("wb")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "runner", "run"], cwd=ROOT, env=environ, stdout=self.log, stderr=self.log
        )
        self.token = ""

    def call(self, method, path, body=None):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method)
        request.add_header("Authorization", f"Bearer {self.token}")
        data = None
        if body is not None:
            request.add_header("Content-Type", "application/json")
            data = json.dumps(body).encode()
        with urllib.request.urlopen(request, data, timeout=3 * BUSY) as answer:
            return json.load(answer)

    def until(self, wanted, seconds):
        """What `wanted` gives as soon as it gives something; outages are waited out."""
        deadline = time.monotonic() + BUSY * seconds
        while time.monotonic() < deadline:
            try:
                found = wanted()
                if found:
                    return found
            except (OSError, ValueError):
                pass
            time.sleep(0.2)
        raise AssertionError((self.folder.parent / "run.log").read_text()[-3000:])

    def pid(self, name):
        return int((self.folder / "run" / f"{name}.pid").read_text())


@pytest.fixture
def running(tmp_path):
    started = Running(tmp_path / "data")
    try:
        started.until(lambda: started.call("GET", "/readyz"), 90)
        answer = started.call(
            "POST", "/api/v1/auth/token", {"identifier": "ana@acme.example", "password": "portico-demo"}
        )
        started.token = answer["access_token"]
        yield started
    finally:
        pids = [started.pid(name) for name in VICTIMS]
        started.process.terminate()
        started.process.wait(30 * BUSY)
        started.log.close()
        assert not [pid for pid in pids if os.path.exists(f"/proc/{pid}/exe")]  # noqa: PTH110 - links, not files


def test_a_promise_survives_the_death_of_everything(running):
    ticket = running.call(
        "POST", "/api/v1/portal/tickets", {"subject": "Everything dies", "description": "x", "category": "drill"}
    )
    path = f"/api/v1/portal/tickets/{ticket['id']}"
    for name in VICTIMS:
        time.sleep(2)
        before = running.pid(name)
        os.kill(before, signal.SIGKILL)
        running.until(lambda name=name, before=before: running.pid(name) != before, 15)

    def escalated():
        return [line for line in running.call("GET", path)["timeline"] if line["kind"] == "escalated"]

    running.until(escalated, 40)
    time.sleep(3)
    assert len(escalated()) == 1
    assert running.call("GET", path)["assignee"]["name"] == "Mia Lindqvist"
