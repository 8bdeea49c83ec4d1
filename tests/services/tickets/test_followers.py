"""Colleagues on a ticket, and companies that share all of theirs: every lookup agrees who sees what."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import delete, func, select, update

from portal.errors import Conflict, Forbidden, NotFound
from portal.models import AuditEntry, Company, Membership, TicketEvent, TicketFollower, User
from portal.services.accounts.chrome import chrome_columns
from portal.services.accounts.identity import build_identity, select_identity
from portal.services.accounts.ticket_sharing import set_ticket_sharing
from portal.services.tickets.conversation import reply_as_customer
from portal.services.tickets.counting import count_views
from portal.services.tickets.detail import get_ticket_detail
from portal.services.tickets.followers import MOST_FOLLOWERS, add_follower, read_circle, remove_follower
from portal.services.tickets.lifecycle import cancel_ticket, close_ticket, rate_ticket, reopen_ticket
from portal.services.tickets.listing import TicketFilter, list_tickets
from portal.services.tickets.queries import get_ticket, lock_ticket, search_ids
from portal.services.tickets.summary import list_activities, list_own_tickets, read_figures


@pytest.fixture
def fresh(session, world):
    """The actor of somebody as the next request would find it."""

    def make(name):
        row = session.execute(select_identity().where(User.id == world.people[name].user_id)).one()
        return build_identity(row).actor

    return make


@pytest.fixture
def shared(session, open_ticket, actor_of, world, now):
    """A ticket of alice's that bob follows."""
    ticket = open_ticket("alice", subject="Zanzibar uplink", description="quokka")
    session.flush()
    add_follower(session, ticket.id, world.people["bob"].user_id, actor=actor_of("alice"), now=now)
    session.flush()
    _make_newest(session, ticket, now)
    return ticket


def _make_newest(session, ticket, now):
    """Dashboards show the newest alone, and other tests leave tickets that were touched much later."""
    later = now + timedelta(days=36500)
    ticket.updated_at = later
    opened = update(TicketEvent).where(TicketEvent.ticket_id == ticket.id, TicketEvent.kind == "created")
    session.execute(opened.values(at=later))
    session.flush()


def everywhere(session, ticket, actor, now):
    """Which of the customers' lookups find the ticket, by name."""

    def sees(look):
        try:
            found = look()
        except NotFound:
            return False
        return found is not False

    def listed(**fields):
        page = list_tickets(session, TicketFilter(**fields), actor=actor, now=now)
        return any(row.ticket.id == ticket.id for row in page.items) or False

    return {
        "get": sees(lambda: get_ticket(session, ticket.id, actor=actor)),
        "lock": sees(lambda: lock_ticket(session, ticket.id, actor=actor)),
        "detail": sees(lambda: get_ticket_detail(session, ticket.id, actor=actor)),
        "standing list": listed(view="open"),
        "built list": listed(category=("drill",)),
        "search": ticket.id in search_ids(session, "zanzibar:*", actor=actor),
        "message search": ticket.id in search_ids(session, "quokka:*", actor=actor),
        "searched list": listed(q="zanzibar", view="all"),
        "dashboard": any(row.ticket.id == ticket.id for row in list_own_tickets(session, actor=actor).recent),
        "activity": any(line.ticket_id == ticket.id for line in list_activities(session, actor=actor)),
    }


def counts(session, actor, now):
    """How many open tickets lists, dashboard and frame count; other tests leave some behind."""
    frame = session.scalar(select(chrome_columns("portal")[0]).select_from(User).where(User.id == actor.user_id))
    listed = count_views(session, ["open"], actor=actor, now=now)["open"]
    return listed, read_figures(session, actor=actor, now=now).open, frame


def test_every_count_counts_what_is_shared_once(session, open_ticket, fresh, actor_of, world, now):
    before = counts(session, fresh("bob"), now)
    assert len(set(before)) == 1
    ticket = open_ticket("alice")
    assert counts(session, fresh("bob"), now) == before
    bob = world.people["bob"].user_id
    add_follower(session, ticket.id, bob, actor=actor_of("alice"), now=now)
    session.flush()
    assert counts(session, fresh("bob"), now) == tuple(count + 1 for count in before)
    set_ticket_sharing(session, ticket.customer_id, shared=True, actor=actor_of("alice"), now=now)
    session.flush()
    assert counts(session, fresh("bob"), now) == counts(session, fresh("alice"), now)
    set_ticket_sharing(session, ticket.customer_id, shared=False, actor=actor_of("alice"), now=now)
    remove_follower(session, ticket.id, bob, actor=actor_of("alice"), now=now)
    assert counts(session, fresh("bob"), now) == before


