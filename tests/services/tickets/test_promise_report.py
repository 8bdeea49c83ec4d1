"""The report of promises kept, on tickets of a month that no other test uses."""

from datetime import UTC, date, datetime, timedelta

import pytest

from portal.errors import Forbidden, Invalid
from portal.services.tickets.conversation import reply_as_staff
from portal.services.tickets.lifecycle import cancel_ticket, close_ticket
from portal.services.tickets.promise_report import report_promises

MONDAY = datetime(2031, 3, 3, 9, 0, tzinfo=UTC)


@pytest.fixture
def report(session, actor_of):
    def make(by, who="mia", **changes):
        given = {"since": date(2031, 3, 1), "until": date(2031, 3, 31), "now": MONDAY + timedelta(days=20)} | changes
        return report_promises(session, by=by, zone="Europe/Paris", locale="en", actor=actor_of(who), **given)

    return make


@pytest.fixture
def _month(session, open_ticket, actor_of):
    """Answered after 10 s and solved; answered after 30 s (20 were promised); never answered; cancelled; a week later."""
    sam, bob = actor_of("sam"), actor_of("bob")
    seconds = [MONDAY + timedelta(seconds=count) for count in range(61)]
    kept, late, _open, off = (open_ticket(category="drill", at=MONDAY) for _ in range(4))
    reply_as_staff(session, kept.id, message="Yes.", actor=sam, now=seconds[10])
    close_ticket(session, kept.id, actor=bob, now=seconds[60])
    reply_as_staff(session, late.id, message="Sorry.", actor=actor_of("mia"), now=seconds[30])
    cancel_ticket(session, off.id, reason="Found it.", actor=bob, now=seconds[5])
    next_week = open_ticket(category="general", at=MONDAY + timedelta(days=7))
    reply_as_staff(session, next_week.id, message="Yes.", actor=sam, now=MONDAY + timedelta(days=7, seconds=20))
    session.flush()


@pytest.mark.usefixtures("_month")
def test_weeks_begin_on_monday_and_add_up(report):
    found = report("week")
    assert [(row.key, row.tickets) for row in found.rows] == [("2031-03-03", 4), ("2031-03-10", 1)]
    first = found.rows[0]
    assert (first.answers_met, first.answers_missed) == (1, 2)
    assert (first.solutions_met, first.solutions_missed) == (1, 2)
    assert first.median_answer == timedelta(seconds=20)
    assert first.kept_share == pytest.approx(2 / 6)
    assert found.total.tickets == 5
    assert found.total.answers_met == sum(row.answers_met for row in found.rows) == 2


@pytest.mark.usefixtures("_month")
@pytest.mark.parametrize(
    ("by", "labels"),
    [("category", {"drill", "general"}), ("policy", {"Drill", "Standard"}), ("agent", {"Sam", "Mia", None})],
)
def test_groups_have_names(report, by, labels):
    found = report(by)
    names = {row.label for row in found.rows}
    assert len(names) == len(labels)
    for label in labels:
        assert any((name or "").lower().startswith(label.lower()) if label else name is None for name in names)
    assert sum(row.tickets for row in found.rows) == found.total.tickets == 5


def test_what_is_not_yet_due_is_neither_kept_nor_missed(report, open_ticket):
    open_ticket(category="drill", at=MONDAY)
    found = report("week", now=MONDAY + timedelta(seconds=15))
    assert (found.total.answers_met, found.total.answers_missed, found.total.kept_share) == (0, 0, None)
    assert report("week", now=MONDAY + timedelta(seconds=21)).total.answers_missed == 1


def test_an_empty_span_has_no_rows(report):
    found = report("agent", since=date(2032, 1, 1), until=date(2032, 1, 1))
    assert (found.rows, found.total.tickets, found.total.median_answer) == ((), 0, None)


def test_days_are_those_of_the_zone(report, open_ticket):
    open_ticket(category="drill", at=datetime(2031, 3, 31, 21, 59, 59, tzinfo=UTC))
    open_ticket(category="drill", at=datetime(2031, 3, 31, 22, 0, tzinfo=UTC))  # in Paris it is April
    assert report("week").total.tickets == 1


def test_spans_and_readers_are_checked(report):
    for until in (date(2031, 2, 1), date(2040, 1, 1)):
        with pytest.raises(Invalid):
            report("week", until=until)
    with pytest.raises(Forbidden):
        report("week", who="bob")
