"""The bell: own notices only, read one by one or all at once."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from portal.models import Notification
from tests.browsing import sign_in

LIST = "/portal/notifications"


@pytest.fixture
def alice(app, world):
    return sign_in(app, world, "alice")


@pytest.fixture
def notice(app, world, alice, sessions):
    """A ticket of alice's and a notice about it."""
    form = {"request_key": str(uuid4()), "subject": "Rings the bell", "description": "d", "category": "drill"}
    ticket = alice.post("/portal/tickets/new", form).headers["Location"]
    row = Notification(
        id=uuid4(),
        tenant_id=world.demo,
        user_id=world.people["alice"].user_id,
        event_id=uuid4(),
        kind="ticket_answered",
        record_type="ticket",
        record_id=ticket.rsplit("/", 1)[1],
        params={"actor": "Sam Okafor"},
        created_at=datetime.now(UTC),
    )
    with sessions.begin(world.demo) as session:
        session.add(row)
    return ticket, f"{LIST}/{row.id}/open"


def test_the_bell_counts_and_the_page_says_what_and_about_what(alice, notice):
    page = alice.get(LIST).get_data(as_text=True)
    assert "Sam Okafor answered" in page
    assert "Rings the bell" in page
    assert alice.get("/portal/counts").get_json()["notifications"]


def test_opening_one_leads_to_its_ticket_and_marks_it(alice, notice):
    ticket, address = notice
    assert alice.post(address).headers["Location"] == ticket
    assert alice.post(address).status_code == 303


def test_reading_all_empties_the_bell(alice, notice):
    assert alice.post(f"{LIST}/read").status_code == 303
    assert alice.get("/portal/counts").get_json()["notifications"] == 0


def test_notices_are_their_owners(app, world, alice, notice):
    charlie = sign_in(app, world, "charlie")
    assert "Rings the bell" not in charlie.get(LIST).get_data(as_text=True)
    assert charlie.post(notice[1]).status_code == 404


def test_the_part_that_changes_carries_no_token(alice, notice):
    live = {"HX-Request": "true", "X-Portal-Live": "1"}
    first = alice.get(LIST, headers=live)
    assert "csrf_token" not in first.get_data(as_text=True)
    assert alice.get(LIST, headers=live | {"If-None-Match": first.headers["ETag"]}).status_code == 304


def test_every_form_needs_its_token(alice, notice):
    for path in (f"{LIST}/read", notice[1], "/portal/account/notifications"):
        assert alice.client.post(path, base_url="http://127.0.0.1").status_code == 400
