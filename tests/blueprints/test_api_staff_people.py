"""Companies, people and the team through staff's API."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from portal.models import Membership, Person, Role, User, UserKind, UserStatus
from tests.blueprints.conftest import codes, problem
from tests.world import PASSWORD, World

STAFF = "/api/v1/staff"
PROOF = {"password": PASSWORD}


@pytest.fixture
def login(letters: Any, world: World) -> Any:
    """Make a login of this test's own; gives the person's id and the address."""

    def make(kind: UserKind = UserKind.CUSTOMER, role: Role = Role.CUSTOMER) -> tuple[str, str]:
        company = world.companies["acme"] if kind is UserKind.CUSTOMER else None
        email = letters.address("acme.example" if company else "demo.example")
        hashed = letters.app.extensions["portal_passwords"].hash(PASSWORD)
        with letters.sessions.begin(world.demo) as session:
            person = Person(id=uuid4(), tenant_id=world.demo, company_id=company, name="Cole League", email=email)
            session.add(person)
            session.flush()
            user = User(id=uuid4(), tenant_id=world.demo, person_id=person.id, kind=kind, status=UserStatus.ACTIVE,
                        password_hash=hashed, mail_preferences={})  # fmt: skip
            session.add(user)
            session.flush()
            session.add(Membership(tenant_id=world.demo, user_id=user.id, company_id=company, role=role))
        return str(person.id), email

    return make


def test_companies_from_create_to_list(api: Any) -> None:
    mia, number = api("mia"), uuid4().hex[:8]
    sent = {"name": f"Zebra {number}", "customer_number": number, "country": "fr", "phone": "0472550100"}
    made = mia.post(f"{STAFF}/companies", json=sent)
    assert made.status_code == 201
    found = made.get_json()
    assert (found["country"], found["phone"], found["people"]) == ("FR", "+33472550100", 0)
    path = f"{STAFF}/companies/{found['id']}"
    assert mia.patch(path, json={"city": "Lyon", "phone": None}).get_json()["city"] == "Lyon"
    assert mia.get(path).get_json()["phone"] is None
    assert codes(mia.patch(path, json={})) == {"": "nothing_to_change"}
    assert codes(mia.post(f"{STAFF}/companies", json=sent)) == {"customer_number": "number_taken"}
    assert [row["id"] for row in mia.get(f"{STAFF}/companies?q={number}").get_json()["items"]] == [found["id"]]


def test_lists_are_paged_by_name(api: Any, letters: Any, world: World) -> None:
    sam = api("sam")
    for path in ("companies", "people"):
        whole = [row["id"] for row in sam.get(f"{STAFF}/{path}?limit=100").get_json()["items"]]
        seen, cursor = [], ""
        for _ in range(100):
            page = sam.get(f"{STAFF}/{path}?limit=2{cursor}").get_json()
            seen += [row["id"] for row in page["items"]]
            if page["next_cursor"] is None or len(seen) >= len(whole):
                break
            cursor = f"&cursor={page['next_cursor']}"
        assert seen[: len(whole)] == whole[: len(seen)]
        assert len(seen) == len(set(seen)) >= 3
    customers = sam.get(f"{STAFF}/people?kind=customer&company={world.companies['globex']}&limit=100").get_json()[
        "items"
    ]
    assert "Charlie Laurent" in {row["name"] for row in customers}
    assert {row["kind"] for row in customers} == {"customer"}


def test_a_person_from_contact_to_suspended_login(api: Any, letters: Any, world: World) -> None:
    mia, acme = api("mia"), str(world.companies["acme"])
    made = mia.post(f"{STAFF}/people", json={"company_id": acme, "name": "Zoe Desk", "email": letters.address()})
    assert made.status_code == 201
    zoe = made.get_json()
    path = f"{STAFF}/people/{zoe['id']}"
    assert mia.patch(path, json={"title": "Desk"}).get_json()["title"] == "Desk"
    problem(mia.post(f"{path}/suspend"), 409, "no_login")
    invited = mia.post(f"{STAFF}/companies/{acme}/invitations", json={"person_id": zoe["id"]})
    assert invited.status_code == 201
    assert invited.get_json()["email"] == zoe["email"]
    problem(mia.post(f"{path}/suspend"), 409, "status_not_possible")
    token = letters.token(invited.get_json()["id"])
    joined = api(None).post(
        "/api/v1/auth/join", json={"token": token, "name": "Zoe", "password": "seventeen green ladders"}
    )
    assert joined.status_code == 200
    assert mia.post(f"{path}/suspend").get_json()["status"] == "suspended"
    bearer = {"Authorization": f"Bearer {joined.get_json()['access_token']}"}
    problem(api(None).get("/api/v1/auth/me", headers=bearer), 401)
    assert mia.post(f"{path}/reactivate").get_json()["status"] == "active"
    assert mia.post(f"{path}/unlock").get_json() == {"count": 0}
    assert mia.post(f"{path}/end-sessions").get_json() == {"count": 0}
    role = {"company_id": acme, "role": "customer.admin"}
    assert mia.post(f"{path}/role", json=role).get_json()["roles"] == ["customer.admin"]
    assert mia.post(f"{path}/role", json={"company_id": acme, "role": None}).get_json()["roles"] == []


def test_invitations_of_customers(api: Any, letters: Any, world: World) -> None:
    mia, acme = api("mia"), world.companies["acme"]
    made = letters.invite("alice", datetime.now(UTC))
    listed = mia.get(f"{STAFF}/companies/{acme}/invitations").get_json()["items"]
    assert str(made) in {row["id"] for row in listed}
    problem(mia.post(f"{STAFF}/invitations/{made}/renew"), 409, "invited_too_often")
    assert mia.post(f"{STAFF}/invitations/{made}/revoke").get_json()["state"] == "revoked"
    assert codes(mia.post(f"{STAFF}/companies/{acme}/invitations", json={})) == {
        "name": "required",
        "email": "required",
    }


def test_the_team(api: Any, letters: Any, login: Any) -> None:
    ada = api("ada")
    person, email = login(UserKind.STAFF, Role.AGENT)
    path = f"{STAFF}/team/{person}"
    assert ada.get(path).get_json()["roles"] == ["agent"]
    assert person in {row["id"] for row in ada.get(f"{STAFF}/team").get_json()["items"]}
    problem(ada.post(f"{path}/roles", json={"roles": ["billing"]}), 403, "step_up_required")
    assert ada.post(f"{path}/roles", json={"roles": ["billing"]} | PROOF).get_json()["roles"] == ["billing"]
    assert codes(ada.post(f"{path}/roles", json={"roles": []} | PROOF)) == {"roles": "roles_required"}
    problem(ada.post(f"{path}/suspend"), 403, "step_up_required")
    assert ada.post(f"{path}/suspend", json=PROOF).get_json()["status"] == "suspended"
    assert ada.post(f"{path}/reactivate", json=PROOF).get_json()["status"] == "active"
    assert ada.post(f"{path}/unlock").status_code == 200
    assert ada.post(f"{path}/end-sessions").status_code == 200
    own = ada.get("/api/v1/auth/me").get_json()["id"]
    problem(ada.post(f"{STAFF}/team/{own}/suspend", json=PROOF), 404)
    sent = {"name": "Tess", "email": letters.address("demo.example"), "role": "agent"}
    problem(ada.post(f"{STAFF}/team/invitations", json=sent), 403, "step_up_required")
    made = ada.post(f"{STAFF}/team/invitations", json=sent | PROOF)
    assert made.status_code == 201
    assert made.get_json()["id"] in {row["id"] for row in ada.get(f"{STAFF}/team/invitations").get_json()["items"]}
    assert ada.post(f"{STAFF}/team/invitations/{made.get_json()['id']}/revoke").get_json()["state"] == "revoked"
    both = sent | PROOF | {"staff_role_id": str(uuid4())}
    assert codes(ada.post(f"{STAFF}/team/invitations", json=both)) == {"role": "required"}
    assert letters.login_of(email).may_sign_in()


def test_outsiders(api: Any, letters: Any, world: World, login: Any) -> None:
    acme, (customer, email), (member, _) = world.companies["acme"], login(), login(UserKind.STAFF, Role.AGENT)
    made = letters.invite("alice", datetime.now(UTC))
    writes = [
        ("POST", "companies", {"name": "X", "customer_number": uuid4().hex[:8]}),
        ("PATCH", f"companies/{acme}", {"name": "X"}),
        ("POST", f"companies/{acme}/invitations", {"name": "X", "email": letters.address()}),
        ("POST", "people", {"company_id": str(acme), "name": "X", "email": letters.address()}),
        ("PATCH", f"people/{customer}", {"name": "X"}),
        ("POST", f"people/{customer}/suspend", {}),
        ("POST", f"people/{customer}/unlock", {}),
        ("POST", f"people/{customer}/end-sessions", {}),
        ("POST", f"people/{customer}/role", {"company_id": str(acme), "role": "customer.admin"}),
        ("POST", f"invitations/{made}/renew", {}),
        ("POST", f"invitations/{made}/revoke", {}),
        ("GET", "team", {}),
        ("POST", f"team/{member}/roles", {"roles": ["manager"]} | PROOF),
        ("POST", f"team/{member}/suspend", PROOF),
        ("POST", "team/invitations", {"name": "X", "email": letters.address(), "role": "agent"} | PROOF),
    ]
    for who, status in (("sam", 403), ("bill", 403), ("alice", 403), ("bob", 403), (None, 401)):
        caller = api(who)
        for method, path, sent in writes:
            options = {} if method == "GET" else {"json": sent}
            answer = caller.request(method, f"{STAFF}/{path}", **options)
            assert answer.status_code == status, (who, method, path, answer.get_data(as_text=True))
    for method, path, sent in writes[-3:]:
        assert api("mia").request(method, f"{STAFF}/{path}", json=sent).status_code == 403
    noor = api("noor")
    for method, path, sent in writes:
        if "/" in path and path != "team/invitations":
            assert noor.request(method, f"{STAFF}/{path}", json=sent).status_code == 404, path
    assert letters.login_of(email).may_sign_in()
    assert letters.row(made).revoked_at is None


def test_the_team_s_logins_are_not_managed_among_customers(api: Any, login: Any, letters: Any, world: World) -> None:
    person, email = login(UserKind.STAFF, Role.TENANT_ADMIN)
    for who in ("mia", "ada"):
        for action in ("suspend", "reactivate", "unlock", "end-sessions"):
            problem(api(who).post(f"{STAFF}/people/{person}/{action}"), 403, "not_allowed")
        problem(api(who).patch(f"{STAFF}/people/{person}", json={"email": "x@y.example"}), 403, "not_allowed")
    assert letters.login_of(email).may_sign_in()
    with letters.sessions.begin(world.demo) as session:
        login_id = letters.login_of(email).id
        session.delete(session.scalars(select(Membership).where(Membership.user_id == login_id)).one())
