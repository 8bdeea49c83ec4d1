"""Programs of the world's people, and tickets to work on."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text
from werkzeug.test import TestResponse

from portal.models.session import TenantSessions
from portal.services.accounts.recovery_codes import make_recovery_codes
from portal.services.accounts.totp import begin_enrolment, confirm_enrolment
from tests.authenticators import code_of
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


@dataclass
class Enrolled:
    """Somebody with an authenticator."""

    secret: str
    recovery_codes: list[str]
    steps: int = 0

    def code(self) -> str:
        """A code that was not used before; the server takes the present one and one to either side."""
        self.steps += 1
        return code_of(self.secret, steps=self.steps - 1)


@pytest.fixture
def no_factors(root: Engine, app: Any) -> Iterator[None]:
    """What a test sets up for signing in is gone after it."""
    yield
    with root.begin() as connection:
        for table in ("totp_factors", "recovery_codes", "passkeys", "passkey_ceremonies", "sign_in_challenges"):
            connection.execute(text(f"DELETE FROM {table}"))
        connection.execute(text("UPDATE users SET second_factor_due_at = NULL"))
        connection.execute(text("UPDATE tenants SET settings = '{}'"))
    app.extensions["portal_tenants"].forget()


@pytest.fixture
def enrolled(engine: Engine, world: World, app: Any, no_factors: None) -> Callable[..., Enrolled]:
    """Give somebody an authenticator, confirmed two minutes ago."""

    def make(name: str) -> Enrolled:
        user_id, vault = world.people[name].user_id, app.extensions["portal_vault"]
        before = datetime.now(UTC) - timedelta(minutes=2)
        with TenantSessions(engine).begin(world.people[name].actor.tenant_id) as session:
            made = begin_enrolment(session, user_id, account=name, issuer="Kestrel IT", vault=vault, now=before)
            assert confirm_enrolment(session, user_id, code_of(made.secret, before), vault=vault, now=before)
            return Enrolled(made.secret, make_recovery_codes(session, user_id, now=before))

    return make


@pytest.fixture
def sign_in_policy(root: Engine, world: World, app: Any, no_factors: None) -> Callable[..., None]:
    """Set how people of tenant demo sign in."""

    def store(**policy: Any) -> None:
        with root.begin() as connection:
            settings = json.dumps({"sign_in": policy})
            connection.execute(text("UPDATE tenants SET settings = :s WHERE id = :t"), {"s": settings, "t": world.demo})
        app.extensions["portal_tenants"].forget()

    return store


def problem(answer: TestResponse, status: int, code: str | None = None) -> dict[str, Any]:
    """The problem of a refusal, after checking that it is a whole one."""
    found = answer.get_json()
    assert answer.status_code == status, answer.get_data(as_text=True)
    assert answer.mimetype == "application/problem+json"
    told = {"challenge"} if code == "second_factor_required" else set()
    assert set(found) == {"type", "title", "status", "detail", "code", "errors", "request_id"} | told
    assert found["status"] == status
    assert found["title"]
    assert answer.headers["X-Request-Id"] == found["request_id"]
    if code:
        assert found["code"] == code
    return found


def codes(answer: TestResponse) -> dict[str, str]:
    """Field -> code of a 422."""
    return {error["field"]: error["code"] for error in problem(answer, 422)["errors"]}
