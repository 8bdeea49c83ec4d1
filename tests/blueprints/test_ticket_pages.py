import re
from uuid import uuid4

import pytest

from tests.browsing import sign_in

NEW = "/portal/tickets/new"


@pytest.fixture
def alice(app, world):
    return sign_in(app, world, "alice")


def form(**fields):
    return {"subject": "VPN drops", "description": "Since Monday.", "category": "drill", "priority": "normal"} | fields


def opened(browser, **fields):
    answer = browser.post(NEW, form(request_key=str(uuid4()), **fields))
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return answer.headers["Location"]


def statements_of(answer):
    return int(re.search(r'desc="(\d+)"', answer.headers["Server-Timing"])[1])


def test_a_new_ticket_shows_number_promise_and_next_step(alice):
    page = alice.get(opened(alice)).get_data(as_text=True)
    assert re.search(r"TCK-\d{4}", page)
    assert "First answer" in page
    assert "Escalates to the team lead" in page
    assert "data-countdown" in page


def test_a_form_sent_twice_makes_one_ticket(alice):
    key = str(uuid4())
    first = alice.post(NEW, form(request_key=key, subject="Sent twice"))
    second = alice.post(NEW, form(request_key=key, subject="Sent twice"))
    assert first.headers["Location"] == second.headers["Location"]
    listed = alice.get("/portal/tickets?view=all&q=Sent+twice").get_data(as_text=True)
    assert listed.count("data-live-row") == 1


def test_a_reply_sent_twice_is_one_message(alice):
    ticket = opened(alice)
    key = str(uuid4())
    for _ in range(2):
        assert alice.post(f"{ticket}/reply", {"request_key": key, "message": "Only once"}).status_code == 303
    assert alice.get(ticket).get_data(as_text=True).count("Only once") == 1


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"subject": ""}, "This field is needed."),
        ({"subject": "x" * 256}, "At most 255 characters."),
        ({"subject": "a\x00b"}, "characters that cannot be stored"),
        ({"description": " "}, "This field is needed."),
        ({"category": "nonsense"}, "Choose one of the categories."),
        ({"priority": "critical"}, "Choose one of the offered values."),
    ],
)
def test_bad_input_is_said_beside_the_field_and_kept(alice, fields, text):
    answer = alice.post(NEW, form(request_key=str(uuid4()), **{"description": "typed with care"} | fields))
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert text in page
    assert 'aria-invalid="true"' in page
    if "description" not in fields:
        assert "typed with care" in page


def test_a_reply_that_cannot_be_sent_stays_in_the_box(alice):
    ticket = opened(alice)
    alice.post(f"{ticket}/close")
    answer = alice.post(f"{ticket}/reply", {"message": "But it still happens"})
    assert answer.status_code == 409
    assert "is closed" in answer.get_data(as_text=True)


@pytest.mark.parametrize("text", ["", "x" * 20_001, "a\x00b"])
def test_bad_replies_are_422(alice, text):
    answer = alice.post(f"{opened(alice)}/reply", {"message": text})
    assert answer.status_code == 422


def test_close_reopen_cancel_and_rate(alice):
    ticket = opened(alice)
    assert alice.post(f"{ticket}/close").status_code == 303
    assert alice.post(f"{ticket}/close").status_code == 409
    assert alice.post(f"{ticket}/rate", {"rating": "9"}).status_code == 422
    assert alice.post(f"{ticket}/rate", {"rating": "5", "comment": "Quick"}).status_code == 303
    assert alice.post(f"{ticket}/rate", {"rating": "5"}).status_code == 409
    assert "5 of 5" in alice.get(ticket).get_data(as_text=True)
    assert alice.post(f"{ticket}/reopen").status_code == 303
    assert alice.post(f"{ticket}/reopen").status_code == 409
    assert alice.post(f"{ticket}/cancel", {"reason": ""}).status_code == 422
    assert alice.post(f"{ticket}/cancel", {"reason": "Found it"}).status_code == 303
    assert "Cancelled" in alice.get(ticket).get_data(as_text=True)


@pytest.mark.parametrize("path", ["", "/cancel"])
@pytest.mark.parametrize("name", ["charlie", "nia"])
def test_strangers_get_404(app, world, alice, name, path):
    ticket = opened(alice)
    assert sign_in(app, world, name).get(f"{ticket}{path}").status_code == 404


@pytest.mark.parametrize("action", ["reply", "close", "reopen", "cancel", "rate"])
def test_strangers_cannot_act(app, world, alice, action):
    ticket = opened(alice)
    data = {"message": "x", "reason": "x", "rating": "5"}
    assert sign_in(app, world, "charlie").post(f"{ticket}/{action}", data).status_code == 404


