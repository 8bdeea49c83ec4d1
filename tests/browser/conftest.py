"""The whole product for browser tests: PostgreSQL, Temporal, the stand-in for Stripe, web and worker, demo data in it."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    Playwright,
    expect,
    sync_playwright,
)

from portal.config import ROOT

PASSWORD = "portico-demo"
NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = os.environ.get("PORTAL_CHROMIUM") or next((path for name in NAMES if (path := shutil.which(name))), None)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PICTURES = ROOT / "tests" / "_output"


@dataclass
class Product:
    """The running product; `kill` and `start` act on one process by name."""

    port: int
    stripe_port: int
    folder: Path
    environ: dict[str, str]
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    killed: bool = False

    @property
    def url(self) -> str:
        """The address of tenant `demo`."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def nova_url(self) -> str:
        """The address of tenant `nova`."""
        return f"http://nova.localhost:{self.port}"

    def start(self, name: str) -> None:
        """Start `web`, `worker` or `stripe`, the stand-in."""
        words = {
            "web": ["-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "wsgi:app"],
            "worker": ["worker.py"],
            "stripe": ["-m", "stripe_standin", "--port", str(self.stripe_port), "--state", str(self.folder / "stripe.db"),
                       "--webhook-url", f"{self.url}/webhooks/stripe"],
        }[name]  # fmt: skip
        log = (self.folder / f"{name}.log").open("ab")
        self.processes[name] = subprocess.Popen(
            [sys.executable, *words], cwd=ROOT, env=self.environ, stdout=log, stderr=log, start_new_session=True
        )

    def kill(self, name: str) -> None:
        """End a process the hard way, with its children."""
        process = self.processes.pop(name)
        self.killed = True
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def wait_ready(self, seconds: float = 180) -> None:
        """Until /readyz says ok."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                urllib.request.urlopen(f"{self.url}/readyz", timeout=2)
                return
            except (urllib.error.URLError, OSError) as error:
                if time.monotonic() > deadline:
                    logs = "\n".join(path.read_text(errors="replace")[-3000:] for path in self.folder.glob("*.log"))
                    raise AssertionError(f"not ready: {error}\n{logs}") from error
                time.sleep(0.2)

    def mails(self) -> list[Path]:
        """Every mail that was sent."""
        return sorted((self.folder / "mail").glob("*.eml"))


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="package")
def product(database: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """The product with demo data, running."""
    from runner.temporal import start_dev_server

    folder = tmp_path_factory.mktemp("product")
    database.create_database("product", template="template")
    port, stripe_port = free_port(), free_port()
    with start_dev_server() as temporal:
        environ = os.environ | {
            "PORTAL_ENV": "development",
            "PORTAL_SECRET_KEY": "a secret for the browser tests, long enough",
            "PORTAL_DATABASE_URL": database.app_url("product"),
            "PORTAL_OWNER_DATABASE_URL": database.owner_url("product"),
            "PORTAL_RELAY_DATABASE_URL": database.relay_url("product"),
            "PORTAL_TEMPORAL_ADDRESS": temporal,
            "PORTAL_DATA_DIR": str(folder),
            "PORTAL_PASSWORD_TIME_COST": "1",
            "PORTAL_PASSWORD_MEMORY_KIB": "8",
            "PORTAL_BASE_URL": f"http://127.0.0.1:{port}",
            "PORT": str(port),
            "STRIPE_SECRET_KEY": "sk_test_standin_browser",
            "STRIPE_WEBHOOK_SECRET": "whsec_browser",
            "STRIPE_API_BASE": f"http://127.0.0.1:{stripe_port}",
        }
        product = Product(port, stripe_port, folder, environ)
        subprocess.run(
            [sys.executable, "-m", "flask", "--app", "wsgi", "portal", "setup"], cwd=ROOT, env=environ, check=True
        )
        try:
            product.start("stripe")
            product.start("web")
            product.start("worker")
            product.wait_ready()
            yield product
        finally:
            for name in list(product.processes):
                product.kill(name)


@pytest.fixture(scope="package")
def playwright_instance() -> Iterator[Playwright]:
    """Playwright's driver."""
    expect.set_options(timeout=30_000)
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="package")
def chromium(playwright_instance: Playwright) -> Iterator[Browser]:
    """The system's Chromium; its absence fails with what to do."""
    if CHROMIUM is None:
        pytest.fail("Chromium is missing: apt-get install chromium (or your system's package), then run again.")
    browser = playwright_instance.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
    yield browser
    browser.close()


@pytest.fixture
def new_page(chromium: Browser, product: Product) -> Iterator[Callable[..., Page]]:
    """Open a page in a fresh browser profile; options are Playwright's (viewport, color_scheme, locale, …).

    The test fails when the page logs an error: a broken script or a refused resource is a bug.
    """
    contexts: list[BrowserContext] = []
    problems: list[str] = []

    def wrong(message: ConsoleMessage) -> bool:
        # A page whose server a test killed finds nobody there.
        expected = ("status of 4", "status of 5", *(("net::ERR_CONNECTION",) if product.killed else ()))
        return message.type == "error" and not any(words in message.text for words in expected)

    def make(**options: Any) -> Page:
        options = {"viewport": {"width": 1440, "height": 900}, "locale": "en-GB", "reduced_motion": "reduce"} | options
        context = chromium.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: problems.append(f"{page.url}: {error}"))
        page.on("console", lambda message: problems.append(f"{page.url}: {message.text}") if wrong(message) else None)
        return page

    yield make
    for context in contexts:
        context.close()
    assert not problems, "\n".join(problems)


def sign_in(page: Page, base: str, identifier: str, door: str = "portal") -> Page:
    """Sign in through the form, as a person would."""
    page.goto(f"{base}/{door}/login")
    page.fill("[name=identifier]", identifier)
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_url(lambda url: "/login" not in url)
    return page


def picture(page: Page, name: str) -> Path:
    """A screenshot of the page in tests/_output, for people to look at."""
    PICTURES.mkdir(exist_ok=True)
    path = PICTURES / f"{name}.png"
    try:
        page.screenshot(path=path)
    except Error:
        # On a busy machine Chromium sometimes has no frame to give just after a page was replaced.
        page.wait_for_timeout(1000)
        page.screenshot(path=path)
    return path
