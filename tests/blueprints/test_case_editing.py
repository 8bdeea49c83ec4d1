"""Editing a message by page and program, on both sides."""

from html import unescape

import pytest

from tests.blueprints.conftest import DESK, TICKETS, problem
from tests.browsing import sign_in


@pytest.fixture
def sent(api, ticket):
    made = ticket()
    entry = api("bob").post(f"{TICKETS}/{made['id']}/reply", json={"message": "Frist words"}).get_json()
    return made["id"], entry["id"]


def text_of(answer):
    return unescape(answer.get_data(as_text=True))


def test_by_program(api, sent):
    ticket, message = sent
    path = f"{TICKETS}/{ticket}/messages/{message}"
    found = api("bob").patch(path, json={"message": "First words"})
    assert found.status_code == 200
    assert found.get_json()["message"] == "First words"
    assert found.get_json()["edited_at"]
    [shown] = api("sam").get(f"{DESK}/{ticket}").get_json()["messages"]
    assert shown["edited_at"] == found.get_json()["edited_at"]
    earlier = api("sam").get(f"{DESK}/{ticket}/messages/{message}/earlier").get_json()
    assert [row["message"] for row in earlier["items"]] == ["Frist words"]


def test_refusals_have_codes(api, sent):
    ticket, message = sent
    path, body = f"{TICKETS}/{ticket}/messages/{message}", {"message": "Other"}
    problem(api("alice").patch(path, json=body), 403, "not_the_author")
    problem(api("charlie").patch(path, json=body), 404, "ticket_not_found")
    problem(api("sam").patch(f"{DESK}/{ticket}/messages/{message}", json=body), 403, "not_the_author")
    problem(api("bob").patch(f"{TICKETS}/{ticket}/messages/{ticket}", json=body), 404, "message_not_found")
    problem(api("bob").get(f"{DESK}/{ticket}/messages/{message}/earlier"), 403, "not_allowed")
    api("sam").post(f"{DESK}/{ticket}/reply", json={"message": "Thanks."})
    problem(api("bob").patch(path, json=body), 409, "message_answered")


def test_the_author_s_page_offers_it_and_both_sides_see_the_mark(app, world, sent):
    ticket, message = sent
    page = f"/portal/tickets/{ticket}"
    edit, bob, sam = f"{page}/messages/{message}/edit", sign_in(app, world, "bob"), sign_in(app, world, "sam")
    assert edit in text_of(bob.get(page))
    assert edit not in text_of(sign_in(app, world, "alice").get(page))
    assert "Frist words" in text_of(bob.get(edit))
    assert bob.post(edit, {"message": " "}).status_code == 422
    assert bob.post(edit, {"message": "First words"}).headers["Location"] == f"{page}#message-{message}"
    assert ">edited " in text_of(bob.get(page))
    assert "Frist" not in text_of(bob.get(page))
    earlier = f"/admin/tickets/{ticket}/messages/{message}"
    assert f'href="{earlier}"' in text_of(sam.get(f"/admin/tickets/{ticket}"))
    assert "Frist words" in text_of(sam.get(earlier))
    assert sign_in(app, world, "alice").get(edit).status_code == 403


def test_staff_edit_their_answer_by_page(app, api, world, sent):
    ticket, _ = sent
    answer = api("sam").post(f"{DESK}/{ticket}/reply", json={"message": "Rebot"}).get_json()["id"]
    edit = f"/admin/tickets/{ticket}/messages/{answer}/edit"
    sam, bob = sign_in(app, world, "sam"), sign_in(app, world, "bob")
    assert f'href="{edit}"' in text_of(sam.get(f"/admin/tickets/{ticket}"))
    assert sign_in(app, world, "mia").get(edit).status_code == 403
    assert sam.post(edit, {"message": "Reboot"}).status_code == 303
    assert "Reboot" in text_of(bob.get(f"/portal/tickets/{ticket}"))
    bob.post(f"/portal/tickets/{ticket}/reply", {"message": "Done."})
    late = sam.post(edit, {"message": "Never mind"})
    assert late.status_code == 409
    assert "Never mind" in text_of(late)
    assert sam.get(edit).status_code == 303


def test_an_answer_that_came_meanwhile_keeps_the_words_on_the_page(app, api, world, sent):
    ticket, message = sent
    api("sam").post(f"{DESK}/{ticket}/reply", json={"message": "Thanks."})
    late = sign_in(app, world, "bob").post(
        f"/portal/tickets/{ticket}/messages/{message}/edit", {"message": "Typed with care"}
    )
    assert late.status_code == 409
    assert "Typed with care" in text_of(late)


def test_the_timeline_says_that_the_clock_stands_still_and_why(app, api, world, sent):
    ticket, _ = sent
    page, bob = f"/portal/tickets/{ticket}", sign_in(app, world, "bob")
    assert "until you answer" not in text_of(bob.get(page))
    api("sam").post(f"{DESK}/{ticket}/reply", json={"message": "Which?", "status": "waiting_customer"})
    shown = text_of(bob.get(page))
    assert "Paused: waiting for you" in shown
    assert "until you answer" in shown
