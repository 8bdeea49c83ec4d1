"""The company's page: who sees it, who changes it, what happens to those who are shut out."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select, update

from portal.models import AuditEntry, AuthSession, Invitation, Membership, Person, Role, User, UserKind, UserStatus
from tests.browsing import program, sign_in
from tests.invited import NEW_PASSWORD
from tests.world import PASSWORD

COMPANY = "/portal/account/company"


@pytest.fixture
def colleague(letters, world):
    """A member of Acme of this test's own: (address, person's id)."""
    email = letters.address()
    hashed = letters.app.extensions["portal_passwords"].hash(PASSWORD)
    with letters.sessions.begin(world.demo) as session:
        acme = world.companies["acme"]
        person = Person(id=uuid4(), tenant_id=world.demo, company_id=acme, name="Cole League", email=email)
        session.add(person)
        session.flush()
        user = User(id=uuid4(), tenant_id=world.demo, person_id=person.id, kind=UserKind.CUSTOMER,
                    status=UserStatus.ACTIVE, password_hash=hashed, mail_preferences={})  # fmt: skip
        session.add(user)
        session.flush()
        session.add(Membership(tenant_id=world.demo, user_id=user.id, company_id=acme, role=Role.CUSTOMER))
    return email, person.id


@pytest.fixture
def enter(app, world):
    """Sign somebody in who is not of the world's people."""

    def make(email):
        from tests.browsing import Browser, csrf_token

        browser = Browser(app.test_client(), "127.0.0.1")
        data = {"csrf_token": csrf_token(browser.get("/portal/login")), "identifier": email, "password": PASSWORD}
        answer = browser.client.post("/portal/login", base_url="http://127.0.0.1", data=data)
        assert answer.status_code == 303
        return browser

    return make


def test_members_read_administrators_manage(app, world, letters):
    letters.invite("alice", datetime.now(UTC), name="Waiting Person")
    bob = sign_in(app, world, "bob").get(COMPANY).get_data(as_text=True)
    assert "Alice Moreau" in bob
    assert "Charlie Laurent" not in bob
    for hidden in ("Invite someone", "Invitations", "Last seen", "/people/"):
        assert hidden not in bob, hidden
    alice = sign_in(app, world, "alice").get(COMPANY).get_data(as_text=True)
    for shown in ("Invite someone", "Waiting Person", "Last seen", "Send again"):
        assert shown in alice, shown


def test_another_company_is_not_found(app, world):
    charlie = sign_in(app, world, "charlie")
    acme = world.companies["acme"]
    for path in (f"?company={acme}", f"/invite?company={acme}", f"/people/new?company={acme}", "?company=zzz"):
        assert charlie.get(f"{COMPANY}{path}").status_code == 404, path


def test_whoever_may_not_change_is_refused_when_asking_directly(app, world, letters, colleague):
    invitation = letters.invite("alice", datetime.now(UTC))
    before = letters.row(invitation).sent_at
    paths = [
        "invite",
        "people/new",
        f"people/{colleague[1]}",
        f"people/{colleague[1]}/deactivate",
        f"people/{colleague[1]}/reactivate",
        f"people/{colleague[1]}/remove",
        f"invitations/{invitation}/renew",
        f"invitations/{invitation}/revoke",
    ]
    for who, status in (("bob", 403), ("charlie", 404)):
        browser = sign_in(app, world, who)
        for path in paths:
            if who == "charlie" and path in ("invite", "people/new"):
                continue  # charlie administers a company of his own
            data = {"name": "X", "email": letters.address(), "role": "customer.admin"}
            assert browser.post(f"{COMPANY}/{path}", data).status_code == status, (who, path)
    assert letters.row(invitation).sent_at == before
    assert letters.row(invitation).revoked_at is None
    assert letters.login_of(colleague[0]).may_sign_in()


