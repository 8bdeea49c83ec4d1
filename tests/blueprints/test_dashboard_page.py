"""The dashboard: what needs the reader, real figures, and nothing that does not exist or is switched off."""

import re
from uuid import uuid4

import pytest

from portal.lib.clock import utcnow
from portal.models import TicketStatus
from portal.services.tickets import conversation, lifecycle
from tests.browsing import sign_in

DASHBOARD = "/portal/"
LIVE = {"HX-Request": "true", "X-Portal-Live": "1"}


@pytest.fixture
def charlie(app, world):
    return sign_in(app, world, "charlie")


def opened(browser, subject):
    form = {"request_key": str(uuid4()), "subject": subject, "description": "d", "category": "general"}
    answer = browser.post("/portal/tickets/new", form)
    assert answer.status_code == 303
    return answer.headers["Location"]


def asked_back(sessions, world, actor_of, path):
    """The team answers and waits for the customer."""
    ticket_id = path.rsplit("/", 1)[1]
    with sessions.begin(world.demo) as session:
        conversation.reply_as_staff(
            session,
            ticket_id,
            message="Which one?",
            actor=actor_of("sam"),
            now=utcnow(),
            status=TicketStatus.WAITING_CUSTOMER,
        )


def page_of(browser, path=DASHBOARD):
    answer = browser.get(path)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def test_it_greets_and_offers_the_one_action(charlie):
    page = page_of(charlie)
    assert "Welcome, Charlie" in page
    assert "Welcome to Kestrel IT." in page
    assert re.search(r'href="/portal/tickets/new"[^>]*>.*New ticket', page)


def test_the_last_sign_in_shows_from_the_second_on(app, world, charlie):
    assert "Your last sign-in" in page_of(sign_in(app, world, "charlie"))


def test_what_waits_for_the_reader_comes_first_with_one_filled_button(charlie, sessions, world, actor_of):
    for subject in ("Needs an answer one", "Needs an answer two"):
        asked_back(sessions, world, actor_of, opened(charlie, subject))
    page = page_of(charlie)
    assert "Needs you" in page
    assert "Needs an answer one" in page
    assert page.partition("<main")[2].partition("</main>")[0].count("button-primary") == 1
    assert "2 things need you" in page


def test_nothing_due_leaves_the_area_out(app, world):
    page = page_of(sign_in(app, world, "nia"), "/portal/?lang=en")
    assert "Needs you" not in page
    assert "Nothing needs you" in page


def test_open_tickets_are_counted_by_status_and_lead_to_the_same_list(charlie):
    opened(charlie, "Counted by status")
    page = page_of(charlie)
    link, count = re.search(r'href="(/portal/tickets\?status=open)"[^>]*>.*?stat-value">(\d+)<', page).groups()
    # A page of the list holds eighteen; other tests leave tickets behind.
    assert page_of(charlie, link).count("data-live-row") == min(int(count), 18)


def test_kept_promises_are_real_figures(charlie, sessions, world, actor_of):
    path = opened(charlie, "Solved at once")
    with sessions.begin(world.demo) as session:
        lifecycle.close_ticket(session, path.rsplit("/", 1)[1], actor=actor_of("charlie"), now=utcnow())
    assert re.search(r"\d+ of \d+ tickets in time", page_of(charlie))


def test_activities_lead_to_their_records_newest_first(charlie):
    first, second = opened(charlie, "Older activity"), opened(charlie, "Newer activity")
    links = re.findall(r'class="activity-link" href="([^"]+)"', page_of(charlie))
    assert links.index(second) < links.index(first)


def test_an_internal_note_is_no_activity(charlie, sessions, world, actor_of):
    path = opened(charlie, "With a note")
    with sessions.begin(world.demo) as session:
        conversation.add_note(
            session, path.rsplit("/", 1)[1], message="SECRET-CANARY", actor=actor_of("sam"), now=utcnow()
        )
    for address in (DASHBOARD, path, "/portal/tickets", "/portal/notifications"):
        page = page_of(charlie, address)
        assert "SECRET-CANARY" not in page
        assert "internal note" not in page.lower()


def test_a_switched_off_feature_leaves_no_trace(app, world, charlie, monkeypatch):
    profile = app.extensions["portal_tenants"].by_host("127.0.0.1")
    monkeypatch.setitem(profile.features, "tickets", False)
    page = page_of(charlie)
    assert "/portal/tickets" not in page
    assert "Welcome, Charlie" in page


def test_an_open_page_fetches_its_part(charlie):
    answer = charlie.get(DASHBOARD, headers=LIVE)
    part = answer.get_data(as_text=True)
    assert "<html" not in part
    assert "csrf_token" not in part
    assert "Welcome, Charlie" in part
    again = charlie.get(DASHBOARD, headers=LIVE | {"If-None-Match": answer.headers["ETag"]})
    assert again.status_code in (200, 304)


def test_it_says_when_what_happens_by_itself_is_late(charlie):
    assert "Automatic steps are delayed" in page_of(charlie)
