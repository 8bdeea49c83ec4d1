"""Colleagues through the API and on pages: what followers may, what outsiders get, what races do."""

import io
from typing import Any

import pytest

from tests.blueprints.conftest import TICKETS, codes, problem
from tests.browsing import sign_in
from tests.world import World

SHARING = "/api/v1/portal/company/ticket-sharing"


@pytest.fixture
def shared(api: Any, ticket: Any, world: World) -> dict[str, Any]:
    made: dict[str, Any] = ticket("alice")
    answer = api("alice").post(f"{TICKETS}/{made['id']}/followers", json={"user_id": str(world.people["bob"].user_id)})
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return made


def test_a_follower_reads_answers_and_leaves(api: Any, shared: Any, world: World) -> None:
    path, bob = f"{TICKETS}/{shared['id']}", api("bob")
    found = bob.get(f"{path}/followers").get_json()
    assert [one["name"] for one in found["items"]] == ["Bob Keller"]
    assert found["others"] == []
    assert bob.post(f"{path}/reply", json={"message": "Here as well."}).status_code == 201
    for action, body in (("close", {}), ("cancel", {"reason": "x"}), ("rate", {"rating": 5}), ("reopen", {})):
        problem(bob.post(f"{path}/{action}", json=body), 403, "not_allowed")
    assert bob.request("DELETE", f"{path}/followers/{world.people['bob'].user_id}").status_code == 204
    problem(bob.get(path), 404, "ticket_not_found")


@pytest.mark.parametrize("outsider", ["charlie", "nia"])
def test_outsiders_find_nothing_to_share(api: Any, shared: Any, world: World, outsider: str) -> None:
    path, stranger = f"{TICKETS}/{shared['id']}/followers", api(outsider)
    me = str(world.people[outsider].user_id)
    for answer in (
        stranger.get(path),
        stranger.post(path, json={"user_id": me}),
        stranger.request("DELETE", f"{path}/{world.people['bob'].user_id}"),
    ):
        problem(answer, 404, "ticket_not_found")
    problem(api("alice").post(path, json={"user_id": me}), 404, "colleague_not_found")


def test_thirty_at_once_make_one_follower(api: Any, ticket: Any, together: Any, world: World) -> None:
    made = ticket("alice")
    answers = together(
        30, api("alice"), f"{TICKETS}/{made['id']}/followers", {"user_id": str(world.people["bob"].user_id)}
    )
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [201, *[409] * 29]


def test_a_files_address_ends_with_the_following(api: Any, shared: Any, world: World, app: Any) -> None:

    alice = api("alice")
    sent = alice.request(
        "POST",
        "/api/v1/portal/attachments",
        data={"file": (io.BytesIO(b"just a line\n"), "vpn.log")},
        content_type="multipart/form-data",
    )
    assert sent.status_code == 201, sent.get_data(as_text=True)
    file_id = sent.get_json()["id"]
    body = {"message": "See the log.", "attachment_ids": [file_id]}
    assert alice.post(f"{TICKETS}/{shared['id']}/reply", json=body).status_code == 201
    bob = api("bob")
    link = bob.get(f"/api/v1/portal/attachments/{file_id}/link").get_json()["url"]
    address = link.removeprefix("http://127.0.0.1")
    assert bob.get(address).status_code == 200
    alice.request("DELETE", f"{TICKETS}/{shared['id']}/followers/{world.people['bob'].user_id}")
    assert bob.get(address).status_code == 404
    problem(bob.get(f"/api/v1/portal/attachments/{file_id}/link"), 404)


def test_administrators_switch_sharing_and_others_do_not(api: Any, ticket: Any, world: World) -> None:
    made = ticket("alice")
    problem(api("bob").patch(SHARING, json={"shares_tickets": True}), 403, "not_allowed")
    globex = str(world.companies["globex"])
    foreign = api("alice").patch(SHARING, json={"shares_tickets": True, "company_id": globex})
    assert codes(foreign) == {"company_id": "unknown_company"}
    assert codes(api("bob").get(f"{SHARING}?company={globex}")) == {"company": "unknown_company"}
    assert api("bob").get(SHARING).get_json()["shares_tickets"] is False
    try:
        assert api("alice").patch(SHARING, json={"shares_tickets": True}).get_json()["shares_tickets"] is True
        path = f"{TICKETS}/{made['id']}"
        assert api("bob").get(path).status_code == 200
        problem(api("bob").post(f"{path}/close"), 403, "not_allowed")
        problem(api("charlie").get(path), 404)
    finally:
        staff = f"/api/v1/staff/companies/{world.companies['acme']}/ticket-sharing"
        problem(api("sam").patch(staff, json={"shares_tickets": False}), 403)
        assert api("mia").patch(staff, json={"shares_tickets": False}).status_code == 200
    problem(api("bob").get(f"{TICKETS}/{made['id']}"), 404)


def test_the_page_shares_offers_followers_the_answer_alone_and_lets_them_go(
    app: Any, ticket: Any, world: World
) -> None:
    made = ticket("alice")
    alice, bob = sign_in(app, world, "alice"), sign_in(app, world, "bob")
    path, bob_id = f"/portal/tickets/{made['id']}", world.people["bob"].user_id
    assert bob.get(path).status_code == 404
    page = alice.get(f"{path}/colleagues").get_data(as_text=True)
    assert str(bob_id) in page
    assert alice.post(f"{path}/colleagues", {"user_id": str(bob_id)}).status_code == 303
    seen = bob.get(path).get_data(as_text=True)
    assert f"{path}/reply" in seen
    assert f"{path}/close" not in seen
    assert f"{path}/cancel" not in seen
    drawer = bob.get(f"{path}/colleagues", headers={"HX-Request": "true"}).get_data(as_text=True)
    assert "Stop following" in drawer
    assert "<html" not in drawer
    answer = bob.post(f"{path}/colleagues/{bob_id}/remove")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/portal/tickets")
    assert bob.get(path).status_code == 404


def test_the_companys_page_and_the_teams_switch_sharing(app: Any, world: World) -> None:
    alice, mia = sign_in(app, world, "alice"), sign_in(app, world, "mia")
    acme = world.companies["acme"]
    details = f"/admin/companies/details/?id={acme}"
    assert alice.post("/portal/account/company/sharing", {"shares_tickets": "1"}).status_code == 303
    assert 'name="shares_tickets" value="1" checked' in mia.get(details).get_data(as_text=True)
    assert mia.post(f"/admin/companies/{acme}/sharing").status_code == 303
    page = alice.get("/portal/account/company").get_data(as_text=True)
    assert 'name="shares_tickets"' in page
    assert 'name="shares_tickets" value="1" checked' not in page
