"""What lists and API show of a search: hits marked, the place in a message, and that results only come near."""

import re
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from portal.models.session import TenantSessions
from portal.services.tickets.conversation import add_note, reply_as_staff
from portal.services.tickets.opening import NewTicket, create_ticket
from tests.browsing import sign_in

LIST = "/portal/tickets"
API = "/api/v1/portal/tickets"
STAFF_API = "/api/v1/staff/tickets"


@pytest.fixture
def alice(app, world):
    return sign_in(app, world, "alice")


@pytest.fixture
def sam(app, world):
    return sign_in(app, world, "sam")


@pytest.fixture
def word():
    """A word that nothing else holds, of letters alone."""
    return "qux" + "".join(chr(ord("a") + int(char, 16)) for char in uuid4().hex[:9])


@pytest.fixture
def tell(app, world):
    """Open a ticket of bob's with an answer and a note, and give its id."""

    def make(subject="Plain", description="Plain.", answer="", note=""):
        now = datetime.now(UTC)
        with TenantSessions(app.extensions["portal_engine"]).begin(world.demo) as session:
            bob, agent = world.people["bob"].actor, world.people["sam"].actor
            ticket = create_ticket(session, NewTicket(subject, description, "drill"), actor=bob, now=now)
            if answer:
                reply_as_staff(session, ticket.id, message=answer, actor=agent, now=now)
            if note:
                add_note(session, ticket.id, message=note, actor=agent, now=now)
            return ticket.id

    return make


def text_of(browser, path):
    answer = browser.get(path)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def test_a_customers_hits_are_marked_and_nothing_else_is_markup(alice, tell, word):
    tell(subject=f"<img src=x> {word.title()} & more")
    page = text_of(alice, f"{LIST}?q={word}")
    assert f"&lt;img src=x&gt; <mark>{word.title()}</mark> &amp; more" in page
    assert "<img src=x>" not in page
    assert "come near" not in page
    assert "<mark>" not in text_of(alice, f"{LIST}?view=all")


def test_the_place_in_a_message_is_shown_and_escaped(alice, sam, tell, word):
    answer = f"{'Much was tried. ' * 30}Then <b>{word}</b> helped, as it often does. {'And more. ' * 30}"
    tell(answer=answer)
    shown = rf"…[^<]*&lt;b&gt;<mark>{word}</mark>&lt;/b&gt; helped[^<]*…"
    for browser, path in ((alice, f"{LIST}?q={word}"), (sam, f"/admin/tickets/?q={word}")):
        page = text_of(browser, path)
        assert re.search(shown, page), path
        assert f"<b>{word}" not in page


def test_the_place_in_the_description_is_shown_where_the_newest_message_lacks_it(alice, tell, word):
    tell(description=f"It began with {word}.", answer="Is it better?")
    assert f"It began with <mark>{word}</mark>." in text_of(alice, f"{LIST}?q={word}")


def test_internal_notes_are_quoted_to_the_team_alone(alice, sam, tell, word):
    tell(note=f"Between us: {word}.", description=f"Not {word[:5]}.")
    assert f"Between us: <mark>{word}</mark>." in text_of(sam, f"/admin/tickets/?q={word}")
    page = text_of(alice, f"{LIST}?q={word}")
    assert "Between us" not in page
    assert "Nothing matches" in page
    # Found by something else it is quoted no more than before.
    assert "Between us" not in text_of(alice, f"{LIST}?q={word[:5]}")


def test_lists_say_that_results_only_come_near(alice, sam, tell, word):
    tell(subject=f"About {word} again")
    slip = word[:6] + word[7:]
    for browser, path in ((alice, f"{LIST}?q={slip}"), (sam, f"/admin/tickets/?q={slip}")):
        page = text_of(browser, path)
        assert "No ticket holds these words" in page
        assert f"About <mark>{word}</mark> again" in page


def test_pages_of_a_search_stay_small(alice, sam, tell, word):
    for number in range(20):
        tell(subject=f"Überlange Betreffzeile über die nächtliche Störung {number}", answer=f"{'und ' * 60}{word}")
    for lang in ("en", "ar"):
        for browser, path in ((alice, f"{LIST}?view=all"), (sam, "/admin/tickets/?view=all")):
            answer = browser.get(f"{path}&q={word}&lang={lang}")
            assert answer.get_data(as_text=True).count(f"<mark>{word}</mark>") >= 14
            assert len(answer.get_data()) <= 40 * 1024, (path, lang)
            assert int(re.search(r'desc="(\d+)"', answer.headers["Server-Timing"])[1]) <= 8


def test_the_api_says_the_same(api, tell, word):
    alice, sam = api("alice"), api("sam")
    ticket = str(tell(answer=f"Long ago {word} helped.", note=f"Or {word} did not."))
    for browser, path, place in ((alice, API, f"Long ago {word} helped."), (sam, STAFF_API, None)):
        exact = browser.get(f"{path}?q={word}").get_json()
        assert [item["id"] for item in exact["items"]] == [ticket]
        assert exact["items"][0]["excerpt"] == place or (place is None and word in exact["items"][0]["excerpt"])
        assert exact["approximate"] is False
        near = browser.get(f"{path}?q={word[:6]}{word[7:]}").get_json()
        assert near["items"] == []
    subject = str(tell(subject=f"About {word}"))
    for browser, path in ((alice, API), (sam, STAFF_API)):
        near = browser.get(f"{path}?q={word[:6]}{word[7:]}").get_json()
        assert [item["id"] for item in near["items"]] == [subject]
        assert near["approximate"] is True
        assert near["items"][0]["excerpt"] is None
