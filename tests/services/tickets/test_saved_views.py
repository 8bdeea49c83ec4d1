"""Views of one's own: what they find, who may keep which, their versions, and what they cost."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import event, select

from portal.errors import Conflict, Forbidden, Invalid, NotFound
from portal.models import AuditEntry, TicketPriority, TicketStatus
from portal.services.tickets.desk import TicketChanges, assign_ticket, update_ticket
from portal.services.tickets.listing import TicketFilter, list_tickets
from portal.services.tickets.saved_counting import count_saved_views
from portal.services.tickets.saved_views import (
    ViewForm,
    delete_view,
    duplicate_view,
    get_saved_view,
    list_saved_views,
    list_view_versions,
    move_view,
    restore_view,
    save_view,
)
from portal.services.tickets.view_filters import ViewFilter


def found(session, actor, now, **asked):
    """Numbers of the tickets that a filter finds."""
    wanted = TicketFilter(saved=ViewFilter(**asked), limit=100)
    return {row.ticket.id for row in list_tickets(session, wanted, actor=actor, now=now).items}


@pytest.fixture
def keep(session, actor_of, now):
    """Save a view (as sam, an agent, unless said)."""

    def make(who="sam", name="Mine", **fields):
        return save_view(session, None, form=ViewForm(name, **fields), actor=actor_of(who), now=now)

    return make


def test_each_filter_narrows(session, open_ticket, actor_of, now, world):
    sam = actor_of("sam")
    plain, other = open_ticket(category="general"), open_ticket("charlie", category="billing")
    tags, high = TicketChanges(tags=("vip", "router")), TicketChanges(priority=TicketPriority.HIGH)
    update_ticket(session, plain.id, changes=tags, actor=sam, now=now)
    update_ticket(session, other.id, changes=high, actor=sam, now=now)
    update_ticket(session, other.id, changes=TicketChanges(status=TicketStatus.WAITING_CUSTOMER), actor=sam, now=now)
    assign_ticket(session, plain.id, assignee_id=sam.user_id, actor=sam, now=now)
    session.flush()
    both = {plain.id, other.id}
    for asked, expected in (
        ({"status": ("waiting_customer",)}, other),
        ({"category": ("general",)}, plain),
        ({"priority": ("high", "urgent")}, other),
        ({"assignee": ("me",)}, plain),
        ({"assignee": ("none",)}, other),
        ({"assignee": (str(sam.user_id),)}, plain),
        ({"company": (str(world.companies["globex"]),)}, other),
        ({"tags": ("vip",)}, plain),
        ({"tags": ("vip", "router")}, plain),
        ({"sla": ("paused",)}, other),
        ({"sla": ("due",)}, plain),
        ({"due_hours": 6}, plain),
    ):
        assert found(session, sam, now, **asked) & both == {expected.id}, asked
    assert found(session, sam, now, assignee=("me", "none")) >= both
    assert not found(session, sam, now, tags=("vip", "else")) & both
    later = now + timedelta(days=9)
    assert found(session, sam, later, sla=("breached",)) & both == {plain.id}
    assert not found(session, sam, later, created_days=8) & both
    assert found(session, sam, later, updated_days=10, idle_days=8) >= both


def test_words_of_view_and_address_count_together(session, open_ticket, actor_of, now):
    ticket, other = open_ticket(subject="Zeppelin grounded"), open_ticket(subject="Zeppelin lost")
    session.flush()
    wanted = TicketFilter(saved=ViewFilter(text="zeppelin"), q="ground", limit=100)
    page = list_tickets(session, wanted, actor=actor_of("sam"), now=now)
    assert [row.ticket.id for row in page.items] == [ticket.id]
    assert {ticket.id, other.id} <= found(session, actor_of("sam"), now, text="zeppelin")


def test_pages_of_a_view_follow_each_other_by_next_breach(session, open_ticket, actor_of, now):
    made = {
        open_ticket(category="drill", at=now + timedelta(seconds=n), subject="Promenade by the quay").id
        for n in range(7)
    }
    seen, cursor = [], None
    for _ in range(4):
        saved = ViewFilter(category=("drill",), created_days=1, text="promenade quay")
        wanted = TicketFilter(saved=saved, sort="due", descending=False, limit=2, cursor=cursor)
        page = list_tickets(session, wanted, actor=actor_of("sam"), now=now)
        seen += [row.ticket for row in page.items if row.ticket.id in made]
        cursor = page.next_cursor
    assert [ticket.sla_due_at for ticket in seen] == sorted(ticket.sla_due_at for ticket in seen)
    assert {ticket.id for ticket in seen} == made


def test_counts_are_one_statement_and_capped(session, engine, open_ticket, actor_of, now, keep, monkeypatch):
    tickets = [open_ticket(subject="Quokka escaped") for _ in range(3)]
    session.flush()
    monkeypatch.setattr("portal.services.tickets.saved_counting.COUNT_CAP", 1)
    views = [keep(name="Words", filter=ViewFilter(text="quokka")), keep(name="All"), keep(name="No", sort="-created")]
    none = keep(name="None", filter=ViewFilter(tags=("unheard-of",)))
    sent = []
    event.listen(engine, "before_cursor_execute", lambda *args: sent.append(args[2]))
    counts = count_saved_views(session, [*views, none], actor=actor_of("sam"), now=now)
    assert len(sent) == 1
    assert counts == {views[0].id: 2, views[1].id: 2, views[2].id: 2, none.id: 0}
    assert len(tickets) == 3


def test_an_own_view_is_nobody_elses(session, actor_of, now, keep):
    view = keep()
    assert view.id in {one.id for one in list_saved_views(session, actor=actor_of("sam"))}
    for who in ("mia", "ada", "jonas"):
        actor = actor_of(who)
        assert view.id not in {one.id for one in list_saved_views(session, actor=actor)}
        for act in (
            lambda actor=actor: get_saved_view(session, view.id, actor=actor),
            lambda actor=actor: save_view(session, view.id, form=ViewForm("x"), actor=actor, now=now),
            lambda actor=actor: delete_view(session, view.id, actor=actor, now=now),
            lambda actor=actor: move_view(session, view.id, up=True, actor=actor, now=now),
            lambda actor=actor: duplicate_view(session, view.id, name="x", actor=actor, now=now),
            lambda actor=actor: list_view_versions(session, view.id, actor=actor),
        ):
            with pytest.raises(NotFound):
                act()
    for act in (lambda: list_saved_views(session, actor=actor_of("alice")), lambda: keep("alice")):
        with pytest.raises(Forbidden):
            act()


def test_shared_views_are_for_everybody_and_changed_by_few(session, actor_of, now, keep):
    view = keep("mia", "Team", shared=True)
    sam = actor_of("sam")
    assert get_saved_view(session, view.id, actor=sam).shared
    for act in (
        lambda: keep(shared=True),
        lambda: save_view(session, view.id, form=ViewForm("Mine now"), actor=sam, now=now),
        lambda: delete_view(session, view.id, actor=sam, now=now),
        lambda: move_view(session, view.id, up=True, actor=sam, now=now),
    ):
        with pytest.raises(Forbidden):
            act()
    copy = duplicate_view(session, view.id, name="Copy", actor=sam, now=now)
    assert (copy.shared, copy.filter, copy.columns) == (False, view.filter, view.columns)


def test_what_cannot_be_is_refused_by_field(session, actor_of, keep):
    bad = ViewFilter(
        status=("lost",),
        category=("nope",),
        assignee=(str(actor_of("bob").user_id), "x"),
        company=(str(uuid4()), "x"),
        custom_status=("nope",),
        sla=("soon",),
        due_hours=0,
        tags=("x" * 41,),
        text="\x00",
    )
    with pytest.raises(Invalid) as refused:
        keep(name=" ", filter=bad, columns=("number", "salary"), sort="salary")
    fields = {"name", "columns", "sort", *bad.stored()}
    assert {error.field for error in refused.value.errors} == fields
    with pytest.raises(Invalid) as refused:
        keep(columns=("number",))
    assert [(error.field, error.code) for error in refused.value.errors] == [("columns", "subject_missing")]


def test_versions_are_kept_and_come_back(session, actor_of, now, keep):
    sam, view = actor_of("sam"), keep(filter=ViewFilter(priority=("high",)))
    changed = ViewForm("Changed", ViewFilter(tags=("a",)), ("subject", "tags"), "-created", version=1)
    assert save_view(session, view.id, form=changed, actor=sam, now=now).version == 2
    assert save_view(
        session, view.id, form=changed.__class__(**{**vars(changed), "version": 2}), actor=sam, now=now
    ) == (get_saved_view(session, view.id, actor=sam))
    with pytest.raises(Conflict) as refused:
        save_view(session, view.id, form=changed, actor=sam, now=now)
    assert refused.value.code == "changed_meanwhile"
    back = restore_view(session, view.id, version=1, actor=sam, now=now)
    assert (back.version, back.name, back.filter, back.columns) == (3, view.name, view.filter, view.columns)
    assert [entry.version for entry in list_view_versions(session, view.id, actor=sam)] == [3, 2, 1]
    with pytest.raises(NotFound):
        restore_view(session, view.id, version=9, actor=sam, now=now)
    trail = session.scalars(select(AuditEntry).where(AuditEntry.record_id == view.id).order_by(AuditEntry.seq)).all()
    assert [entry.action for entry in trail] == ["ticket_view.saved"] * 3
    assert (trail[1].before["name"], trail[1].after["name"]) == ("Mine", "Changed")


def test_views_are_put_in_order_and_deleted(session, actor_of, now, keep):
    jonas = actor_of("jonas")
    first, second, third = (keep("jonas", name) for name in "abc")
    order = lambda: [view.id for view in list_saved_views(session, actor=jonas) if not view.shared]  # noqa: E731
    assert order() == [first.id, second.id, third.id]
    move_view(session, third.id, up=True, actor=jonas, now=now)
    move_view(session, first.id, up=True, actor=jonas, now=now)
    session.flush()
    assert order() == [first.id, third.id, second.id]
    delete_view(session, first.id, actor=jonas, now=now)
    assert order() == [third.id, second.id]
    with pytest.raises(NotFound):
        get_saved_view(session, first.id, actor=jonas)


def test_there_is_an_end_to_views(session, keep, monkeypatch):
    monkeypatch.setattr("portal.services.tickets.saved_views.MOST_VIEWS", 2)
    keep("dora"), keep("dora")
    with pytest.raises(Invalid):
        keep("dora")
    keep("dora", shared=True)
