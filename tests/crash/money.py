"""A plant that takes money: a stand-in for Stripe and a web process of its own, and auto-pay for Acme.

An accepted quote runs by itself here: invoice (due at once), charge, webhook, receipt, mails, sealed copy.
"""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests

from portal.config import ROOT
from portal.integrations.seal_check import own_certificates
from portal.integrations.storage import build_storage
from portal.models import (
    AuditEntry,
    AuditLink,
    GatewayEvent,
    Invoice,
    LedgerEntry,
    MailMessage,
    Notification,
    OutboxEvent,
    Payment,
    Quote,
    SealedDocument,
)
from portal.models.session import TenantSessions
from portal.services.audit.anchors import AnchorFolder
from portal.services.audit.verifying import verify_chain
from portal.services.billing.settings import load_settings
from portal.services.payments.agreement import Agreement, save_agreement
from portal.services.payments.applying import Desk
from portal.services.payments.inbox import store_events
from portal.services.payments.looking import LOOKS
from portal.services.payments.setups import begin_setup, open_setup_page, return_from_setup
from portal.services.quotes.accepting import Acceptance, Evidence, accept_quote
from portal.services.quotes.drafting import QuoteDraft, draft_quote
from portal.services.quotes.lines import LineDraft
from portal.services.quotes.sending import send_quote
from portal.services.sealing.checking import check_code, find_sealed
from portal.workflows.client import connect
from runner.ports import choose_port
from tests.crash.conftest import BUSY, Plant, wait_until
from tests.services.payments.at_the_standin import gateway_at
from tests.services.payments.test_with_standin import GOOD, type_card
from tests.stripe_contract.standin import KEY, SECRET, Standin
from tests.world import PASSWORD

SIGNER = "Alice Moreau"
# These run for as long as the company and the card are there.
STANDING = frozenset({"AutoPay", "CardExpiry"})
# Of each accepted quote there is one of these, whatever dies.
ONCE = ("quote.accepted", "quote.invoiced", "quote.sealed", "invoice.issued", "invoice.paid", "payment.succeeded")
MAILS = ("quote_sent", "quote_confirmed", "quote_accepted", "payment_received")


