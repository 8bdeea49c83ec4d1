"""A ticket's clock by the API."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from tests.blueprints.conftest import DESK, TICKETS, problem


def test_the_clock_is_told_with_the_stored_due_times(api: Any, ticket: Any) -> None:
    made = ticket(category="general")
    api("sam").post(f"{DESK}/{made['id']}/reply", json={"message": "On it."})
    answer = api("sam").get(f"{DESK}/{made['id']}/clock").get_json()
    seen = api("bob").get(f"{TICKETS}/{made['id']}").get_json()
    first, solution = answer["promises"]
    assert answer["complete"]
    assert (first["metric"], first["state"], first["due_at"]) == (
        "first_response",
        "kept",
        seen["sla"]["first_response_due_at"],
    )
    assert (solution["state"], solution["due_at"]) == ("open", seen["sla"]["resolution_due_at"])
    assert first["steps"][0]["kind"] == "started"
    assert first["steps"][0]["text"] == "The clock started"
    assert datetime.fromisoformat(first["started_at"]) <= datetime.now(UTC)


def test_customers_and_strangers_do_not_read_it(api: Any, ticket: Any) -> None:
    made = ticket()
    problem(api("bob").get(f"{DESK}/{made['id']}/clock"), 403)
    problem(api(None).get(f"{DESK}/{made['id']}/clock"), 401)
    problem(api("sam").get(f"{DESK}/{uuid4()}/clock"), 404)
