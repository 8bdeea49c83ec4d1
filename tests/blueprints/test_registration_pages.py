"""Getting an account, from the sign-in to the dashboard (AUTH-13), and the same by API (API-09)."""

import json

import pytest
from sqlalchemy import text

from tests.blueprints.conftest import codes, problem
from tests.browsing import Browser, Program, csrf_token
from tests.posting import Worker, path_in, texts, token_in
from tests.world import PASSWORD

AUTH = "/api/v1/auth"
NEW = "a lamp of blue glass"
ROSA = {"name": "Rosa Lind", "email": "rosa@newco.example", "company": "Newco"}


@pytest.fixture
def visitor(app):
    return Browser(app.test_client(), "127.0.0.1")


@pytest.fixture
def worker(app, sessions, world):
    return Worker(sessions, app.extensions["portal_vault"], world.demo)


@pytest.fixture
def policy(app, root, world):
    """Set how people of the demo tenant sign in; afterwards it is as before."""

    def store(settings):
        with root.begin() as connection:
            statement = text("UPDATE tenants SET settings = cast(:settings AS jsonb) WHERE id = :id")
            connection.execute(statement, {"settings": json.dumps(settings), "id": world.demo})
        app.extensions["portal_tenants"].forget()

    yield lambda **choices: store({"sign_in": choices})
    store({})


@pytest.fixture
def open_to_all(policy):
    policy(registration_open=True)


def send(visitor, path, **fields):
    data = {"csrf_token": csrf_token(visitor.get(path)), **fields}
    return visitor.client.post(path, base_url=f"http://{visitor.host}", data=data)


def mailed(worker, visitor, **fields):
    wanted = ROSA | fields
    assert send(visitor, "/portal/register", **wanted).status_code == 303
    return worker.work().last(wanted["email"])


def test_the_sign_in_leads_to_the_ways_that_are_open(visitor, policy):
    assert 'href="/portal/create-account"' in visitor.get("/portal/login").get_data(as_text=True)
    for choices, register, join in (
        ({}, False, True),
        ({"registration_open": True}, True, True),
        ({"registration_open": True, "link_account_open": False}, True, False),
        ({"link_account_open": False}, False, False),
    ):
        policy(**choices)
        page = visitor.get("/portal/create-account")
        shown = page.get_data(as_text=True)
        assert page.status_code == 200
        assert ('href="/portal/register"' in shown, 'href="/portal/join"' in shown) == (register, join)
        assert "help@demo.example" in shown


def test_from_registering_to_the_dashboard(app, worker, visitor, open_to_all):
    mail = mailed(worker, visitor, email="way@newco.example")
    assert send(visitor, "/portal/login", identifier="way@newco.example", password=NEW).status_code == 401
    path = path_in(mail)
    page = visitor.get(path).get_data(as_text=True)
    for method in ("get", "head", "options"):
        assert getattr(visitor.client, method)(path, base_url="http://127.0.0.1").status_code == 200
    for shown in ("Rosa Lind", "Newco", "way@newco.example", 'hx-post="/portal/password-strength"'):
        assert shown in page
    done = send(visitor, path, name="Rosa Lind", company="Newco", title="Buyer", password=NEW)
    assert (done.status_code, done.headers["Location"]) == (303, "/portal/")
    home = visitor.get("/portal/").get_data(as_text=True)
    assert "Welcome, Rosa" in home
    assert "Newco" in home
    assert visitor.get("/portal/tickets/new").status_code == 200
    again = Browser(app.test_client(), "127.0.0.1")
    assert again.get(path).status_code == 410
    assert send(again, "/portal/login", identifier="WAY@newco.example", password=NEW).status_code == 303
    # Signed in where the account was made: that browser is no news, this one is.
    assert [one.subject for one in worker.work().to("way@newco.example")][1:] == ["New sign-in at Kestrel IT"]


def test_the_answer_is_the_same_for_everybody_and_the_owner_hears_of_it(worker, visitor, open_to_all):
    places = set()
    for address in ("new@newco.example", "bob@acme.example", "sam@demo.example", "BOB@acme.example"):
        answer = send(visitor, "/portal/register", **ROSA | {"email": address})
        places.add((answer.status_code, answer.headers["Location"], answer.get_data()))
    assert len(places) == 1
    post = worker.work()
    assert [mail.subject for mail in post.to("bob@acme.example")] == ["You have an account at Kestrel IT"] * 2
    assert path_in(post.last("sam@demo.example")) == "/admin/login"
    assert path_in(post.last("new@newco.example")).startswith("/portal/register/")
    assert "Rosa" not in "".join(texts(mail) for mail in post.mails)


