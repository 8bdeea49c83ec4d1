"""A small checkout with stand-ins for the product's own programs, around the real runner, PostgreSQL and Temporal."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

from runner.layout import ROOT
from runner.ports import choose_port
from runner.processes import started_at
from runner.stamps import digest

NAMES = ("web", "worker", "stripe", "temporal", "postgres")

WEB = """#!{python}
import json, os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps(dict(os.environ)).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *words):
        pass
ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Page).serve_forever()
"""
FLASK = """#!{python}
import os, sys
with open(os.path.join(os.environ["PORTAL_DATA_DIR"], "setup-calls"), "a") as file:
    print(*sys.argv[1:], file=file)
"""
STRIPE = """
import argparse, json, os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
parser = argparse.ArgumentParser()
for name in ("--port", "--state", "--url-file", "--webhook-url"):
    parser.add_argument(name, required=True)
given = parser.parse_args()
class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({**vars(given), "secret": os.environ["STRIPE_WEBHOOK_SECRET"]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *words):
        pass
server = ThreadingHTTPServer(("127.0.0.1", int(given.port)), Page)
Path(given.url_file).write_text(f"http://127.0.0.1:{given.port}\\n")
server.serve_forever()
"""
WORKER = """
import time
while True:
    time.sleep(60)
"""


def make_checkout(root: Path) -> Path:
    """A checkout whose set-up steps are all done already, by the stamps."""
    for name in ("runner", "requirements"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "worker.py").write_text(WORKER)
    (root / "stripe_standin.py").write_text(STRIPE)
    (root / "portal" / "static" / "dist").mkdir(parents=True)
    (root / "portal" / "static" / "dist" / "app.js").write_text("")
    (root / "node_modules").mkdir()
    venv = root / ".venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "lib").symlink_to(Path(sys.prefix) / "lib")
    (venv / "bin" / "python").symlink_to(sys.executable)
    for name, text in {"gunicorn": WEB, "flask": FLASK, "uv": "#!/bin/sh\n", "pybabel": "#!/bin/sh\n"}.items():
        script = venv / "bin" / name
        script.write_text(text.format(python=sys.executable) if "{python}" in text else text)
        script.chmod(0o755)
    requirements = root / "requirements"
    stamps = {
        "location": str(venv),
        "bootstrap": digest([requirements / "bootstrap.txt"], base=root),
        "packages": f"runtime {digest([requirements / 'runtime.txt'], base=root)}",
        "modules": digest([], base=root),
        "bundle": digest([], base=root),
        "catalogues": digest([], base=root),
    }
    (venv / "portico-stamps.json").write_text(json.dumps(stamps))
    return root


class Copy:
    """One running copy: the runner's process, its data folder and what can be seen from outside."""

    def __init__(self, root: Path, data: Path, words: list[str] | None = None, **environ: str) -> None:
        self.data = data
        self.port = int(environ.pop("PORT", None) or choose_port())
        data.mkdir(parents=True, exist_ok=True)
        self.said = data / f"said-{time.monotonic_ns()}"
        given = {
            name: value for name, value in os.environ.items() if not name.startswith(("PORTAL_", "MAKE", "STRIPE_"))
        }
        given |= {"PORTAL_DATA_DIR": str(data), "PORT": str(self.port), **environ}
        with self.said.open("wb") as output:
            self.process = subprocess.Popen(
                words or [sys.executable, "-m", "runner", "run"],
                cwd=root,
                env=given,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self.seen: set[int] = set()

    def output(self) -> str:
        return self.said.read_text()

    def await_running(self, seconds: float = 60) -> "Copy":
        wait_for(lambda: "is running" in self.output() or self.process.poll() is not None, seconds, self.output)
        assert self.process.poll() is None, self.output()
        self.seen |= {self.pid(name) for name in NAMES if (self.data / "run" / f"{name}.pid").exists()}
        return self

    def pid(self, name: str) -> int:
        return int((self.data / "run" / f"{name}.pid").read_text())

    def environ(self) -> dict[str, str]:
        """The environment that the children got, as the stand-in for the web process tells it."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=5) as answer:
            return json.load(answer)

    def await_other(self, name: str, pid: int, seconds: float = 15) -> int:
        """The pid of the child that replaced `pid`."""
        wait_for(lambda: (self.pid(name) != pid) and bool(started_at(self.pid(name))), seconds, self.output)
        self.seen.add(self.pid(name))
        return self.pid(name)

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(40)

    def alive(self) -> set[int]:
        return {pid for pid in self.seen if started_at(pid)}


def wait_for(condition: Callable[[], bool], seconds: float, explain: Callable[[], str] = str) -> None:
    """Poll until the condition holds; fails with what `explain` says."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, explain()
        time.sleep(0.02)
