"""The report of promises kept as a page and as a file."""

import csv
import io
from datetime import UTC, datetime
from typing import Any

REPORT = "/admin/reports/promises/"
MARCH = "since=2033-03-01&until=2033-03-31"


def test_page_and_file_say_the_same(staff: Any, ticket: Any) -> None:
    for _ in range(3):
        ticket(category="drill", at=datetime(2033, 3, 8, 9, 0, tzinfo=UTC))
    sam = staff("sam")
    for by in ("week", "category", "agent", "policy"):
        page = sam.get(f"{REPORT}?by={by}&{MARCH}")
        assert page.status_code == 200
        assert ">3</td>" in page.get_data(as_text=True)
        answer = sam.get(f"{REPORT}download?by={by}&{MARCH}")
        assert answer.content_type.startswith("text/csv")
        rows = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True).lstrip("\ufeff"))))
        assert [row["tickets"] for row in rows] == ["3"]
    assert rows[0]["name"] == "Drill"


def test_what_cannot_be_read_shows_the_last_days(staff: Any) -> None:
    sam = staff("sam")
    for wrong in ("by=dice", "since=soon", "since=2033-03-31&until=2033-03-01", "since=0001-01-01"):
        assert sam.get(f"{REPORT}?{wrong}").status_code == 200


def test_customers_see_no_report(staff: Any) -> None:
    assert staff("bob").get(REPORT).status_code != 200
    assert staff("bob").get(f"{REPORT}download").status_code != 200
