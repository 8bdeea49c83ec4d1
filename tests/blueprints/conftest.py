"""Programs of the world's people, and tickets to work on."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.browsing import Program, program
from tests.world import World

TICKETS = "/api/v1/portal/tickets"
DESK = "/api/v1/staff/tickets"


@pytest.fixture
def api(app: Any, world: World) -> Callable[[str | None], Program]:
    """A program of somebody; None for nobody."""
    return lambda name: program(app, world, name)


@pytest.fixture
def ticket(api: Any) -> Callable[..., dict[str, Any]]:
    """Open a ticket through the API (as bob unless said) and give its JSON."""

    def make(who: str = "bob", **fields: Any) -> dict[str, Any]:
        body = {"subject": "VPN drops", "description": "Since Monday.", "category": "drill", **fields}
        answer = api(who).post(TICKETS, json=body)
        assert answer.status_code == 201, answer.get_data(as_text=True)
        return answer.get_json()

    return make


@pytest.fixture
def together(app: Any) -> Callable[..., list[TestResponse]]:
    """Let several programs call at the same moment, each on a thread and a connection of its own."""

    def run(count: int, caller: Program, path: str, bodies: Any = None, **options: Any) -> list[TestResponse]:
        ready, answers = threading.Barrier(count), []

        def call(index: int) -> None:
            mine = Program(app.test_client(), caller.host, caller.token)
            body = bodies[index] if isinstance(bodies, list) else (bodies or {})
            ready.wait(5)
            answers.append(mine.post(path, json=body, **options))

        threads = [threading.Thread(target=call, args=(index,)) for index in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert len(answers) == count
        return answers

    return run


def problem(answer: TestResponse, status: int, code: str | None = None) -> dict[str, Any]:
    """The problem of a refusal, after checking that it is a whole one."""
    found = answer.get_json()
    assert answer.status_code == status, answer.get_data(as_text=True)
    assert answer.mimetype == "application/problem+json"
    assert set(found) == {"type", "title", "status", "detail", "code", "errors", "request_id"}
    assert found["status"] == status
    assert found["title"]
    assert answer.headers["X-Request-Id"] == found["request_id"]
    if code:
        assert found["code"] == code
    return found


def codes(answer: TestResponse) -> dict[str, str]:
    """Field -> code of a 422."""
    return {error["field"]: error["code"] for error in problem(answer, 422)["errors"]}
