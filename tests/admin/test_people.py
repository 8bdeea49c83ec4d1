"""Companies, people and the team in the back office: kept, invited, unlocked, suspended."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select, text, update

from portal.models import AuthSession, Company, Membership, Person, Role, StaffRole, User, UserKind, UserStatus
from tests.admin.conftest import statements_of
from tests.browsing import sign_in
from tests.world import PASSWORD


@pytest.fixture
def ada(staff):
    return staff("ada")


@pytest.fixture
def mia(staff):
    return staff("mia")


@pytest.fixture
def login(letters, world):
    """Make a login of this test's own; gives the person's id and the address."""

    def make(kind=UserKind.CUSTOMER, role=Role.CUSTOMER):
        customer = kind is UserKind.CUSTOMER
        email = letters.address("acme.example" if customer else "demo.example")
        hashed = letters.app.extensions["portal_passwords"].hash(PASSWORD)
        company = world.companies["acme"] if customer else None
        with letters.sessions.begin(world.demo) as session:
            person = Person(id=uuid4(), tenant_id=world.demo, company_id=company, name="Cole League", email=email)
            session.add(person)
            session.flush()
            user = User(id=uuid4(), tenant_id=world.demo, person_id=person.id, kind=kind, status=UserStatus.ACTIVE,
                        password_hash=hashed, mail_preferences={})  # fmt: skip
            session.add(user)
            session.flush()
            session.add(Membership(tenant_id=world.demo, user_id=user.id, company_id=company, role=role))
        return person.id, email

    return make


def roles_of(letters, world, email):
    user_id = letters.login_of(email).id
    with letters.sessions.begin(world.demo) as session:
        return set(session.scalars(select(Membership.role).where(Membership.user_id == user_id)))


def test_a_company_is_created_and_changed(mia, letters, world):
    number = uuid4().hex[:8]
    form = {"name": "Initech", "customer_number": number, "country": "at", "phone": "", "city": "Vienna"}
    assert mia.post("/admin/companies/new/", form).status_code == 303
    with letters.sessions.begin(world.demo) as session:
        company = session.scalars(select(Company).where(Company.customer_number == number)).one()
    page = mia.get(f"/admin/companies/details/?id={company.id}").get_data(as_text=True)
    assert "Vienna, AT" in page
    again = mia.post("/admin/companies/new/", form)
    assert again.status_code == 422
    assert "Another company has this customer number." in again.get_data(as_text=True)
    edit = f"/admin/companies/edit/?id={company.id}"
    assert 'value="Initech"' in mia.get(edit).get_data(as_text=True)
    assert mia.post(edit, form | {"name": "Initech GmbH"}).status_code == 303
    assert "Initech GmbH" in mia.get(f"/admin/companies/details/?id={company.id}").get_data(as_text=True)


def test_a_contact_is_added_corrected_and_invited(mia, letters, world):
    acme, email = world.companies["acme"], letters.address()
    page = mia.get(f"/admin/people/new/?company={acme}").get_data(as_text=True)
    assert "Acme" in page
    form = {"name": "Zoe Desk", "email": email, "phone": "04 72 55 01 77", "title": ""}
    assert mia.post(f"/admin/people/new/?company={acme}", form).status_code == 303
    zoe = letters.person_of(email)
    assert mia.post(f"/admin/people/edit/?id={zoe}", form | {"phone": "zzz"}).status_code == 422
    assert mia.post(f"/admin/people/edit/?id={zoe}", form | {"name": "Zoe D."}).status_code == 303
    invite = f"/admin/companies/{acme}/invite"
    assert f'value="{email}"' in mia.get(f"{invite}?person={zoe}").get_data(as_text=True)
    sent = {"name": "Zoe D.", "email": email, "role": "customer", "locale": "de"}
    assert mia.post(invite, sent).status_code == 303
    refused = mia.post(invite, sent)
    assert refused.status_code == 422
    assert "is invited already" in refused.get_data(as_text=True)
    assert email in mia.get(f"/admin/companies/details/?id={acme}").get_data(as_text=True)


@pytest.mark.parametrize(
    "form", [{"role": "agent"}, {"role": ""}, {"email": "x"}, {"name": ""}, {"email": "sam@demo.example"}]
)
def test_invitations_that_cannot_be_sent(mia, world, letters, form):
    sent = {"name": "N", "email": letters.address(), "role": "customer", "locale": "en"} | form
    assert mia.post(f"/admin/companies/{world.companies['acme']}/invite", sent).status_code == 422


def test_an_invitation_is_sent_again_and_withdrawn(mia, letters):
    invitation = letters.invite("alice", datetime.now(UTC) - timedelta(hours=1))
    old = letters.token(invitation)
    assert mia.post(f"/admin/people/invitations/{invitation}/renew").status_code == 303
    assert letters.token(invitation) != old
    assert mia.post(f"/admin/people/invitations/{invitation}/revoke").status_code == 303
    assert letters.row(invitation).revoked_at is not None


def test_suspended_unlocked_and_let_in_again(app, world, mia, letters, login, root):
    person, email = login()
    with root.begin() as connection:
        insert = (
            "INSERT INTO sign_in_locks (tenant_id, subject, origin, user_id, failures, locks, locked_until, last_failed_at)"
            " VALUES (:tenant, :subject, 'ip:192.0.2.9', :user, 0, 1, now() + interval '1 hour', now())"
        )
        values = {"tenant": world.demo, "subject": uuid4().bytes * 2, "user": letters.login_of(email).id}
        connection.execute(text(insert), values)
    page = mia.get(f"/admin/people/details/?id={person}").get_data(as_text=True)
    assert "ip:192.0.2.9" in page
    assert mia.post(f"/admin/people/{person}/unlock").status_code == 303
    page = mia.get(f"/admin/people/details/?id={person}").get_data(as_text=True)
    assert "ip:192.0.2.9" not in page
    assert "Login unlocked" in page
    for status, may in (("suspended", False), ("active", True), ("locked", False), ("active", True)):
        assert mia.post(f"/admin/people/{person}/status", {"status": status}).status_code == 303
        assert letters.login_of(email).may_sign_in() is may
    assert mia.post(f"/admin/people/{person}/status", {"status": "pending"}).status_code == 303
    assert letters.login_of(email).status is UserStatus.ACTIVE
    assert mia.post(f"/admin/people/{person}/status", {"status": "zzz"}).status_code == 422


def test_roles_and_sessions_of_a_customer(world, mia, letters, login, app):
    person, email = login()
    role = {"company_id": str(world.companies["acme"]), "role": "customer.admin"}
    assert mia.post(f"/admin/people/{person}/role", role).status_code == 303
    assert roles_of(letters, world, email) == {Role.CUSTOMER_ADMIN}
    assert mia.post(f"/admin/people/{person}/role", role | {"role": "manager"}).status_code == 303
    assert roles_of(letters, world, email) == {Role.CUSTOMER_ADMIN}
    assert mia.post(f"/admin/people/{person}/end-sessions").status_code == 303
    assert mia.post(f"/admin/people/{person}/role", role | {"role": ""}).status_code == 303
    assert roles_of(letters, world, email) == set()


def test_the_team_is_not_managed_among_customers(ada, login, letters):
    person, email = login(UserKind.STAFF, Role.AGENT)
    for path, data in (("status", {"status": "suspended"}), ("unlock", {}), ("end-sessions", {})):
        assert ada.post(f"/admin/people/{person}/{path}", data).status_code == 403, path
    assert ada.get(f"/admin/people/edit/?id={person}").status_code == 403
    assert letters.login_of(email).may_sign_in()
    assert f"/admin/team/{person}" in ada.get(f"/admin/people/details/?id={person}").get_data(as_text=True)


def test_agents_see_no_access_and_no_buttons(staff, login):
    person, _ = login()
    page = staff("sam").get(f"/admin/people/details/?id={person}").get_data(as_text=True)
    for hidden in ("Sign out everywhere", "History of access", "Save role", "Edit"):
        assert hidden not in page, hidden


def test_the_team_s_page_and_a_new_member(ada, letters, world):
    page = ada.get("/admin/team/").get_data(as_text=True)
    assert "Mia Lindqvist" in page
    assert "Bob Keller" not in page
    email = letters.address("demo.example")
    sent = {"name": "Tess Team", "email": email, "role": "agent", "locale": "en"}
    assert ada.post("/admin/team/invite", sent).status_code == 303
    assert email in ada.get("/admin/team/").get_data(as_text=True)
    for wrong in ({"role": ""}, {"role": "customer"}, {"role": "custom"}, {"role": str(uuid4())}, {"email": "x"}):
        answer = ada.post("/admin/team/invite", sent | {"email": letters.address("demo.example")} | wrong)
        assert answer.status_code == 422, wrong


def test_roles_of_a_member_with_one_of_the_tenant_s_own(ada, letters, world, login):
    own = uuid4()
    with letters.sessions.begin(world.demo) as session:
        session.add(StaffRole(id=own, tenant_id=world.demo, name=f"Front {own.hex[:6]}", permissions=["mail:read"]))
    person, email = login(UserKind.STAFF, Role.AGENT)
    assert f"Front {own.hex[:6]}" in ada.get(f"/admin/team/{person}").get_data(as_text=True)
    token = {"roles": ["billing", str(own)]}
    assert ada.post(f"/admin/team/{person}/roles", token).status_code == 303
    assert roles_of(letters, world, email) == {Role.BILLING, Role.CUSTOM}
    assert ada.post(f"/admin/team/{person}/roles", {"roles": []}).status_code == 303
    assert roles_of(letters, world, email) == {Role.BILLING, Role.CUSTOM}
    member = sign_in(letters.app, world, "ada")
    assert "Choose at least one role." in member_message(ada, person)
    assert member.get("/admin/team/").status_code == 200


def member_message(browser, person):
    browser.post(f"/admin/team/{person}/roles", {"roles": []})
    return browser.get(f"/admin/team/{person}").get_data(as_text=True)


def test_the_last_administrator_and_oneself_are_safe(ada, letters, world):
    own = letters.person_of("ada@demo.example")
    assert ada.post(f"/admin/team/{own}/status", {"status": "suspended"}).status_code == 303
    assert ada.post(f"/admin/team/{own}/roles", {"roles": ["agent"]}).status_code == 303
    assert roles_of(letters, world, "ada@demo.example") == {Role.TENANT_ADMIN}
    assert letters.login_of("ada@demo.example").may_sign_in()


def test_a_suspended_member_is_out_with_the_next_request(ada, app, world, letters, login):
    from tests.browsing import Browser, csrf_token

    person, email = login(UserKind.STAFF, Role.AGENT)
    browser = Browser(app.test_client(), "127.0.0.1", "admin")
    data = {"csrf_token": csrf_token(browser.get("/admin/login")), "identifier": email, "password": PASSWORD}
    assert browser.client.post("/admin/login", base_url="http://127.0.0.1", data=data).status_code == 303
    assert browser.get("/admin/tickets/").status_code == 200
    assert ada.post(f"/admin/team/{person}/status", {"status": "suspended"}).status_code == 303
    assert browser.get("/admin/tickets/").status_code == 303


def test_changes_of_the_team_need_a_fresh_proof(ada, letters, world, login):
    person, email = login(UserKind.STAFF, Role.AGENT)
    with letters.sessions.begin(world.demo) as session:
        owner = AuthSession.user_id == world.people["ada"].user_id
        session.execute(update(AuthSession).where(owner).values(proved_at=datetime.now(UTC) - timedelta(minutes=11)))
    for path, data in (("status", {"status": "suspended"}), ("roles", {"roles": ["manager"]})):
        assert ada.post(f"/admin/team/{person}/{path}", data).headers["Location"].startswith("/admin/confirm")
    assert ada.get("/admin/team/invite").status_code == 303
    assert roles_of(letters, world, email) == {Role.AGENT}
    assert letters.login_of(email).may_sign_in()


def test_pages_take_few_statements(ada, mia, world, login):
    person, _ = login()
    for browser, path, most in (
        (ada, "team/", 4),
        (mia, f"companies/details/?id={world.companies['acme']}", 5),
        (mia, f"people/details/?id={person}", 14),
    ):
        browser.get(f"/admin/{path}")
        assert statements_of(browser.get(f"/admin/{path}")) <= most, path


def test_what_belongs_to_another_tenant_is_not_found(ada, world, letters):
    ofuq = world.companies["ofuq"]
    foreign = letters.invite("nia", datetime.now(UTC), company="ofuq", email=letters.address("nova.example"))
    with letters.sessions.begin(world.nova) as session:
        nia = session.scalar(select(User.person_id).where(User.id == world.people["nia"].user_id))
    for path in (f"companies/edit/?id={ofuq}", f"companies/{ofuq}/invite", f"people/edit/?id={nia}", f"team/{nia}"):
        assert ada.get(f"/admin/{path}").status_code == 404, path
    for path, data in (
        (f"people/{nia}/status", {"status": "suspended"}),
        (f"people/{nia}/unlock", {}),
        (f"people/{nia}/end-sessions", {}),
        (f"people/{nia}/role", {"company_id": str(ofuq), "role": ""}),
        (f"people/invitations/{foreign}/renew", {}),
        (f"people/invitations/{foreign}/revoke", {}),
        (f"team/{nia}/roles", {"roles": ["agent"]}),
        (f"team/{nia}/status", {"status": "suspended"}),
        (f"team/invitations/{foreign}/revoke", {}),
    ):
        assert ada.post(f"/admin/{path}", data).status_code == 404, path
