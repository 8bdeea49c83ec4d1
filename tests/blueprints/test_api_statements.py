"""How many statements a call takes: fixed numbers, whatever the number of rows."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from portal.models import Ticket
from portal.models.session import TenantSessions
from portal.services.tickets.conversation import reply_as_staff
from portal.services.tickets.opening import NewTicket, create_ticket
from tests.blueprints.conftest import DESK, TICKETS
from tests.world import World

SIZES = (1, 25, 100)


def statements_of(answer: Any) -> int:
    assert answer.status_code in (200, 201), answer.get_data(as_text=True)
    return int(answer.headers["Server-Timing"].rsplit('desc="', 1)[1].rstrip('"'))


@pytest.fixture(autouse=True)
def _known_tenants(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every five seconds some call reads its tenant anew, by two statements more; not while these are counted."""
    monkeypatch.setattr("portal.services.tenants.directory.FRESH_FOR_SECONDS", 3600.0)


@pytest.fixture(scope="module")
def many(app: Any, world: World) -> str:
    """A hundred tickets of charlie, one of which has a hundred answers; its id."""
    now = datetime.now(UTC)
    sessions = TenantSessions(app.extensions["portal_engine"])
    charlie, sam = world.people["charlie"].actor, world.people["sam"].actor
    with sessions.begin(world.demo) as session:
        for number in range(100):
            made = create_ticket(session, NewTicket(f"Number {number}", "x", "general"), actor=charlie, now=now)
        for number in range(100):
            reply_as_staff(session, made.id, message=f"Answer {number}", actor=sam, now=now)
        assert session.scalar(select(Ticket.id).where(Ticket.id == made.id)) == made.id
        return str(made.id)


@pytest.mark.parametrize(
    ("who", "path", "expected"),
    [("charlie", TICKETS, 4), ("charlie", f"{TICKETS}?q=number", 5), ("sam", DESK, 4), ("sam", f"{DESK}?view=open", 4)],
)
def test_lists(api: Any, many: str, who: str, path: str, expected: int) -> None:
    caller = api(who)
    joint = "&" if "?" in path else "?"
    counts = [statements_of(caller.get(f"{path}{joint}limit={size}")) for size in SIZES]
    assert counts == [expected] * len(SIZES)


def test_details(api: Any, many: str, ticket: Any) -> None:
    small = ticket("charlie")["id"]
    for who, base, expected in (("charlie", TICKETS, 5), ("sam", DESK, 5)):
        assert [statements_of(api(who).get(f"{base}/{id_}")) for id_ in (small, many)] == [expected, expected]


def test_writes(api: Any, many: str, ticket: Any) -> None:
    small, charlie, sam = ticket("charlie")["id"], api("charlie"), api("sam")
    for id_ in (small, many):
        found = {
            "reply": statements_of(charlie.post(f"{TICKETS}/{id_}/reply", json={"message": "x"})),
            "answer": statements_of(sam.post(f"{DESK}/{id_}/reply", json={"message": "x", "status": "in_progress"})),
            "note": statements_of(sam.post(f"{DESK}/{id_}/notes", json={"message": "x"})),
            "change": statements_of(sam.patch(f"{DESK}/{id_}", json={"priority": "high"})),
            "close": statements_of(charlie.post(f"{TICKETS}/{id_}/close")),
            "rate": statements_of(charlie.post(f"{TICKETS}/{id_}/rate", json={"rating": 5})),
            "reopen": statements_of(charlie.post(f"{TICKETS}/{id_}/reopen")),
        }
        assert found == {"reply": 4, "answer": 4, "note": 4, "change": 9, "close": 7, "rate": 8, "reopen": 7}, id_


def test_small_ones(api: Any) -> None:
    charlie = api("charlie")
    body = {"subject": "x", "description": "y", "category": "drill"}
    assert statements_of(charlie.post(TICKETS, json=body)) == 7
    assert statements_of(charlie.get("/api/v1/auth/me")) == 2
    assert statements_of(charlie.get(f"{TICKETS}/categories")) == 3
    refused = charlie.post(TICKETS, json={})
    assert refused.headers["Server-Timing"].endswith('desc="2"')
