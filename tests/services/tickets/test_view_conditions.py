"""Conditions of views in CEL: what the database answers is what the language's own evaluation does."""

import random
from datetime import UTC, datetime, timedelta

import cel
import pytest
from sqlalchemy import select

from portal.errors import Invalid
from portal.lib.cel_tree import ConditionError, parse_condition
from portal.models import Ticket, TicketPriority
from portal.services.tickets.condition_fields import FIELDS
from portal.services.tickets.listing import TicketFilter, list_tickets
from portal.services.tickets.saved_counting import count_saved_views
from portal.services.tickets.saved_views import ViewForm, get_saved_view, restore_view, save_view
from portal.services.tickets.view_conditions import condition_clause
from portal.services.tickets.view_filters import ViewFilter


@pytest.fixture
def tickets(session, open_ticket, world, now):
    """Tickets that differ in everything conditions ask for."""
    made = []
    for number, priority in enumerate([*TicketPriority] * 2):
        ticket = open_ticket(
            "bob" if number % 3 else "charlie",
            subject=f"{'Printer' if number % 2 else '100% _vpn'} {number}",
            priority=priority.value,
            at=now - timedelta(hours=13 * number, seconds=number),
        )
        ticket.tags = [tag for place, tag in enumerate(["vip", "EU", 'it\'s "q"']) if number >> place & 1]
        ticket.satisfaction_rating = number % 5 or None
        ticket.minutes_spent = number * 15
        ticket.assigned_to = world.people["sam"].user_id if number % 2 else None
        ticket.resolved_at = now - timedelta(hours=number) if number > 4 else None
        made.append(ticket)
    session.flush()
    return made


@pytest.fixture
def answers(session, tickets, now):
    """Places of the tickets for which the database says yes."""

    def ask(condition):
        ids = [ticket.id for ticket in tickets]
        found = session.scalars(select(Ticket.id).where(Ticket.id.in_(ids), condition_clause(condition, now)))
        return sorted(ids.index(ticket_id) for ticket_id in found)

    return ask


@pytest.fixture
def values(session, tickets, now):
    """The same tickets as values of the language, read field by field."""
    columns = [field.sql(now).label(name) for name, field in FIELDS.items()]
    rows = {row.id: row for row in session.execute(select(Ticket.id, *columns))}
    return [dict(zip(FIELDS, rows[ticket.id][1:], strict=True)) for ticket in tickets]


def evaluated(condition, values):
    """What the package says; an error is no."""
    program, found = cel.compile(condition), []
    for place, value in enumerate(values):
        try:
            answer = program.execute({"ticket": value})
        except (TypeError, RuntimeError, ValueError):
            answer = False
        if answer is True:
            found.append(place)
    return found


@pytest.mark.parametrize(
    "condition",
    [
        'ticket.priority == "high" && "vip" in ticket.tags',
        '!("vip" in ticket.tags) || ticket.minutes_spent >= 60',
        'ticket.priority in ["low", "urgent"]',
        "ticket.rating == null",
        "ticket.rating != 3",
        "ticket.rating < 3",
        "!(ticket.rating < 3)",
        'ticket.rating < 3 || ticket.subject.startsWith("Printer")',
        "!(ticket.rating < 3 && ticket.minutes_spent > 30)",
        'ticket.subject.contains("% _")',
        'ticket.subject.contains("_") && !ticket.subject.endsWith("0")',
        'ticket.assignee == null || ticket.assignee.contains("Sam")',
        "size(ticket.tags) == 2",
        "ticket.tags.size() > 1",
        'ticket.age > duration("48h")',
        'ticket.age > duration("1h30m") && ticket.idle <= duration("30h")',
        'ticket.created_at < timestamp("2026-11-22T00:00:00Z")',
        "ticket.resolved_at > ticket.created_at",
        "ticket.resolved_at == null",
        "(ticket.minutes_spent > 30) == (ticket.rating > 2)",
        '"it\'s \\"q\\"" in ticket.tags',
        "'EU' in ticket.tags // with a remark",
        'ticket.company in ["Globex"]\n  || ticket.minutes_spent == 15',
        "ticket.minutes_spent > 29.5 && ticket.minutes_spent < -1 || true",
        'ticket.requester_email.endsWith("@acme.example")',
    ],
)
def test_the_database_answers_as_the_language_does(answers, values, condition):
    assert answers(condition) == evaluated(condition, values)


def test_made_up_conditions_agree(answers, values):
    rng = random.Random(36)
    seen = set()
    for _ in range(250):
        condition = _question(rng, 3)
        found = answers(condition)
        assert found == evaluated(condition, values), condition
        seen.add(tuple(found))
    assert len(seen) > 20


