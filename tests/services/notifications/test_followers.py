"""Colleagues who follow a ticket hear of it, and nobody who was taken off or left."""

from datetime import timedelta

import pytest
from sqlalchemy import delete

from portal.models import Membership, TicketStatus
from portal.services.tickets.conversation import add_note, reply_as_customer, reply_as_staff
from portal.services.tickets.desk import TicketChanges, update_ticket
from portal.services.tickets.followers import add_follower, remove_follower
from portal.services.tickets.lifecycle import close_ticket


@pytest.fixture
def shared(session, open_ticket, actor_of, world, now):
    ticket = open_ticket("alice")
    add_follower(session, ticket.id, world.people["bob"].user_id, actor=actor_of("alice"), now=now)
    return ticket


def test_sharing_is_told_to_the_colleague_alone(told, shared):
    expected = {"bob": "ticket_shared"}
    assert told.of(shared, "ticket.follower_added") == (expected, expected)
    mail = told.mail_to(shared, "ticket.follower_added", "bob")
    assert "shares a ticket with you" in mail.subject
    assert "is shared with you" in mail.text


def test_answers_and_moves_of_the_team_reach_requester_and_followers(session, told, shared, actor_of, now):
    reply_as_staff(session, shared.id, message="Hi", actor=actor_of("sam"), now=now + timedelta(seconds=1))
    expected = dict.fromkeys(("alice", "bob"), "ticket_answered")
    assert told.of(shared, "ticket.replied") == (expected, expected)
    assert "you opened" in told.mail_to(shared, "ticket.replied", "alice").text
    assert "is shared with you" in told.mail_to(shared, "ticket.replied", "bob").text
    resolved = TicketChanges(status=TicketStatus.RESOLVED)
    update_ticket(session, shared.id, changes=resolved, actor=actor_of("sam"), now=now + timedelta(seconds=5))
    expected = dict.fromkeys(("alice", "bob"), "ticket_status_changed")
    assert told.of(shared, "ticket.status_changed") == (expected, expected)


def test_colleagues_hear_of_one_another(session, told, shared, actor_of, now):
    reply_as_customer(session, shared.id, message="More", actor=actor_of("alice"), now=now)
    bells, mails = told.of(shared, "ticket.replied")
    assert (bells["bob"], mails["bob"]) == ("ticket_colleague_replied", "ticket_colleague_replied")
    assert "alice" not in bells | mails
    close_ticket(session, shared.id, actor=actor_of("alice"), now=now + timedelta(seconds=1))
    bells, mails = told.of(shared, "ticket.status_changed")
    assert (bells["bob"], mails) == ("ticket_status_changed", {"bob": "ticket_status_changed"})


def test_internal_notes_reach_no_follower(session, told, shared, actor_of, now):
    add_note(session, shared.id, message="Careful", actor=actor_of("sam"), now=now)
    assert told.of(shared, "ticket.note_added") == ({}, {})


@pytest.mark.parametrize("way", ["removed", "left"])
def test_who_does_not_follow_any_more_hears_nothing(session, told, shared, actor_of, world, now, way):
    bob = world.people["bob"].user_id
    if way == "removed":
        remove_follower(session, shared.id, bob, actor=actor_of("alice"), now=now)
        # Nor of the sharing itself, where it was not told yet.
        assert told.of(shared, "ticket.follower_added") == ({}, {})
        assert told.of(shared, "ticket.follower_removed") == ({}, {})
    else:
        session.execute(delete(Membership).where(Membership.user_id == bob))
    reply_as_staff(session, shared.id, message="Hi", actor=actor_of("sam"), now=now + timedelta(seconds=1))
    expected = {"alice": "ticket_answered"}
    assert told.of(shared, "ticket.replied") == (expected, expected)
