"""The notification centre: seven days by default, by category, each notice with its time and a way to its record."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from portal.models import Notification
from tests.blueprints.conftest import codes, problem
from tests.browsing import sign_in

LIST, API = "/portal/notifications", "/api/v1/portal/notifications"


@pytest.fixture
def notices(world, sessions, ticket):
    """A fresh one, one of eight days ago, one about the account; by kind."""
    made = ticket("bob", subject=f"Rings {uuid4().hex[:8]}")
    ids = {}
    with sessions.begin(world.demo) as session:
        for kind, days in (("ticket_answered", 0), ("ticket_status_changed", 8), ("device_added", 1)):
            ids[kind] = uuid4()
            session.add(
                Notification(
                    id=ids[kind],
                    tenant_id=world.demo,
                    user_id=world.people["bob"].user_id,
                    event_id=uuid4(),
                    kind=kind,
                    record_type="ticket" if kind.startswith("ticket") else "device",
                    record_id=made["id"],
                    params={"actor": "Sam Okafor", "status": "resolved"},
                    created_at=datetime.now(UTC) - timedelta(days=days),
                )
            )
    return made, ids


def test_a_week_by_default_and_older_ones_on_demand(app, world, notices):
    made, ids = notices
    bob = sign_in(app, world, "bob")
    page = bob.get(LIST).get_data(as_text=True)
    assert f"{LIST}/{ids['ticket_answered']}/open" in page
    assert str(ids["ticket_status_changed"]) not in page
    assert f"{LIST}?period=all" in page
    assert "Service updates" in page
    older = bob.get(f"{LIST}?period=all").get_data(as_text=True)
    assert str(ids["ticket_status_changed"]) in older
    opened = bob.post(f"{LIST}/{ids['ticket_answered']}/open")
    assert opened.headers["Location"] == f"/portal/tickets/{made['id']}"


def test_each_category_shows_its_own(app, world, notices):
    _, ids = notices
    bob = sign_in(app, world, "bob")
    for category, shown, hidden in (
        ("service", "ticket_answered", "device_added"),
        ("security", "device_added", "ticket_answered"),
    ):
        page = bob.get(f"{LIST}?category={category}").get_data(as_text=True)
        assert str(ids[shown]) in page, category
        assert str(ids[hidden]) not in page, category
    assert str(ids["ticket_answered"]) not in bob.get(f"{LIST}?category=payment").get_data(as_text=True)
    assert str(ids["ticket_answered"]) in bob.get(f"{LIST}?category=nonsense&period=x").get_data(as_text=True)


def test_the_same_through_the_api_and_for_its_owner_alone(api, notices):
    made, ids = notices
    items = {one["id"]: one for one in api("bob").get(API).get_json()["items"]}
    found = items[str(ids["ticket_answered"])]
    assert (found["category"], found["record_id"], found["number"]) == ("service", made["id"], made["number"])
    assert str(ids["ticket_status_changed"]) not in items
    assert codes(api("bob").get(f"{API}?category=gossip")) == {"category": "unknown_choice"}
    everything = api("bob").get(f"{API}?period=all&category=service").get_json()["items"]
    assert str(ids["ticket_status_changed"]) in [one["id"] for one in everything]
    path = f"{API}/{ids['ticket_answered']}/read"
    problem(api("alice").post(path), 404, "notification_not_found")
    assert api("bob").post(path).status_code == 204
    read = {one["id"]: one["read"] for one in api("bob").get(API).get_json()["items"]}
    assert read[str(ids["ticket_answered"])] is True
    assert api("bob").post(f"{API}/read").get_json()["read"] >= 1
