from datetime import timedelta

import pytest

from portal.errors import Conflict, Forbidden, Invalid, NotFound
from portal.models import FINAL, MOVES, TicketStatus
from portal.services.tickets.desk import TicketChanges, update_ticket
from portal.services.tickets.lifecycle import cancel_ticket, close_ticket, move_to, rate_ticket, reopen_ticket


@pytest.mark.parametrize("before", list(TicketStatus))
@pytest.mark.parametrize("after", list(TicketStatus))
def test_only_the_moves_of_the_table_are_possible(session, open_ticket, actor_of, now, before, after):
    ticket = open_ticket()
    ticket.status = before
    if after in MOVES[before]:
        move_to(ticket, after, now=now)
        assert ticket.status is after
    else:
        with pytest.raises(Conflict, match="move_not_allowed"):
            move_to(ticket, after, now=now)
        assert ticket.status is before


def test_closing_twice_is_a_conflict(session, open_ticket, actor_of, now):
    ticket = open_ticket()
    close_ticket(session, ticket.id, actor=actor_of("bob"), now=now)
    with pytest.raises(Conflict, match="already_closed"):
        close_ticket(session, ticket.id, actor=actor_of("bob"), now=now)


def test_reopening_makes_a_new_promise(session, open_ticket, actor_of, now):
    ticket = open_ticket()
    later = now + timedelta(days=20)
    close_ticket(session, ticket.id, actor=actor_of("bob"), now=now + timedelta(seconds=30))
    reopen_ticket(session, ticket.id, actor=actor_of("bob"), now=later)
    assert (ticket.status, ticket.clock_cycle, ticket.closed_at) == (TicketStatus.OPEN, 2, None)
    assert ticket.first_response_due_at == later + timedelta(seconds=20)


def test_only_what_is_over_can_be_reopened(session, open_ticket, actor_of, now):
    ticket = open_ticket()
    with pytest.raises(Conflict, match="not_closed"):
        reopen_ticket(session, ticket.id, actor=actor_of("bob"), now=now)


def test_cancelling_needs_a_reason_and_is_final(session, open_ticket, actor_of, now):
    ticket = open_ticket()
    with pytest.raises(Invalid):
        cancel_ticket(session, ticket.id, reason=" ", actor=actor_of("bob"), now=now)
    cancel_ticket(session, ticket.id, reason="Found it.", actor=actor_of("bob"), now=now)
    assert ticket.status in FINAL
    for act in (reopen_ticket, close_ticket):
        with pytest.raises(Conflict):
            act(session, ticket.id, actor=actor_of("bob"), now=now)


def test_a_solution_is_rated_once(session, open_ticket, actor_of, now):
    ticket = open_ticket()
    bob = actor_of("bob")
    with pytest.raises(Conflict, match="not_resolved"):
        rate_ticket(session, ticket.id, rating=5, actor=bob, now=now)
    changes = TicketChanges(status=TicketStatus.RESOLVED)
    update_ticket(session, ticket.id, changes=changes, actor=actor_of("sam"), now=now)
    for rating in (0, 6, -1):
        with pytest.raises(Invalid):
            rate_ticket(session, ticket.id, rating=rating, actor=bob, now=now)
    rate_ticket(session, ticket.id, rating=4, comment="Quick.", actor=bob, now=now)
    with pytest.raises(Conflict, match="already_rated"):
        rate_ticket(session, ticket.id, rating=1, actor=bob, now=now)
    assert (ticket.satisfaction_rating, ticket.satisfaction_comment) == (4, "Quick.")


def test_strangers_find_nothing(session, open_ticket, actor_of, now):
    ticket = open_ticket()
    for act, extra in (
        (close_ticket, {}),
        (reopen_ticket, {}),
        (cancel_ticket, {"reason": "x"}),
        (rate_ticket, {"rating": 5}),
    ):
        for name in ("charlie", "nia"):
            with pytest.raises(NotFound):
                act(session, ticket.id, actor=actor_of(name), now=now, **extra)


def test_staff_do_not_act_for_customers(session, open_ticket, actor_of, now):
    ticket = open_ticket()
    for act, extra in ((close_ticket, {}), (rate_ticket, {"rating": 5})):
        with pytest.raises(Forbidden):
            act(session, ticket.id, actor=actor_of("sam"), now=now, **extra)
