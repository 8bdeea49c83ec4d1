"""What a row of a list tells: the soonest step that its reader may see, and no other ticket's."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import delete

from portal.models import NextStep, TicketStatus
from portal.services.tickets.lifecycle import move_to
from portal.services.tickets.listing import NEEDING, TicketFilter, list_tickets
from portal.services.tickets.summary import list_own_tickets


def plan(session, ticket, *steps):
    """Replace a ticket's next steps by (kind, time, whether for staff only)."""
    session.execute(delete(NextStep).where(NextStep.record_id == ticket.id))
    for kind, at, staff_only in steps:
        session.add(
            NextStep(
                record_type="ticket",
                record_id=ticket.id,
                key=kind,
                kind=kind,
                at=at,
                staff_only=staff_only,
                params={"role": kind},
            )
        )
    session.flush()


def row_of(session, ticket, actor, now, **options):
    page = list_tickets(session, TicketFilter(limit=100), actor=actor, now=now, **options)
    return next(row for row in page.items if row.ticket.id == ticket.id)


def test_a_row_tells_the_soonest_step_its_reader_may_see(session, open_ticket, actor_of, now):
    ticket, other, bare = open_ticket(), open_ticket(), open_ticket()
    soon, later = now + timedelta(minutes=5, microseconds=7), now + timedelta(hours=1)
    plan(session, ticket, ("late", later + timedelta(hours=1), False), ("public", later, False), ("secret", soon, True))
    plan(session, other, ("elsewhere", now, False))
    plan(session, bare)
    for who, kind, at in (("bob", "public", later), ("alice", "public", later), ("sam", "secret", soon)):
        for whole in (False, True):
            step = row_of(session, ticket, actor_of(who), now, whole=whole).next_step
            assert (step.kind, step.at, step.params) == (kind, at, {"role": kind})
        assert row_of(session, bare, actor_of(who), now).next_step is None


def test_the_dashboards_lists_are_those_of_two_readings(session, open_ticket, actor_of, now):
    actor = actor_of("bob")
    for number in range(14):
        ticket = open_ticket(at=now + timedelta(seconds=number))
        if number % 3 == 0:
            move_to(ticket, TicketStatus.RESOLVED, now=ticket.updated_at)
    session.flush()
    found = list_own_tickets(session, actor=actor, needing=4, recent=3)
    needing = list_tickets(session, TicketFilter(status=NEEDING, limit=4), actor=actor, now=now).items
    recent = list_tickets(session, TicketFilter(limit=3), actor=actor, now=now).items
    assert [row.ticket.id for row in found.needing] == [row.ticket.id for row in needing]
    assert [row.ticket.id for row in found.recent] == [row.ticket.id for row in recent]
    assert len(needing) == 4
    theirs = list_own_tickets(session, actor=actor_of("charlie"))
    assert not {row.ticket.customer_id for row in theirs.recent} & set(actor.company_ids)


def test_who_administers_sees_those_companies_and_no_other(session, open_ticket, actor_of, world, now):
    """One company and several are read by statements of their own; a member elsewhere sees their own there."""
    alice, bobs, charlies = actor_of("alice"), open_ticket("bob"), open_ticket("charlie")
    acme, globex = alice.company_ids[0], actor_of("charlie").company_ids[0]
    readers = {
        "one": (alice, {bobs.id}),
        "both": (replace(alice, company_ids=(acme, globex), admin_company_ids=(acme, globex)), {bobs.id, charlies.id}),
        "one of both": (replace(alice, company_ids=(acme, globex), admin_company_ids=(acme,)), {bobs.id}),
        "none": (replace(alice, company_ids=(acme, globex), admin_company_ids=()), set()),
    }
    for name, (actor, expected) in readers.items():
        for wanted in (TicketFilter(limit=500), TicketFilter(limit=500, status=(TicketStatus.OPEN,))):
            seen = {row.ticket.id for row in list_tickets(session, wanted, actor=actor, now=now).items}
            assert seen & {bobs.id, charlies.id} == expected, name
