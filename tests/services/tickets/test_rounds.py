"""Further questions and regular updates: their rounds begin, end, are warned of, escalate and leave a mark.

The drill runs around the clock: first answer in 20 s, solution in 90 s; here also 30 s to each further
question and a word at least every 60 s, a warning 5 s before, one level at the due time.
"""

from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.lib.sla_clock import Metric
from portal.models import NextStep, OutboxEvent, SlaPolicy, TicketEvent, TicketStatus
from portal.services.tickets.conversation import add_note, reply_as_customer, reply_as_staff
from portal.services.tickets.desk import TicketChanges, update_ticket
from portal.services.tickets.escalation import advance_clock
from portal.services.tickets.lifecycle import cancel_ticket, close_ticket, reopen_ticket
from portal.services.tickets.sla_view import view_sla


@pytest.fixture
def desk(session, actor_of, open_ticket, world, now):
    """A drill with rounds, and whoever speaks in it by seconds since its start."""
    policy = session.get(SlaPolicy, (world.policies["Drill"]))
    policy.next_response_seconds, policy.update_seconds = 30, 60
    policy.resolution_seconds = 3_600
    policy.levels = [
        {"metric": metric.value, "after_seconds": 0, "notify_role": "manager", "assign_role": None} for metric in Metric
    ]
    session.flush()

    class Desk:
        ticket = open_ticket()

        def at(self, seconds):
            return now + timedelta(seconds=seconds)

        def staff(self, seconds, **more):
            reply_as_staff(
                session, self.ticket.id, message="Looking.", actor=actor_of("sam"), now=self.at(seconds), **more
            )

        def customer(self, seconds):
            reply_as_customer(session, self.ticket.id, message="And now?", actor=actor_of("bob"), now=self.at(seconds))

        def tick(self, seconds):
            return advance_clock(session, self.ticket.id, cycle=self.ticket.clock_cycle, now=self.at(seconds))

        def steps(self):
            rows = session.scalars(
                select(NextStep).where(NextStep.record_id == self.ticket.id).order_by(NextStep.at, NextStep.key)
            )
            return {row.key: row for row in rows}

        def escalations(self):
            rows = session.scalars(select(OutboxEvent).where(OutboxEvent.record_id == self.ticket.id))
            return [row.payload["step"] for row in rows if row.kind in ("ticket.escalated", "ticket.sla_warned")]

    return Desk()


def test_the_first_question_is_the_first_answers_business(desk):
    desk.customer(5)
    assert (desk.ticket.next_response_due_at, desk.ticket.update_due_at) == (None, None)
    assert desk.ticket.customer_waits_since == desk.at(0)
    assert desk.ticket.sla_due_at == desk.at(20)


def test_a_further_question_starts_the_next_response_and_the_answer_ends_it(desk):
    desk.staff(10)
    assert (desk.ticket.customer_waits_since, desk.ticket.next_response_due_at) == (None, None)
    desk.customer(15)
    desk.customer(25)  # the oldest question counts
    assert (desk.ticket.customer_waits_since, desk.ticket.next_response_due_at) == (desk.at(15), desk.at(45))
    assert desk.ticket.sla_due_at == desk.at(45)
    view = view_sla(desk.ticket, desk.at(30))
    assert (view.metric, view.fraction, view.remaining_seconds) == (Metric.NEXT_RESPONSE, 0.5, 15)
    desk.staff(45)  # at the due time itself
    assert (desk.ticket.customer_waits_since, desk.ticket.next_response_due_at) == (None, None)
    assert desk.ticket.rounds_missed == 0


def test_an_update_is_owed_again_and_again_and_a_note_is_none(desk, session, actor_of):
    desk.staff(10)
    assert (desk.ticket.team_spoke_at, desk.ticket.update_due_at) == (desk.at(10), desk.at(70))
    add_note(session, desk.ticket.id, message="Hm.", actor=actor_of("sam"), now=desk.at(20))
    desk.tick(21)
    assert desk.ticket.update_due_at == desk.at(70)
    desk.staff(60)
    assert desk.ticket.update_due_at == desk.at(120)
    desk.staff(121)
    assert (desk.ticket.update_due_at, desk.ticket.rounds_missed) == (desk.at(181), 1)