def test_one_address_is_not_flooded_and_nobody_sees_that(worker, visitor, open_to_all):
    for number in range(6):
        answer = send(visitor, "/portal/register", **ROSA | {"email": " Flood@newco.example", "name": f"N{number}"})
        assert answer.headers["Location"] == "/portal/register/sent"
    assert len(worker.work().to("flood@newco.example")) == 3


def test_a_closed_tenant_says_so(visitor, worker, policy, open_to_all):
    path = path_in(mailed(worker, visitor, email="late@newco.example"))
    token = csrf_token(visitor.get("/portal/register"))
    policy()
    for answer in (
        visitor.get("/portal/register"),
        visitor.client.post("/portal/register", base_url="http://127.0.0.1", data=ROSA | {"csrf_token": token}),
        visitor.get(path),
    ):
        assert answer.status_code == 409
        assert "Accounts are not opened here by everybody." in answer.get_data(as_text=True)
    assert worker.work().to("rosa@newco.example") == []


def test_a_link_is_of_one_tenant(app, worker, visitor, open_to_all):
    path = path_in(mailed(worker, visitor, email="tenant@newco.example"))
    assert app.test_client().get(path, base_url="http://nova.localhost").status_code == 409


@pytest.mark.parametrize(
    ("fields", "named"),
    [({"name": ""}, "name"), ({"email": "x"}, "email"), ({"company": "\x00"}, "company"), ({"email": ""}, "email")],
)
def test_bad_input_is_explained_and_kept(visitor, open_to_all, fields, named):
    answer = send(visitor, "/portal/register", **ROSA | {"name": "Kept <b>"} | fields)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert f'id="{named}-error"' in page
    assert "name" in fields or "Kept &lt;b&gt;" in page


@pytest.mark.parametrize("fields", [{"password": "Newco2026"}, {"password": ""}, {"name": " "}, {"company": "x" * 161}])
def test_a_bad_account_leaves_the_link(worker, visitor, open_to_all, fields):
    path = path_in(mailed(worker, visitor, email=f"bad{len(str(fields))}@newco.example"))
    account = {"name": "Rosa Lind", "company": "Newco", "password": NEW} | fields
    assert send(visitor, path, **account).status_code == 422
    assert visitor.get(path).status_code == 200


def test_nobody_is_made_staff_or_put_into_another_company(worker, visitor, world, sessions, open_to_all):
    path = path_in(mailed(worker, visitor, email="mass@newco.example"))
    extra = {"role": "tenant_admin", "kind": "staff", "company_id": str(world.companies["acme"]), "status": "active",
             "email": "sam@demo.example", "user_id": str(world.people["ada"].user_id)}  # fmt: skip
    assert send(visitor, path, name="Mass", company="Mass Ltd", password=NEW, **extra).status_code == 303
    page = visitor.get("/portal/account/profile").get_data(as_text=True)
    assert "mass@newco.example" in page
    assert visitor.get("/admin/tickets/").status_code == 303
    assert "Acme" not in visitor.get("/portal/").get_data(as_text=True)


@pytest.mark.parametrize("token", ["x", "A" * 43, "x" * 3000])
def test_a_made_up_link_is_an_old_one(visitor, open_to_all, token):
    answer = visitor.get(f"/portal/register/{token}")
    assert answer.status_code == 410
    assert 'href="/portal/register"' in answer.get_data(as_text=True)


# The same by API.


