"""Numbers of documents: consecutive, also in parallel and after a rollback."""

from datetime import date
from uuid import uuid4

import pytest

from portal.errors import Invalid
from portal.models.session import TenantSession, TenantSessions
from portal.services.billing.numbering import check_number_format, next_in_series
from tests.together import at_once
from tests.world import World

DAY = date(2026, 3, 9)
FORMAT = "INV-{year}-{counter}"


def test_numbers_follow_one_another_within_a_year(session: TenantSession) -> None:
    kind = f"n{uuid4().hex[:8]}"
    taken = [next_in_series(session, kind, FORMAT, day=DAY) for _ in range(3)]
    assert taken == ["INV-2026-0001", "INV-2026-0002", "INV-2026-0003"]
    assert next_in_series(session, kind, FORMAT, day=date(2027, 1, 1)) == "INV-2027-0001"


def test_a_format_without_a_year_never_begins_anew(session: TenantSession) -> None:
    kind = f"n{uuid4().hex[:8]}"
    assert next_in_series(session, kind, "{counter}", day=DAY) == "0001"
    assert next_in_series(session, kind, "{counter}", day=date(2027, 1, 1)) == "0002"


def test_a_format_with_a_month_counts_by_month(session: TenantSession) -> None:
    kind = f"n{uuid4().hex[:8]}"
    monthly = "{year}/{month}-{counter}"
    assert next_in_series(session, kind, monthly, day=DAY) == "2026/03-0001"
    assert next_in_series(session, kind, monthly, day=date(2026, 4, 1)) == "2026/04-0001"


def test_tenants_count_apart(sessions: TenantSessions, world: World) -> None:
    kind = f"n{uuid4().hex[:8]}"
    for tenant in (world.demo, world.nova):
        with sessions.begin(tenant) as session:
            assert next_in_series(session, kind, FORMAT, day=DAY) == "INV-2026-0001"


def test_thirty_at_once_get_thirty_numbers_without_a_gap(sessions: TenantSessions, world: World) -> None:
    kind = f"n{uuid4().hex[:8]}"

    def take(index: int) -> str:
        with sessions.begin(world.demo) as session:
            number = next_in_series(session, kind, FORMAT, day=DAY)
            if index % 5 == 0:
                raise ZeroDivisionError
            return number

    taken = sorted(found for found in at_once(30, take) if isinstance(found, str))
    assert taken == [f"INV-2026-{count:04d}" for count in range(1, 25)]


def test_a_number_that_was_rolled_back_is_given_again(sessions: TenantSessions, world: World) -> None:
    kind = f"n{uuid4().hex[:8]}"
    with pytest.raises(ZeroDivisionError), sessions.begin(world.demo) as session:
        next_in_series(session, kind, FORMAT, day=DAY)
        raise ZeroDivisionError
    with sessions.begin(world.demo) as session:
        assert next_in_series(session, kind, FORMAT, day=DAY) == "INV-2026-0001"


@pytest.mark.parametrize(
    "wrong",
    ["", "INV", "{year}", "{month}-{counter}", "{counter} {day}", "é{counter}", "{counter!r}", 21 * "A" + "{counter}"],
)
def test_formats_that_would_not_do_are_refused(wrong: str) -> None:
    with pytest.raises(Invalid):
        check_number_format("invoice_number_format", wrong)


def test_a_format_is_kept_without_its_outer_space() -> None:
    assert check_number_format("invoice_number_format", "  F-{year}-{counter} ") == "F-{year}-{counter}"
