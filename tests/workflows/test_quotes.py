"""A sent quote expires at its second or ends with its decision; an accepted one is billed once."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select
from temporalio.client import WorkflowExecutionStatus

from portal.integrations.storage import build_storage
from portal.lib.clock import utcnow
from portal.models import Invoice, OutboxEvent, Quote
from portal.services.quotes.accepting import Acceptance, Evidence, accept_quote
from portal.services.quotes.deciding import decline_quote
from portal.services.quotes.drafting import QuoteDraft, draft_quote
from portal.services.quotes.lines import LineDraft
from portal.services.quotes.sending import send_quote
from portal.workflows.quotes.shared import quote_invoice_workflow_id, quote_workflow_id
from tests.workflows.conftest import eventually

pytestmark = pytest.mark.temporal


async def send(desk, *, ends_in=None, percent=Decimal(0)):
    """A quote of two days; with `ends_in` the row says that its validity ends so soon."""
    now, bill = utcnow(), desk.actor("bill")
    with desk.sessions.begin(desk.world.demo) as session:
        wanted = QuoteDraft(
            customer_id=desk.world.companies["acme"],
            lines=[LineDraft("Work", Decimal(3), 10_000, tax_rate=Decimal(20))],
            valid_until=(now + timedelta(days=2)).date(),
            deposit_percent=percent,
        )
        quote = send_quote(session, draft_quote(session, wanted, actor=bill, now=now).id, actor=bill, now=now)
        if ends_in is not None:
            quote.expires_at = now + ends_in
        quote_id = quote.id
    await desk.tell(quote_id)
    return quote_id


def read(desk, quote_id, *columns):
    with desk.sessions.begin(desk.world.demo) as session:
        return session.execute(select(*columns).where(Quote.id == quote_id)).one()


def state(desk, quote_id):
    return read(desk, quote_id, Quote.status)[0].value


def test_it_expires_when_its_validity_ends(run, client, desk_at):
    async def story():
        async with desk_at(client) as desk:
            quote = await send(desk, ends_in=timedelta(seconds=2))
            await eventually(lambda: state(desk, quote) == "expired", 20)
            ended = await desk.client.get_workflow_handle(quote_workflow_id(quote)).result()
            assert ended is None
            assert desk.kinds(quote).count("quote.expired") == 1
            with desk.sessions.begin(desk.world.demo) as session:
                event = select(OutboxEvent.occurred_at).where(OutboxEvent.kind == "quote.expired")
                at = session.scalars(event.where(OutboxEvent.record_id == quote)).one()
            assert at >= read(desk, quote, Quote.expires_at)[0]

    run(story())


def test_a_decision_ends_the_run(run, client, desk_at):
    async def story():
        async with desk_at(client) as desk:
            quote = await send(desk)
            handle = desk.client.get_workflow_handle(quote_workflow_id(quote))
            assert (await handle.describe()).status is WorkflowExecutionStatus.RUNNING
            await desk.do(decline_quote, quote, reason="No", actor=desk.actor("alice"), now=utcnow())
            await handle.result()
            assert state(desk, quote) == "declined"

    run(story())


def test_an_acceptance_is_billed_once_however_often_it_is_told(run, client, desk_at, settings):
    async def story():
        async with desk_at(client) as desk:
            quote = await send(desk, percent=Decimal(40))
            shown = read(desk, quote, Quote.content_sha256)[0].hex()
            await desk.do(
                accept_quote,
                quote,
                given=Acceptance("Alice Moreau", shown, True),
                evidence=Evidence(),
                storage=build_storage(settings),
                actor=desk.actor("alice"),
                now=utcnow(),
            )
            desk._told.clear()
            await desk.tell(quote)
            await desk.client.get_workflow_handle(quote_invoice_workflow_id(quote)).result()
            desk._told.clear()
            await desk.tell(quote)
            with desk.sessions.begin(desk.world.demo) as session:
                rows = session.execute(select(Invoice.kind, Invoice.total).where(Invoice.quote_id == quote)).all()
            assert {kind.value: total for kind, total in rows} == {"deposit": 14_400, "remainder": 21_600}
            assert read(desk, quote, Quote.invoice_id)[0] is not None

    run(story())
