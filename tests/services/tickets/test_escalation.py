from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy import select

from portal.models import NextStep, OutboxEvent, SlaPolicy, TicketEvent, TicketStatus
from portal.services.tickets.conversation import reply_as_staff
from portal.services.tickets.desk import TicketChanges, update_ticket
from portal.services.tickets.escalation import advance_clock
from portal.services.tickets.lifecycle import close_ticket, reopen_ticket
from portal.services.tickets.sla_policies import PolicyForm, save_policy


def seconds(number):
    return timedelta(seconds=number)


def kinds(session, ticket):
    rows = session.scalars(select(OutboxEvent).where(OutboxEvent.record_id == ticket.id).order_by(OutboxEvent.seq))
    return [event.kind for event in rows]


def test_nothing_fires_before_its_time(session, open_ticket, now):
    ticket = open_ticket()
    wake = advance_clock(session, ticket.id, cycle=1, now=now + seconds(14))
    assert wake.at == now + seconds(15)  # the warning, then the escalation at 20
    assert not wake.done
    assert kinds(session, ticket) == ["ticket.created"]


def test_the_ladder_is_climbed_step_by_step(session, open_ticket, actor_of, now):
    ticket = open_ticket()
    at = now
    seen = []
    for _ in range(12):
        wake = advance_clock(session, ticket.id, cycle=1, now=at)
        seen.append(wake.at)
        if wake.at is None:
            break
        at = wake.at
    assert seen[-1] is None
    assert all(a < b for a, b in pairwise([x for x in seen if x]))
    assert kinds(session, ticket).count("ticket.escalated") == 4
    assert kinds(session, ticket).count("ticket.sla_warned") == 2
    assert ticket.assigned_to == actor_of("mia").user_id
    assert ticket.escalation_level == 2
    assert ticket.sla_state == "breached"


def test_repeating_fires_nothing_twice(session, open_ticket, now):
    ticket = open_ticket()
    late = now + seconds(25)
    advance_clock(session, ticket.id, cycle=1, now=late)
    once = kinds(session, ticket)
    for _ in range(3):
        advance_clock(session, ticket.id, cycle=1, now=late)
    assert kinds(session, ticket) == once
    assert once.count("ticket.escalated") == 1


def test_after_a_standstill_everything_missed_happens_in_order(session, open_ticket, now):
    ticket = open_ticket()
    advance_clock(session, ticket.id, cycle=1, now=now + seconds(300))
    rows = session.scalars(
        select(TicketEvent).where(TicketEvent.ticket_id == ticket.id, TicketEvent.kind == "escalated")
    ).all()
    assert len(rows) == 4


def test_an_answer_in_time_stops_the_first_ladder(session, open_ticket, actor_of, now):
    ticket = open_ticket()
    reply_as_staff(session, ticket.id, message="Hi", actor=actor_of("sam"), now=now + seconds(10))
    wake = advance_clock(session, ticket.id, cycle=1, now=now + seconds(21))
    assert "ticket.escalated" not in kinds(session, ticket)
    assert wake.at is not None
    assert wake.at > now + seconds(21)


def test_whoever_has_the_role_already_keeps_the_ticket(session, open_ticket, actor_of, now):
    ticket = open_ticket()
    ticket.assigned_to = actor_of("mia").user_id
    advance_clock(session, ticket.id, cycle=1, now=now + seconds(20))
    assert kinds(session, ticket) == ["ticket.created", "ticket.sla_warned", "ticket.escalated"]


def test_a_paused_ticket_sleeps(session, open_ticket, actor_of, now):
    ticket = open_ticket()
    changes = TicketChanges(status=TicketStatus.WAITING_CUSTOMER)
    update_ticket(session, ticket.id, changes=changes, actor=actor_of("sam"), now=now + seconds(5))
    wake = advance_clock(session, ticket.id, cycle=1, now=now + timedelta(days=3))
    assert (wake.at, wake.done) == (None, False)
    assert "ticket.escalated" not in kinds(session, ticket)


def test_a_solved_ticket_closes_by_itself(session, open_ticket, actor_of, now):
    ticket = open_ticket()
    changes = TicketChanges(status=TicketStatus.RESOLVED)
    update_ticket(session, ticket.id, changes=changes, actor=actor_of("sam"), now=now + seconds(5))
    step = session.scalars(select(NextStep).where(NextStep.record_id == ticket.id)).one()
    assert (step.kind, step.at) == ("auto_close", now + seconds(5) + timedelta(days=5))
    wake = advance_clock(session, ticket.id, cycle=1, now=step.at)
    assert wake.done
    assert ticket.status is TicketStatus.CLOSED


def test_an_old_cycle_ends_its_run(session, open_ticket, actor_of, now):
    ticket = open_ticket()
    close_ticket(session, ticket.id, actor=actor_of("bob"), now=now)
    reopen_ticket(session, ticket.id, actor=actor_of("bob"), now=now)
    assert advance_clock(session, ticket.id, cycle=1, now=now + seconds(60)).done
    assert not advance_clock(session, ticket.id, cycle=2, now=now + seconds(1)).done


def test_a_ticket_that_is_gone_ends_the_run(session, world, now):
    assert advance_clock(session, world.demo, cycle=1, now=now).done


def test_an_edited_policy_moves_open_tickets(session, world, open_ticket, actor_of, now):
    ticket = open_ticket()
    policy = session.get(SlaPolicy, world.policies["Drill"])
    form = PolicyForm(
        name=policy.name,
        calendar_id=policy.calendar_id,
        match_categories=("drill",),
        first_response_seconds=600,
        resolution_seconds=1200,
        levels=tuple(policy.levels),
    )
    save_policy(session, policy.id, form=form, actor=actor_of("mia"), now=now + seconds(5))
    assert kinds(session, ticket)[-1] == "ticket.clock_changed"
    wake = advance_clock(session, ticket.id, cycle=1, now=now + seconds(30))
    assert ticket.first_response_due_at == now + seconds(600)
    # It wakes where the promise becomes near (three quarters), to show it.
    assert wake.at == now + seconds(450)


def test_priority_decides_the_policy_at_once(session, world, open_ticket, actor_of, now):
    ticket = open_ticket(category="technical")
    assert ticket.sla_policy_id == world.policies["Standard"]
    update_ticket(session, ticket.id, changes=TicketChanges(category="drill"), actor=actor_of("sam"), now=now)
    assert ticket.sla_policy_id == world.policies["Drill"]
    assert ticket.sla_due_at == now + seconds(20)


@pytest.mark.parametrize("name", ["bob", "sam", "bill"])
def test_only_those_who_configure_edit_policies(session, world, actor_of, now, name):
    from portal.errors import Forbidden

    form = PolicyForm(name="x", calendar_id=world.calendars["office"], first_response_seconds=1)
    with pytest.raises(Forbidden):
        save_policy(session, None, form=form, actor=actor_of(name), now=now)
