"""Drafts at both doors and by program."""

from tests.blueprints.conftest import TICKETS, problem
from tests.browsing import sign_in


def test_a_draft_is_there_again_after_another_sign_in_and_gone_once_sent(app, world, ticket):
    place = f"reply:{ticket()['id']}"
    first = sign_in(app, world, "bob")
    assert first.post("/portal/drafts", {"place": place, "message": "Half a sen"}).status_code == 204
    again = sign_in(app, world, "bob")
    assert again.get(f"/portal/drafts?place={place}").get_json() == {"fields": {"message": "Half a sen"}}
    assert sign_in(app, world, "alice").get(f"/portal/drafts?place={place}").get_json() == {"fields": {}}
    again.post(f"/portal/tickets/{place.partition(':')[2]}/reply", {"message": "Half a sentence"})
    assert again.get(f"/portal/drafts?place={place}").get_json() == {"fields": {}}


def test_the_team_s_own_door(app, world, ticket):
    place = f"note:{ticket()['id']}"
    sam = sign_in(app, world, "sam")
    assert sam.post("/admin/drafts", {"place": place, "message": "Hm"}).status_code == 204
    assert sam.get(f"/admin/drafts?place={place}").get_json() == {"fields": {"message": "Hm"}}
    assert sign_in(app, world, "bob").get(f"/portal/drafts?place={place}").status_code == 404


def test_nobody_keeps_anything_without_a_session_or_token(app, world, ticket):
    bob = sign_in(app, world, "bob")
    forged = bob.client.post("/portal/drafts", base_url=f"http://{bob.host}", data={"place": "new", "subject": "x"})
    assert forged.status_code == 400
    headers = {"X-Portal-Live": "1", "HX-Request": "true"}
    assert app.test_client().get("/portal/drafts?place=new", headers=headers).status_code == 401


def test_by_program(api, ticket):
    path = f"/api/v1/portal/drafts/reply:{ticket()['id']}"
    bob = api("bob")
    kept = bob.request("PUT", path, json={"fields": {"message": "Half"}})
    assert kept.status_code == 200
    assert bob.get(path).get_json()["fields"] == {"message": "Half"}
    problem(api("charlie").get(path), 404, "ticket_not_found")
    problem(bob.request("PUT", path, json={"fields": {"evil": "x"}}), 422, "invalid")
    problem(api("sam").get(path), 403, "not_allowed")
    assert bob.request("PUT", path, json={"fields": {"message": ""}}).get_json() == {"fields": {}, "updated_at": None}
    bob.request("PUT", "/api/v1/portal/drafts/new", json={"fields": {"subject": "x"}})
    bob.post(TICKETS, json={"subject": "x", "description": "y", "category": "drill"})
    assert bob.get("/api/v1/portal/drafts/new").get_json()["fields"] == {}
