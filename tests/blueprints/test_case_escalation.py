"""Asking for escalation by page and program: what is shown next, once while unanswered, strangers."""

from html import unescape

import pytest

from tests.blueprints.conftest import DESK, TICKETS, problem
from tests.browsing import sign_in

REASON = {"reason": "Nobody calls back."}


def test_the_answer_shows_what_happened_and_what_comes(api, ticket):
    path, bob = f"{TICKETS}/{ticket()['id']}", api("bob")
    found = bob.post(f"{path}/escalate", json=REASON).get_json()
    assert found["escalation_level"] == 1
    kinds = [line["kind"] for line in found["timeline"]]
    assert {"escalation_requested", "escalated"} <= set(kinds)
    assert any("Nobody calls back." in line["text"] for line in found["timeline"])
    assert found["next_step"]["kind"].startswith("sla_")


def test_thirty_at_once_escalate_once(api, ticket, together):
    path, bob = f"{TICKETS}/{ticket()['id']}", api("bob")
    answers = together(30, bob, f"{path}/escalate", REASON)
    codes = sorted(answer.status_code for answer in answers)
    assert codes == [200] + [409] * 29
    kinds = [line["kind"] for line in bob.get(path).get_json()["timeline"]]
    assert (kinds.count("escalation_requested"), kinds.count("escalated")) == (1, 1)


def test_refusals_have_codes(api, ticket):
    made = ticket()
    path = f"{TICKETS}/{made['id']}/escalate"
    problem(api("charlie").post(path, json=REASON), 404, "ticket_not_found")
    problem(api("sam").post(path, json=REASON), 403, "not_allowed")
    problem(api("bob").post(path, json={"reason": ""}), 422, "invalid")
    assert api("bob").post(path, json=REASON).status_code == 200
    problem(api("alice").post(path, json=REASON), 409, "already_escalated")
    api("sam").post(f"{DESK}/{made['id']}/reply", json={"message": "On it."})
    assert api("alice").post(path, json=REASON).status_code == 200


def test_the_page_asks_why_and_offers_it_no_more(app, world, ticket):
    made = ticket()
    page, bob = f"/portal/tickets/{made['id']}", sign_in(app, world, "bob")
    assert f'href="{page}/escalate"' in bob.get(page).get_data(as_text=True)
    question = bob.get(f"{page}/escalate")
    assert "Why does it need more attention?" in unescape(question.get_data(as_text=True))
    empty = bob.post(f"{page}/escalate", {"reason": " "})
    assert empty.status_code == 422
    assert bob.post(f"{page}/escalate", REASON).headers["Location"] == page
    shown = unescape(bob.get(page).get_data(as_text=True))
    assert f'href="{page}/escalate"' not in shown
    assert "Bob Keller asked for escalation: Nobody calls back." in shown
    again = bob.post(f"{page}/escalate", REASON)
    assert again.status_code == 409
    assert "is escalated already" in unescape(again.get_data(as_text=True))


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_stranger_s_page_is_not_found(app, world, ticket, method):
    page = f"/portal/tickets/{ticket()['id']}/escalate"
    assert getattr(sign_in(app, world, "charlie"), method)(page).status_code == 404


def test_a_cancelled_ticket_leads_to_a_new_one_like_it(app, world, ticket):
    page, bob = f"/portal/tickets/{ticket(subject='Printer jams')['id']}", sign_in(app, world, "bob")
    bob.post(f"{page}/cancel", {"reason": "Bought another."})
    shown = unescape(bob.get(page).get_data(as_text=True))
    assert "Bob Keller cancelled the ticket: Bought another." in shown
    assert "/portal/tickets/new?subject=Printer" in shown
    form = bob.get("/portal/tickets/new?subject=Printer+jams&category=drill").get_data(as_text=True)
    assert 'value="Printer jams"' in form
