from datetime import timedelta

import pytest
from temporalio import workflow
from temporalio.client import WorkflowExecutionStatus

from portal.models import Ticket, TicketStatus
from portal.services.tickets.conversation import reply_as_customer, reply_as_staff
from portal.services.tickets.desk import TicketChanges, update_ticket
from portal.services.tickets.lifecycle import close_ticket, reopen_ticket
from portal.workflows.tickets.shared import clock_workflow_id
from portal.workflows.triggers import pull
from tests.workflows.conftest import eventually, seconds

pytestmark = pytest.mark.temporal


def close_to(found, expected, within=2):
    return len(found) == len(expected) and all(
        0 <= (at - due).total_seconds() <= within for at, due in zip(found, expected, strict=True)
    )


def status_of(desk, ticket_id):
    with desk.sessions.begin(desk.world.demo) as session:
        return session.get(Ticket, ticket_id).status


async def run_state(desk, ticket_id, cycle=1):
    return (await desk.client.get_workflow_handle(clock_workflow_id(ticket_id, cycle)).describe()).status


async def moved_after_5_seconds(desk, skipping, status):
    """A ticket that is opened now, and that sam moves to `status` five seconds later."""
    now = await skipping.get_current_time()
    ticket = await desk.open(now)
    changes = TicketChanges(status=status)
    await desk.do(update_ticket, ticket, changes=changes, actor=desk.actor("sam"), now=now + seconds(5))
    return ticket


def test_each_level_is_reached_once_and_on_time(run, skipping, desk_at):
    async def story():
        async with desk_at(skipping.client) as desk:
            now = await skipping.get_current_time()
            ticket = await desk.open(now)
            await skipping.sleep(seconds(600))
            kinds = desk.kinds(ticket)
            assert kinds.count("ticket.escalated") == 4
            assert kinds.count("ticket.sla_warned") == 2
            assert close_to(desk.escalated_at(ticket), [now + seconds(s) for s in (20, 40, 90, 110)])

    run(story())


def test_an_answer_moves_the_timer(run, skipping, desk_at):
    async def story():
        async with desk_at(skipping.client) as desk:
            now = await skipping.get_current_time()
            ticket = await desk.open(now)
            await skipping.sleep(seconds(10))
            await desk.do(reply_as_staff, ticket, message="Hi", actor=desk.actor("sam"), now=now + seconds(10))
            await skipping.sleep(seconds(600))
            # The ladder of the first answer is gone, that of the solution stands.
            assert close_to(desk.escalated_at(ticket), [now + seconds(90), now + seconds(110)])

    run(story())


def test_a_pause_stops_the_clock_and_its_end_starts_it(run, skipping, desk_at):
    async def story():
        async with desk_at(skipping.client) as desk:
            ticket = await moved_after_5_seconds(desk, skipping, TicketStatus.WAITING_CUSTOMER)
            await skipping.sleep(timedelta(days=3))
            assert desk.escalated_at(ticket) == []
            back = await skipping.get_current_time()
            await desk.do(reply_as_customer, ticket, message="Here.", actor=desk.actor("bob"), now=back)
            await skipping.sleep(seconds(30))
            assert close_to(desk.escalated_at(ticket), [back + seconds(15)])

    run(story())


def test_office_hours_span_days(run, skipping, desk_at):
    async def story():
        async with desk_at(skipping.client) as desk:
            now = await skipping.get_current_time()
            ticket = await desk.open(now, category="technical")
            with desk.sessions.begin(desk.world.demo) as session:
                row = session.get(Ticket, ticket)
                first, resolution = row.first_response_due_at, row.resolution_due_at
            await skipping.sleep(resolution - now + timedelta(days=7))
            reached = desk.escalated_at(ticket)
            assert (reached[0] - first).total_seconds() < 2
            assert any(0 <= (at - resolution).total_seconds() < 2 for at in reached)
            assert len(reached) == 4

    run(story())


def test_a_solved_ticket_closes_by_itself_and_ends_the_run(run, skipping, desk_at):
    async def story():
        async with desk_at(skipping.client) as desk:
            ticket = await moved_after_5_seconds(desk, skipping, TicketStatus.RESOLVED)
            await skipping.sleep(timedelta(days=6))
            assert status_of(desk, ticket) is TicketStatus.CLOSED
            assert desk.escalated_at(ticket) == []
            assert await run_state(desk, ticket) is WorkflowExecutionStatus.COMPLETED

    run(story())


def test_a_reopened_ticket_begins_a_new_run(run, skipping, desk_at):
    async def story():
        async with desk_at(skipping.client) as desk:
            now = await skipping.get_current_time()
            ticket = await desk.open(now)
            await desk.do(close_ticket, ticket, actor=desk.actor("bob"), now=now + seconds(3))
            await skipping.sleep(seconds(5))
            again = await skipping.get_current_time()
            await desk.do(reopen_ticket, ticket, actor=desk.actor("bob"), now=again)
            await skipping.sleep(seconds(25))
            assert await run_state(desk, ticket, 1) is WorkflowExecutionStatus.COMPLETED
            assert await run_state(desk, ticket, 2) is WorkflowExecutionStatus.RUNNING
            assert close_to(desk.escalated_at(ticket), [again + seconds(20)])

    run(story())


def test_events_told_twice_change_nothing(run, skipping, desk_at):
    async def story():
        async with desk_at(skipping.client) as desk:
            now = await skipping.get_current_time()
            ticket = await desk.open(now)
            for _ in range(3):
                for row in desk.events(ticket):
                    await pull(desk.client, row, task_queue=desk.queue)
            await skipping.sleep(seconds(600))
            assert desk.kinds(ticket).count("ticket.escalated") == 4

    run(story())


def test_a_run_continues_as_new_with_its_state(run, client, desk_at, monkeypatch):
    monkeypatch.setattr(
        workflow.Info, "is_continue_as_new_suggested", lambda info: info.get_current_history_length() > 8
    )

    async def story():
        async with desk_at(client) as desk:
            from portal.lib.clock import utcnow

            ticket = await desk.open(utcnow() - seconds(19))
            handle = client.get_workflow_handle(clock_workflow_id(ticket, 1))
            first = (await handle.describe()).run_id
            await eventually(lambda: len(desk.escalated_at(ticket)) == 1)
            await desk.do(reply_as_staff, ticket, message="Hi", actor=desk.actor("sam"), now=utcnow())
            await desk.do(close_ticket, ticket, actor=desk.actor("bob"), now=utcnow())
            await handle.result()
            last = (await client.get_workflow_handle(clock_workflow_id(ticket, 1)).describe()).run_id
            assert last != first
            assert len(desk.escalated_at(ticket)) == 1

    run(story())