def test_a_colleague_sees_own_tickets_only(app, world, alice):
    ticket = opened(alice, subject="About salaries")
    bob = sign_in(app, world, "bob")
    assert bob.get(ticket).status_code == 404
    assert "About salaries" not in bob.get("/portal/tickets?view=all").get_data(as_text=True)
    own = opened(bob, subject="Bob’s own")
    assert alice.get(own).status_code == 200


@pytest.mark.parametrize(
    "query",
    ["view=all", "q=VPN", "q=%00", "q=%27%22%3B--", "status=open", "status=nonsense", "category=drill", "category=%00",
     "priority=urgent", "created_from=2026-11-01", "created_from=banana", "created_to=0001-01-01", "sort=priority",
     "sort=-status", "sort=evil", "limit=100", "limit=-1", "limit=²", "view=solved&sort=created"],
)  # fmt: skip
def test_every_address_of_the_list_is_a_page(alice, query):
    assert alice.get(f"/portal/tickets?{query}").status_code == 200


@pytest.mark.parametrize("cursor", ["nonsense", "WzEsMiwzXQ", "%00", "W10"])
def test_a_bad_cursor_leads_to_the_first_page(alice, cursor):
    answer = alice.get(f"/portal/tickets?cursor={cursor}")
    assert answer.status_code == 303
    assert answer.headers["Location"].endswith("/portal/tickets")


def test_pages_go_on_and_back(app, world):
    charlie = sign_in(app, world, "charlie")
    for number in range(27):
        opened(charlie, subject=f"Paged {number}")
    first = charlie.get("/portal/tickets?q=Paged").get_data(as_text=True)
    later = re.search(r'href="([^"]+)"[^>]*rel="next"', first)[1].replace("&amp;", "&")
    second = charlie.get(later).get_data(as_text=True)
    # A page of a search is four rows shorter, since rows also show where the words stand.
    assert first.count("data-live-row") == 14
    assert second.count("data-live-row") == 13
    assert 'rel="prev"' in second


def test_filtered_to_nothing_offers_a_way_out(alice):
    page = alice.get("/portal/tickets?q=zzzzzz").get_data(as_text=True)
    assert "Nothing matches" in page
    assert "Clear all" in page


def test_an_open_page_asks_for_its_part_only_when_it_changed(alice):
    ticket = opened(alice)
    live = {"HX-Request": "true", "X-Portal-Live": "1"}
    first = alice.get(f"{ticket}", headers=live)
    assert "<html" not in first.get_data(as_text=True)
    assert "csrf_token" not in first.get_data(as_text=True)
    alice.post(f"{ticket}/reply", {"message": "News"})
    second = alice.get(f"{ticket}", headers={**live, "If-None-Match": first.headers["ETag"]})
    assert second.status_code == 200
    assert "News" in second.get_data(as_text=True)


@pytest.mark.parametrize("rows", [1, 25, 60])
def test_the_list_takes_four_statements_whatever_it_holds(app, world, alice, rows):
    for number in range(min(rows, 30)):
        opened(alice, subject=f"Counted {rows}-{number}")
    answer = alice.get("/portal/tickets?view=all&limit=100")
    assert statements_of(answer) <= 4


def test_the_other_pages_keep_their_budgets(alice):
    ticket = opened(alice)
    for path, budget in ((ticket, 6), ("/portal/", 6), (NEW, 4)):
        answer = alice.get(path)
        assert statements_of(answer) <= budget, path
        assert len(answer.get_data()) <= 40 * 1024, path
    assert statements_of(alice.post(NEW, form(request_key=str(uuid4())))) <= 8
    assert statements_of(alice.post(f"{ticket}/reply", {"message": "x"})) <= 8


def test_a_full_list_stays_below_40_kilobytes(alice):
    for number in range(26):
        opened(alice, subject=f"A subject of the usual length, number {number} of many")
    page = alice.get("/portal/tickets")
    assert page.get_data(as_text=True).count("data-live-row") == 18
    assert len(page.get_data()) <= 40 * 1024


def test_every_form_needs_its_token(alice):
    ticket = opened(alice)
    for path in (NEW, f"{ticket}/reply", f"{ticket}/close", "/portal/logout", "/portal/preferences"):
        assert alice.client.post(path, base_url="http://127.0.0.1", data=form()).status_code == 400


def test_the_page_speaks_the_readers_language(alice):
    page = alice.get("/portal/tickets?lang=ar").get_data(as_text=True)
    assert '<html lang="ar" dir="rtl"' in page
