"""Discounts by quantity on quotes: taken by themselves, given by hand, and carried to the invoice as they were."""

from decimal import Decimal
from uuid import uuid4

import pytest
from sqlalchemy import select

from portal.errors import Invalid
from portal.models import InvoiceLine, QuoteLine
from portal.services.billing.catalogue import ItemForm, save_discounts, save_item
from portal.services.billing.tiers import TierForm
from portal.services.quotes.drafting import QuoteDraft, edit_quote
from portal.services.quotes.invoicing import issue_accepted
from portal.services.quotes.lines import LineDraft, draft_of
from portal.services.quotes.queries import list_lines
from portal.services.quotes.sending import send_quote


@pytest.fixture
def item(session, actor_of, now):
    """Seats at 10.00, 5 percent off from 10 and 12 from 50."""
    tiers = [TierForm(Decimal(10), Decimal(5)), TierForm(Decimal(50), Decimal(12))]
    form = ItemForm(uuid4().hex[:12], {"en": "Seat"}, "EUR", 1_000, discounts=tiers)
    return save_item(session, None, form, actor=actor_of("bill"), now=now)


def seats(item, quantity, discount=None, **more):
    return LineDraft("Seats", Decimal(quantity), 1_000, discount, Decimal(0), catalog_item_id=item.id, **more)


def discounts_of(session, quote):
    return [line.discount for line in list_lines(session, quote.id)]


def test_a_line_gets_the_tier_it_reaches_unless_a_discount_is_given(session, draft, item):
    lines = [seats(item, text) for text in ("9.9999", "10", "50")]
    free = LineDraft("Free", Decimal(60), 1_000, tax_rate=Decimal(0))
    quote = draft(lines=[*lines, seats(item, "50", 0), seats(item, "50", 77), free])
    assert discounts_of(session, quote) == [0, 500, 6_000, 0, 77, 0]
    assert quote.discount_total == 6_577
    assert quote.total == quote.subtotal - quote.discount_total


def test_saving_a_draft_again_keeps_what_is_given_and_looks_up_the_rest(session, draft, item, actor_of, now):
    quote = draft(lines=[seats(item, "10"), seats(item, "10", 0)])
    bill = actor_of("bill")
    kept = [draft_of(line) for line in list_lines(session, quote.id)]
    edit_quote(session, quote.id, QuoteDraft(lines=[*kept, seats(item, "50")]), actor=bill, now=now)
    assert discounts_of(session, quote) == [500, 0, 6_000]
    with pytest.raises(Invalid) as refused:
        edit_quote(session, quote.id, QuoteDraft(lines=[seats(item, "1", 1_001)]), actor=bill, now=now)
    assert [error.code for error in refused.value.errors] == ["discount_invalid"]


def test_what_was_sent_stays_up_to_the_invoice(session, draft, item, accept, actor_of, now):
    bill = actor_of("bill")
    quote = send_quote(
        session, draft(lines=[seats(item, "50"), seats(item, "10", optional=True)]).id, actor=bill, now=now
    )
    before = quote.content_sha256
    save_discounts(session, item.id, [TierForm(Decimal(1), Decimal(90))], actor=bill, now=now)
    accepted = accept(quote)
    assert (accepted.content_sha256, discounts_of(session, accepted)) == (before, [6_000, 500])
    first, again = (issue_accepted(session, accepted.id, now=now) for _ in range(2))
    assert first == again
    rows = session.scalars(select(InvoiceLine).where(InvoiceLine.invoice_id == first).order_by(InvoiceLine.position))
    taken = session.scalars(select(QuoteLine).where(QuoteLine.quote_id == accepted.id, QuoteLine.selected)).all()
    assert [row.discount for row in rows] == [line.discount for line in sorted(taken, key=lambda line: line.position)]
