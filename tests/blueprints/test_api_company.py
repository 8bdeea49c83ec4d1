"""People and invitations of the own company, and ways to an account, through the API."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from portal.models import Invitation, Person
from tests.blueprints.conftest import codes, problem
from tests.browsing import Program
from tests.invited import NEW_PASSWORD
from tests.world import PASSWORD, World, _add_company

COMPANY = "/api/v1/portal/company"
AUTH = "/api/v1/auth"


def body(letters: Any, **fields: Any) -> dict[str, Any]:
    return {"name": "Nina New", "email": letters.address(), "role": "customer", "password": PASSWORD, **fields}


def test_invite_list_renew_revoke(api: Any, letters: Any) -> None:
    alice, sent = api("alice"), body(letters, role="customer.admin", locale="de")
    made = alice.post(f"{COMPANY}/invitations", json=sent)
    assert made.status_code == 201
    found = made.get_json()
    assert (found["email"], found["role"], found["state"], found["invited_by"]) == (
        sent["email"],
        "customer.admin",
        "sent",
        "Alice Moreau",
    )
    assert "token" not in str(found)
    listed = alice.get(f"{COMPANY}/invitations?limit=1").get_json()
    assert listed["items"] == [found]
    problem(alice.post(f"{COMPANY}/invitations", json=sent), 409, "already_invited")
    problem(alice.post(f"{COMPANY}/invitations/{found['id']}/renew"), 409, "invited_too_often")
    assert alice.post(f"{COMPANY}/invitations/{found['id']}/revoke").get_json()["state"] == "revoked"
    problem(alice.post(f"{COMPANY}/invitations/{found['id']}/revoke"), 409, "invitation_over")


def test_renewing_makes_another_link(api: Any, letters: Any, world: World) -> None:
    made = letters.invite("alice", datetime.now(UTC) - timedelta(hours=1))
    old = letters.token(made)
    assert api("alice").post(f"{COMPANY}/invitations/{made}/renew").status_code == 200
    new = letters.token(made)
    anybody = api(None)
    join = {"name": "Nina", "password": NEW_PASSWORD}
    problem(anybody.post(f"{AUTH}/join", json={"token": old, **join}), 409, "link_expired")
    tokens = anybody.post(f"{AUTH}/join", json={"token": new, **join})
    assert tokens.status_code == 200
    me = Program(anybody.client, anybody.host, tokens.get_json()["access_token"]).get(f"{AUTH}/me").get_json()
    assert (me["name"], me["roles"], me["companies"][0]["name"]) == ("Nina", ["customer"], "Acme")


def test_pages_of_the_list(api: Any, letters: Any) -> None:
    for _ in range(3):
        letters.invite("charlie", datetime.now(UTC), company="globex", email=letters.address("globex.example"))
    charlie = api("charlie")
    first = charlie.get(f"{COMPANY}/invitations?limit=2").get_json()
    second = charlie.get(f"{COMPANY}/invitations?limit=2&cursor={first['next_cursor']}").get_json()
    ids = [item["id"] for item in first["items"] + second["items"]]
    assert len(ids) == len(set(ids)) >= 3
    assert codes(charlie.get(f"{COMPANY}/invitations?cursor=zzz")) == {"cursor": "cursor_invalid"}


def test_without_the_own_password_nothing_changes(api: Any, letters: Any, world: World) -> None:
    alice, bob = api("alice"), letters.person_of("bob@acme.example")
    for path, sent in (
        ("invitations", body(letters)),
        ("people", {"name": "X", "email": letters.address()}),
        (f"people/{bob}/deactivate", {}),
        (f"people/{bob}/reactivate", {}),
    ):
        for proof in ({}, {"password": "wrong"}):
            sent = {name: value for name, value in sent.items() if name != "password"} | proof
            problem(alice.post(f"{COMPANY}/{path}", json=sent), 403, "step_up_required")
    problem(alice.patch(f"{COMPANY}/people/{bob}", json={"role": "customer.admin"}), 403, "step_up_required")
    assert letters.login_of("bob@acme.example").portal_access


def test_outsiders(api: Any, letters: Any, world: World) -> None:
    made, bob = letters.invite("alice", datetime.now(UTC)), letters.person_of("bob@acme.example")
    proof = {"password": PASSWORD}
    calls = [
        ("POST", f"invitations/{made}/renew", {}),
        ("POST", f"invitations/{made}/revoke", {}),
        ("PATCH", f"people/{bob}", {"name": "Mallory"} | proof),
        ("POST", f"people/{bob}/deactivate", proof),
        ("POST", f"people/{bob}/reactivate", proof),
        ("DELETE", f"people/{bob}", proof),
    ]
    for who, status in (("bob", 403), ("charlie", 404), ("nia", 404), ("sam", 403), (None, 401)):
        caller = api(who)
        for method, path, sent in calls:
            answer = caller.request(method, f"{COMPANY}/{path}", json=sent)
            assert answer.status_code == status, (who, path, answer.get_data(as_text=True))
    acme = str(world.companies["acme"])
    charlie = api("charlie")
    foreign = charlie.post(f"{COMPANY}/invitations", json=body(letters, company_id=acme))
    assert codes(foreign) == {"company_id": "unknown_company"}
    for path in ("people", "invitations"):
        assert codes(charlie.get(f"{COMPANY}/{path}?company={acme}")) == {"company": "unknown_company"}
    problem(api("bob").post(f"{COMPANY}/invitations", json=body(letters)), 403, "not_allowed")
    problem(api("bob").get(f"{COMPANY}/invitations"), 403, "not_allowed")
    problem(api("sam").get(f"{COMPANY}/people"), 403, "no_company")
    problem(api("charlie").get(f"{COMPANY}/people/{bob}"), 404, "contact_not_found")
    assert letters.row(made).revoked_at is None


def test_people_as_members_and_administrators_see_them(api: Any) -> None:
    alice = {row["name"]: row for row in api("alice").get(f"{COMPANY}/people").get_json()["items"]}
    bob = {row["name"]: row for row in api("bob").get(f"{COMPANY}/people").get_json()["items"]}
    assert alice["Bob Keller"]["active"] is True
    assert alice["Bob Keller"]["status"] == "active"
    assert (bob["Alice Moreau"]["active"], bob["Alice Moreau"]["status"], bob["Alice Moreau"]["last_seen_at"]) == (
        None,
        None,
        None,
    )
    assert "Charlie Laurent" not in {**alice, **bob}


def test_a_contact_from_add_to_remove(api: Any, letters: Any) -> None:
    alice, proof = api("alice"), {"password": PASSWORD}
    sent = {"name": "Front Desk", "email": letters.address(), "phone": "0472550199"} | proof
    made = alice.post(f"{COMPANY}/people", json=sent)
    assert made.status_code == 201
    found = made.get_json()
    assert (found["phone"], found["role"]) == ("+33472550199", None)
    path = f"{COMPANY}/people/{found['id']}"
    changed = alice.patch(path, json={"phone": None, "title": "Desk"} | proof).get_json()
    assert (changed["phone"], changed["title"], changed["name"]) == (None, "Desk", "Front Desk")
    assert codes(alice.patch(path, json=proof)) == {"": "nothing_to_change"}
    assert alice.request("DELETE", path, json=proof).status_code == 204
    problem(alice.get(path), 404)
    bob = letters.person_of("bob@acme.example")
    moved = alice.patch(f"{COMPANY}/people/{bob}", json={"email": "mine@evil.example"} | proof)
    assert codes(moved) == {"email": "login_owns_address"}
    problem(alice.request("DELETE", f"{COMPANY}/people/{bob}", json=proof), 409, "contact_has_login")


@pytest.mark.parametrize(
    "sent",
    [
        {"role": 5},
        {"role": "agent"},
        {"email": ["a@b.example"]},
        {"name": None},
        {"company_id": "x"},
        {"user_id": "x"},
        {"invited_by": "x"},
        {"state": "accepted"},
        {"locale": 1},
        {"email": "a@b.example\u0000"},
    ],
)
def test_odd_bodies(api: Any, letters: Any, sent: dict[str, Any], world: World) -> None:
    email = letters.address()
    problem(api("alice").post(f"{COMPANY}/invitations", json=body(letters, email=email) | sent), 422)
    with letters.sessions.begin(world.demo) as session:
        assert session.scalars(select(Invitation).where(Invitation.email == email)).all() == []


def test_one_key_sends_one_invitation(api: Any, letters: Any) -> None:
    alice, sent = api("alice"), body(letters)
    answers = [
        alice.post(f"{COMPANY}/invitations", json=sent, headers={"Idempotency-Key": sent["email"]}) for _ in "ab"
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].get_json() == answers[1].get_json()


@pytest.fixture
def contact(letters: Any, world: World) -> dict[str, str]:
    """A customer who is known and has no login."""
    number = uuid4().hex[:8]
    with letters.sessions.begin(world.demo) as session:
        company = _add_company(session, f"Initech {number}", number)
        email = f"{number}@initech.example"
        session.add(Person(id=uuid4(), tenant_id=world.demo, company_id=company, name="Milo B", email=email))
    return {"number": number, "email": email}


def test_an_account_by_customer_number(api: Any, letters: Any, contact: dict[str, str]) -> None:
    anybody = api(None)
    answers = [
        anybody.post(f"{AUTH}/link-account", json={"customer_number": number})
        for number in (contact["number"], "x", "ACM")
    ]
    assert [answer.status_code for answer in answers] == [202] * 3
    assert {answer.get_data() for answer in answers} == {b'{"challenge":null,"expires_in":1800}'}
    token = letters.link_for(contact["email"])
    confirm = f"{AUTH}/link-account/confirm"
    assert codes(anybody.post(confirm, json={"token": token, "password": "short"}))["password"]
    assert anybody.post(confirm, json={"token": token, "password": NEW_PASSWORD}).status_code == 200
    problem(anybody.post(confirm, json={"token": token, "password": NEW_PASSWORD}), 409, "link_expired")
    sent = {"identifier": contact["email"], "password": NEW_PASSWORD}
    assert anybody.post(f"{AUTH}/token", json=sent).status_code == 200


def test_thirty_at_once_open_one_account(app: Any, api: Any, letters: Any, contact: dict[str, str]) -> None:
    anybody = api(None)
    anybody.post(f"{AUTH}/link-account", json={"customer_number": contact["number"]})
    sent = {"token": letters.link_for(contact["email"]), "password": NEW_PASSWORD}
    ready, answers = threading.Barrier(30), []

    def take() -> None:
        mine = Program(app.test_client(), "127.0.0.1", None)
        ready.wait(20)
        answers.append(mine.post(f"{AUTH}/link-account/confirm", json=sent).status_code)

    threads = [threading.Thread(target=take) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(answers) == [200] + [409] * 29


@pytest.mark.parametrize("sent", [{}, {"customer_number": "1", "phone": "2"}, {"customer_number": ""}, {"phone": None}])
def test_exactly_one_way_of_being_known(api: Any, sent: dict[str, Any]) -> None:
    problem(api(None).post(f"{AUTH}/link-account", json=sent), 422)


def test_codes_of_nobody(api: Any) -> None:
    sent = {"challenge": str(uuid4()), "code": "123456"}
    problem(api(None).post(f"{AUTH}/link-account/verify", json=sent), 409, "link_expired")
