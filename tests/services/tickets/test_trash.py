"""The trash: out of everything, and back as it was; after thirty days gone."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from portal.errors import Conflict, Forbidden, Invalid, NotFound
from portal.models import (
    Attachment,
    AuditEntry,
    FileState,
    MailMessage,
    MailState,
    NextStep,
    Notification,
    OutboxEvent,
    Ticket,
    TicketFollower,
    TicketMessage,
)
from portal.services.notifications.bell import count_unread, list_notifications
from portal.services.notifications.fan_out import fan_out
from portal.services.tickets.conversation import reply_as_customer, reply_as_staff
from portal.services.tickets.counting import count_views
from portal.services.tickets.desk import TicketChanges, assign_ticket, update_ticket
from portal.services.tickets.detail import get_ticket_detail
from portal.services.tickets.escalation import advance_clock
from portal.services.tickets.lifecycle import close_ticket
from portal.services.tickets.links import Relation, add_link, list_links
from portal.services.tickets.listing import STAFF_VIEWS, TicketFilter, list_tickets
from portal.services.tickets.merging import merge_tickets
from portal.services.tickets.opening import NewTicket, create_ticket
from portal.services.tickets.purging import purge_ticket
from portal.services.tickets.queries import get_ticket
from portal.services.tickets.summary import list_activities, list_own_tickets, read_figures
from portal.services.tickets.trash import KEPT_FOR, get_trashed, list_trash, restore_ticket, trash_ticket
from tests.together import at_once, codes_of


@pytest.fixture
def trash(session, actor_of, now):
    return lambda ticket, at=now: trash_ticket(session, ticket.id, reason="Spam", actor=actor_of("sam"), now=at)


def test_it_lies_there_with_its_reason_and_comes_back(session, open_ticket, trash, actor_of, now):
    ticket, sam = open_ticket(), actor_of("sam")
    trash(ticket)
    found = get_trashed(session, ticket.id, actor=sam)
    assert (found.reason, found.trashed_by, found.company) == ("Spam", "Sam Okafor", "Acme")
    assert found.purged_at == now + KEPT_FOR
    assert ticket.id in [row.id for row in list_trash(session, actor=sam).items]
    restore_ticket(session, ticket.id, actor=sam, now=now)
    assert ticket.id not in [row.id for row in list_trash(session, actor=sam).items]
    assert get_ticket(session, ticket.id, actor=actor_of("bob")).status.value == "open"
    actions = session.scalars(select(AuditEntry.action).where(AuditEntry.record_id == ticket.id)).all()
    assert {"ticket.trashed", "ticket.restored"} <= set(actions)
    events = get_ticket_detail(session, ticket.id, actor=actor_of("bob")).events
    assert not {"trashed", "restored"} & {event.kind for event in events}


def everything(session, actor, now, other):
    """All ids that any list, count or search of the product shows somebody."""
    seen = set()
    views = STAFF_VIEWS if actor.is_staff else ("open", "all")
    for view in (*views, None):
        for q in ("", "canary"):
            page = list_tickets(session, TicketFilter(view=view, q=q, limit=100), actor=actor, now=now)
            seen |= {row.ticket.id for row in page.items}
    own = list_own_tickets(session, actor=actor)
    seen |= {row.ticket.id for row in (*own.needing, *own.recent)}
    seen |= {line.ticket_id for line in list_activities(session, actor=actor)}
    seen |= {row.notice.record_id for row in list_notifications(session, actor=actor)}
    seen |= {link.ticket_id for link in list_links(session, other, actor=actor)}
    counts = count_views(session, ["open", "all"], actor=actor, now=now)
    return seen, (counts, read_figures(session, actor=actor, now=now), count_unread(session, actor=actor))


@pytest.mark.parametrize("who", ["bob", "alice", "sam", "mia"])
def test_every_lookup_agrees(session, open_ticket, trash, actor_of, now, who):
    actor, other = actor_of(who), open_ticket()
    ticket = open_ticket(subject="Canary row", description="canary in the text")
    reply_as_customer(session, ticket.id, message="canary again", actor=actor_of("bob"), now=now)
    reply_as_staff(session, ticket.id, message="Seen.", actor=actor_of("jonas"), now=now)
    add_link(session, other.id, number=ticket.ticket_number, relation=Relation.RELATED, actor=actor_of("mia"), now=now)
    for event_id in session.scalars(select(OutboxEvent.id).where(OutboxEvent.record_id == ticket.id)).all():
        fan_out(session, event_id, base_url="http://x", now=now)
    before_ids, before = everything(session, actor, now, other.id)
    assert ticket.id in before_ids
    trash(ticket)
    ids, counts = everything(session, actor, now, other.id)
    assert ticket.id not in ids
    assert counts[0]["open"] == before[0]["open"] - 1
    assert counts[1].open == before[1].open - 1
    restore_ticket(session, ticket.id, actor=actor_of("sam"), now=now)
    assert everything(session, actor, now, other.id) == (before_ids, before)


def test_nothing_can_be_done_to_it(session, open_ticket, trash, actor_of, now):
    ticket, other = open_ticket(), open_ticket()
    trash(ticket)
    bob, sam = actor_of("bob"), actor_of("sam")
    for act in (
        lambda: get_ticket_detail(session, ticket.id, actor=bob),
        lambda: get_ticket_detail(session, ticket.id, actor=sam),
        lambda: reply_as_customer(session, ticket.id, message="x", actor=bob, now=now),
        lambda: reply_as_staff(session, ticket.id, message="x", actor=sam, now=now),
        lambda: close_ticket(session, ticket.id, actor=bob, now=now),
        lambda: assign_ticket(session, ticket.id, assignee_id=None, actor=sam, now=now),
        lambda: update_ticket(session, ticket.id, changes=TicketChanges(subject="y"), actor=sam, now=now),
        lambda: merge_tickets(session, ticket.id, into_id=other.id, actor=sam, now=now),
        lambda: merge_tickets(session, other.id, into_id=ticket.id, actor=sam, now=now),
    ):
        with pytest.raises(NotFound):
            act()
    with pytest.raises(Invalid):
        add_link(session, other.id, number=ticket.ticket_number, relation=Relation.RELATED, actor=sam, now=now)


def test_no_mail_and_no_step_while_it_lies_there(session, open_ticket, trash, actor_of, now):
    ticket = open_ticket()
    reply_as_staff(session, ticket.id, message="Hello.", actor=actor_of("sam"), now=now)
    trash(ticket)
    for event_id in session.scalars(select(OutboxEvent.id).where(OutboxEvent.record_id == ticket.id)).all():
        assert fan_out(session, event_id, base_url="http://x", now=now) == []
    assert session.scalars(select(Notification).where(Notification.record_id == ticket.id)).all() == []
    assert session.scalars(select(NextStep).where(NextStep.record_id == ticket.id)).all() == []
    wake = advance_clock(session, ticket.id, cycle=ticket.clock_cycle, now=now + timedelta(minutes=5))
    assert (wake.at, wake.done) == (None, True)
    assert ticket.escalation_level == 0


def test_the_clock_goes_on_where_it_would_be(session, open_ticket, trash, actor_of, now):
    ticket, sam = open_ticket(), actor_of("sam")
    promised = (ticket.first_response_due_at, ticket.resolution_due_at)
    trash(ticket, now + timedelta(seconds=5))
    restore_ticket(session, ticket.id, actor=sam, now=now + timedelta(seconds=30))
    assert (ticket.first_response_due_at, ticket.resolution_due_at) == promised
    assert ticket.clock_cycle == 2
    assert session.scalars(select(NextStep.at).where(NextStep.record_id == ticket.id)).all()
    assert advance_clock(session, ticket.id, cycle=1, now=now + timedelta(seconds=30)).done
    wake = advance_clock(session, ticket.id, cycle=2, now=now + timedelta(seconds=30))
    # The first answer was due after 20 s: that level fires now, the next one at its own time.
    assert (ticket.escalation_level, wake.done) == (1, False)
    assert wake.at == now + timedelta(seconds=40)


def test_who_may(session, open_ticket, trash, actor_of, now):
    ticket = open_ticket()
    for who, refusal in (("bob", NotFound), ("charlie", NotFound), ("bill", Forbidden), ("dora", Forbidden)):
        for act in (
            lambda a: trash_ticket(session, ticket.id, reason="x", actor=a, now=now),
            lambda a: restore_ticket(session, ticket.id, actor=a, now=now),
        ):
            with pytest.raises(refusal):
                act(actor_of(who))
        with pytest.raises(Forbidden):
            list_trash(session, actor=actor_of(who))
    with pytest.raises(Invalid):
        trash_ticket(session, ticket.id, reason=" ", actor=actor_of("sam"), now=now)
    with pytest.raises(Conflict, match="not_trashed"):
        restore_ticket(session, ticket.id, actor=actor_of("sam"), now=now)
    trash(ticket)
    with pytest.raises(Conflict, match="already_trashed"):
        trash(ticket)
    with pytest.raises(NotFound):
        trash_ticket(session, uuid4(), reason="x", actor=actor_of("sam"), now=now)


def test_another_tenants_ticket_is_not_there(sessions, world, actor_of, now):
    with sessions.begin(world.nova) as session:
        foreign = create_ticket(session, NewTicket("Theirs", "x", "drill"), actor=actor_of("nia"), now=now)
    with sessions.begin(world.demo) as session, pytest.raises(NotFound):
        trash_ticket(session, foreign.id, reason="x", actor=actor_of("sam"), now=now)


@pytest.mark.parametrize("act", ["trash", "restore"])
def test_one_of_many(sessions, world, actor_of, now, act):
    sam = actor_of("sam")
    with sessions.begin(world.demo) as session:
        ticket = create_ticket(session, NewTicket("Race", "x", "drill"), actor=actor_of("bob"), now=now)
        if act == "restore":
            trash_ticket(session, ticket.id, reason="x", actor=sam, now=now)

    def run(_):
        with sessions.begin(world.demo) as session:
            if act == "trash":
                trash_ticket(session, ticket.id, reason="Spam", actor=sam, now=now)
            else:
                restore_ticket(session, ticket.id, actor=sam, now=now)

    found = codes_of(at_once(30, run))
    assert sorted(found) == sorted(["ok", *["already_trashed" if act == "trash" else "not_trashed"] * 29])


def test_pages_of_the_trash(session, open_ticket, trash, actor_of, now):
    tickets = [open_ticket() for _ in range(5)]
    for at, ticket in enumerate(tickets):
        trash(ticket, now + timedelta(days=400, minutes=at))
    first = list_trash(session, actor=actor_of("sam"), limit=2)
    second = list_trash(session, actor=actor_of("sam"), limit=2, cursor=first.next_cursor)
    back = list_trash(session, actor=actor_of("sam"), limit=2, cursor=second.previous_cursor)
    assert [row.id for row in (*first.items, *second.items)] == [ticket.id for ticket in tickets[::-1][:4]]
    assert back.items == first.items


def test_after_its_time_it_is_gone(session, open_ticket, trash, actor_of, world, now):
    ticket, kept, merged = open_ticket(subject="Gone"), open_ticket(), open_ticket()
    merge_tickets(session, merged.id, into_id=ticket.id, actor=actor_of("sam"), now=now)
    entry = reply_as_customer(session, ticket.id, message="x", actor=actor_of("bob"), now=now)
    add_link(session, ticket.id, number=kept.ticket_number, relation=Relation.RELATED, actor=actor_of("sam"), now=now)
    file = Attachment(
        id=uuid4(), uploaded_by=world.people["bob"].user_id, ticket_id=ticket.id, message_id=entry.id,
        filename="a.txt", content_type="text/plain", size=5, sha256=b"0" * 32, storage_key=uuid4().hex,
        state=FileState.CLEAN,
    )  # fmt: skip
    mail = MailMessage(
        id=uuid4(), event_id=uuid4(), template="t", recipient="bob@acme.example", locale="en", subject="s", text="t",
        html="h", message_id=f"<ticket-{ticket.id}@demo.example>", state=MailState.SENT, created_at=now,
    )  # fmt: skip
    session.add_all([file, mail])
    session.flush()
    trash(ticket)
    due = now + KEPT_FOR
    assert not purge_ticket(session, ticket.id, cycle=1, now=due - timedelta(seconds=1))
    assert not purge_ticket(session, ticket.id, cycle=2, now=due)
    assert purge_ticket(session, ticket.id, cycle=1, now=due)
    assert not purge_ticket(session, ticket.id, cycle=1, now=due)
    gone, sent, stored, other, former = ticket.id, mail.id, file.id, kept.id, merged.id
    session.expire_all()
    for kind in (TicketMessage, TicketFollower):
        assert session.scalar(select(func.count()).where(kind.ticket_id == gone)) == 0
    assert session.scalar(select(Ticket.id).where(Ticket.id == gone)) is None
    assert session.get(MailMessage, sent) is None
    assert (session.get(Attachment, stored).removed_at, session.get(Attachment, stored).ticket_id) == (due, None)
    assert list_links(session, other, actor=actor_of("sam")) == []
    assert session.get(Ticket, former).merged_into_id is None
    told = session.scalars(select(AuditEntry.action).where(AuditEntry.record_id.in_([gone, stored]))).all()
    assert {"ticket.trashed", "ticket.purged", "attachment.removed"} <= set(told)


def test_what_was_restored_is_not_purged(session, open_ticket, trash, actor_of, now):
    ticket = open_ticket()
    trash(ticket)
    restore_ticket(session, ticket.id, actor=actor_of("sam"), now=now)
    trash(ticket, now + timedelta(days=20))
    assert not purge_ticket(session, ticket.id, cycle=1, now=now + KEPT_FOR)
    assert not purge_ticket(session, ticket.id, cycle=2, now=now + KEPT_FOR)
    assert purge_ticket(session, ticket.id, cycle=2, now=now + KEPT_FOR + timedelta(days=20))
