"""The quotes of the demo world: one open per company, one expired, one accepted and billed, wishes that wait."""

from sqlalchemy import func, select

from portal.demo.content import demo_uuid
from portal.models import Company, Invoice, NextStep, OutboxEvent, Quote, QuoteRequest, QuoteStatus
from tests.test_seed import NOON, demo, seeded

__all__ = ["demo", "seeded"]


def test_there_is_one_of_each(demo):
    quotes = {quote.id: quote for quote in demo.scalars(select(Quote))}
    open_ones = [quote.customer_id for quote in quotes.values() if quote.status is QuoteStatus.SENT]
    assert sorted(open_ones) == sorted(demo.scalars(select(Company.id)))
    assert quotes[demo_uuid("demo", "quote", "acme-firewall-review")].status is QuoteStatus.EXPIRED
    accepted = quotes[demo_uuid("demo", "quote", "acme-backup")]
    assert accepted.status is QuoteStatus.ACCEPTED
    assert demo.scalar(select(func.sum(Invoice.total)).where(Invoice.quote_id == accepted.id)) == accepted.total
    network = quotes[demo_uuid("demo", "quote", "acme-network")]
    assert network.deposit > 0
    assert network.number.startswith("Q-2026-")
    assert demo.scalar(select(func.count()).select_from(QuoteRequest)) == 2


def test_what_happens_next_is_ahead_and_only_timers_and_the_seal_are_told(demo):
    steps = demo.scalars(select(NextStep.at).where(NextStep.record_type == "quote")).all()
    assert min(steps) > NOON
    waiting = select(OutboxEvent.kind).where(OutboxEvent.record_type == "quote", OutboxEvent.processed_at.is_(None))
    assert set(demo.scalars(waiting)) == {"quote.clock_changed", "quote.accepted"}