def test_an_invitation_from_the_form(app, world, letters):
    alice, email = sign_in(app, world, "alice"), letters.address()
    form = {"name": "Nina New", "email": email, "role": "customer.admin", "locale": "fr"}
    assert alice.post(f"{COMPANY}/invite", form).headers["Location"] == COMPANY
    page = alice.get(COMPANY).get_data(as_text=True)
    assert email in page
    again = alice.post(f"{COMPANY}/invite", form)
    assert again.status_code == 422
    assert "is invited already" in again.get_data(as_text=True)
    assert f'value="{email}"' in again.get_data(as_text=True)
    with letters.sessions.begin(world.demo) as session:
        found = session.scalars(select(Invitation).where(Invitation.email == email)).one()
    assert found.role is Role.CUSTOMER_ADMIN
    assert alice.post(f"{COMPANY}/invitations/{found.id}/revoke").status_code == 303
    assert letters.row(found.id).revoked_at is not None


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"email": "x"}, "email"),
        ({"name": ""}, "name"),
        ({"role": "tenant_admin"}, "role"),
        ({"role": "zzz"}, "role"),
        ({"email": "sam@demo.example"}, "email"),
        ({"locale": "zz"}, "locale"),
    ],
)
def test_what_is_wrong_is_said_beside_the_field(app, world, letters, form, field):
    sent = {"name": "N", "email": letters.address(), "role": "customer", "locale": "en"} | form
    answer = sign_in(app, world, "alice").post(f"{COMPANY}/invite", sent)
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.get_data(as_text=True)


def test_a_contact_is_added_edited_and_removed(app, world, letters):
    alice, email = sign_in(app, world, "alice"), letters.address()
    form = {"name": "Front Desk", "email": email, "phone": "04 72 55 01 99", "title": "Desk"}
    assert alice.post(f"{COMPANY}/people/new", form).status_code == 303
    person = letters.person_of(email)
    path = f"{COMPANY}/people/{person}"
    assert "+33472550199" in alice.get(path).get_data(as_text=True)
    assert alice.post(path, {"name": "Front D.", "title": ""}).status_code == 303
    assert "Front D." in alice.get(COMPANY).get_data(as_text=True)
    assert alice.post(path, {"phone": "nonsense"}).status_code == 422
    assert alice.post(f"{path}/remove").status_code == 303
    assert email not in alice.get(COMPANY).get_data(as_text=True)


def test_the_address_of_a_login_is_not_written_even_if_sent(app, world, letters, colleague):
    alice = sign_in(app, world, "alice")
    answer = alice.post(f"{COMPANY}/people/{colleague[1]}", {"name": "Cole", "email": "mine@evil.example"})
    assert answer.status_code == 422
    assert letters.person_of(colleague[0]) == colleague[1]


def test_roles_change_at_once(app, world, colleague, enter):
    alice, cole = sign_in(app, world, "alice"), enter(colleague[0])
    assert cole.get(f"{COMPANY}/invite").status_code == 403
    assert (
        alice.post(f"{COMPANY}/people/{colleague[1]}", {"name": "Cole League", "role": "customer.admin"}).status_code
        == 303
    )
    assert cole.get(f"{COMPANY}/invite").status_code == 200
    alice.post(f"{COMPANY}/people/{colleague[1]}", {"name": "Cole League", "role": "customer"})
    assert cole.get(f"{COMPANY}/invite").status_code == 403


def test_the_last_administrator_stays(app, world, letters):
    alice = sign_in(app, world, "alice")
    path = f"{COMPANY}/people/{letters.person_of('alice@acme.example')}"
    answer = alice.post(path, {"name": "Alice Moreau", "role": "customer"})
    assert answer.status_code == 422
    assert "At least one administrator has to stay" in answer.get_data(as_text=True)
    assert alice.post(f"{path}/deactivate").status_code == 303
    assert "own login" in alice.get(COMPANY).get_data(as_text=True)