def _question(rng, depth):
    if depth and rng.random() < 0.6:
        first, second = _question(rng, depth - 1), _question(rng, depth - 1)
        return rng.choice([f"{first} && {second}", f"{first} || {second}", f"!({first})", f"({first} || {second})"])
    number = rng.choice(["ticket.minutes_spent", "ticket.rating", "size(ticket.tags)", "ticket.escalation_level"])
    text = rng.choice(
        ["ticket.subject", "ticket.assignee", "ticket.company", "ticket.category", "ticket.custom_status"]
    )
    word = rng.choice(['"Printer"', '"a"', '"Sam Okafor"', '"%"', '"drill"', '""'])
    span = rng.choice(["ticket.age", "ticket.idle", "ticket.waiting"])
    order = rng.choice(["==", "!=", "<", "<=", ">", ">="])
    return rng.choice(
        [
            f"{number} {order} {rng.choice([0, 1, 2, 3, 30, 2.5])}",
            f"{number} {rng.choice(['==', '!='])} null",
            f"{text} {rng.choice(['==', '!='])} {word}",
            f"{text}.{rng.choice(['contains', 'startsWith', 'endsWith'])}({word})",
            f"{text} in [{word}, {rng.choice(['null', word])}]",
            f"{rng.choice(['vip', 'EU', 'x'])!r} in ticket.tags",
            f'{span} {order} duration("{rng.choice(["13h", "90m", "26h2s"])}")',
            f"ticket.resolved_at {order} ticket.created_at",
        ]
    )


@pytest.mark.parametrize(
    ("condition", "code", "line", "column"),
    [
        ("ticket.priority ==", "condition_syntax", 1, 19),
        ("true &&\n  ticket.priority = 1", "condition_syntax", 2, 19),
        ("ticket.nope == 1", "condition_unknown_name", 1, 1),
        ("true && tickets.subject == 'x'", "condition_unsupported", 1, 9),
        ('true ||\n  ticket.priority == "hihg"', "condition_unknown_value", 2, 3),
        ("ticket.subject == 3", "condition_wrong_kind", 1, 1),
        ("ticket.subject < 'x'", "condition_no_order", 1, 1),
        ("ticket.subject", "condition_not_a_question", 1, 1),
        ("true && ticket.minutes_spent", "condition_not_a_question", 1, 9),
        ("ticket.minutes_spent + 1 == 2", "condition_unsupported", 1, 22),
        ("ticket.rating > 1 ? true : false", "condition_unsupported", 1, 19),
        ("'ä' in ticket.tags && ticket.tags[0] == 'x'", "condition_unsupported", 1, 23),
        ("1 < 2 == true", "condition_unsupported", 1, 1),
        ("ticket.tags.exists(t, t == 'x')", "condition_unknown_name", 1, 1),
        ("ticket.subject.matches('x')", "condition_unknown_name", 1, 1),
        ('ticket.age > duration("soon")', "condition_no_time", 1, 14),
        ("ticket.is == 1", "condition_unknown_name", 1, 8),
        ("b'x' == b'x'", "condition_unsupported", 1, 2),
        ("(" * 31 + "true" + ")" * 31, "condition_too_deep", 1, 31),
        ("!" * 31 + "true", "condition_too_deep", 1, 1),
        ("true || " * 200 + "true", "condition_too_long", 1, 1),
        ("__import__('os').system('x')", "condition_unknown_name", 1, 1),
    ],
)
def test_what_is_wrong_is_said_with_its_place(now, condition, code, line, column):
    with pytest.raises(ConditionError) as caught:
        condition_clause(condition, now)
    assert (caught.value.code, caught.value.line, caught.value.column) == (code, line, column)


def test_any_text_is_a_condition_or_has_a_place():
    rng = random.Random(5)
    pieces = [*"()[]!&|<>=.,-+\"'\\\n é{}?:", "ticket", "subject", "in", "&&", "||", "true", "null", "1", '"x"', " "]
    refused = []
    for _ in range(400):
        try:
            parse_condition("".join(rng.choices(pieces, k=rng.randrange(1, 20))))
        except ConditionError as error:
            refused.append((error.line, error.column))
    assert len(refused) > 300
    assert all(line >= 1 and column >= 1 for line, column in refused)


def test_a_view_keeps_its_condition_and_holds_what_it_asks_for(session, tickets, actor_of, now):
    sam = actor_of("sam")
    wanted = ViewFilter(category=("drill",), condition='  ticket.minutes_spent >= 30 && "vip" in ticket.tags ')
    view = save_view(session, None, form=ViewForm("Asked", wanted), actor=sam, now=now)
    kept = get_saved_view(session, view.id, actor=sam)
    assert kept.filter.condition == 'ticket.minutes_spent >= 30 && "vip" in ticket.tags'
    page = list_tickets(session, TicketFilter(saved=kept.filter, limit=100), actor=sam, now=now)
    mine = [row.ticket.id for row in page.items if row.ticket.id in {ticket.id for ticket in tickets}]
    assert set(mine) == {tickets[place].id for place in (3, 5, 7)}
    assert count_saved_views(session, [kept], actor=sam, now=now)[view.id] == len(page.items)
    again = ViewForm("Asked", ViewFilter(condition="ticket.rating == 1"))
    save_view(session, view.id, form=again, actor=sam, now=now)
    restored = restore_view(session, view.id, version=1, actor=sam, now=now)
    assert restored.filter.condition == kept.filter.condition


def test_a_wrong_condition_is_refused_with_its_place(session, actor_of):
    form = ViewForm("Asked", ViewFilter(condition="true &&\nticket.nope"))
    with pytest.raises(Invalid) as caught:
        save_view(session, None, form=form, actor=actor_of("sam"), now=datetime.now(UTC))
    (error,) = caught.value.errors
    assert (error.field, error.code) == ("condition", "condition_unknown_name")
    assert dict(error.params) == {"line": 2, "column": 1, "name": "ticket.nope"}
