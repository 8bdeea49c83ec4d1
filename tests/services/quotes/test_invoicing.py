"""What an accepted quote makes due: once, and to the cent."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from portal.integrations.storage import build_storage
from portal.lib.deposits import deposit_lines
from portal.lib.pricing import PricedLine, TaxRounding, price_lines
from portal.models import Invoice, InvoiceLine, MailMessage, Notification, OutboxEvent, Quote
from portal.services.notifications.fan_out import fan_out
from portal.services.quotes.accepting import Acceptance, Evidence, accept_quote
from portal.services.quotes.drafting import QuoteDraft, draft_quote
from portal.services.quotes.invoicing import issue_accepted
from portal.services.quotes.requests import QuoteWish, refuse_request, request_quote
from portal.services.quotes.sending import send_quote
from tests.services.quotes.conftest import LINES
from tests.together import at_once, codes_of

amounts = st.lists(
    st.tuples(st.integers(1, 10**7), st.integers(1, 50), st.sampled_from(["0", "5.5", "7", "8.875", "18", "19", "20"])),
    min_size=1,
    max_size=6,
)


@given(amounts, st.decimals("0.01", "99.99", places=2), st.sampled_from(list(TaxRounding)))
def test_deposit_and_remainder_are_the_whole(lines, percent, rounding):
    whole = [PricedLine(Decimal(quantity), price, 0, Decimal(rate), "VAT") for price, quantity, rate in lines]
    totals = price_lines(whole, rounding)
    deposit = deposit_lines(totals.taxes, percent, rounding)
    less = [PricedLine(line.quantity, -line.unit_price, 0, line.tax_rate, line.tax_name) for line in deposit]
    asked, rest = price_lines(deposit, rounding), price_lines([*whole, *less], rounding)
    assert asked.total + rest.total == totals.total
    assert asked.tax_total + rest.tax_total == totals.tax_total
    assert rest.total >= 0


def test_a_quote_becomes_one_invoice(session, sent, accept, ids, now):
    quote = accept(sent(), purchase_order="PO 7")
    first = issue_accepted(session, quote.id, now=now)
    assert issue_accepted(session, quote.id, now=now) == first == quote.invoice_id
    invoice = session.scalars(select(Invoice).where(Invoice.quote_id == quote.id)).one()
    assert (invoice.total, invoice.tax_total, invoice.purchase_order) == (787_200, 131_200, "PO 7")
    assert (invoice.source_key, invoice.kind.value) == (f"quote:{quote.id}:full", "invoice")
    lines = session.scalars(select(InvoiceLine.description).where(InvoiceLine.invoice_id == invoice.id)).all()
    assert sorted(lines) == ["Firewall pair", "Installation"], "what was not taken is not billed"
    told = session.scalars(select(OutboxEvent.kind).where(OutboxEvent.record_id == quote.id)).all()
    assert told.count("quote.invoiced") == 1


def test_or_deposit_and_remainder(session, sent, accept, now):
    quote = accept(sent(deposit_percent=Decimal(30)))
    issue_accepted(session, quote.id, now=now)
    made = {row.kind.value: row for row in session.scalars(select(Invoice).where(Invoice.quote_id == quote.id))}
    assert set(made) == {"deposit", "remainder"}
    assert made["deposit"].total == quote.deposit == 236_160
    assert made["deposit"].total + made["remainder"].total == quote.total
    assert made["deposit"].id == quote.invoice_id
    assert made["deposit"].due_on < made["remainder"].due_on


def test_what_is_not_accepted_is_not_billed(session, sent, now):
    quote = sent()
    assert issue_accepted(session, quote.id, now=now) is None
    assert session.scalar(select(Invoice.id).where(Invoice.quote_id == quote.id)) is None


@pytest.fixture
def committed(sessions, world, now):
    """A quote that other connections see."""
    bill = world.people["bill"].actor
    with sessions.begin(world.demo) as session:
        wanted = QuoteDraft(
            customer_id=world.companies["acme"], lines=LINES, valid_until=(now + timedelta(days=5)).date()
        )
        quote = draft_quote(session, wanted, actor=bill, now=now)
        return send_quote(session, quote.id, actor=bill, now=now).id


def test_many_at_once_make_one(sessions, settings, world, committed, now):
    with sessions.begin(world.demo) as session:
        shown = session.get_one(Quote, committed).content_sha256.hex()
    given = Acceptance("Alice Moreau", shown, True)

    def accept(index):
        with sessions.begin(world.demo) as session:
            accept_quote(
                session,
                committed,
                given,
                evidence=Evidence(),
                storage=build_storage(settings),
                actor=world.people["alice"].actor,
                now=now,
            )

    assert sorted(codes_of(at_once(30, accept))) == ["ok"] + ["quote_accepted"] * 29

    def issue(index):
        with sessions.begin(world.demo) as session:
            return issue_accepted(session, committed, now=now)

    assert len(set(at_once(8, issue))) == 1
    with sessions.begin(world.demo) as session:
        assert len(session.scalars(select(Invoice.id).where(Invoice.quote_id == committed)).all()) == 1


def tell(session, record_id, kind, now):
    event = session.scalars(
        select(OutboxEvent.id).where(OutboxEvent.record_id == record_id, OutboxEvent.kind == kind)
    ).one()
    for _ in range(2):
        fan_out(session, event, base_url="http://127.0.0.1:8000", now=now)
    names = select(Notification.kind, Notification.user_id).where(Notification.event_id == event)
    mails = session.scalars(select(MailMessage).where(MailMessage.event_id == event)).all()
    return {(kind, user_id) for kind, user_id in session.execute(names)}, mails


def test_who_hears_of_it(session, world, sent, accept, now):
    people = {name: person.user_id for name, person in world.people.items()}
    quote = sent()
    bells, mails = tell(session, quote.id, "quote.sent", now)
    assert bells == {("quote_sent", people["alice"])}
    assert [mail.recipient for mail in mails] == ["alice@acme.example"]
    assert quote.number in mails[0].subject
    assert f"/portal/quotes/{quote.id}" in mails[0].text
    accept(quote)
    bells, mails = tell(session, quote.id, "quote.accepted", now)
    assert bells == {("quote_confirmed", people["alice"]), ("quote_accepted", people["bill"])}
    assert sorted(mail.template for mail in mails) == ["quote_accepted", "quote_confirmed"]


def test_who_hears_of_a_wish(session, world, actor_of, now):
    people = {name: person.user_id for name, person in world.people.items()}
    wish = request_quote(session, QuoteWish("Wi-Fi", "Hall 3"), actor=actor_of("bob"), now=now)
    bells, mails = tell(session, wish.id, "quote_request.created", now)
    assert bells == {("quote_requested", people[name]) for name in ("bill", "mia", "ada")}
    assert all("Hall 3" in mail.text for mail in mails)
    refuse_request(session, wish.id, reason="Not our trade", actor=actor_of("bill"), now=now)
    bells, mails = tell(session, wish.id, "quote_request.refused", now)
    assert bells == {("quote_request_refused", people["bob"])}
    assert "Not our trade" in mails[0].text
