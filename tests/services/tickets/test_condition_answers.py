"""Answers to questions of categories in conditions of views: `ticket.custom_fields.site == "lyon"`."""

import cel
import pytest
from sqlalchemy import select

from portal.lib.cel_tree import ConditionError
from portal.models import Ticket
from portal.services.tickets.listing import TicketFilter, list_tickets
from portal.services.tickets.view_conditions import condition_clause
from portal.services.tickets.view_filters import ViewFilter

# By place; what is not there was not answered.
ANSWERS = (
    {},
    {"site": "lyon", "seats": 5, "day": "2026-11-21"},
    {"site": "Graz 5%", "seats": 2.5},
    {"site": "", "vip": True},
    {"site": 5, "vip": False, "seats": 12},
    {"site": 'it\'s "q"', "other": 'it\'s "q"'},
)
KEYS = ("site", "seats", "day", "vip", "other", "a b")


@pytest.fixture
def tickets(session, open_ticket):
    made = []
    for given in ANSWERS:
        ticket = open_ticket("bob", subject="VPN")
        ticket.custom_fields = dict(given)
        made.append(ticket)
    session.flush()
    return made


@pytest.fixture
def ask(session, tickets, now):
    """Places of the tickets for which the database says yes."""
    ids = [ticket.id for ticket in tickets]

    def found(condition):
        rows = session.scalars(select(Ticket.id).where(Ticket.id.in_(ids), condition_clause(condition, now)))
        return sorted(map(ids.index, rows))

    return found


def evaluated(condition):
    """What the language says where nothing was answered with ""; an error is no."""
    program, found = cel.compile(condition), []
    for place, given in enumerate(ANSWERS):
        try:
            answer = program.execute({"ticket": {"custom_fields": dict.fromkeys(KEYS, "") | given, "subject": "VPN"}})
        except (TypeError, RuntimeError, ValueError):
            answer = False
        if answer is True:
            found.append(place)
    return found


@pytest.mark.parametrize(
    "condition",
    [
        'ticket.custom_fields.site == "lyon"',
        'ticket.custom_fields["site"] == "lyon"',
        'ticket.custom_fields.site != "lyon"',
        'ticket.custom_fields.site == ""',
        'ticket.custom_fields.site != ""',
        "ticket.custom_fields.site == 5",
        'ticket.custom_fields.site == "5"',
        "ticket.custom_fields.seats == 5",
        "ticket.custom_fields.seats == 5.0",
        "ticket.custom_fields.seats > 2",
        "2.5 >= ticket.custom_fields.seats",
        "!(ticket.custom_fields.seats > 2)",
        'ticket.custom_fields.seats > 2 || ticket.subject == "VPN"',
        'ticket.custom_fields.site.contains("5%")',
        'ticket.custom_fields.site.startsWith("")',
        '!ticket.custom_fields.site.endsWith("n")',
        'ticket.custom_fields.site in ["lyon", 5]',
        '"lyon" in [ticket.custom_fields.site, "x"]',
        "ticket.custom_fields.site == ticket.custom_fields.other",
        "ticket.custom_fields.site != ticket.custom_fields.seats",
        'ticket.custom_fields["a b"] == ""',
        "size(ticket.custom_fields.site) == 4",
        "ticket.custom_fields.site.size() > 3",
        "ticket.custom_fields.vip == true",
        "ticket.custom_fields.seats == size(ticket.custom_fields.day)",
        'ticket.custom_fields.day == "2026-11-21" && ticket.custom_fields.seats < 6',
        'ticket.custom_fields.site == "it\'s \\"q\\""',
    ],
)
def test_the_database_answers_as_the_language_does(ask, condition):
    assert ask(condition) == evaluated(condition)


