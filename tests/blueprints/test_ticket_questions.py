"""What surrounds the acts: questions as pages of their own, kept texts, promises before sending, near misses."""

import re
from html import unescape
from uuid import uuid4

import pytest

from tests.browsing import csrf_token, sign_in

NEW = "/portal/tickets/new"


@pytest.fixture
def alice(app, world):
    return sign_in(app, world, "alice")


def opened(browser, **fields):
    form = {"request_key": str(uuid4()), "subject": "VPN", "description": "d", "category": "drill"} | fields
    return browser.post(NEW, form).headers["Location"]


def text_of(answer):
    return unescape(answer.get_data(as_text=True))


@pytest.mark.parametrize(("question", "words"), [("close", "Close TCK-"), ("cancel", "Why is it no longer needed?")])
def test_without_scripts_a_question_is_a_page(alice, question, words):
    ticket = opened(alice)
    page = alice.get(f"{ticket}/{question}")
    assert page.status_code == 200
    assert words in text_of(page)
    assert csrf_token(page)
    assert f'href="{ticket}/{question}"' in text_of(alice.get(ticket))


def test_a_question_that_does_not_arise_leads_back(alice):
    ticket = opened(alice)
    assert alice.get(f"{ticket}/rate").headers["Location"] == ticket
    alice.post(f"{ticket}/close")
    assert alice.get(f"{ticket}/close").headers["Location"] == ticket
    assert alice.get(f"{ticket}/rate").status_code == 200


@pytest.mark.parametrize("question", ["close", "cancel", "rate"])
def test_strangers_are_not_asked(app, world, alice, question):
    ticket = opened(alice)
    assert sign_in(app, world, "charlie").get(f"{ticket}/{question}").status_code == 404


def test_a_rating_that_cannot_be_taken_keeps_the_comment(alice):
    ticket = opened(alice)
    alice.post(f"{ticket}/close")
    answer = alice.post(f"{ticket}/rate", {"rating": "", "comment": "Typed with care"})
    assert answer.status_code == 422
    assert "Typed with care" in text_of(answer)
    assert "Choose a value from 1 to 5." in text_of(answer)


def test_a_reason_that_cannot_be_stored_is_kept(alice):
    answer = alice.post(f"{opened(alice)}/cancel", {"reason": "x" * 2001})
    assert answer.status_code == 422
    assert "x" * 2001 in text_of(answer)
    assert "At most 2000 characters." in text_of(answer)


def test_a_reply_to_a_closed_ticket_can_reopen_it(alice):
    ticket = opened(alice)
    alice.post(f"{ticket}/close")
    refused = alice.post(f"{ticket}/reply", {"message": "But it still happens"})
    assert refused.status_code == 409
    assert f'action="{ticket}/reopen"' in text_of(refused)
    assert ">But it still happens</textarea>" in text_of(refused)
    assert alice.post(f"{ticket}/reopen", {"message": "But it still happens"}).status_code == 303
    page = text_of(alice.get(ticket))
    assert "reopened the ticket" in page
    assert "<p>But it still happens</p>" in page


def test_reopening_with_text_that_cannot_be_stored_changes_nothing(alice):
    ticket = opened(alice)
    alice.post(f"{ticket}/close")
    answer = alice.post(f"{ticket}/reopen", {"message": "a\x00b"})
    assert answer.status_code == 422
    assert "Closed" in text_of(alice.get(ticket))


def test_a_reply_to_a_cancelled_ticket_is_not_lost(alice):
    ticket = opened(alice)
    alice.post(f"{ticket}/cancel", {"reason": "Found it"})
    answer = alice.post(f"{ticket}/reply", {"message": "Oh, one more thing"})
    assert answer.status_code == 409
    assert "Oh, one more thing" in text_of(answer)


def test_done_is_said_once(alice):
    answer = alice.post(NEW, {"subject": "Said once", "description": "d", "category": "drill"})
    ticket = answer.headers["Location"]
    assert "sent" in re.search(r"Ticket TCK-\d+ sent", text_of(alice.get(ticket)))[0]
    assert not re.search(r"Ticket TCK-\d+ sent", text_of(alice.get(ticket)))


def test_the_promise_shows_before_sending(alice):
    page = text_of(alice.get(f"{NEW}?category=drill"))
    assert "within 20 s" in page
    assert "within 1 min 30 s" in page
    assert "Escalates to the team lead if unanswered" in page


def test_the_promise_follows_the_category(alice):
    part = text_of(alice.get(f"{NEW}/promise?category=billing&priority=normal", headers={"HX-Request": "true"}))
    assert "<html" not in part
    assert "First answer" in part
    assert "within 20 s" not in part


@pytest.mark.parametrize("query", ["", "?category=%00", "?category=nonsense&priority=%00", "?category=drill&x=1"])
def test_any_address_of_the_promise_answers(alice, query):
    assert alice.get(f"{NEW}/promise{query}").status_code == 200


def test_an_empty_list_names_the_filter_that_hides_the_most(alice):
    for number in range(3):
        opened(alice, subject=f"Hidden {number}", category="billing")
    page = text_of(alice.get("/portal/tickets?q=Hidden&category=feature_request"))
    assert re.search(r"Without “Category: Feature request” there are \d+ tickets", page)
    assert "Remove “Feature request”" in page


def test_an_empty_state_says_where_to_look_instead(alice):
    opened(alice, subject="Onlyopen")
    page = text_of(alice.get("/portal/tickets?q=Onlyopen&view=solved"))
    assert "In all states there is 1 ticket." in page
    assert "Look in all states" in page


def test_the_search_of_the_frame_looks_everywhere(alice):
    ticket = opened(alice, subject="Findmeclosed")
    alice.post(f"{ticket}/close")
    assert "data-live-row" in text_of(alice.get("/portal/tickets?q=Findmeclosed"))


def test_one_answer_reads_in_the_order_it_happened(alice):
    ticket = opened(alice)
    page = text_of(alice.get(ticket))
    steps = [page.index(f"to the {who} if {what}") for what in ("unanswered", "unsolved") for who in ("team lead",)]
    assert page.index("opened the ticket") < steps[0] < steps[1]


def test_a_foreign_ticket_leads_back_to_the_list(alice):
    page = text_of(alice.get(f"/portal/tickets/{uuid4()}"))
    assert "Ticket not found" in page
    assert 'href="/portal/tickets"' in page


def test_only_what_broke_shows_its_number(alice):
    assert "Request " not in text_of(alice.get("/portal/nope"))
