"""Many tickets at once: each with its own event, entry, line and clock, and all of it undone where nothing followed."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import event, select

from portal.errors import Conflict, Forbidden, Invalid, NotFound
from portal.models import MOVES, AuditEntry, NextStep, OutboxEvent, Ticket, TicketEvent, TicketPriority, TicketStatus
from portal.services.tickets.bulk import change_tickets, get_change, undo_change
from portal.services.tickets.bulk_actions import BulkAction, BulkKind
from portal.services.tickets.conversation import reply_as_customer
from portal.services.tickets.desk import TicketChanges, update_ticket
from portal.services.tickets.opening import NewTicket, create_ticket
from tests.together import at_once, codes_of

CLOSE = BulkAction(BulkKind.CLOSE)
LATER = timedelta(minutes=3)
# Whatever of a ticket a change for many might get wrong.
STATE = [
    "status",
    "priority",
    "category",
    "assigned_to",
    "tags",
    "sla_policy_id",
    "sla_due_at",
    "sla_state",
    "first_response_due_at",
    "resolution_due_at",
    "resolved_at",
    "closed_at",
    "clock_started_at",
    "clock_pauses",
    "updated_at",
]


def state_of(session, ticket_id, *names):
    session.flush()
    ticket = session.scalar(select(Ticket).where(Ticket.id == ticket_id).execution_options(populate_existing=True))
    return {name: getattr(ticket, name) for name in names or STATE}


def steps_of(session, ticket_id):
    rows = session.scalars(select(NextStep).where(NextStep.record_id == ticket_id).order_by(NextStep.key))
    return [(row.key, row.kind, row.at, row.staff_only, row.params) for row in rows]


def told(session, ticket_id, after=0):
    """(events, audit entries, lines) of a ticket since `after` of each was there."""
    events = session.scalars(
        select(OutboxEvent).where(OutboxEvent.record_id == ticket_id).order_by(OutboxEvent.seq)
    ).all()
    trail = session.scalars(select(AuditEntry).where(AuditEntry.record_id == ticket_id).order_by(AuditEntry.seq)).all()
    lines = session.scalars(select(TicketEvent).where(TicketEvent.ticket_id == ticket_id).order_by(TicketEvent.at))
    return (
        [(row.kind, row.payload) for row in events[1:]],
        [(row.action, row.before, row.after) for row in trail[1:]],
        [(line.kind, line.params, line.staff_only, line.actor_name) for line in list(lines)[1:]],
    )


@pytest.mark.parametrize(
    ("action", "changes"),
    [
        (BulkAction(BulkKind.STATUS, status=TicketStatus.WAITING_CUSTOMER), {"status": TicketStatus.WAITING_CUSTOMER}),
        (BulkAction(BulkKind.STATUS, status=TicketStatus.RESOLVED), {"status": TicketStatus.RESOLVED}),
        (CLOSE, {"status": TicketStatus.CLOSED}),
        (BulkAction(BulkKind.PRIORITY, priority=TicketPriority.HIGH), {"priority": TicketPriority.HIGH}),
        (BulkAction(BulkKind.CATEGORY, category="drill"), {"category": "drill"}),
        (BulkAction(BulkKind.ADD_TAGS, tags=("b", "a")), {"tags": ("a", "b")}),
    ],
    ids=lambda value: value.kind.value if isinstance(value, BulkAction) else "",
)
def test_each_ticket_is_as_after_a_change_of_its_own(session, open_ticket, actor_of, now, action, changes):
    alone, many = open_ticket(category="general"), [open_ticket(category="general") for _ in range(3)]
    session.flush()
    later, sam = now + LATER, actor_of("sam")
    update_ticket(session, alone.id, changes=TicketChanges(**changes), actor=sam, now=later)
    done = change_tickets(session, [ticket.id for ticket in many], action=action, actor=sam, now=later)
    assert [(result["ok"], result["changed"]) for result in done.results] == [(True, True)] * 3
    expected = state_of(session, alone.id), steps_of(session, alone.id)
    own = told(session, alone.id)
    for ticket in many:
        assert (state_of(session, ticket.id), steps_of(session, ticket.id)) == expected
        events, trail, lines = told(session, ticket.id)
        assert (events, trail, lines) == own
        assert events
        assert trail
        assert lines
    chain = select(OutboxEvent.correlation_id).where(
        OutboxEvent.record_id.in_([ticket.id for ticket in many]), OutboxEvent.kind != "ticket.created"
    )
    assert set(session.scalars(chain)) == {done.id}


def test_tickets_are_given_and_taken_back(session, open_ticket, actor_of, now):
    tickets, jonas = [open_ticket() for _ in range(2)], actor_of("jonas")
    ids = [ticket.id for ticket in tickets]
    give = BulkAction(BulkKind.ASSIGN, assignee_id=jonas.user_id)
    done = change_tickets(session, ids, action=give, actor=actor_of("sam"), now=now + LATER)
    assert {state_of(session, id_)["assigned_to"] for id_ in ids} == {jonas.user_id}
    assert told(session, ids[0])[2][0][:2] == ("assigned", {"to": str(jonas.user_id), "to_name": "Jonas Thiel"})
    change_tickets(session, ids[:1], action=BulkAction(BulkKind.ASSIGN), actor=actor_of("sam"), now=now + 2 * LATER)
    undone = undo_change(session, done.id, actor=actor_of("sam"), now=now + 3 * LATER)
    assert [result.get("undone") for result in undone.results] == [False, True]
    assert undone.results[0]["undo_code"] == "ticket_changed_since"
    assert [kind for kind, *_ in told(session, ids[1])[2]] == ["assigned", "unassigned"]
    with pytest.raises(Invalid):
        strangers = BulkAction(BulkKind.ASSIGN, assignee_id=actor_of("bob").user_id)
        change_tickets(session, ids, action=strangers, actor=actor_of("sam"), now=now)


def test_what_one_refuses_the_others_do_not(session, open_ticket, actor_of, now):
    sam, fine, done, gone = actor_of("sam"), open_ticket(), open_ticket(), uuid4()
    update_ticket(session, done.id, changes=TicketChanges(status=TicketStatus.CANCELLED), actor=sam, now=now)
    session.flush()
    resolve = BulkAction(BulkKind.STATUS, status=TicketStatus.RESOLVED)
    asked = [done.id, gone, fine.id, fine.id]
    results = change_tickets(session, asked, action=resolve, actor=sam, now=now + LATER).results
    assert [(result["id"], result["ok"], result.get("code")) for result in results] == [
        (str(done.id), False, "move_not_allowed"),
        (str(gone), False, "ticket_not_found"),
        (str(fine.id), True, None),
    ]
    again = change_tickets(session, [fine.id], action=resolve, actor=sam, now=now + 2 * LATER).results
    assert [(result["ok"], result["changed"]) for result in again] == [(True, False)]
    assert len(told(session, fine.id)[0]) == 1


def test_tags_are_added_and_removed_without_touching_others(session, open_ticket, actor_of, now):
    sam, ticket = actor_of("sam"), open_ticket()
    update_ticket(session, ticket.id, changes=TicketChanges(tags=("keep", "drop")), actor=sam, now=now)
    change_tickets(session, [ticket.id], action=BulkAction(BulkKind.REMOVE_TAGS, tags=("drop",)), actor=sam, now=now)
    assert state_of(session, ticket.id, "tags") == {"tags": ["keep"]}
    many = tuple(f"t{number}" for number in range(20))
    full = change_tickets(session, [ticket.id], action=BulkAction(BulkKind.ADD_TAGS, tags=many), actor=sam, now=now)
    assert full.results[0]["code"] == "too_many"


@pytest.mark.parametrize(
    "action",
    [
        BulkAction(BulkKind.STATUS),
        BulkAction(BulkKind.PRIORITY),
        BulkAction(BulkKind.CATEGORY, category="nope"),
        BulkAction(BulkKind.ADD_TAGS),
        BulkAction(BulkKind.ADD_TAGS, tags=("x" * 41,)),
        BulkAction(BulkKind.ASSIGN, assignee_id=uuid4()),
    ],
    ids=lambda action: action.kind.value,
)
def test_an_action_without_a_value_is_refused(session, open_ticket, actor_of, now, action):
    with pytest.raises(Invalid):
        change_tickets(session, [open_ticket().id], action=action, actor=actor_of("sam"), now=now)


def test_only_who_may_change_tickets_changes_many(session, open_ticket, actor_of, now):
    ticket = open_ticket()
    for who in ("bill", "dora", "alice", "bob"):
        with pytest.raises(Forbidden):
            change_tickets(session, [ticket.id], action=CLOSE, actor=actor_of(who), now=now)
    stranger = change_tickets(session, [ticket.id], action=CLOSE, actor=actor_of("sam"), now=now)
    for who in ("jonas", "mia", "ada"):
        for act in (get_change, undo_change):
            with pytest.raises(NotFound):
                act(session, stranger.id, actor=actor_of(who), **({"now": now} if act is undo_change else {}))


def test_there_is_an_end_to_many(session, open_ticket, actor_of, now, monkeypatch):
    monkeypatch.setattr("portal.services.tickets.bulk.MOST_TICKETS", 2)
    sam, ids = actor_of("sam"), [open_ticket().id for _ in range(3)]
    for asked in (ids, []):
        with pytest.raises(Invalid):
            change_tickets(session, asked, action=CLOSE, actor=sam, now=now)
    begun = change_tickets(session, ids[:1], action=CLOSE, actor=sam, now=now)
    change_tickets(session, ids[1:2], action=CLOSE, actor=sam, now=now, change_id=begun.id)
    assert [result["id"] for result in begun.results] == [str(id_) for id_ in ids[:2]]
    with pytest.raises(Invalid):
        change_tickets(session, ids[2:], action=CLOSE, actor=sam, now=now, change_id=begun.id)
    with pytest.raises(Conflict):
        other = BulkAction(BulkKind.REMOVE_TAGS, tags=("a",))
        change_tickets(session, ids[2:], action=other, actor=sam, now=now, change_id=begun.id)


def moves_by_staff():
    """From what to what a bulk change may lead; closed tickets only open again, and solved ones wait for nobody."""
    targets = ("closed", "open", "resolved", "waiting_customer")
    for start in ("open", "waiting_customer", "resolved", "closed"):
        for target in sorted(target.value for target in MOVES[TicketStatus(start)] if target.value in targets):
            barred = (start, target) == ("resolved", "waiting_customer") or (start == "closed" and target != "open")
            if start != target and not barred:
                yield start, target


@pytest.mark.parametrize(("start", "target"), list(moves_by_staff()))
def test_an_undone_status_is_as_if_nothing_had_been(session, open_ticket, actor_of, now, start, target):
    sam, one, same = actor_of("sam"), open_ticket(category="general"), open_ticket(category="general")
    for ticket in (one, same):
        if start != "open":
            changes = TicketChanges(status=TicketStatus(start))
            update_ticket(session, ticket.id, changes=changes, actor=sam, now=now + timedelta(minutes=30))
    cycle = one.clock_cycle
    action = BulkAction(BulkKind.STATUS, status=TicketStatus(target))
    made = change_tickets(session, [one.id], action=action, actor=sam, now=now + timedelta(minutes=40))
    undo_change(session, made.id, actor=sam, now=now + timedelta(minutes=45))
    update_ticket(session, same.id, changes=TicketChanges(tags=("x",)), actor=sam, now=now + timedelta(minutes=45))
    compared = [name for name in STATE if name != "tags"]
    assert state_of(session, one.id, *compared) == state_of(session, same.id, *compared)
    assert steps_of(session, one.id) == steps_of(session, same.id)
    # The process of a cycle that was ended by closing takes no more signals: another cycle follows it.
    moved = told(session, one.id)[0][-1]
    assert moved[0] == "ticket.status_changed"
    assert (one.clock_cycle > cycle) == ("closed" in (start, target))
    assert moved[1]["cycle"] == one.clock_cycle


def test_an_undo_puts_back_fields_and_their_promise(session, open_ticket, actor_of, now):
    sam, ticket = actor_of("sam"), open_ticket(category="general")
    before = state_of(session, ticket.id, "category", "sla_policy_id", "sla_due_at"), steps_of(session, ticket.id)
    drill = BulkAction(BulkKind.CATEGORY, category="drill")
    made = change_tickets(session, [ticket.id], action=drill, actor=sam, now=now + LATER)
    assert state_of(session, ticket.id, "sla_policy_id", "category") != before[0]
    undo_change(session, made.id, actor=sam, now=now + 2 * LATER)
    after = state_of(session, ticket.id, "category", "sla_policy_id", "sla_due_at"), steps_of(session, ticket.id)
    assert after == before
    trail = told(session, ticket.id)[1]
    assert [entry[1:] for entry in trail] == [
        ({"category": "general"}, {"category": "drill"}),
        ({"category": "drill"}, {"category": "general"}),
    ]


def test_what_happened_since_is_not_undone(session, open_ticket, actor_of, now):
    sam, answered, quiet = actor_of("sam"), open_ticket(), open_ticket()
    high = BulkAction(BulkKind.PRIORITY, priority=TicketPriority.HIGH)
    made = change_tickets(session, [answered.id, quiet.id], action=high, actor=sam, now=now + LATER)
    reply_as_customer(session, answered.id, message="Hello?", actor=actor_of("bob"), now=now + 2 * LATER)
    undone = undo_change(session, made.id, actor=sam, now=now + 3 * LATER).results
    assert [(result["undone"], result.get("undo_code")) for result in undone] == [
        (False, "ticket_changed_since"),
        (True, None),
    ]
    assert state_of(session, answered.id, "priority") == {"priority": TicketPriority.HIGH}
    assert state_of(session, quiet.id, "priority") == {"priority": TicketPriority.NORMAL}


def test_an_undo_is_for_ten_minutes_and_once(session, open_ticket, actor_of, now):
    sam, ticket = actor_of("sam"), open_ticket()
    made = change_tickets(session, [ticket.id], action=CLOSE, actor=sam, now=now)
    with pytest.raises(Conflict) as refused:
        undo_change(session, made.id, actor=sam, now=now + timedelta(minutes=10, seconds=1))
    assert refused.value.code == "undo_too_late"
    undo_change(session, made.id, actor=sam, now=now + timedelta(minutes=10))
    with pytest.raises(Conflict) as refused:
        undo_change(session, made.id, actor=sam, now=now + timedelta(minutes=10))
    assert refused.value.code == "already_undone"
    trail = session.scalars(select(AuditEntry).where(AuditEntry.record_id == made.id).order_by(AuditEntry.seq)).all()
    assert [(entry.action, entry.after) for entry in trail] == [
        ("bulk_change.made", {"kind": "close", "status": "closed", "tickets": 1, "changed": 1}),
        ("bulk_change.undone", {"tickets": 1, "undone": 1}),
    ]


def test_the_number_of_statements_is_that_of_one(session, engine, open_ticket, actor_of, now):
    sam, few = actor_of("sam"), [open_ticket().id for _ in range(2)]
    many = [open_ticket().id for _ in range(40)]
    sent = []
    event.listen(engine, "before_cursor_execute", lambda *args: sent.append(args[2]))
    counts = []
    for ids in (few, many):
        sent.clear()
        change_tickets(session, ids, action=CLOSE, actor=sam, now=now + LATER)
        counts.append(len(sent))
    assert counts[0] == counts[1] <= 6


def test_thirty_undos_are_one(sessions, world, now):
    bob, sam = world.people["bob"].actor, world.people["sam"].actor
    with sessions.begin(world.demo) as session:
        ids = [create_ticket(session, NewTicket("Race", "x", "general"), actor=bob, now=now).id for _ in range(3)]
    with sessions.begin(world.demo) as session:
        made = change_tickets(session, ids, action=CLOSE, actor=sam, now=now + LATER).id

    def undo(_index):
        with sessions.begin(world.demo) as session:
            return undo_change(session, made, actor=sam, now=now + 2 * LATER).id

    codes = codes_of(at_once(30, undo))
    assert sorted(set(codes)) == ["already_undone", "ok"]
    assert codes.count("ok") == 1
    with sessions.begin(world.demo) as session:
        for id_ in ids:
            assert state_of(session, id_, "status") == {"status": TicketStatus.OPEN}
            assert len(told(session, id_)[0]) == 2


def test_two_changes_that_meet_do_not_wait_in_a_ring(sessions, world, now):
    bob, sam = world.people["bob"].actor, world.people["sam"].actor
    with sessions.begin(world.demo) as session:
        ids = [create_ticket(session, NewTicket("Ring", "x", "general"), actor=bob, now=now).id for _ in range(12)]

    def change(index):
        tag = BulkAction(BulkKind.ADD_TAGS, tags=(f"tag{index}",))
        with sessions.begin(world.demo) as session:
            asked = ids if index % 2 else ids[::-1]
            return change_tickets(session, asked, action=tag, actor=sam, now=now + LATER).id

    assert set(codes_of(at_once(6, change))) == {"ok"}
    with sessions.begin(world.demo) as session:
        for id_ in ids:
            assert state_of(session, id_, "tags") == {"tags": [f"tag{index}" for index in range(6)]}
