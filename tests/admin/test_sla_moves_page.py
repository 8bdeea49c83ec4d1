"""Before a promise or hours are saved: the open tickets that move, the choice, and the way back to a version."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from portal.models import BusinessCalendar, SlaPolicy, Ticket
from tests.admin.conftest import send
from tests.admin.test_settings import _as_before, fields  # noqa: F401
from tests.browsing import csrf_token
from tests.world import World

DRILL = {"name": "Drill", "match_categories": ["drill"], "warn_before_seconds": "2 s", "resolution_seconds": "90 s"}


@pytest.fixture
def mia(staff: Any) -> Any:
    return staff("mia")


def unchosen(world: World, **changes: Any) -> dict[str, Any]:
    return {key: value for key, value in fields(world, **changes).items() if key != "open_tickets"}


def test_a_save_that_moves_tickets_asks_first(mia: Any, ticket: Any, real: Any, world: World) -> None:
    ticket_id = ticket(category="drill", at=datetime.now(UTC))
    address = f"/admin/sla/policies/edit/?id={world.policies['Drill']}"
    wanted = unchosen(world, **DRILL) | {"first_response_seconds": "300 s"}
    asked = send(mia, mia.get(address), address, wanted)
    text = asked.get_data(as_text=True)
    assert asked.status_code == 200
    assert "This change moves" in text
    assert 'name="open_tickets"' in text
    with real.begin(world.demo) as session:
        assert session.get(SlaPolicy, world.policies["Drill"]).first_response_seconds == 20
    assert send(mia, asked, address, wanted | {"open_tickets": "stay"}).status_code == 303
    with real.begin(world.demo) as session:
        assert session.get(SlaPolicy, world.policies["Drill"]).first_response_seconds == 300
        assert session.get(Ticket, ticket_id).sla_policy_version == 1


def test_what_moves_nobody_is_saved_at_once(mia: Any, world: World) -> None:
    wanted = unchosen(world, name="For nobody") | {"active": ""}
    page = mia.get("/admin/sla/policies/new/")
    assert send(mia, page, "/admin/sla/policies/new/", wanted).status_code == 303


def test_versions_are_listed_and_lead_back(mia: Any, staff: Any, world: World, real: Any) -> None:
    policy, address = world.policies["Drill"], f"/admin/sla/policies/edit/?id={world.policies['Drill']}"
    sent = fields(world, **DRILL) | {"first_response_seconds": "45 s"}
    assert send(mia, mia.get(address), address, sent).status_code == 303
    page = mia.get(f"/admin/sla/policies/versions/?id={policy}")
    assert "Go back to 1" in page.get_data(as_text=True)
    back = {"id": str(policy), "version": "1", "open_tickets": "move"}
    assert send(mia, page, "/admin/sla/policies/restore/", back).status_code == 303
    with real.begin(world.demo) as session:
        assert session.get(SlaPolicy, policy).first_response_seconds == 20
    assert send(mia, page, "/admin/sla/policies/restore/", back | {"version": "x"}).status_code == 404
    sam = staff("sam")
    looked = sam.get(f"/admin/sla/policies/versions/?id={policy}")
    assert looked.status_code == 200
    assert "Go back to" not in looked.get_data(as_text=True)
    sent = back | {"csrf_token": csrf_token(looked)}
    refused = sam.client.post("/admin/sla/policies/restore/", base_url=f"http://{sam.host}", data=sent)
    assert refused.status_code == 403


def test_hours_ask_and_go_back_as_well(mia: Any, ticket: Any, world: World, real: Any) -> None:
    ticket_id, office = ticket(at=datetime.now(UTC) - timedelta(minutes=1)), world.calendars["office"]
    address = f"/admin/sla/calendars/edit/?id={office}"
    wanted = {"timezone": "Europe/Paris"} | {f"day_{day}": "00:00–24:00" for day in range(7)}
    with real.begin(world.demo) as session:
        wanted["name"], before = session.get(BusinessCalendar, office).name, session.get(Ticket, ticket_id).sla_due_at
    asked = send(mia, mia.get(address), address, wanted)
    assert "This change moves" in asked.get_data(as_text=True)
    assert send(mia, asked, address, wanted | {"open_tickets": "stay"}).status_code == 303
    with real.begin(world.demo) as session:
        assert session.get(Ticket, ticket_id).sla_due_at == before
        assert session.get(Ticket, ticket_id).sla_policy_version is not None
    page = mia.get(f"/admin/sla/calendars/versions/?id={office}")
    back = {"id": str(office), "version": "1", "open_tickets": "move"}
    assert send(mia, page, "/admin/sla/calendars/restore/", back).status_code == 303
