"""Schemathesis reads the document and tries to break its promises: no 5xx, no answer that is not described."""

import logging
import os
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from werkzeug.serving import make_server

from tests.blueprints.account_pages import Backstage
from tests.browsing import program
from tests.world import World

# A few random calls beside the examples and the coverage of every keyword; set it higher to look for longer.
EXAMPLES = int(os.environ.get("PORTAL_FUZZ_EXAMPLES", "2"))


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


# Some three hundred operations, each asked a dozen times.
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("who", "forbidden"), [("bob", "staff"), ("sam", "portal")])
def test_answers_keep_to_the_document(
    app: Any, world: World, address: str, ticket: Any, who: str, forbidden: str, request: pytest.FixtureRequest
) -> None:
    # It writes into the profile whatever fits.
    request.addfinalizer(Backstage(app, world).put_back)
    config = SchemathesisConfig.from_dict(
        {
            "headers": {"Authorization": f"Bearer {program(app, world, who).token}"},
            "parameters": {"ticket_id": ticket()["id"]},
            "generation": {"max-examples": EXAMPLES, "deterministic": True, "database": "none"},
            "phases": {"stateful": {"enabled": False}},
            # Whether an id, a category or a cursor exists is beyond a schema; such refusals are right.
            "checks": {"positive_data_acceptance": {"enabled": False}},
            "operations": [
                # It would end the token that the other calls use.
                {"include-name": "POST /api/v1/auth/revoke", "enabled": False},
                {"include-path-regex": f"^/api/v1/{forbidden}/", "enabled": False},
                # Its body is a signed message; test_mail_webhook.py tries what can be wrong with one.
                {"include-path-regex": "^/api/v1/mail/", "enabled": False},
            ],
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
    assert {200, 201, 401, 422} <= set(statuses)
    assert max(statuses) < 500
    assert sum(statuses.values()) > 200


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
