from datetime import UTC, datetime
from uuid import uuid4

import pytest

from portal.integrations.realtime import LiveEntry
from portal.services.tickets.opening import NewTicket, create_ticket
from portal.services.tickets.presence import note_presence

CUSTOMERS = ("alice", "bob", "charlie", "nia")
STAFF = ("sam", "noor")


def entry(world, kind="ticket.replied", **more):
    values = {"company_id": world.companies["acme"], "requester_id": world.people["bob"].user_id} | more
    return LiveEntry(world.demo, kind, "ticket", uuid4(), **values)


def names(heard):
    return [name for name, _ in heard]


def test_a_ticket_reaches_its_requester_the_company_and_the_team_only(world, line, tell):
    lines = {name: line(name) for name in (*CUSTOMERS, *STAFF)}
    told = entry(world)
    tell(told)
    for name in ("alice", "bob", "sam"):
        heard = lines[name].listen(60, until="ticket.changed")
        assert heard == [("ticket.changed", {"id": str(told.record_id), "kind": "ticket.replied"})]
    for name in ("charlie", "nia", "noor"):
        assert lines[name].listen(0.3) == []


def test_an_internal_note_reaches_no_customer(world, line, tell):
    lines = {name: line(name) for name in ("alice", "bob", "sam")}
    tell(entry(world, "ticket.note_added", staff_only=True))
    assert "ticket.changed" in names(lines["sam"].listen(60, until="ticket.changed"))
    assert lines["alice"].listen(0.3) == []
    assert lines["bob"].listen(0.1) == []


def test_a_bell_rings_for_its_owner_alone(world, line, tell):
    bob, alice = line("bob"), line("alice")
    tell(
        LiveEntry(world.demo, "notification.created", "notification", uuid4(), user_ids=(world.people["bob"].user_id,))
    )
    assert names(bob.listen(60, until="counts.changed")) == ["notification.created", "counts.changed"]
    assert alice.listen(0.3) == []


def test_an_entry_of_another_tenant_stays_there(world, line, tell):
    sam, noor = line("sam"), line("noor")
    tell(LiveEntry(world.nova, "ticket.created", "ticket", uuid4()))
    assert "ticket.changed" in names(noor.listen(60, until="ticket.changed"))
    assert sam.listen(0.3) == []


def test_somebody_in_two_rooms_hears_it_once(world, line, tell):
    alice = line("alice")
    tell(entry(world, "ticket.assigned", requester_id=world.people["alice"].user_id))
    assert names(alice.listen(60, until="counts.changed")) == ["ticket.changed", "counts.changed"]
    assert alice.listen(0.3) == []


def test_a_client_may_send_nothing_but_a_ping(world, line, tell):
    bob, sam = line("bob"), line("sam")
    bob.say("ticket.changed", {"id": "x"})
    bob.say("join", "t:staff")
    bob.say("ping")
    tell(entry(world, "ticket.note_added", staff_only=True))
    assert sam.listen(60, until="ticket.changed")
    assert bob.listen(0.3) == []


@pytest.mark.parametrize("count", [1, 500])
def test_many_entries_go_out_in_few_notices(world, count):
    from portal.integrations.realtime import PAYLOAD_BYTES, pack, unpack

    entries = [entry(world) for _ in range(count)]
    payloads = pack(entries)
    assert all(len(payload) <= PAYLOAD_BYTES for payload in payloads)
    assert [one for payload in payloads for one in unpack(payload)] == entries


def test_a_bell_of_a_thousand_people_is_split(world):
    from portal.integrations.realtime import PAYLOAD_BYTES, pack, unpack

    people = tuple(uuid4() for _ in range(1000))
    payloads = pack([LiveEntry(world.demo, "notification.created", "notification", uuid4(), user_ids=people)])
    assert all(len(payload) <= PAYLOAD_BYTES for payload in payloads)
    heard = [user for payload in payloads for one in unpack(payload) for user in one.user_ids]
    assert tuple(heard) == people


def test_presence_is_told_to_the_team_by_whichever_process_saw_it(world, line, sessions):
    sam, bob = line("sam"), line("bob")
    now = datetime.now(UTC)
    with sessions.begin(world.demo) as session:
        new = NewTicket("VPN", "Drops.", "drill")
        ticket = create_ticket(session, new, actor=world.people["bob"].actor, now=now).id
    mia = world.people["mia"].actor
    with sessions.begin(world.demo) as session:
        note_presence(session, ticket, activity="viewing", actor=mia, now=now)
    assert sam.listen(60, until="presence.changed") == [("presence.changed", {"id": str(ticket)})]
    with sessions.begin(world.demo) as session:
        note_presence(session, ticket, activity="viewing", actor=mia, now=now)
    assert sam.listen(0.3) == []
    assert bob.listen(0.1) == []
