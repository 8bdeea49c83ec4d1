"""Following an invitation, and opening an account by number or phone, in the browser."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from portal.models import Membership, OneTimeLink, Person, Role
from portal.services.tenants.sign_in_policy import SignInPolicy
from tests.browsing import Browser, csrf_token, sign_in
from tests.invited import NEW_PASSWORD
from tests.world import _add_company


@pytest.fixture
def visitor(app):
    return Browser(app.test_client(), "127.0.0.1")


@pytest.fixture
def today():
    return datetime.now(UTC)


@pytest.fixture
def contact(letters, world):
    """A company with one contact, who has no login."""
    number = uuid4().hex[:8]
    email, phone = f"{number}@initech.example", f"+336{int(number, 16) % 10**8:08d}"
    with letters.sessions.begin(world.demo) as session:
        company_id = _add_company(session, f"Initech {number}", number)
        session.add(
            Person(id=uuid4(), tenant_id=world.demo, company_id=company_id, name="Milo B", email=email, phone=phone)
        )
    return {"number": number, "email": email, "phone": phone, "company": company_id}


@pytest.fixture
def policy(app, monkeypatch):
    """Change how people of tenant demo may come in."""
    directory = app.extensions["portal_tenants"]
    real = directory.by_host

    def choose(**choices):
        wanted = SignInPolicy(**choices)

        def by_host(host):
            found = real(host)
            return replace(found, sign_in=wanted) if found and found.slug == "demo" else found

        monkeypatch.setattr(directory, "by_host", by_host)

    return choose


def send(browser, path, data, page=None):
    token = csrf_token(page or browser.get(path))
    return browser.client.post(path, base_url=f"http://{browser.host}", data={"csrf_token": token, **data})


def test_who_invites_to_what_is_shown_and_looking_uses_nothing_up(visitor, letters, today):
    path = f"/portal/join/{letters.token(letters.invite('alice', today, name='Nina New'))}"
    for _ in range(3):
        text = visitor.get(path).get_data(as_text=True)
        assert "You are invited to Acme" in text
        assert "Alice Moreau invites you" in text
        assert 'value="Nina New"' in text
    assert visitor.client.head(path, base_url="http://127.0.0.1").status_code == 200
    assert visitor.get(path).status_code == 200


def test_name_and_password_lead_to_the_dashboard(visitor, letters, today):
    invitation = letters.invite("alice", today)
    path = f"/portal/join/{letters.token(invitation)}"
    answer = send(visitor, path, {"name": "Nina New", "password": NEW_PASSWORD})
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/portal/"
    assert "Nina New" in visitor.get("/portal/").get_data(as_text=True)
    assert letters.login_of(letters.row(invitation).email).may_sign_in()
    assert visitor.get(path).status_code == 404


@pytest.mark.parametrize(
    ("data", "field"),
    [({"name": "", "password": NEW_PASSWORD}, "name"), ({"name": "N", "password": "short"}, "password")],
)
def test_what_is_wrong_is_said_and_the_link_stays_good(visitor, letters, today, data, field):
    path = f"/portal/join/{letters.token(letters.invite('alice', today))}"
    answer = send(visitor, path, data)
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.get_data(as_text=True)
    assert f'value="{data["password"]}"' not in answer.get_data(as_text=True)
    assert visitor.get(path).status_code == 200


@pytest.mark.parametrize("token", ["x", "%00", "a" * 43, "../login", "\ud83d"])
def test_what_leads_nowhere_reads_alike(visitor, token):
    answer = visitor.get(f"/portal/join/{token}" if token != "\ud83d" else "/portal/join/%F0%9F%98%80")
    assert answer.status_code == 404


def test_expired_withdrawn_and_made_up_read_the_same(visitor, letters, today, world):
    from portal.services.accounts.invitations import revoke_invitation

    expired = letters.token(letters.invite("alice", today - timedelta(days=8)))
    withdrawn_id = letters.invite("alice", today)
    with letters.sessions.begin(world.demo) as session:
        revoke_invitation(session, withdrawn_id, actor=world.people["alice"].actor, now=today)
    pages = {
        visitor.get(f"/portal/join/{token}").get_data(as_text=True).split("<main")[1].split("</main>")[0]
        for token in (expired, letters.token(withdrawn_id), "A" * 43)
    }
    assert len(pages) == 1
    assert "does not work any more" in pages.pop()


def test_invitations_open_their_own_door_and_tenant_only(app, visitor, letters, today, world):
    customer, team = (
        letters.token(letters.invite("alice", today)),
        letters.token(
            letters.invite("ada", today, company=None, email=letters.address("demo.example"), role=Role.AGENT)
        ),
    )
    foreign = letters.token(letters.invite("nia", today, company="ofuq"), world.nova)
    assert visitor.get(f"/admin/join/{customer}").status_code == 404
    assert visitor.get(f"/portal/join/{team}").status_code == 404
    assert visitor.get(f"/portal/join/{foreign}").status_code == 404
    assert Browser(app.test_client(), "nova.localhost").get(f"/portal/join/{foreign}").status_code == 200


def test_a_member_of_the_team_comes_in_by_the_staff_door(visitor, letters, today):
    invited = letters.invite("ada", today, company=None, email=letters.address("demo.example"), role=Role.AGENT)
    path = f"/admin/join/{letters.token(invited)}"
    answer = send(visitor, path, {"name": "Tess Team", "password": NEW_PASSWORD})
    assert answer.headers["Location"] == "/admin/"
    assert visitor.get("/admin/tickets/").status_code == 200
    assert visitor.get("/portal/").status_code == 303


def test_a_code_typed_by_hand_or_a_pasted_link_leads_there(visitor, letters, today):
    token = letters.token(letters.invite("alice", today))
    for typed in (token, f"  {token} ", f"http://127.0.0.1:8000/portal/join/{token}"):
        answer = send(visitor, "/portal/join/code", {"code": typed}, visitor.get("/portal/join"))
        assert answer.headers["Location"] == f"/portal/join/{token}"
    for typed in ("", "nonsense", "/", "x" * 5000):
        answer = send(visitor, "/portal/join/code", {"code": typed}, visitor.get("/portal/join"))
        assert answer.status_code == 422
        assert 'id="code-error"' in answer.get_data(as_text=True)


def test_a_login_of_another_company_signs_in_to_accept(app, world, letters, today):
    token = letters.token(letters.invite("alice", today, email="charlie@globex.example"))
    path = f"/portal/join/{token}"
    stranger = Browser(app.test_client(), "127.0.0.1")
    page = stranger.get(path)
    assert "/portal/login?next=/portal/join/" in page.get_data(as_text=True)
    assert 'name="password"' not in page.get_data(as_text=True)
    taken = send(stranger, path, {"name": "Taken", "password": NEW_PASSWORD}, stranger.get("/portal/login"))
    assert taken.status_code in (303, 401)
    bob = sign_in(app, world, "bob")
    assert "You are signed in as bob@acme.example" in bob.get(path).get_data(as_text=True)
    assert bob.post(path).status_code == 403
    charlie = sign_in(app, world, "charlie")
    assert charlie.post(path).headers["Location"] == "/portal/"
    assert charlie.post(path).status_code == 404
    with letters.sessions.begin(world.demo) as session:
        user_id, acme = world.people["charlie"].user_id, world.companies["acme"]
        mine = (Membership.user_id == user_id, Membership.company_id == acme)
        found = session.scalars(select(Membership).where(*mine)).one()
        assert found.role == "customer"
        session.delete(found)


def test_thirty_at_once_and_one_comes_in(app, letters, today, world):
    invited = letters.invite("alice", today)
    path = f"/portal/join/{letters.token(invited)}"
    browsers = [Browser(app.test_client(), "127.0.0.1") for _ in range(30)]
    forms = [
        {"csrf_token": csrf_token(browser.get(path)), "name": "N", "password": NEW_PASSWORD} for browser in browsers
    ]
    ready, answers = threading.Barrier(30), []

    def take(browser, form):
        ready.wait(20)
        answers.append(browser.client.post(path, base_url="http://127.0.0.1", data=form).status_code)

    threads = [threading.Thread(target=take, args=pair) for pair in zip(browsers, forms, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(answers) == [303] + [404] * 29
    with letters.sessions.begin(world.demo) as session:
        login = letters.login_of(letters.row(invited).email)
        count = session.scalar(select(func.count()).select_from(Membership).where(Membership.user_id == login.id))
    assert count == 1


def test_the_answer_is_the_same_for_known_unknown_and_taken(visitor, contact, letters):
    pages = set()
    for number in (contact["number"], "nobody", "ACM"):
        answer = send(visitor, "/portal/join/account", {"customer_number": number}, visitor.get("/portal/join"))
        assert answer.headers["Location"] == "/portal/join?asked=1"
        pages.add(visitor.get("/portal/join?asked=1").get_data(as_text=True).split("<main")[1].split('name="csrf')[0])
    assert len(pages) == 1
    assert letters.link_for(contact["email"]) is not None


def test_a_customer_number_leads_to_the_dashboard_once(visitor, contact, letters):
    send(visitor, "/portal/join/account", {"customer_number": contact["number"]}, visitor.get("/portal/join"))
    path = f"/portal/join/account/{letters.link_for(contact['email'])}"
    assert "Milo B" in visitor.get(path).get_data(as_text=True)
    assert send(visitor, path, {"password": "short"}).status_code == 422
    assert send(visitor, path, {"password": NEW_PASSWORD}).headers["Location"] == "/portal/"
    assert "Milo B" in visitor.get("/portal/").get_data(as_text=True)
    assert visitor.get(path).status_code == 404


def test_by_phone_the_code_comes_first(visitor, contact, letters, policy, world):
    policy(phone_sign_up_open=True)
    answer = send(visitor, "/portal/join/phone", {"phone": contact["phone"]}, visitor.get("/portal/join"))
    step = answer.headers["Location"]
    challenge = step.rsplit("/", 1)[1]
    with letters.sessions.begin(world.demo) as session:
        link = session.scalars(select(OneTimeLink).where(OneTimeLink.id == challenge)).one()
    code = letters.vault.link_code(link.id)
    assert send(visitor, step, {"code": "000000" if code != "000000" else "111111"}).status_code == 422
    answer = send(visitor, step, {"code": code})
    assert answer.headers["Location"].startswith("/portal/join/account/")
    assert send(visitor, answer.headers["Location"], {"password": NEW_PASSWORD}).headers["Location"] == "/portal/"
    assert visitor.get("/portal/").status_code == 200


def test_wrong_codes_of_known_and_unknown_phones_read_alike(visitor, contact, policy):
    policy(phone_sign_up_open=True)
    seen = []
    for phone in (contact["phone"], "+33700000000"):
        step = send(visitor, "/portal/join/phone", {"phone": phone}, visitor.get("/portal/join")).headers["Location"]
        statuses = [send(visitor, step, {"code": "12ab"}).status_code for _ in range(6)]
        seen.append(statuses)
    assert seen == [[422] * 5 + [404]] * 2


def test_where_the_tenant_wants_invitations_only(visitor, contact, letters, policy):
    policy(link_account_open=False)
    page = visitor.get("/portal/join")
    assert 'name="customer_number"' not in page.get_data(as_text=True)
    answer = send(visitor, "/portal/join/account", {"customer_number": contact["number"]}, page)
    assert answer.status_code == 409
    assert letters.link_for(contact["email"]) is None


def test_asking_has_a_limit_that_a_forged_header_does_not_move(visitor, contact):
    page = visitor.get("/portal/join")
    statuses = []
    for number in range(12):
        form = {"csrf_token": csrf_token(page), "customer_number": contact["number"]}
        headers = {"X-Forwarded-For": f"10.0.0.{number}"}
        answer = visitor.client.post("/portal/join/account", base_url="http://127.0.0.1", data=form, headers=headers)
        statuses.append(answer.status_code)
    assert statuses == [303] * 10 + [429] * 2
    assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize("path", ["code", "account", "phone"])
def test_forms_need_a_token(visitor, path):
    assert (
        visitor.client.post(f"/portal/join/{path}", base_url="http://127.0.0.1", data={"code": "x"}).status_code == 400
    )
