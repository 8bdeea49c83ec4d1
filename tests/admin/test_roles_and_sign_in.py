"""Settings → Roles, Sign-in and Domains: what staff see, what comes back, who gets in."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update

from portal.models import AuthSession, StaffRole, Tenant, UserKind
from portal.services.tenants.sign_in_settings import count_concerned
from tests.admin.conftest import send
from tests.browsing import Browser, csrf_token, program, sign_in
from tests.world import PASSWORD, World

ROLES = "/admin/settings/roles/"
SIGN_IN = "/admin/settings/sign-in/"
DOMAINS = "/admin/settings/domains/"
RULES = {"second_factor": "staff", "grace_days": "3", "idle_minutes": "20", "link_account_open": "y"}


@pytest.fixture
def ada(staff: Any) -> Browser:
    return staff("ada")


@pytest.fixture(autouse=True)
def _as_before(app: Any, root: Any, real: Any, world: World) -> Iterator[None]:
    """Other tests sign in by the rules as they were, and meet no roles of these."""
    yield
    with root.begin() as connection:
        connection.execute(text("UPDATE tenants SET settings = '{}'"))
        connection.execute(text("UPDATE users SET second_factor_due_at = NULL"))
        connection.execute(text("DELETE FROM staff_roles WHERE name IN ('Auditor', 'Checker', 'Theirs')"))
    app.extensions["portal_tenants"].forget()


def role_named(real: Any, world: World, name: str) -> StaffRole | None:
    with real.begin(world.demo) as session:
        return session.scalar(select(StaffRole).where(StaffRole.name == name))


def new_role(browser: Browser, **fields: Any) -> Any:
    page = browser.get(f"{ROLES}new/")
    sent = {"name": "Auditor", "description": "Looks at the trail", "permissions": ["audit:read"], **fields}
    return send(browser, page, f"{ROLES}new/", sent)


def test_the_matrix_shows_every_role_and_permission(ada: Browser, real: Any, world: World) -> None:
    assert new_role(ada).status_code == 303
    page = ada.get(ROLES).get_data(as_text=True)
    for word in ("Agent", "Team lead", "Billing", "Designer", "Head of service", "Company administrator", "Auditor"):
        assert word in page
    for word in ("Read the audit log", "Change how people sign in", "Create tickets"):
        assert page.count(f'<th scope="row">{word}</th>') == 1
    assert "0 people" in page
    line = page.split('<th scope="row">Read the audit log</th>')[1].split("</tr>")[0]
    answers = [part.split("<")[0] for part in line.split('<span class="sr-only">')[1:]]
    assert answers[:5] == ["No", "Yes", "No", "No", "Yes"], "agent, lead, billing, designer, head"
    assert "Yes" in answers[5:], "the own one"


def test_a_role_is_changed_and_deleted(ada: Browser, real: Any, world: World) -> None:
    new_role(ada)
    role = role_named(real, world, "Auditor")
    assert role is not None
    path = f"{ROLES}edit/?id={role.id}"
    page = ada.get(path)
    assert 'value="audit:read" checked' in page.get_data(as_text=True)
    assert send(ada, page, path, {"name": "Checker", "permissions": ["audit:read", "mail:read"]}).status_code == 303
    changed = role_named(real, world, "Checker")
    assert changed is not None
    assert changed.permissions == ["audit:read", "mail:read"]
    assert send(ada, page, f"{ROLES}remove", {"id": str(role.id)}).status_code == 303
    assert role_named(real, world, "Checker") is None


def test_what_is_wrong_comes_back_with_what_was_typed(ada: Browser, real: Any, world: World) -> None:
    answer = new_role(ada, name="Agent", permissions=["audit:read", "desk:note"])
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "Something else has this name already." in page
    assert 'value="desk:note" checked' in page
    answer = new_role(ada, permissions=["tickets:create"])
    assert answer.status_code == 422
    assert "Choose one of the offered values." in answer.get_data(as_text=True)
    assert role_named(real, world, "Auditor") is None


@pytest.mark.parametrize("role_id", ["", "x", "00000000-0000-4000-8000-000000000000"])
def test_a_role_that_is_not_there(ada: Browser, role_id: str) -> None:
    page = ada.get(ROLES + "new/")
    assert ada.get(f"{ROLES}edit/?id={role_id}").status_code == 404
    assert send(ada, page, f"{ROLES}remove", {"id": role_id}).status_code == 404


def test_roles_of_another_tenant_are_not_there(staff: Any, ada: Browser, real: Any, world: World) -> None:
    noor = staff("noor")
    new_role(noor, name="Theirs")
    with real.begin(world.nova) as session:
        theirs = session.scalars(select(StaffRole.id).where(StaffRole.name == "Theirs")).one()
    assert "Theirs" not in ada.get(ROLES).get_data(as_text=True)
    assert ada.get(f"{ROLES}edit/?id={theirs}").status_code == 404


def stored(real: Any, world: World) -> dict[str, Any]:
    with real.begin(world.demo) as session:
        return session.scalars(select(Tenant.settings).where(Tenant.id == world.demo)).one()


def test_rules_are_saved_and_hold_at_once(ada: Browser, real: Any, world: World, app: Any) -> None:
    page = ada.get(SIGN_IN)
    shown = page.get_data(as_text=True)
    with real.begin(world.demo) as session:
        found = count_concerned(session, actor=world.people["ada"].actor, now=datetime.now(UTC))
    assert f"Concerns {found[UserKind.STAFF].people} people" in shown
    assert "have none yet" in shown
    assert send(ada, page, SIGN_IN, RULES).status_code == 303
    assert stored(real, world)["sign_in"] == {
        "second_factor": "staff",
        "grace_days": 3,
        "idle_minutes": 20,
        "registration_open": False,
        "link_account_open": True,
        "phone_sign_up_open": False,
    }
    again = ada.get(SIGN_IN).get_data(as_text=True)
    assert 'value="20"' in again
    assert app.extensions["portal_tenants"].by_host("127.0.0.1").sign_in.idle_minutes == 20


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"idle_minutes": "soon"}, "Choose a value from 5 to 720."),
        ({"idle_minutes": "-20"}, "Choose a value from 5 to 720."),
        ({"idle_minutes": "٢٠٠٠"}, "Choose a value from 5 to 720."),
        ({"idle_minutes": "9" * 400}, "Choose a value from 5 to 720."),
        ({"grace_days": ""}, "Choose a value from 0 to 30."),
        ({"second_factor": "nobody"}, "Choose one of the offered values."),
    ],
)
def test_rules_that_cannot_be(ada: Browser, real: Any, world: World, fields: dict[str, str], text: str) -> None:
    page = ada.get(SIGN_IN)
    answer = send(ada, page, SIGN_IN, RULES | fields)
    assert answer.status_code == 422
    shown = answer.get_data(as_text=True)
    assert text in shown
    assert "data-error-summary" in shown
    assert "sign_in" not in stored(real, world)


def test_an_old_proof_leads_to_the_confirmation(ada: Browser, real: Any, world: World) -> None:
    page = ada.get(SIGN_IN)
    with real.begin(world.demo) as session:
        session.execute(
            update(AuthSession)
            .where(AuthSession.user_id == world.people["ada"].user_id)
            .values(proved_at=datetime.now(UTC) - timedelta(minutes=11))
        )
    for answer in (ada.get(SIGN_IN), send(ada, page, SIGN_IN, RULES)):
        assert answer.status_code == 303
        assert answer.headers["Location"].startswith("/admin/confirm")
    assert "sign_in" not in stored(real, world)


def test_domains_of_this_tenant(ada: Browser, staff: Any) -> None:
    page = ada.get(DOMAINS).get_data(as_text=True)
    assert "demo.localhost" in page
    assert "nova.localhost" not in page
    assert "nova.localhost" in staff("noor").get(DOMAINS).get_data(as_text=True)


@pytest.mark.parametrize("name", ["sam", "mia", "bill", "dora"])
def test_who_may_not_sees_no_way_there_and_is_refused(staff: Any, name: str) -> None:
    browser = staff(name)
    for path in (ROLES, f"{ROLES}new/", SIGN_IN, DOMAINS):
        assert browser.get(path).status_code == 403
    token = csrf_token(browser.get("/admin/preferences/"))
    for path in (f"{ROLES}new/", f"{ROLES}remove", SIGN_IN):
        answer = browser.client.post(path, base_url="http://127.0.0.1", data={"csrf_token": token, **RULES})
        assert answer.status_code == 403
    shown = browser.get("/admin/preferences/").get_data(as_text=True)
    assert "/admin/settings/" not in shown


END_ALL = f"{SIGN_IN}end-sessions"


def test_everybody_is_signed_out_from_the_page(ada: Browser, staff: Any, app: Any, world: World) -> None:
    bob, mia, other = sign_in(app, world, "bob"), staff("mia"), staff("ada")
    page = ada.get(SIGN_IN).get_data(as_text=True)
    for whose in ("customers", "team", "everybody"):
        assert f"{END_ALL}?whose={whose}" in page
        assert ada.get(f"{END_ALL}?whose={whose}").status_code == 200
    assert bob.get("/portal/").status_code == 200, "asking ends nothing"
    asked = ada.get(f"{END_ALL}?whose=customers")
    assert send(ada, asked, END_ALL, {"whose": "customers"}).status_code == 303
    assert (bob.get("/portal/").status_code, mia.get("/admin/tickets/").status_code) == (303, 200)
    assert send(ada, asked, END_ALL, {"whose": "team"}).status_code == 303
    assert mia.get("/admin/tickets/").status_code == 303
    assert other.get(SIGN_IN).headers["Location"].startswith("/admin/login"), "one's own elsewhere ends, too"
    assert ada.get(SIGN_IN).status_code == 200


def test_nobody_is_signed_out_by_mistake(ada: Browser, staff: Any, app: Any, world: World, real: Any) -> None:
    bob, mia = sign_in(app, world, "bob"), staff("mia")
    for whose in ("", "x", "staff"):
        assert ada.get(f"{END_ALL}?whose={whose}").headers["Location"] == SIGN_IN
        assert ada.post(END_ALL, {"whose": whose}).headers["Location"] == SIGN_IN
    assert ada.client.post(END_ALL, base_url="http://127.0.0.1", data={"whose": "customers"}).status_code == 400
    assert mia.get(f"{END_ALL}?whose=customers").status_code == 403
    assert mia.post(END_ALL, {"whose": "customers"}).status_code == 403
    with real.begin(world.demo) as session:
        old = datetime.now(UTC) - timedelta(minutes=11)
        mine = AuthSession.user_id == world.people["ada"].user_id
        session.execute(update(AuthSession).where(mine).values(proved_at=old))
    for answer in (ada.get(f"{END_ALL}?whose=team"), ada.post(END_ALL, {"whose": "team"})):
        assert answer.headers["Location"].startswith("/admin/confirm")
    assert (bob.get("/portal/").status_code, mia.get("/admin/tickets/").status_code) == (200, 200)


def test_everybody_is_signed_out_by_the_api(app: Any, world: World, staff: Any) -> None:
    path, body = "/api/v1/staff/sign-in/end-sessions", {"whose": "everybody", "password": PASSWORD}
    programs = {name: program(app, world, name) for name in ("ada", "mia", "bob", "noor")}
    bob, noor = sign_in(app, world, "bob"), staff("noor")
    for name in ("mia", "bob"):
        assert programs[name].post(path, json=body).status_code == 403
    for wrong in ({"whose": "everybody"}, body | {"password": "wrong"}):
        assert programs["ada"].post(path, json=wrong).status_code == 403
    for whose in ("", "all", None, ["team"], 1):
        assert programs["ada"].post(path, json=body | {"whose": whose}).status_code == 422
    assert bob.get("/portal/").status_code == 200
    answer = programs["ada"].post(path, json=body)
    assert answer.status_code == 200
    assert answer.get_json()["count"] >= 3
    assert bob.get("/portal/").status_code == 303
    assert noor.get("/admin/tickets/").status_code == 200
    me = "/api/v1/auth/me"
    found = {name: caller.get(me).status_code for name, caller in programs.items()}
    assert found == {"ada": 200, "mia": 401, "bob": 401, "noor": 200}
