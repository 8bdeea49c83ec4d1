"""The stand-in for Stripe as a process of its own, a toll before it that says how long it took, and signed events."""

import http.client
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import uuid4

from portal.config import ROOT
from stripe_standin.delivery import sign

SECRET = "whsec_benchmarks"
LOOPBACK = "127.0.0.1"
# Headers that belong to one connection and not to the message.
_OF_THE_CONNECTION = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "host"})


class Toll:
    """Stands between product and gateway, and adds up the seconds for which the gateway had a request."""

    def __init__(self, gateway_port: int) -> None:
        self.seconds = 0.0
        self._gateway_port = gateway_port
        self._local = threading.local()
        toll = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # The end of an answer is not held back until the one before it was acknowledged.
            disable_nagle_algorithm = True

            def pass_on(self) -> None:
                toll.pass_on(self)

            do_GET = do_POST = do_DELETE = pass_on  # noqa: N815 - names of the standard library's

            def log_message(self, format: str, *args: object) -> None:
                """Nobody reads it."""

        self.server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://{LOOPBACK}:{self.server.server_address[1]}"

    def pass_on(self, asked: BaseHTTPRequestHandler) -> None:
        """One request there and its answer back."""
        body = asked.rfile.read(int(asked.headers.get("Content-Length") or 0))
        headers = {name: value for name, value in asked.headers.items() if name.lower() not in _OF_THE_CONNECTION}
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = http.client.HTTPConnection(LOOPBACK, self._gateway_port, timeout=30)
        began = time.perf_counter()
        connection.request(asked.command, asked.path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        self.seconds += time.perf_counter() - began
        asked.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in {*_OF_THE_CONNECTION, "date", "server"}:
                asked.send_header(name, value)
        asked.send_header("Content-Length", str(len(content)))
        asked.end_headers()
        asked.wfile.write(content)


@contextmanager
def gateway(folder: Path) -> Iterator[Toll]:
    """The stand-in at work, and the toll before it; webhooks are not delivered."""
    told = folder / "gateway.url"
    words = [sys.executable, "-m", "stripe_standin", "--port", "0", "--state", str(folder / "gateway.db")]
    environ = os.environ | {"STRIPE_WEBHOOK_SECRET": SECRET}
    process = subprocess.Popen([*words, "--url-file", str(told)], cwd=ROOT, env=environ, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)  # fmt: skip
    try:
        for _ in range(300):
            if told.exists() and told.read_text().endswith("\n"):
                break
            time.sleep(0.1)
        toll = Toll(int(told.read_text().strip().rpartition(":")[2]))
        threading.Thread(target=toll.server.serve_forever, daemon=True).start()
        yield toll
        toll.server.shutdown()
    finally:
        process.terminate()
        process.wait(15)


def environ_for(toll: Toll) -> dict[str, str]:
    """What the product needs to take the toll for its gateway."""
    return {"STRIPE_SECRET_KEY": "sk_test_standin", "STRIPE_WEBHOOK_SECRET": SECRET, "STRIPE_API_BASE": toll.url}


def tell(port: int, connection: http.client.HTTPConnection | None = None) -> float:
    """Deliver a new signed event to the running server; milliseconds until it was answered."""
    now = int(time.time())
    intent = {"id": f"pi_{uuid4().hex}", "object": "payment_intent", "customer": f"cus_{uuid4().hex[:14]}",
              "amount": 12000, "currency": "eur", "status": "succeeded", "metadata": {}}  # fmt: skip
    event = {"id": f"evt_{uuid4().hex}", "object": "event", "type": "payment_intent.succeeded", "created": now,
             "livemode": False, "api_version": None, "pending_webhooks": 1, "request": {"id": None, "idempotency_key": None},
             "data": {"object": intent}}  # fmt: skip
    payload = json.dumps(event, indent=2).encode()
    headers = {"Content-Type": "application/json; charset=utf-8", "Stripe-Signature": sign(payload, SECRET, now)}
    line = connection or http.client.HTTPConnection(LOOPBACK, port, timeout=30)
    began = time.perf_counter()
    line.request("POST", "/webhooks/stripe", payload, headers)
    answer = line.getresponse()
    answer.read()
    taken = (time.perf_counter() - began) * 1000
    if answer.status != 204:
        raise RuntimeError(f"a webhook gave {answer.status}")
    return taken
