"""Whatever dies after a quote was accepted: one invoice (or deposit and remainder), one notice, one mail."""

import signal
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from portal.integrations.storage import build_storage
from portal.models import Invoice, MailMessage, Notification, OutboxEvent, Quote
from portal.models.session import TenantSessions
from portal.services.quotes.accepting import Acceptance, Evidence, accept_quote
from portal.services.quotes.drafting import QuoteDraft, draft_quote
from portal.services.quotes.lines import LineDraft
from portal.services.quotes.sending import send_quote
from tests.crash.conftest import BUSY, wait_until

pytestmark = [pytest.mark.temporal, pytest.mark.timeout(600)]

LETTERS = {"quote_confirmed", "quote_accepted", "quote_sent"}
POINTS = ("quote_invoice.pre_commit", "quote_invoice.post_commit", "relay.post_start:2", "mail.post_send:2")


def accept_one(plant):
    """Send a quote with a deposit and accept it, before any worker hears of it."""
    now, people = datetime.now(UTC), plant.world.people
    with TenantSessions(plant.engine).begin(plant.world.demo) as session:
        wanted = QuoteDraft(
            customer_id=plant.world.companies["acme"],
            lines=[LineDraft("Work", Decimal(3), 10_001, tax_rate=Decimal(19))],
            valid_until=(now + timedelta(days=2)).date(),
            deposit_percent=Decimal("33.3"),
        )
        quote = draft_quote(session, wanted, actor=people["bill"].actor, now=now)
        send_quote(session, quote.id, actor=people["bill"].actor, now=now)
    with TenantSessions(plant.engine).begin(plant.world.demo) as session:
        given = Acceptance("Alice Moreau", (quote.content_sha256 or b"").hex(), True)
        storage, alice = build_storage(plant.settings), people["alice"].actor
        accept_quote(session, quote.id, given, evidence=Evidence(), storage=storage, actor=alice, now=datetime.now(UTC))
    return quote.id


def settled(plant, quote_id):
    invoiced = [1 for found, invoice in plant.rows(Quote.id, Quote.invoice_id) if found == quote_id and invoice]
    waiting = [1 for (at,) in plant.rows(OutboxEvent.processed_at) if at is None]
    # Each is told by a run of its own, which may still be on its way.
    written = {template for (template,) in plant.rows(MailMessage.template)} >= LETTERS
    unsent = [1 for (state,) in plant.rows(MailMessage.state) if state != "sent"]
    return invoiced and written and not waiting and not unsent


@pytest.mark.parametrize("point", POINTS)
def test_everything_once_after_a_death_at(plant, point):
    quote_id = accept_one(plant)
    worker = plant.start_worker(point)
    ended = worker.wait(30 * BUSY)
    assert ended == -signal.SIGKILL, "the crash point was not reached"
    plant.start_worker()
    wait_until(lambda: settled(plant, quote_id), 30, f"everything done after {point}")
    invoices = plant.rows(Invoice.quote_id, Invoice.kind, Invoice.total)
    made = {kind.value: total for quote, kind, total in invoices if quote == quote_id}
    assert len(invoices) == len(made) == 2
    total = next(total for found, total in plant.rows(Quote.id, Quote.total) if found == quote_id)
    assert sum(made.values()) == total
    events = Counter(kind for (kind,) in plant.rows(OutboxEvent.kind))
    assert events["quote.accepted"] == events["quote.invoiced"] == 1
    notices = Counter(plant.rows(Notification.event_id, Notification.user_id))
    assert max(notices.values()) == 1
    templates = Counter(template for (template,) in plant.rows(MailMessage.template))
    assert {template: templates[template] for template in LETTERS} == dict.fromkeys(LETTERS, 1)
