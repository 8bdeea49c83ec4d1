"""The timer of an invoice: overdue at its second, reminded, and over once it is paid."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from temporalio.client import WorkflowExecutionStatus

from portal.authz import system_actor
from portal.models import Invoice, InvoiceStatus
from portal.services.billing.issuing import issue_from_lines
from portal.services.billing.lines import NewLine
from portal.services.billing.settings import load_settings
from portal.services.billing.status import settle_invoice
from portal.workflows.billing.shared import invoice_workflow_id

pytestmark = pytest.mark.temporal
TEN = NewLine("Visit", unit_price=1000)


def issue(desk, now, reminders):
    with desk.sessions.begin(desk.world.demo) as session:
        load_settings(session).dunning = {"reminders": reminders, "retry_after": []}
        return issue_from_lines(
            session,
            customer_id=desk.world.companies["globex"],
            currency="EUR",
            lines=[TEN],
            due_on=now.astimezone(ZoneInfo("Europe/Paris")).date(),
            actor=system_actor(desk.world.demo),
            now=now,
        )


def pay(session, invoice_id, *, now):
    invoice = session.get(Invoice, invoice_id, with_for_update=True)
    invoice.paid = invoice.total
    settle_invoice(session, invoice, actor=system_actor(invoice.tenant_id), now=now)


async def state(desk, invoice_id):
    return (await desk.client.get_workflow_handle(invoice_workflow_id(invoice_id, 0)).describe()).status


def test_an_invoice_is_overdue_at_its_second_and_reminded_until_it_is_paid(run, skipping, desk_at):
    async def story():
        async with desk_at(skipping.client) as desk:
            now = await skipping.get_current_time()
            invoice = issue(desk, now, ["PT5S", "PT10M"])
            await desk.tell(invoice.id)
            await skipping.sleep(invoice.due_at - now - timedelta(seconds=20))
            assert desk.kinds(invoice.id) == ["invoice.issued"]
            await skipping.sleep(timedelta(seconds=60))
            assert desk.kinds(invoice.id) == ["invoice.issued", "invoice.overdue", "invoice.reminded"]
            with desk.sessions.begin(desk.world.demo) as session:
                assert session.get(Invoice, invoice.id).status is InvoiceStatus.OVERDUE
            await desk.do(pay, invoice.id, now=await skipping.get_current_time())
            await desk.client.get_workflow_handle(invoice_workflow_id(invoice.id, 0)).result()
            await skipping.sleep(timedelta(hours=1))
            assert desk.kinds(invoice.id).count("invoice.reminded") == 1
            assert await state(desk, invoice.id) is WorkflowExecutionStatus.COMPLETED

    run(story())


def test_events_told_twice_change_nothing(run, skipping, desk_at):
    async def story():
        async with desk_at(skipping.client) as desk:
            now = await skipping.get_current_time()
            invoice = issue(desk, now, [])
            await desk.tell(invoice.id)
            await skipping.sleep(invoice.due_at - now + timedelta(seconds=2))
            desk._told.clear()
            await desk.tell(invoice.id)
            await skipping.sleep(timedelta(minutes=1))
            assert desk.kinds(invoice.id) == ["invoice.issued", "invoice.overdue"]
            await desk.do(pay, invoice.id, now=await skipping.get_current_time())
            await desk.client.get_workflow_handle(invoice_workflow_id(invoice.id, 0)).result()

    run(story())