def test_access_that_is_taken_away_ends_with_the_next_request(app, world, letters, colleague, enter):
    """Page, API token and refresh token of somebody who is shut out, and the way back in."""
    alice, cole = sign_in(app, world, "alice"), enter(colleague[0])
    anonymous = program(app, world, None)
    pair = anonymous.post("/api/v1/auth/token", json={"identifier": colleague[0], "password": PASSWORD}).get_json()
    bearer = {"Authorization": f"Bearer {pair['access_token']}"}
    assert cole.get(COMPANY).status_code == 200
    assert anonymous.get("/api/v1/auth/me", headers=bearer).status_code == 200
    assert alice.post(f"{COMPANY}/people/{colleague[1]}/deactivate").status_code == 303
    assert cole.get(COMPANY).status_code == 303
    assert anonymous.get("/api/v1/auth/me", headers=bearer).status_code == 401
    refresh = {"refresh_token": pair["refresh_token"]}
    assert anonymous.post("/api/v1/auth/refresh", json=refresh).status_code == 401
    again = {"identifier": colleague[0], "password": PASSWORD}
    assert anonymous.post("/api/v1/auth/token", json=again).status_code == 401
    assert alice.post(f"{COMPANY}/people/{colleague[1]}/reactivate").status_code == 303
    assert cole.get(COMPANY).status_code == 303, "an ended session does not come back"
    assert anonymous.get("/api/v1/auth/me", headers=bearer).status_code == 401
    assert enter(colleague[0]).get(COMPANY).status_code == 200


def test_changes_need_a_fresh_proof(app, world, letters, colleague):
    alice = sign_in(app, world, "alice")
    with letters.sessions.begin(world.demo) as session:
        old = datetime.now(UTC) - timedelta(minutes=11)
        owner = AuthSession.user_id == world.people["alice"].user_id
        session.execute(update(AuthSession).where(owner).values(proved_at=old))
    answer = alice.post(f"{COMPANY}/people/{colleague[1]}/deactivate")
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/portal/account/confirm")
    assert letters.login_of(colleague[0]).may_sign_in()
    assert alice.get(COMPANY).status_code == 200


def test_every_change_is_in_the_trail_without_secrets(app, world, letters, colleague):
    alice = sign_in(app, world, "alice")
    alice.post(f"{COMPANY}/people/{colleague[1]}/deactivate")
    alice.post(f"{COMPANY}/people/{colleague[1]}/reactivate")
    user_id = letters.login_of(colleague[0]).id
    with letters.sessions.begin(world.demo) as session:
        query = select(AuditEntry).where(AuditEntry.record_id == user_id).order_by(AuditEntry.seq)
        entries = session.scalars(query).all()
    assert [entry.action for entry in entries] == ["user.deactivated", "user.reactivated"]
    assert {entry.actor_name for entry in entries} == {"Alice Moreau"}
    assert NEW_PASSWORD not in str([(entry.before, entry.after) for entry in entries])


def test_both_companies_of_a_login_are_shown(app, world, letters):
    charlie = world.people["charlie"].user_id
    with letters.sessions.begin(world.demo) as session:
        row = Membership(
            id=uuid4(), tenant_id=world.demo, user_id=charlie, company_id=world.companies["acme"], role=Role.CUSTOMER
        )
        session.add(row)
    try:
        browser = sign_in(app, world, "charlie")
        acme = browser.get(f"{COMPANY}?company={world.companies['acme']}").get_data(as_text=True)
        assert "Alice Moreau" in acme
        assert "Invite someone" not in acme
        assert browser.get(f"{COMPANY}/invite?company={world.companies['acme']}").status_code == 403
        own = browser.get(f"{COMPANY}?company={world.companies['globex']}").get_data(as_text=True)
        assert "Invite someone" in own
    finally:
        with letters.sessions.begin(world.demo) as session:
            session.delete(session.get(Membership, row.id))
