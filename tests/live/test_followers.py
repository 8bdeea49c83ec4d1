"""Open pages of colleagues who follow a ticket; nobody who was taken off hears another word of it."""

from datetime import UTC, datetime

import pytest

from portal.integrations.realtime import LiveEntry
from portal.models.session import TenantSessions
from portal.services.tickets.followers import add_follower, remove_follower
from portal.services.tickets.opening import NewTicket, create_ticket


@pytest.fixture
def real(app, world):
    return lambda: TenantSessions(app.extensions["portal_engine"]).begin(world.demo)


@pytest.fixture
def shared(real, world, actor_of):
    with real() as session:
        now = datetime.now(UTC)
        ticket = create_ticket(session, NewTicket("Uplink", "Down.", "drill"), actor=actor_of("alice"), now=now)
        add_follower(session, ticket.id, world.people["bob"].user_id, actor=actor_of("alice"), now=now)
    return ticket


def entry(world, ticket, kind="ticket.replied", **more):
    acme, alice = world.companies["acme"], world.people["alice"].user_id
    return LiveEntry(world.demo, kind, "ticket", ticket.id, company_id=acme, requester_id=alice, **more)


def test_a_follower_hears_until_taken_off(world, line, tell, real, shared, actor_of):
    bob, charlie, nia = line("bob"), line("charlie"), line("nia")
    tell(entry(world, shared))
    heard = bob.listen(60, until="ticket.changed")
    assert heard == [("ticket.changed", {"id": str(shared.id), "kind": "ticket.replied"})]
    with real() as session:
        remove_follower(session, shared.id, world.people["bob"].user_id, actor=actor_of("alice"), now=datetime.now(UTC))
    bob.listen(0.3)
    tell(entry(world, shared))
    for outsider in (bob, charlie, nia):
        assert outsider.listen(0.3) == []


def test_notes_reach_no_follower_and_who_was_taken_off_looks_again(world, line, tell, shared):
    bob = line("bob")
    tell(entry(world, shared, "ticket.note_added", staff_only=True))
    assert bob.listen(0.3) == []
    tell(entry(world, shared, "ticket.follower_removed", user_ids=(world.people["bob"].user_id,)))
    assert ("ticket.changed", {"id": str(shared.id), "kind": "ticket.follower_removed"}) in bob.listen(
        15, until="ticket.changed"
    )
