"""The demo world is consistent, complete, and shows the clock states it means to show whenever it is seeded."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import get_args

import pytest

from portal.demo.content import (
    STAFF_ROLES,
    SYSTEM,
    Category,
    Clock,
    DemoMessage,
    DemoTenant,
    DemoTicket,
    Status,
    demo_uuid,
)
from portal.demo.people import DEMO, NOVA, TENANTS

OPEN_STATUSES = {"open", "in_progress", "waiting_customer", "awaiting_payment"}
PAUSED_STATUSES = {"waiting_customer", "awaiting_payment"}
TICKETS = [pytest.param(tenant, ticket, id=ticket.key) for tenant in TENANTS for ticket in tenant.tickets]

# Minutes to first answer and to solution. Urgent and drill run around the clock, the others in working hours.
TARGETS = {"urgent": (15, 240), "high": (60, 480), "normal": (240, 27 * 60), "low": (480, 45 * 60)}
DRILL_TARGETS = (20 / 60, 90 / 60)
SHIFTS = ((time(8), time(12)), (time(13), time(18)))
HOLIDAYS = {date(2026, 12, 25), date(2027, 1, 1), date(2027, 3, 29), date(2027, 5, 6), date(2027, 5, 17)}
# A plain fortnight, the turn of the year, and May with its holidays: the hardest weeks for a clock.
SEEDING_WEEKS = (datetime(2026, 11, 16), datetime(2026, 12, 21), datetime(2027, 5, 3))
NEAR_FROM = 0.8
WITHIN_UNTIL = 0.7

PICTURED = {
    1019: ("Two phones for the warehouse, with charging docks", "in_progress"),
    1024: ("Certificate warning on intranet.acme.example", "in_progress"),
    1027: ("Quarterly access review: list of leavers", "in_progress"),
    1028: ("Shared mailbox for the Lyon reception", "resolved"),
    1029: ("Recycling of nine old monitors", "in_progress"),
    1030: ("Backup report for October is missing two servers", "in_progress"),
    1031: ("Access to the finance share for the auditors", "in_progress"),
    1032: ("How do I share a folder with a supplier?", "open"),
    1033: ("Slow file search on the Munich server", "in_progress"),
    1034: ("New site in Graz: line order and dates", "in_progress"),
    1035: ("Teams room on level 3 shows a black screen", "in_progress"),
    1036: ("Printer on level 2 asks for a PIN again", "open"),
    1037: ("Invoice INV-2026-0398 shows the wrong order", "open"),
    1038: ("Rename the team mailbox to Logistics", "in_progress"),
    1039: ("New starter on 1 December: laptop and accounts", "waiting_customer"),
    1040: ("Certificate of the shop ends on Sunday", "in_progress"),
    1041: ("Guest Wi-Fi voucher printer offline", "open"),
    1042: ("VPN drops every few minutes since Monday’s update", "in_progress"),
    1043: ("Calendar of the board is visible to everyone", "in_progress"),
    1044: ("Order: two headsets for the front desk", "in_progress"),
    1047: ("Cannot open last year’s drawings", "open"),
    1048: ("Phone system: queue music is missing", "in_progress"),
    1051: ("Scanner sends empty mails to accounting", "open"),
    1053: ("Please add Petra to the works council group", "open"),
    1054: ("Laptop does not wake from sleep in the dock", "open"),
}


def staff_of(tenant: DemoTenant) -> set[str]:
    return {person.email for person in tenant.people if person.role in STAFF_ROLES}


def texts(tenant: DemoTenant) -> Iterator[str]:
    yield from tenant.welcome_message.values()
    for ticket in tenant.tickets:
        yield ticket.subject
        yield ticket.rating_comment or "-"
        yield from (message.text for message in ticket.messages)


def public_answers(tenant: DemoTenant, ticket: DemoTicket) -> list[DemoMessage]:
    return [message for message in ticket.messages if message.sender in staff_of(tenant) and not message.internal]


def test_ids_are_stable_and_distinct() -> None:
    assert demo_uuid("demo", "ticket", "vpn-lyon") == demo_uuid("demo", "ticket", "vpn-lyon")
    assert str(demo_uuid("demo", "ticket", "vpn-lyon")) == "e6037986-e403-5386-8f3d-de04aac6e455"
    ids = {demo_uuid(tenant.key, "ticket", ticket.key) for tenant in TENANTS for ticket in tenant.tickets}
    assert len(ids) == sum(len(tenant.tickets) for tenant in TENANTS)


@pytest.mark.parametrize("tenant", TENANTS, ids=lambda tenant: tenant.key)
def test_keys_numbers_and_addresses_are_unique(tenant: DemoTenant) -> None:
    for values in (
        [ticket.key for ticket in tenant.tickets],
        [ticket.number for ticket in tenant.tickets],
        [ticket.subject for ticket in tenant.tickets],
        [person.key for person in tenant.people],
        [person.email for person in tenant.people],
        [person.phone for person in tenant.people if person.phone],
        [company.key for company in tenant.companies],
        [company.customer_number for company in tenant.companies],
    ):
        assert [value for value, times in Counter(values).items() if times > 1] == []


@pytest.mark.parametrize("tenant", TENANTS, ids=lambda tenant: tenant.key)
def test_numbers_follow_the_order_of_creation(tenant: DemoTenant) -> None:
    by_number = sorted(tenant.tickets, key=lambda ticket: ticket.number or 0)
    assert list(tenant.tickets) == by_number
    assert all(older.created_minutes_ago > newer.created_minutes_ago for older, newer in pairwise(by_number))


@pytest.mark.parametrize("tenant", TENANTS, ids=lambda tenant: tenant.key)
def test_people_belong_to_a_company_or_to_the_staff(tenant: DemoTenant) -> None:
    companies = {company.key for company in tenant.companies}
    for person in tenant.people:
        assert (person.company is None) == (person.role in STAFF_ROLES), person.key
        assert person.company is None or person.company in companies
        assert person.locale in tenant.locales
    assert set(tenant.welcome_message) == set(tenant.locales)
    assert companies == {person.company for person in tenant.people} - {None}


def test_the_demo_people_of_the_contract_are_there() -> None:
    roles = {person.email: (person.name, person.role, person.company) for person in DEMO.people + NOVA.people}
    assert roles["ana@acme.example"] == ("Ana Moreau", "customer.admin", "acme")
    assert roles["ben@acme.example"] == ("Ben Keller", "customer", "acme")
    assert roles["chloe@globex.example"] == ("Chloe Laurent", "customer.admin", "globex")
    assert roles["sam@demo.example"] == ("Sam Okafor", "agent", None)
    assert roles["mia@demo.example"] == ("Mia Lindqvist", "manager", None)
    assert roles["bill@demo.example"] == ("Bill Hartmann", "billing", None)
    assert roles["dora@demo.example"] == ("Dora Vance", "designer", None)
    assert roles["ada@demo.example"] == ("Ada Brandt", "tenant_admin", None)
    assert roles["nia@nova.example"] == ("Nia Karim", "customer.admin", "ofuq")
    assert roles["noor@nova.example"] == ("Noor Haddad", "tenant_admin", None)
    assert {person.locale for person in DEMO.people if person.company} == set(DEMO.locales)


@pytest.mark.parametrize(("tenant", "ticket"), TICKETS)
def test_everybody_named_in_a_ticket_exists(tenant: DemoTenant, ticket: DemoTicket) -> None:
    people = {person.email: person for person in tenant.people}
    assert people[ticket.requester].company == ticket.company
    assert ticket.assignee is None or ticket.assignee in staff_of(tenant)
    for message in ticket.messages:
        if message.sender == SYSTEM:
            continue
        sender = people[message.sender]
        assert sender.company in (None, ticket.company), f"{sender.email} reads over another company's shoulder"
        assert not message.internal or sender.role in STAFF_ROLES, "only staff write internal notes"


@pytest.mark.parametrize(("tenant", "ticket"), TICKETS)
def test_times_are_consistent(tenant: DemoTenant, ticket: DemoTicket) -> None:
    description = ticket.messages[0]
    assert (description.sender, description.internal) == (ticket.requester, False)
    assert description.minutes_before_now == ticket.created_minutes_ago
    ages = [message.minutes_before_now for message in ticket.messages]
    assert ages == sorted(ages, reverse=True)
    assert ages[-1] > 0

    answers = public_answers(tenant, ticket)
    assert ticket.first_response_minutes_ago == (answers[0].minutes_before_now if answers else None)

    milestones = [
        ticket.created_minutes_ago,
        ticket.first_response_minutes_ago,
        ticket.resolved_minutes_ago,
        ticket.closed_minutes_ago,
    ]
    reached = [age for age in milestones if age is not None]
    assert reached == sorted(reached, reverse=True)
    assert (ticket.resolved_minutes_ago is not None) == (ticket.status in {"resolved", "closed"})
    assert (ticket.closed_minutes_ago is not None) == (ticket.status in {"closed", "cancelled"})
    if ticket.closed_minutes_ago is not None:
        assert ages[-1] >= ticket.closed_minutes_ago, "a message after the end"


@pytest.mark.parametrize(("tenant", "ticket"), TICKETS)
def test_ratings_belong_to_closed_tickets(tenant: DemoTenant, ticket: DemoTicket) -> None:
    assert ticket.rating is None or (ticket.status == "closed" and ticket.rating in range(1, 6))
    assert ticket.rating_comment is None or ticket.rating is not None


def test_the_demo_tenant_is_full_enough() -> None:
    companies = Counter(ticket.company for ticket in DEMO.tickets)
    assert len(DEMO.tickets) >= 46
    assert companies["acme"] + companies["globex"] >= 40
    assert min(companies["acme"], companies["globex"]) >= 15
    both = [ticket for ticket in DEMO.tickets if ticket.company in {"acme", "globex"}]
    assert {ticket.status for ticket in both} == set(get_args(Status))
    assert min(Counter(ticket.status for ticket in both).values()) >= 2
    assert {ticket.category for ticket in DEMO.tickets} == set(get_args(Category))


def test_no_drill_is_open_since_newcomers_start_their_own() -> None:
    assert {ticket.status for ticket in DEMO.tickets if ticket.category == "drill"} == {"closed"}


def test_all_clock_states_are_shown() -> None:
    running = [ticket for ticket in DEMO.tickets if ticket.status in OPEN_STATUSES | {"resolved"}]
    assert {ticket.clock for ticket in running} == set(get_args(Clock))
    breached = [ticket for ticket in running if ticket.clock == "breached"]
    assert breached
    assert all(ticket.escalated_level >= 1 for ticket in breached)
    assert "mia@demo.example" in {ticket.assignee for ticket in breached}


def test_the_tickets_of_the_pictures_are_there() -> None:
    seeded = {ticket.number: (ticket.subject, ticket.status) for ticket in DEMO.tickets}
    assert {number: seeded.get(number) for number in PICTURED} == PICTURED


def test_nova_speaks_arabic() -> None:
    assert len(NOVA.tickets) >= 6
    assert any(ticket.number == 2087 for ticket in NOVA.tickets)
    for ticket in NOVA.tickets:
        for text in (ticket.subject, *(message.text for message in ticket.messages)):
            assert any("\u0600" <= letter <= "\u06ff" for letter in text), text


def test_a_good_dozen_of_internal_notes_by_people() -> None:
    notes = [
        message.text
        for ticket in DEMO.tickets
        for message in ticket.messages
        if message.internal and message.sender != SYSTEM
    ]
    assert len(notes) >= 12
    assert len(set(notes)) == len(notes), "each note must be recognisable when it leaks"


def test_system_messages_are_internal() -> None:
    assert all(
        message.internal
        for tenant in TENANTS
        for ticket in tenant.tickets
        for message in ticket.messages
        if message.sender == SYSTEM
    )


@pytest.mark.parametrize("tenant", TENANTS, ids=lambda tenant: tenant.key)
def test_texts_are_finished(tenant: DemoTenant) -> None:
    for text in texts(tenant):
        assert text == text.strip() != ""
        assert "  " not in text, text
        assert not [word for word in ("lorem", "ipsum", "todo", "xxx", "asdf") if word in text.lower().split()], text


def working_minutes(start: datetime, end: datetime) -> float:
    """Return the minutes of working time, Monday to Friday in two shifts, between two moments."""
    total = timedelta()
    day = start.date()
    while day <= end.date():
        if day.weekday() < 5 and day not in HOLIDAYS:
            for opens, closes in SHIFTS:
                overlap = min(end, datetime.combine(day, closes)) - max(start, datetime.combine(day, opens))
                total += max(overlap, timedelta())
        day += timedelta(days=1)
    return total.total_seconds() / 60


def used(ticket: DemoTicket, now: datetime, until_minutes_ago: int | None, target: float) -> float:
    """Return the share of a promise used up between creation and an event, or until now if it has not come."""
    start = now - timedelta(minutes=ticket.created_minutes_ago)
    end = now - timedelta(minutes=until_minutes_ago or 0)
    if ticket.priority == "urgent" or ticket.category == "drill":
        return (end - start).total_seconds() / 60 / target
    return working_minutes(start, end) / target


def clock_at(ticket: DemoTicket, now: datetime) -> str:
    """Return what the clock shows when the world is seeded at ``now``; "?" between within and near."""
    if ticket.status in PAUSED_STATUSES:
        return "paused"
    answer_target, solution_target = DRILL_TARGETS if ticket.category == "drill" else TARGETS[ticket.priority]
    answer = used(ticket, now, ticket.first_response_minutes_ago, answer_target)
    if ticket.status == "cancelled":
        return "met" if answer <= 1 else "breached"
    solution = used(ticket, now, ticket.resolved_minutes_ago, solution_target)
    if max(answer, solution) > 1:
        return "breached"
    if ticket.resolved_minutes_ago is not None:
        return "met"
    running = max(solution, answer if ticket.first_response_minutes_ago is None else 0)
    return "near" if running >= NEAR_FROM else "within" if running <= WITHIN_UNTIL else "?"


@pytest.mark.parametrize(("tenant", "ticket"), TICKETS)
def test_the_clock_shows_what_is_meant_whenever_the_world_is_seeded(tenant: DemoTenant, ticket: DemoTicket) -> None:
    moments = [start + timedelta(hours=hour, minutes=7) for start in SEEDING_WEEKS for hour in range(14 * 24)]
    shown = {clock_at(ticket, moment) for moment in moments}
    assert shown == {ticket.clock}