def test_signing_up_by_api(app, api, worker, open_to_all):
    body = ROSA | {"email": "program@newco.example"}
    answer = api(None).post(f"{AUTH}/signup", json=body)
    assert (answer.status_code, set(answer.get_json())) == (202, {"detail"})
    token = token_in(worker.work().last("program@newco.example"))
    weak = api(None).post(f"{AUTH}/signup/confirm", json={"token": token, "password": "Newco2026"})
    assert codes(weak) == {"password": "password_own_words"}
    made = api(None).post(f"{AUTH}/signup/confirm", json={"token": token, "password": NEW})
    assert made.status_code == 201
    me = Program(app.test_client(), "127.0.0.1", made.get_json()["access_token"]).get(f"{AUTH}/me").get_json()
    assert (me["name"], me["email"], me["roles"]) == ("Rosa Lind", "program@newco.example", ["customer.admin"])
    again = api(None).post(f"{AUTH}/signup/confirm", json={"token": token, "password": NEW})
    problem(again, 409, "link_expired")


def test_signing_up_twice_answers_the_same(api, worker, open_to_all):
    bodies = [
        api(None).post(f"{AUTH}/signup", json=ROSA | {"email": who}) for who in ("bob@acme.example", "n@x.example")
    ]
    assert bodies[0].get_data() == bodies[1].get_data()
    assert {answer.status_code for answer in bodies} == {202}
    assert worker.work().last("bob@acme.example").subject == "You have an account at Kestrel IT"


def test_signing_up_where_it_is_closed(api):
    problem(api(None).post(f"{AUTH}/signup", json=ROSA), 409, "registration_closed")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, {"name": "required", "email": "required", "company": "required"}),
        (ROSA | {"email": "x"}, {"email": "email_invalid"}),
        (ROSA | {"role": "tenant_admin"}, {"role": "unknown_field"}),
        (ROSA | {"name": None, "email": 5, "company": ["x"]}, dict.fromkeys(ROSA, "wrong_type")),
        (ROSA | {"name": "\x00", "email": "\ud800"}, {"name": "characters_forbidden", "email": "characters_forbidden"}),
    ],
)
def test_bad_sign_up_says_which_field(api, open_to_all, body, expected):
    assert codes(api(None).post(f"{AUTH}/signup", json=body)) == expected


def test_a_new_password_by_api(app, api, world, worker, sessions):
    from portal.models import User
    from tests.conftest import CHEAP

    answers = [
        api(None).post(f"{AUTH}/reset-password", json={"identifier": who}) for who in ("alice@acme.example", "x")
    ]
    assert answers[0].get_data() == answers[1].get_data()
    assert {answer.status_code for answer in answers} == {202}
    token = token_in(worker.work().last("alice@acme.example"))
    before = api("alice")
    body = {"token": token, "password": "password"}
    assert codes(api(None).post(f"{AUTH}/reset-password/confirm", json=body)) == {"password": "password_common"}
    try:
        done = api(None).post(f"{AUTH}/reset-password/confirm", json=body | {"password": NEW})
        assert (done.status_code, done.get_data()) == (204, b"")
        problem(before.get(f"{AUTH}/me"), 401, "token_invalid")
        problem(api(None).post(f"{AUTH}/reset-password/confirm", json=body | {"password": NEW}), 409, "link_expired")
        credentials = {"identifier": "alice@acme.example", "password": NEW}
        assert api(None).post(f"{AUTH}/token", json=credentials).status_code == 200
    finally:
        with sessions.begin(world.demo) as session:
            session.get(User, world.people["alice"].user_id).password_hash = CHEAP.hash(PASSWORD)


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("reset-password", {}, {"identifier": "required"}),
        ("reset-password", {"identifier": " "}, {"identifier": "required"}),
        ("reset-password", {"identifier": "a\x00"}, {"identifier": "characters_forbidden"}),
        ("reset-password", {"identifier": "a", "email": "b"}, {"email": "unknown_field"}),
        ("reset-password/confirm", {}, {"token": "required", "password": "required"}),
        ("reset-password/confirm", {"token": 1, "password": None}, {"token": "wrong_type", "password": "wrong_type"}),
        (
            "signup/confirm",
            {"token": "", "password": "x", "kind": "staff"},
            {"token": "required", "kind": "unknown_field"},
        ),
    ],
)
def test_bad_recovery_says_which_field(api, path, body, expected):
    assert codes(api(None).post(f"{AUTH}/{path}", json=body)) == expected


def test_asking_too_often_is_slowed_down(api):
    codes_ = [api(None).post(f"{AUTH}/reset-password", json={"identifier": f"n{n}"}).status_code for n in range(61)]
    assert codes_ == [202] * 60 + [429]