def test_a_follower_finds_the_ticket_by_every_lookup(session, shared, fresh, now):
    found = everywhere(session, shared, fresh("bob"), now)
    assert all(found.values()), found


def test_nobody_else_finds_it_by_any(session, shared, fresh, actor_of, now):
    for name in ("charlie",):
        found = everywhere(session, shared, fresh(name), now)
        assert not any(found.values()), (name, found)


def test_once_removed_nothing_of_it_is_found(session, shared, fresh, actor_of, world, now):
    before = fresh("bob")
    remove_follower(session, shared.id, world.people["bob"].user_id, actor=actor_of("alice"), now=now)
    # The request that runs at this moment still has the actor of before.
    for actor in (before, fresh("bob")):
        found = everywhere(session, shared, actor, now)
        assert not any(found.values()), found


def test_who_left_the_company_sees_nothing_of_what_was_shared(session, shared, fresh, world, now):
    session.execute(delete(Membership).where(Membership.user_id == world.people["bob"].user_id))
    found = everywhere(session, shared, fresh("bob"), now)
    assert not any(found.values()), found


def test_a_member_elsewhere_who_administers_sees_both(session, shared, fresh, world, now):
    session.add(
        Membership(
            tenant_id=world.demo,
            user_id=world.people["bob"].user_id,
            company_id=world.companies["globex"],
            role="customer.admin",
        )
    )
    session.flush()
    found = everywhere(session, shared, fresh("bob"), now)
    assert all(found.values()), found


def test_a_company_that_shares_shows_all_to_everybody_and_no_more_after_it(session, open_ticket, fresh, actor_of, now):
    ticket = open_ticket("alice", subject="Zanzibar uplink", description="quokka")
    acme = ticket.customer_id
    set_ticket_sharing(session, acme, shared=True, actor=actor_of("alice"), now=now)
    session.flush()
    _make_newest(session, ticket, now)
    found = everywhere(session, ticket, fresh("bob"), now)
    assert all(found.values()), found
    assert not any(everywhere(session, ticket, fresh("charlie"), now).values())
    set_ticket_sharing(session, acme, shared=False, actor=actor_of("mia"), now=now)
    session.flush()
    assert not any(everywhere(session, ticket, fresh("bob"), now).values())
    entries = session.scalars(
        select(AuditEntry).where(AuditEntry.action == "company.sharing_changed", AuditEntry.record_id == acme)
    ).all()
    assert [entry.after for entry in sorted(entries, key=lambda one: one.seq)] == [
        {"shares_tickets": True},
        {"shares_tickets": False},
    ]


@pytest.mark.parametrize(("who", "error"), [("bob", Forbidden), ("charlie", NotFound), ("sam", Forbidden)])
def test_who_may_not_switch_the_sharing(session, world, actor_of, now, who, error):
    with pytest.raises(error):
        set_ticket_sharing(session, world.companies["acme"], shared=True, actor=actor_of(who), now=now)
    assert session.scalar(select(Company.shares_tickets).where(Company.id == world.companies["acme"])) is False


def test_a_follower_answers_and_does_not_decide(session, shared, fresh, now):
    bob = fresh("bob")
    assert reply_as_customer(session, shared.id, message="Here, too.", actor=bob, now=now).sender_name == "Bob Keller"
    for refused in (
        lambda: close_ticket(session, shared.id, actor=bob, now=now),
        lambda: cancel_ticket(session, shared.id, reason="x", actor=bob, now=now),
        lambda: reopen_ticket(session, shared.id, actor=bob, now=now),
        lambda: rate_ticket(session, shared.id, rating=5, actor=bob, now=now),
    ):
        with pytest.raises(Forbidden):
            refused()


def test_only_requester_administrators_and_the_team_share(session, shared, open_ticket, fresh, actor_of, world, now):
    alice = world.people["alice"].user_id
    with pytest.raises(Forbidden):
        add_follower(session, shared.id, alice, actor=fresh("bob"), now=now)
    own = open_ticket("bob")
    assert add_follower(session, own.id, alice, actor=actor_of("bob"), now=now).name == "Alice Moreau"
    with pytest.raises(NotFound):
        add_follower(session, own.id, alice, actor=actor_of("charlie"), now=now)
    with pytest.raises(Forbidden):
        add_follower(session, own.id, alice, actor=actor_of("bill"), now=now)
    asked_for = open_ticket("bob")
    assert add_follower(session, asked_for.id, alice, actor=actor_of("sam"), now=now).name == "Alice Moreau"


