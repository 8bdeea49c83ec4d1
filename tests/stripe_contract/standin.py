"""A stand-in as a process of its own, and a receiver for what it sends."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import requests
import stripe

from portal.config import ROOT

KEY = "sk_test_standin_contract"
SECRET = "whsec_contract"


def wait_for(condition: Callable[[], Any], seconds: float = 30) -> Any:
    """Poll until the condition gives something."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
    return found


class Standin:
    """`python -m stripe_standin` on a state file and a port, where none is given on a free one at each start."""

    def __init__(self, folder: Path, webhook_url: str | None = None, *, port: int = 0) -> None:
        self._folder = folder
        self._port = port
        self._webhook_url = webhook_url
        self.start()

    def start(self) -> None:
        url_file = self._folder / "stripe.url"
        url_file.unlink(missing_ok=True)
        words = [sys.executable, "-m", "stripe_standin", "--port", str(self._port)]
        words += ["--url-file", str(url_file), "--state", str(self._folder / "stripe.db")]
        if self._webhook_url:
            words += ["--webhook-url", self._webhook_url]
        environ = {**os.environ, "STRIPE_WEBHOOK_SECRET": SECRET}
        with (self._folder / "stripe.log").open("ab") as log:
            self.process = subprocess.Popen(words, cwd=ROOT, env=environ, stdout=log, stderr=log)
        self.url: str = wait_for(lambda: url_file.exists() and url_file.read_text().strip())

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(20)

    def client(self, **options: Any) -> stripe.StripeClient:
        """The unmodified SDK."""
        return stripe.StripeClient(KEY, base_addresses={"api": self.url}, **{"max_network_retries": 2, **options})

    def control(self, name: str, **body: Any) -> dict[str, Any]:
        answer = requests.post(f"{self.url}/_standin/{name}", json=body, timeout=20)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def held(self) -> int:
        """How many requests are held."""
        return int(requests.get(f"{self.url}/_standin/state", timeout=20).json()["held"])

    def state_file(self) -> bytes:
        """All that is stored, write-ahead log included."""
        return b"".join(path.read_bytes() for path in self._folder.glob("stripe.db*"))

    def log(self) -> str:
        return (self._folder / "stripe.log").read_text()


class Receiver:
    """Takes webhooks; `answers` are the status codes of the next ones, then 200."""

    def __init__(self) -> None:
        self.got: list[tuple[bytes, str]] = []
        self.answers: list[int] = []
        receiver = self

        class Page(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((body, self.headers["Stripe-Signature"]))
                self.send_response(receiver.answers.pop(0) if receiver.answers else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *words: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/webhooks/stripe"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def events(self, client: stripe.StripeClient, about: str) -> list[stripe.Event]:
        """The events about an object, each with its signature proven."""
        seen = [client.construct_event(body, signature, SECRET) for body, signature in list(self.got)]
        return [event for event in seen if event.data.object["id"] == about]
