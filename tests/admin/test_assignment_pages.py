"""Rules of assignment and what they know of people, in the back office."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import delete, select

from portal.models import AssignmentRule, StaffProfile
from tests.admin.conftest import send
from tests.browsing import csrf_token
from tests.world import World

RULES = "/admin/assignment/rules"
PEOPLE = "/admin/assignment/people"


@pytest.fixture
def mia(staff: Any) -> Any:
    return staff("mia")


@pytest.fixture(autouse=True)
def _as_before(real: Any, world: World) -> Iterator[None]:
    """Rules would deal out the tickets of other tests."""
    yield
    with real.begin(world.demo) as session:
        session.execute(delete(AssignmentRule))
        session.execute(delete(StaffProfile))


def a_rule(world: World, **fields: Any) -> dict[str, Any]:
    return {
        "do": "save",
        "name": "Drills to Sam",
        "active": "y",
        "match_categories": ["drill"],
        "strategy": "person",
        "people": [str(world.people["sam"].user_id)],
        "skills": "VPN, printers",
    } | fields


def test_a_rule_is_tried_saved_shown_and_moved(mia: Any, ticket: Any, world: World, real: Any) -> None:
    ticket(category="drill", at=datetime.now(UTC))
    page = mia.get(f"{RULES}/new/")
    tried = send(mia, page, f"{RULES}/new/", a_rule(world, do="try", skills=""))
    text = tried.get_data(as_text=True)
    assert re.search(r"The last \d+ tickets would have gone to", text)
    assert world.people["sam"].name in text
    with real.begin(world.demo) as session:
        assert session.scalars(select(AssignmentRule)).all() == []
    assert send(mia, page, f"{RULES}/new/", a_rule(world)).status_code == 303
    assert send(mia, page, f"{RULES}/new/", a_rule(world, name="Second")).status_code == 303
    with real.begin(world.demo) as session:
        rules = list(session.scalars(select(AssignmentRule).order_by(AssignmentRule.position)))
        assert [(row.name, row.skills, row.only_working) for row in rules] == [
            ("Drills to Sam", ["printers", "vpn"], False),
            ("Second", ["printers", "vpn"], False),
        ]
    listed = mia.get(f"{RULES}/")
    assert "Drills to Sam" in listed.get_data(as_text=True)
    assert send(mia, listed, f"{RULES}/move/", {"id": str(rules[1].id), "direction": "up"}).status_code == 303
    with real.begin(world.demo) as session:
        assert session.get(AssignmentRule, rules[1].id).position == 0
    edited = mia.get(f"{RULES}/edit/?id={rules[0].id}")
    assert "printers, vpn" in edited.get_data(as_text=True)


def test_errors_stand_beside_their_fields(mia: Any, world: World) -> None:
    page = mia.get(f"{RULES}/new/")
    answer = send(mia, page, f"{RULES}/new/", a_rule(world, name="", people=[]))
    assert answer.status_code == 422
    assert 'href="#name"' in answer.get_data(as_text=True)


def test_skills_hours_and_absence_are_saved_in_the_readers_time(mia: Any, world: World, real: Any) -> None:
    sam = world.people["sam"].user_id
    page = mia.get(f"{PEOPLE}/edit/?id={sam}")
    sent = {
        "skills": "VPN, Arabic",
        "calendar_id": str(world.calendars["office"]),
        "most_open": "12",
        "absent_from": "2026-12-24T12:00",
        "absent_until": "2027-01-02",
    }
    assert send(mia, page, f"{PEOPLE}/edit/?id={sam}", sent).status_code == 303
    with real.begin(world.demo) as session:
        row = session.get(StaffProfile, (sam))
        assert (row.skills, row.most_open) == (["arabic", "vpn"], 12)
        assert row.absent_from == datetime(2026, 12, 24, 11, 0, tzinfo=UTC)
        assert row.absent_until == datetime(2027, 1, 1, 23, 0, tzinfo=UTC)
    assert "arabic, vpn" in mia.get(f"{PEOPLE}/").get_data(as_text=True)
    shown = mia.get(f"{PEOPLE}/edit/?id={sam}").get_data(as_text=True)
    assert 'value="2026-12-24T12:00"' in shown
    for wrong in ({"most_open": "x"}, {"absent_from": "soon"}, {"absent_from": "", "absent_until": "2027-01-02"}):
        assert send(mia, page, f"{PEOPLE}/edit/?id={sam}", sent | wrong).status_code == 422


def test_agents_look_and_do_not_touch(staff: Any, world: World) -> None:
    sam = staff("sam")
    listed = sam.get(f"{RULES}/")
    assert listed.status_code == 200
    assert sam.get(f"{RULES}/new/").status_code == 403
    token = csrf_token(sam.get("/admin/tickets/"))
    answer = sam.client.post(f"{RULES}/new/", base_url=f"http://{sam.host}", data=a_rule(world) | {"csrf_token": token})
    assert answer.status_code == 403
    assert sam.get(f"{PEOPLE}/edit/?id={world.people['sam'].user_id}").status_code == 403
    assert staff("mia").get(f"{PEOPLE}/edit/?id={world.people['bob'].user_id}").status_code == 404
