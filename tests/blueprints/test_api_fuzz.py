"""Schemathesis reads the document and tries to break its promises: no 5xx, no answer that is not described."""

import logging
import os
import re
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from werkzeug.serving import make_server

from portal.blueprints.policies import PUBLIC, SIGNED_IN, policy_of
from tests.browsing import program
from tests.world import World

# A few random calls of each operation, right and wrong; set it higher to look for longer, and at every keyword.
EXAMPLES = int(os.environ.get("PORTAL_FUZZ_EXAMPLES", "4"))
THOROUGH = "PORTAL_FUZZ_EXAMPLES" in os.environ
PEOPLE = ("alice", "sam", "bill", "ada")
LEFT_OUT = frozenset(
    {
        # It would end the token that the other calls use.
        "POST /api/v1/auth/revoke",
        # Its body is a signed message; test_mail_webhook.py tries what can be wrong with one.
        "POST /api/v1/mail/in/{key}",
    }
)


@pytest.fixture
def address(app: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The application behind a socket, without limits: a fuzzer does little else but fail."""
    monkeypatch.setattr("portal.blueprints.api.limits.count", lambda *_: True)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join(10)
    server.server_close()


def operations_of(app: Any, world: World) -> dict[str, set[str]]:
    """Who tries which operations, by their names in the document: the first of `PEOPLE` who may, so each is tried once.

    That others may not is `test_permission_matrix.py`.
    """
    mine: dict[str, set[str]] = {name: set() for name in PEOPLE}
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith("/api/v1/"):
            continue
        policy = policy_of(app, rule.endpoint)
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        doors = [name for name in PEOPLE if f"/{'staff' if name == 'alice' else 'portal'}/" not in path]
        may = (name for name in doors if policy in (PUBLIC, SIGNED_IN, *world.people[name].actor.permissions))
        mine[next(may)] |= {f"{method} {path}" for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}}
    return mine


# Some three hundred operations, each asked a dozen times.
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("who", PEOPLE)
def test_answers_keep_to_the_document(
    app: Any, world: World, address: str, ticket: Any, who: str, renewal: Any, request: pytest.FixtureRequest
) -> None:
    # It writes whatever fits into whatever it may.
    request.addfinalizer(renewal.run)
    shares = operations_of(app, world)
    mine = shares.pop(who)
    left_out = LEFT_OUT.union(*shares.values())
    config = SchemathesisConfig.from_dict(
        {
            "headers": {"Authorization": f"Bearer {program(app, world, who).token}"},
            "parameters": {"ticket_id": ticket()["id"]},
            "generation": {"max-examples": EXAMPLES, "deterministic": True, "database": "none"},
            "phases": {"stateful": {"enabled": False}, "coverage": {"enabled": THOROUGH}},
            # Whether an id, a category or a cursor exists is beyond a schema; such refusals are right.
            "checks": {"positive_data_acceptance": {"enabled": False}},
            "operations": [{"include-name": sorted(left_out), "enabled": False}],
        }
    )
    statuses: Counter[int] = Counter()
    breaches: list[str] = []
    schema = schemathesis.openapi.from_url(f"{address}/api/v1/openapi.json", config=config)
    for event in from_schema(schema).execute():
        if isinstance(event, events.FatalError):
            raise event.exception
        if isinstance(event, events.NonFatalError):
            breaches.append(f"{event.label}: {event.value!r}")
        if isinstance(event, events.ScenarioFinished):
            count(event, statuses, breaches)
    assert not breaches, "\n".join(breaches)
    assert {200, 401, 404, 422} <= set(statuses)
    assert max(statuses) < 500
    assert sum(statuses.values()) > 2 * len(mine)


def count(event: events.ScenarioFinished, statuses: Counter[int], breaches: list[str]) -> None:
    """Note what a scenario got and what was wrong with it."""
    for case_id in event.recorder.cases:
        found = event.recorder.interactions.get(case_id)
        if found is not None and found.response is not None:
            statuses[found.response.status_code] += 1
        breaches += [
            f"{event.recorder.label}: {check.name}: {check.failure_info.failure.message}"
            for check in event.recorder.checks.get(case_id, [])
            if check.failure_info
        ]