@dataclass
class Shop:
    """A plant and what it needs to be paid; `address` is where people call and webhooks go."""

    plant: Plant
    standin: Standin
    port: int
    quotes: list[Quote] = field(default_factory=list)
    web: Any = None
    door: Any = None
    token: str = ""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def desk(self) -> Desk:
        world = self.plant.world
        return Desk(TenantSessions(self.plant.engine), gateway_at(self.standin.url), world.demo, self.address)

    def begin(self) -> Any:
        return TenantSessions(self.plant.engine).begin(self.plant.world.demo)

    def agree(self) -> None:
        """Alice saves a card on the gateway's page and switches auto-pay on; what is invoiced is due the same day."""
        now, alice = datetime.now(UTC), self.plant.world.people["alice"].actor
        # What the gateway tells of this is nobody's business here.
        self.standin.control("deliveries", drop=100)
        with self.begin() as session:
            load_settings(session, lock=True).payment_terms_days = 0
            company = begin_setup(session, None, actor=alice)
        page = open_setup_page(self.desk, company, actor=alice, now=now)
        type_card(page.url, GOOD)
        method = return_from_setup(self.desk, page.id, actor=alice, now=now)
        assert method is not None
        with self.begin() as session:
            save_agreement(session, None, Agreement(True, method.id), actor=alice, now=now)
        wait_until(lambda: not self.standin.control("deliveries")["deliveries"].get("waiting"), 10, "all dropped")
        self.standin.control("deliveries", drop=0)

    def offer(self) -> Quote:
        """A quote without a deposit, sent."""
        now, bill = datetime.now(UTC), self.plant.world.people["bill"].actor
        with self.begin() as session:
            wanted = QuoteDraft(
                customer_id=self.plant.world.companies["acme"],
                lines=[LineDraft("Work", Decimal(3), 10_001, tax_rate=Decimal(19))],
                valid_until=(now + timedelta(days=2)).date(),
            )
            quote = send_quote(session, draft_quote(session, wanted, actor=bill, now=now).id, actor=bill, now=now)
        self.quotes.append(quote)
        return quote

    def accept(self, quote: Quote) -> None:
        """By the service, in this process."""
        given = Acceptance(SIGNER, (quote.content_sha256 or b"").hex(), True)
        storage, alice = build_storage(self.plant.settings), self.plant.world.people["alice"].actor
        now = datetime.now(UTC)
        with self.begin() as session:
            accept_quote(session, quote.id, given, evidence=Evidence(), storage=storage, actor=alice, now=now)

    def ask_to_accept(self, quote: Quote) -> int:
        """By the web process; its status, or 0 where it does not answer."""
        given = {"signer_name": SIGNER, "content_sha256": (quote.content_sha256 or b"").hex(), "consent": True}
        try:
            if not self.token:
                self.token = self._sign_in()
            status = self._post(f"/api/v1/portal/quotes/{quote.id}/accept", given).status_code
        except (requests.RequestException, KeyError):
            return 0
        if status == 401:
            self.token = ""
        return status

    def accept_surely(self, quote: Quote) -> None:
        """By the web process, again until it says yes, or that it is accepted already."""
        wait_until(lambda: self._is_accepted(quote), 60, "the quote is accepted")

    def start_web(self, fault: str | None = None) -> None:
        """Gunicorn with its worker process, which is armed to die at a crash point."""
        environ = self.plant.environ | {"WEB_THREADS": "8"} | ({"PORTAL_FAULT": fault} if fault else {})
        words = [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "wsgi:app"]
        with self.web_log.open("ab") as log:
            self.web = subprocess.Popen(words, cwd=ROOT, env=environ, stdout=log, stderr=log, start_new_session=True)

    def wait_for_web(self) -> None:
        """Until it answers."""
        wait_until(self._web_answers, 30, "the web process answers")

    @property
    def web_log(self) -> Any:
        return self.plant.settings.data_dir / "web.log"

    def web_died(self) -> bool:
        """Whether gunicorn has seen its worker process killed."""
        return "was sent SIGKILL" in self.web_log.read_text()

    def kill_web(self) -> None:
        """Gunicorn and its worker process."""
        os.killpg(self.web.pid, signal.SIGKILL)
        self.web.wait(20)

    def open_door(self) -> None:
        """Take webhooks in this process, where no web process has to die: checked, kept, acknowledged."""
        desk = self.desk

        class Page(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                seen = desk.gateway.construct_event(body, self.headers["Stripe-Signature"])
                store_events(desk.sessions, [seen], now=datetime.now(UTC))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *words: object) -> None:
                return

        self.door = ThreadingHTTPServer(("127.0.0.1", self.port), Page)
        threading.Thread(target=self.door.serve_forever, daemon=True).start()

    def is_whole(self) -> bool:
        """Whether nothing is left to be done; asked in the order in which one thing brings about the next."""
        if self._is_done() and not self._overdue_workflows():
            return True
        time.sleep(0.3)
        return False

    def check(self, fresh: Sequence[Quote]) -> None:
        """What must hold after every run, for all quotes; the sealed copies of the fresh ones are looked into."""
        rows, count = self.plant.rows, len(self.quotes)
        totals: dict[Any, int] = dict(map(tuple, rows(Quote.id, Quote.total)))
        assert set(totals) == {quote.id for quote in self.quotes}
        invoices = rows(Invoice.quote_id, Invoice.status, Invoice.total, Invoice.paid)
        assert Counter(quote_id for quote_id, *_ in invoices) == Counter(list(totals))
        assert [row for row in invoices if tuple(row[1:]) != ("paid", totals[row[0]], totals[row[0]])] == []
        self._check_payments(sum(totals.values()), count)
        events = Counter(kind for (kind,) in rows(OutboxEvent.kind))
        assert {kind: events[kind] for kind in ONCE} == dict.fromkeys(ONCE, count)
        self._check_mails(count)
        self._check_audit()
        for quote in fresh:
            self._check_seal(quote)

    def end(self) -> None:
        """No process stays."""
        if self.door is not None:
            self.door.shutdown()
            self.door.server_close()
        if self.web is not None and self.web.poll() is None:
            self.kill_web()
        self.plant.end()
        self.standin.kill()

    def _is_accepted(self, quote: Quote) -> bool:
        if self.ask_to_accept(quote) in (200, 409):
            return True
        time.sleep(0.3)
        return False

    def _check_payments(self, total: int, count: int) -> None:
        intents = [one for one in self.desk.gateway.list_intents() if one.amount_received]
        captured = sorted((one.id, one.amount_received) for one in intents)
        payments = self.plant.rows(Payment.intent_id, Payment.amount, Payment.status)
        booked = sorted((intent_id, amount) for intent_id, amount, status in payments if status == "succeeded")
        assert captured == booked
        assert (len(booked), sum(amount for _, amount in booked)) == (count, total)
        assert sum(amount for (amount,) in self.plant.rows(LedgerEntry.amount)) == 0

    def _check_mails(self, count: int) -> None:
        mails = self.plant.rows(MailMessage.message_id, MailMessage.template, MailMessage.recipient, MailMessage.state)
        assert {mail.state.value for mail in mails} == {"sent"}
        templates = Counter(mail.template for mail in mails)
        assert {name: templates[name] for name in MAILS} == dict.fromkeys(MAILS, count)
        assert max(Counter((mail.template, mail.recipient) for mail in mails).values()) <= count
        assert len({mail.message_id for mail in mails}) == len(mails)
        # What a death left half written has another ending; a mail may leave while this is looked at.
        wait_until(lambda: self._mails_out() == len(self.plant.rows(MailMessage.id)), 10, "a file for each mail")
        assert max(Counter(self.plant.rows(Notification.event_id, Notification.user_id)).values()) == 1

    def _mails_out(self) -> int:
        return sum(path.suffix == ".eml" for path in self.plant.mail_files())

    def _check_audit(self) -> None:
        heads = AnchorFolder(self.plant.settings.audit_dir).read_heads()
        with self.begin() as session:
            report = verify_chain(session, list(heads.values()))
        assert report.is_clean, report.findings
        assert (report.sealed, report.waiting) == (len(self.plant.rows(AuditEntry.id)), 0)

    def _check_seal(self, quote: Quote) -> None:
        settings = self.plant.settings
        with self.begin() as session:
            row = find_sealed(session, "quote", quote.id)
            storage, certificates = build_storage(settings), own_certificates(settings)
            checked = check_code(session, row.code, storage=storage, certificates=certificates)
        assert (checked.faults, checked.names) == ((), (SIGNER,))

    def _is_done(self) -> bool:
        rows, wanted = self.plant.rows, {quote.id for quote in self.quotes}
        paid = {quote_id for quote_id, status in rows(Invoice.quote_id, Invoice.status) if status == "paid"}
        sealed = {record_id for record_id, at in rows(SealedDocument.record_id, SealedDocument.sealed_at) if at}
        if not wanted <= paid & sealed:
            return False
        for column in (GatewayEvent.processed_at, OutboxEvent.processed_at, MailMessage.sent_at):
            if None in {at for (at,) in rows(column)}:
                return False
        return len(rows(AuditLink.position)) == len(rows(AuditEntry.id))

    def _overdue_workflows(self) -> list[str]:
        """Those that should have ended; a payment's looks once more some time after its start."""
        young = datetime.now(UTC) - LOOKS[0]
        running = asyncio.run(self._running_workflows())
        return [name for name, at in running if name not in STANDING and not (name == "Payment" and at > young)]

    async def _running_workflows(self) -> list[tuple[str, datetime]]:
        environ = self.plant.environ
        address, namespace = environ["PORTAL_TEMPORAL_ADDRESS"], environ["PORTAL_TEMPORAL_NAMESPACE"]
        client = await connect(replace(self.plant.settings, temporal_address=address, temporal_namespace=namespace))
        found = client.list_workflows("ExecutionStatus = 'Running'")
        return [(run.workflow_type, run.start_time) async for run in found]

    def _web_answers(self) -> bool:
        try:
            return requests.get(f"{self.address}/healthz", timeout=BUSY).status_code == 200
        except requests.RequestException:
            return False

    def _sign_in(self) -> str:
        given = {"identifier": self.plant.world.people["alice"].email, "password": PASSWORD}
        return str(self._post("/api/v1/auth/token", given).json()["access_token"])

    def _post(self, path: str, body: dict[str, Any]) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return requests.post(f"{self.address}{path}", json=body, headers=headers, timeout=5 * BUSY)


def open_shop(plant: Plant) -> Shop:
    """A shop in a plant that has no workers yet; nobody takes its webhooks before web process or door are there."""
    port = choose_port()
    folder = plant.settings.data_dir
    standin = Standin(folder, f"http://127.0.0.1:{port}/webhooks/stripe", port=choose_port([port]))
    plant.environ |= {
        "PORT": str(port),
        "PORTAL_BASE_URL": f"http://127.0.0.1:{port}",
        "STRIPE_SECRET_KEY": KEY,
        "STRIPE_WEBHOOK_SECRET": SECRET,
        "STRIPE_API_BASE": standin.url,
    }
    shop = Shop(plant, standin, port)
    shop.agree()
    return shop