def test_each_round_warns_and_escalates_anew(desk):
    desk.staff(10)
    desk.customer(15)
    assert {"next_response:warn", "next_response:level:1", "update:warn", "update:level:1"} <= set(desk.steps())
    assert desk.steps()["next_response:warn"].staff_only
    desk.tick(40)
    wake = desk.tick(45)
    assert desk.ticket.sla_state == "breached"
    assert wake.at is not None
    desk.staff(50)
    assert (desk.ticket.sla_state, desk.ticket.rounds_missed) == ("within", 1)
    desk.customer(55)
    assert desk.ticket.next_response_due_at == desk.at(85)
    desk.tick(85)
    # The later question alone waits: what the first round fired does not hold its steps back.
    assert desk.escalations().count("next_response:level:1") == 2
    assert desk.escalations().count("next_response:warn") == 2


def test_both_clocks_stand_still_with_the_status(desk, session, actor_of):
    desk.staff(10)
    desk.customer(15)
    waiting = TicketChanges(status=TicketStatus.AWAITING_PAYMENT)
    update_ticket(session, desk.ticket.id, changes=waiting, actor=actor_of("sam"), now=desk.at(20))
    assert (desk.ticket.next_response_due_at, desk.ticket.update_due_at) == (None, None)
    assert not desk.steps()
    going = TicketChanges(status=TicketStatus.IN_PROGRESS)
    update_ticket(session, desk.ticket.id, changes=going, actor=actor_of("sam"), now=desk.at(1_020))
    assert (desk.ticket.next_response_due_at, desk.ticket.update_due_at) == (desk.at(1_045), desk.at(1_070))


def test_solving_answers_and_a_late_round_stays_a_miss(desk, session, actor_of):
    desk.staff(10)
    desk.customer(15)
    desk.staff(50, status=TicketStatus.RESOLVED)
    assert (desk.ticket.rounds_missed, desk.ticket.sla_state) == (1, "breached")
    assert (desk.ticket.next_response_due_at, desk.ticket.update_due_at, desk.ticket.team_spoke_at) == (None,) * 3
    desk.tick(60)
    assert desk.ticket.rounds_missed == 1  # looking again counts nothing again


def test_taking_a_solved_ticket_up_again_is_a_question(desk, session, actor_of):
    desk.staff(10, status=TicketStatus.RESOLVED)
    reopen_ticket(session, desk.ticket.id, actor=actor_of("bob"), now=desk.at(100))
    assert (desk.ticket.next_response_due_at, desk.ticket.update_due_at) == (desk.at(130), desk.at(160))


def test_a_closed_ticket_begins_anew(desk, session, actor_of):
    desk.staff(10)
    desk.customer(15)
    close_ticket(session, desk.ticket.id, actor=actor_of("bob"), now=desk.at(50))
    assert desk.ticket.rounds_missed == 1
    reopen_ticket(session, desk.ticket.id, actor=actor_of("bob"), now=desk.at(9_000))
    assert (desk.ticket.rounds_missed, desk.ticket.first_response_due_at) == (0, desk.at(9_020))
    assert (desk.ticket.next_response_due_at, desk.ticket.update_due_at) == (None, None)


def test_a_cancelled_ticket_owes_nothing(desk, session, actor_of):
    desk.staff(10)
    desk.customer(15)
    cancel_ticket(session, desk.ticket.id, reason="Found it.", actor=actor_of("bob"), now=desk.at(60))
    assert (desk.ticket.rounds_missed, desk.ticket.next_response_due_at, desk.ticket.sla_state) == (0, None, "met")


def test_without_a_first_answer_promised_updates_run_from_the_start(desk, session, world, open_ticket, now):
    policy = session.get(SlaPolicy, world.policies["Drill"])
    policy.first_response_seconds = None
    session.flush()
    ticket = open_ticket()
    session.refresh(ticket)
    assert ticket.update_due_at == now + timedelta(seconds=60)


def test_the_escalation_says_which_promise_was_missed(desk, session):
    desk.staff(10)
    desk.customer(15)
    desk.tick(45)
    line = session.scalars(
        select(TicketEvent).where(TicketEvent.ticket_id == desk.ticket.id, TicketEvent.kind == "escalated")
    ).one()
    assert line.params["metric"] == "next_response"
