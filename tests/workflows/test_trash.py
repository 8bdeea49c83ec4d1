"""A ticket in the trash: its clock ends, a restored one has a new run, and after its time it is gone."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select
from temporalio.client import WorkflowExecutionStatus

from portal.lib.clock import utcnow
from portal.models import Ticket
from portal.services.tickets.trash import KEPT_FOR, restore_ticket, trash_ticket
from portal.workflows import triggers
from portal.workflows.tickets.shared import TrashRun, clock_workflow_id, trash_workflow_id
from tests.workflows.conftest import eventually, seconds

pytestmark = pytest.mark.temporal


def exists(desk, ticket_id):
    with desk.sessions.begin(desk.world.demo) as session:
        return session.scalar(select(Ticket.id).where(Ticket.id == ticket_id)) is not None


def short(monkeypatch):
    """Have the workflow look at once: a run that lives for a month would keep the test server busy."""
    purge = replace(
        triggers.PURGE,
        argument=lambda row: TrashRun(row.tenant_id, row.record_id, row.payload["cycle"], timedelta(0)),
    )
    known = triggers.TRIGGERS["ticket", "ticket.trashed"]
    changed = tuple(purge if one is triggers.PURGE else one for one in known)
    monkeypatch.setitem(triggers.TRIGGERS, ("ticket", "ticket.trashed"), changed)


def test_what_stayed_there_for_its_time_is_gone(run, skipping, desk_at, monkeypatch):
    short(monkeypatch)

    async def story():
        async with desk_at(skipping.client) as desk:
            sam, long_ago = desk.actor("sam"), utcnow() - KEPT_FOR - seconds(1)
            old, young = await desk.open(long_ago), await desk.open(utcnow())
            await desk.do(trash_ticket, old, reason="Spam", actor=sam, now=long_ago)
            await desk.do(trash_ticket, young, reason="Spam", actor=sam, now=utcnow())
            await skipping.sleep(seconds(600))
            for ticket in (old, young):
                ended = await desk.client.get_workflow_handle(trash_workflow_id(ticket, 1)).describe()
                assert ended.status is WorkflowExecutionStatus.COMPLETED
            assert (exists(desk, old), exists(desk, young)) == (False, True)
            assert "ticket.purged" in desk.kinds(old)

    run(story())


def test_the_clock_stands_still_and_goes_on(run, client, desk_at):
    async def story():
        async with desk_at(client) as desk:
            sam, now = desk.actor("sam"), utcnow()
            ticket = await desk.open(now - seconds(10))
            await desk.do(trash_ticket, ticket, reason="Spam", actor=sam, now=now)
            clock = desk.client.get_workflow_handle(clock_workflow_id(ticket, 1))
            await clock.result()
            await desk.do(restore_ticket, ticket, actor=sam, now=now)
            again = desk.client.get_workflow_handle(clock_workflow_id(ticket, 2))
            assert (await again.describe()).status is WorkflowExecutionStatus.RUNNING
            # The first answer was due 20 s after it was asked for: in ten.
            assert desk.escalated_at(ticket) == []
            await eventually(lambda: len(desk.escalated_at(ticket)) == 1, 20)
            await desk.client.get_workflow_handle(trash_workflow_id(ticket, 1)).terminate()

    run(story())
