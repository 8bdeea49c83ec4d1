"""Own statuses: made and checked, given to tickets, what they count as, what each audience reads."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select

from portal.errors import Conflict, Forbidden, Invalid, NotFound
from portal.lib.wording.tickets import event_text
from portal.models import AuditEntry, OutboxEvent, TicketEvent, TicketStatus
from portal.services.tenants.own_statuses import load_own_statuses
from portal.services.tickets.conversation import reply_as_customer, reply_as_staff
from portal.services.tickets.custom_statuses import (
    StatusForm,
    list_custom_statuses,
    move_custom_status,
    save_custom_status,
)
from portal.services.tickets.desk import TicketChanges, update_ticket
from portal.services.tickets.lifecycle import close_ticket

LOCALES = ("en", "de")


@pytest.fixture
def own(session, actor_of, now):
    def make(category="waiting_customer", staff="Parts ordered", customer="Waiting for parts", **more):
        form = StatusForm(category, {"en": staff, "de": "Bestellt"}, {"en": customer}, **more)
        return save_custom_status(
            session, None, form=form, locales=LOCALES, main_locale="en", actor=actor_of("mia"), now=now
        )

    return make


def codes(error):
    return {(item.field, item.code) for item in error.value.errors}


def test_a_status_is_checked_and_audited(session, own, actor_of, now):
    row = own()
    assert (row.key, row.category) == ("parts_ordered", TicketStatus.WAITING_CUSTOMER)
    entry = session.scalars(select(AuditEntry).where(AuditEntry.record_id == row.id)).one()
    assert (entry.action, entry.after["customer_names"]) == ("custom_status.saved", {"en": "Waiting for parts"})
    with pytest.raises(Invalid) as error:
        own(category="nowhere", staff="", customer="x" * 61)
    assert codes(error) == {("category", "unknown_choice"), ("staff_en", "required"), ("customer_en", "too_long")}
    with pytest.raises(Invalid) as error:
        own(staff="parts ORDERED")
    assert codes(error) == {("staff_en", "name_taken")}
    form = StatusForm("open", {"en": "Parts"}, {"en": "Parts"})
    with pytest.raises(Invalid) as error:
        save_custom_status(
            session, row.id, form=form, locales=LOCALES, main_locale="en", actor=actor_of("mia"), now=now
        )
    assert codes(error) == {("category", "status_fixed")}
    with pytest.raises(Forbidden):
        save_custom_status(session, None, form=form, locales=LOCALES, main_locale="en", actor=actor_of("sam"), now=now)
    with pytest.raises(NotFound):
        save_custom_status(
            session, uuid4(), form=form, locales=LOCALES, main_locale="en", actor=actor_of("mia"), now=now
        )


def test_a_name_like_one_of_ours_gets_a_key_of_its_own(own):
    assert own(staff="Open", category="open").key == "open_2"


def test_statuses_move(session, own, actor_of, now):
    first, second = own(), own(staff="Ordered again")
    move_custom_status(session, second.id, up=True, actor=actor_of("mia"), now=now)
    mine = [row.key for row in list_custom_statuses(session) if row in (first, second)]
    assert mine == [second.key, first.key]


def test_a_ticket_with_an_own_status_counts_as_its_category(session, own, open_ticket, actor_of, now):
    row, ticket, sam = own(), open_ticket(), actor_of("sam")
    update_ticket(session, ticket.id, changes=TicketChanges(custom_status=row.key), actor=sam, now=now)
    session.expire_all()
    assert (ticket.status, ticket.custom_status) == (TicketStatus.WAITING_CUSTOMER, "parts_ordered")
    assert (ticket.clock_pauses[-1][1:], ticket.sla_state) == ([None, "waiting_customer"], "paused")
    reply_as_customer(session, ticket.id, message="They came", actor=actor_of("bob"), now=now + timedelta(hours=1))
    session.expire_all()
    assert (ticket.status, ticket.custom_status) == (TicketStatus.OPEN, None)
    assert ticket.clock_pauses[-1][1] is not None


def test_each_audience_reads_its_own_name(session, own, open_ticket, actor_of, now):
    row, ticket = own(), open_ticket()
    changes = TicketChanges(custom_status=row.key)
    update_ticket(session, ticket.id, changes=changes, actor=actor_of("sam"), now=now)
    line = session.scalars(
        select(TicketEvent).where(TicketEvent.ticket_id == ticket.id, TicketEvent.kind == "status_changed")
    ).one()
    status = load_own_statuses(session)[row.key]
    for staff, locale, name in (
        (True, "en", "Parts ordered"),
        (True, "de", "Bestellt"),
        (False, "de", "Waiting for parts"),
    ):
        named = lambda _, staff=staff, locale=locale: status.name_in(locale, staff=staff, fallback="en")  # noqa: E731
        text = event_text(line.kind, "Sam", line.params, str, staff=staff, own=named)
        assert text == f"Sam changed the status from Open to {name}"


def test_only_what_customers_read_differently_is_told_to_them(session, own, open_ticket, actor_of, now):
    first, ticket, sam = own(), open_ticket(), actor_of("sam")
    alike = own(staff="Parts on their way")
    unlike = own(staff="Parts here", customer="Please call us")

    def go(key):
        update_ticket(session, ticket.id, changes=TicketChanges(custom_status=key), actor=sam, now=now)
        kinds = session.scalars(
            select(OutboxEvent.kind).where(OutboxEvent.record_id == ticket.id).order_by(OutboxEvent.seq)
        ).all()
        lines = select(TicketEvent.staff_only).where(
            TicketEvent.ticket_id == ticket.id, TicketEvent.params["to_own"].astext == key
        )
        return kinds[-1], session.scalars(lines).one()

    assert go(first.key) == ("ticket.status_changed", False)
    assert go(alike.key) == ("record.changed", True)
    assert go(unlike.key) == ("ticket.status_changed", False)


def test_the_plain_status_takes_an_own_one_away(session, own, open_ticket, actor_of, now):
    row, ticket, sam = own(), open_ticket(), actor_of("sam")
    reply_as_staff(session, ticket.id, message="Ordered", custom_status=row.key, actor=sam, now=now)
    session.expire_all()
    assert (ticket.status.value, ticket.custom_status) == ("waiting_customer", row.key)
    changes = TicketChanges(status=TicketStatus.WAITING_CUSTOMER)
    update_ticket(session, ticket.id, changes=changes, actor=sam, now=now)
    assert (ticket.status.value, ticket.custom_status) == ("waiting_customer", None)


def test_closing_ends_an_own_status(session, own, open_ticket, actor_of, now):
    row, ticket = own(category="in_progress"), open_ticket()
    changes = TicketChanges(custom_status=row.key)
    update_ticket(session, ticket.id, changes=changes, actor=actor_of("sam"), now=now)
    close_ticket(session, ticket.id, actor=actor_of("bob"), now=now)
    session.expire_all()
    assert (ticket.status, ticket.custom_status) == (TicketStatus.CLOSED, None)


def test_unknown_inactive_and_contradicting_statuses_are_refused(session, own, open_ticket, actor_of, now):
    off, on, ticket = own(active=False), own(staff="Other"), open_ticket()
    for key, status, code in (
        ("nothing", None, "unknown_choice"),
        (off.key, None, "unknown_choice"),
        (on.key, TicketStatus.OPEN, "status_elsewhere"),
    ):
        changes = TicketChanges(status=status, custom_status=key)
        with pytest.raises(Invalid) as error:
            update_ticket(session, ticket.id, changes=changes, actor=actor_of("sam"), now=now)
        assert codes(error) == {("custom_status", code)}
    close_ticket(session, ticket.id, actor=actor_of("bob"), now=now)
    with pytest.raises(Conflict):
        update_ticket(session, ticket.id, changes=TicketChanges(custom_status=on.key), actor=actor_of("sam"), now=now)