@pytest.mark.parametrize(
    ("condition", "places"),
    [
        ("ticket.custom_fields.vip", [3]),
        ("!ticket.custom_fields.vip", [0, 1, 2, 4, 5]),
        ("ticket.custom_fields.vip == false", [0, 1, 2, 4, 5]),
        ("ticket.custom_fields.vip && true || ticket.custom_fields.seats == 5", [1, 3]),
        ("ticket.custom_fields.nobody_asks_this", []),
        ('ticket.custom_fields.nobody_asks_this == ""', [0, 1, 2, 3, 4, 5]),
        ('"seats" in ticket.custom_fields', [1, 2, 4]),
        ("has(ticket.custom_fields.site)", [1, 2, 3, 4, 5]),
        ("!has(ticket.custom_fields.site)", [0]),
        # A text is neither true nor false, so neither holds.
        ("ticket.custom_fields.day", []),
        ("!ticket.custom_fields.day", [0, 2, 3, 4, 5]),
        ("ticket.custom_fields.site == ticket.subject", []),
        ("ticket.custom_fields.seats == ticket.rating", []),
    ],
)
def test_what_was_not_answered_is_empty_and_false(ask, condition, places):
    assert ask(condition) == places


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ("ticket.custom_fields", "condition_not_a_question"),
        ("ticket.custom_fields == ticket.custom_fields", "condition_wrong_kind"),
        ("ticket.custom_fields.site == null", "condition_wrong_kind"),
        ("ticket.custom_fields.site == ticket.tags", "condition_wrong_kind"),
        ('ticket.custom_fields.site < "x"', "condition_no_order"),
        ("ticket.custom_fields.site < ticket.custom_fields.other", "condition_no_order"),
        ("ticket.custom_fields.site.deeper == 1", "condition_unsupported"),
        ("ticket.custom_fields[0] == 1", "condition_unsupported"),
        ("ticket.custom_fields[ticket.subject] == 1", "condition_unsupported"),
        ('ticket.subject["x"] == 1', "condition_unsupported"),
        ("has(ticket.subject)", "condition_unknown_name"),
        ("size(ticket.custom_fields) > 1", "condition_wrong_kind"),
        ("ticket.subject in ticket.custom_fields", "condition_wrong_kind"),
        ('ticket.custom_fields["a\\u0000"] == 1', "condition_unsupported"),
    ],
)
def test_what_cannot_be_asked_is_said(now, condition, code):
    with pytest.raises(ConditionError) as caught:
        condition_clause(condition, now)
    assert caught.value.code == code


@pytest.mark.parametrize(
    "words",
    ["x' OR true --", "'; DROP TABLE drafts; --", '{"a":1}', "%", "_", "\\", "$1", "%(tenant_id)s", "{a,b}", "🛰"],
)
def test_keys_and_values_are_never_read_as_sql(session, open_ticket, now, words):
    ticket = open_ticket("bob")
    ticket.custom_fields = {words: words}
    session.flush()
    quoted = '"' + words.replace("\\", "\\\\").replace('"', '\\"') + '"'
    field = f"ticket.custom_fields[{quoted}]"
    for condition, held in (
        (f"{field} == {quoted}", True),
        (f"{field}.contains({quoted})", True),
        (f"{quoted} in ticket.custom_fields", True),
        (f'{field} == "x"', False),
        (f"ticket.custom_fields.site == {quoted}", False),
        (f"{field} > 1", False),
        (f"{field} == true", False),
    ):
        clause = condition_clause(condition, now)
        # The shortest ones are signs that statements have anyway.
        assert len(words) < 3 or words not in str(clause.compile(dialect=session.get_bind().dialect))
        found = session.scalar(select(Ticket.id).where(Ticket.id == ticket.id, clause))
        assert (found == ticket.id) is held, condition


def test_a_list_holds_what_is_asked_for(session, tickets, actor_of, now):
    wanted = ViewFilter(status=("open",), condition='ticket.custom_fields.site == "lyon" && !ticket.custom_fields.vip')
    page = list_tickets(session, TicketFilter(saved=wanted, limit=100), actor=actor_of("sam"), now=now)
    assert {row.ticket.id for row in page.items} & {one.id for one in tickets} == {tickets[1].id}