@pytest.mark.parametrize("whom", ["charlie", "sam", "nia", "nobody", "suspended"])
def test_people_of_no_or_another_company_are_no_colleagues(session, open_ticket, actor_of, world, now, whom):
    ticket = open_ticket("alice")
    user_id = world.people[whom].user_id if whom in world.people else uuid4()
    if whom == "suspended":
        user_id = world.people["bob"].user_id
        session.execute(update(User).where(User.id == user_id).values(portal_access=False))
    with pytest.raises(NotFound, match="colleague_not_found"):
        add_follower(session, ticket.id, user_id, actor=actor_of("alice"), now=now)
    assert session.scalar(select(func.count()).where(TicketFollower.ticket_id == ticket.id)) == 0


def test_following_twice_and_the_requester_are_conflicts(session, shared, actor_of, world, now):
    for name in ("bob", "alice"):
        with pytest.raises(Conflict, match="already_following"):
            add_follower(session, shared.id, world.people[name].user_id, actor=actor_of("alice"), now=now)


def test_at_most_twenty_follow(session, shared, actor_of, world, now, monkeypatch):
    monkeypatch.setattr("portal.services.tickets.followers.MOST_FOLLOWERS", 1)
    remove_follower(session, shared.id, world.people["bob"].user_id, actor=actor_of("alice"), now=now)
    session.add(TicketFollower(ticket_id=shared.id, user_id=world.people["jonas"].user_id))
    session.flush()
    with pytest.raises(Conflict, match="too_many_followers"):
        add_follower(session, shared.id, world.people["bob"].user_id, actor=actor_of("alice"), now=now)
    assert MOST_FOLLOWERS == 20


def test_somebody_stops_following_by_themselves_once(session, shared, fresh, world, now):
    bob = world.people["bob"].user_id
    remove_follower(session, shared.id, bob, actor=fresh("bob"), now=now)
    with pytest.raises(NotFound, match="ticket_not_found"):
        remove_follower(session, shared.id, bob, actor=fresh("bob"), now=now)


def test_a_follower_takes_off_nobody_else_and_nobody_a_member_of_the_team(session, shared, fresh, world, actor_of, now):
    with pytest.raises(Forbidden):
        remove_follower(session, shared.id, world.people["alice"].user_id, actor=fresh("bob"), now=now)
    session.add(TicketFollower(ticket_id=shared.id, user_id=world.people["sam"].user_id))
    session.flush()
    with pytest.raises(NotFound, match="colleague_not_found"):
        remove_follower(session, shared.id, world.people["sam"].user_id, actor=actor_of("alice"), now=now)


def test_the_circle_names_customers_only_and_candidates_to_deciders(session, shared, fresh, actor_of, world):
    session.add(TicketFollower(ticket_id=shared.id, user_id=world.people["sam"].user_id))
    session.flush()
    circle = read_circle(session, shared.id, actor=actor_of("alice"))
    assert [one.name for one in circle.followers] == ["Bob Keller"]
    assert "Bob Keller" not in [one.name for one in circle.others]
    assert circle.manages
    seen = read_circle(session, shared.id, actor=fresh("bob"))
    assert (seen.manages, list(seen.others)) == (False, [])


def test_sharing_stands_in_the_timeline_and_in_the_trail(session, shared, actor_of, world, now):
    remove_follower(
        session, shared.id, world.people["bob"].user_id, actor=actor_of("alice"), now=now + timedelta(seconds=1)
    )
    lines = session.scalars(
        select(TicketEvent).where(TicketEvent.ticket_id == shared.id).order_by(TicketEvent.at, TicketEvent.id)
    ).all()
    assert [(line.kind, line.params.get("name")) for line in lines if line.kind != "created"] == [
        ("follower_added", "Bob Keller"),
        ("follower_removed", "Bob Keller"),
    ]
    actions = session.scalars(select(AuditEntry.action).where(AuditEntry.record_id == shared.id)).all()
    assert {"ticket.follower_added", "ticket.follower_removed"} <= set(actions)


def test_the_list_of_a_follower_is_one_statement(session, shared, fresh, statements, now):
    bob = fresh("bob")
    statements.clear()
    list_tickets(session, TicketFilter(view="open"), actor=bob, now=now)
    assert len(statements) == 1
    assert "ticket_followers" in statements[0]


def test_who_follows_nothing_is_not_asked_about_it(session, open_ticket, fresh, statements, now):
    open_ticket("alice")
    bob = fresh("bob")
    statements.clear()
    list_tickets(session, TicketFilter(view="open"), actor=bob, now=now)
    assert "ticket_followers" not in statements[0]
