"""Who may open what: every endpoint of the back office by every role, and by those who do not belong there."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from portal.authz import ROLE_PERMISSIONS, Permission
from portal.blueprints.policies import PUBLIC, policy_of
from portal.models import Role
from tests.browsing import Browser, csrf_token, sign_in
from tests.world import PASSWORD, STAFF, World

# What each role may open, written out: a change of the table in portal/authz.py has to be meant.
EXPECTED = {
    "desk.index": {"sam", "mia", "bill", "dora", "ada"},
    "desk.ticket": {"sam", "mia", "bill", "dora", "ada"},
    "desk.reply": {"sam", "mia", "ada"},
    "desk.note": {"sam", "mia", "bill", "ada"},
    "desk.assign": {"sam", "mia", "ada"},
    "desk.update": {"sam", "mia", "ada"},
    "companies.index_view": {"sam", "mia", "bill", "dora", "ada"},
    "people.index_view": {"sam", "mia", "bill", "dora", "ada"},
    "mail.index_view": {"mia", "dora", "ada"},
    "mail.html_view": {"mia", "dora", "ada"},
    "audit.index": {"mia", "ada"},
    "sla_policies.index_view": {"sam", "mia", "dora", "ada"},
    "sla_policies.create_view": {"mia", "dora", "ada"},
    "sla_policies.edit_view": {"mia", "dora", "ada"},
    "sla_policies.move_view": {"mia", "dora", "ada"},
    "sla_calendars.edit_view": {"mia", "dora", "ada"},
    "ticket_categories.create_view": {"mia", "dora", "ada"},
    "ticket_categories.move_view": {"mia", "dora", "ada"},
    "identity_providers.index_view": {"ada"},
    "identity_providers.create_view": {"ada"},
    "identity_providers.edit_view": {"ada"},
    "identity_providers.remove_view": {"ada"},
    "identity_providers.claim_view": {"ada"},
    "identity_providers.check_view": {"ada"},
    "identity_providers.drop_view": {"ada"},
    "identity_providers.unlink_view": {"ada"},
    "staff_notifications.index": {"sam", "mia", "bill", "dora", "ada"},
    "staff_preferences.save": {"sam", "mia", "bill", "dora", "ada"},
}
ROLES = ("sam", "mia", "bill", "dora", "ada")


def addresses(app: Any, method: str) -> list[tuple[str, str]]:
    """(endpoint, path) of everything under /admin, ids filled in with one that nobody has."""
    found = []
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith("/admin") or method not in rule.methods:
            continue
        path = rule.rule
        for name in rule.arguments:
            path = path.replace(f"<uuid:{name}>", str(uuid4())).replace(f"<{name}>", "made-up")
        found.append((rule.endpoint, path))
    return found


def fetch(browser: Browser, method: str, path: str, token: str) -> int:
    if method == "GET":
        return browser.get(path).status_code
    data = {"csrf_token": token}
    return browser.client.post(path, base_url=f"http://{browser.host}", data=data).status_code


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("name", ROLES)
def test_every_endpoint_by_role(app: Any, world: World, name: str, method: str) -> None:
    browser = sign_in(app, world, name)
    token = csrf_token(browser.get("/admin/preferences/"))
    granted = ROLE_PERMISSIONS[STAFF[name][1]]
    for endpoint, path in addresses(app, method):
        # A way back from a provider that nobody set out for is refused, whoever comes.
        if endpoint in ("admin_access.logout", "admin_access.sso_callback"):
            continue
        policy = policy_of(app, endpoint)
        status = fetch(browser, method, path, token)
        if policy == PUBLIC or policy in granted:
            assert status in (200, 204, 303, 401, 404, 409, 410, 422), (endpoint, method, status)
        else:
            assert status == 403, (endpoint, method, status)


def test_the_table_is_meant(app: Any) -> None:
    for endpoint, people in EXPECTED.items():
        policy = policy_of(app, endpoint)
        may = {name for name in ROLES if policy in ROLE_PERMISSIONS[STAFF[name][1]]}
        assert may == people, endpoint


def test_every_view_declares_a_permission(app: Any) -> None:
    for endpoint, _ in {*addresses(app, "GET"), *addresses(app, "POST")}:
        if not endpoint.startswith("admin_access."):
            assert isinstance(policy_of(app, endpoint), Permission), endpoint


def test_only_ways_in_are_open_to_everybody(app: Any) -> None:
    every = {endpoint for method in ("GET", "POST") for endpoint, _ in addresses(app, method)}
    ways = {name.removeprefix("admin_access.") for name in every if policy_of(app, name) == PUBLIC}
    passkeys = {"passkey", "passkey_question", "verify", "verify_question"}
    sso = {name for name in ways if name.startswith("sso")}
    assert ways - sso == passkeys | {"login", "join", "forgot", "forgot_sent", "reset", "not_me", "disowned"}


def test_nothing_of_flask_admin_is_served(app: Any, staff: Any) -> None:
    endpoints = {rule.endpoint for rule in app.url_map.iter_rules()}
    assert not {name for name in endpoints if name.startswith("admin") and name.endswith("static")}
    theirs = {
        name for name in endpoints if name.rsplit(".", 1)[-1] in ("export", "action_view", "ajax_update", "delete_view")
    }
    ours = {"tickets", "ticket_list_api", "receivables", "payments", "payments_api"}
    assert theirs == {f"{name}.export" for name in ours} | {"assignment_rules.delete_view"}
    page = staff("ada").get("/admin/companies/").get_data(as_text=True)
    assert "bootstrap" not in page
    assert "select2" not in page
    assert " onclick=" not in page
    assert " style=" not in page


@pytest.mark.parametrize("name", [None, "alice", "bob", "nia"])
def test_outsiders_are_sent_to_sign_in(app: Any, world: World, name: str | None) -> None:
    """A customer's session is nobody at the staff door, even on the same host."""
    browser = sign_in(app, world, name) if name else Browser(app.test_client(), "127.0.0.1")
    for endpoint, path in addresses(app, "GET"):
        if policy_of(app, endpoint) == PUBLIC:
            continue
        answer = browser.get(path)
        assert answer.status_code == 303, (endpoint, answer.status_code)
        assert answer.headers["Location"].split("?")[0] == "/admin/login"


@pytest.mark.parametrize("who", ["alice@acme.example", "sam@demo.example", "nobody@nowhere.example"])
def test_wrong_door_and_wrong_password_read_alike(app: Any, world: World, who: str) -> None:
    browser = Browser(app.test_client(), "127.0.0.1", "admin")
    page = browser.get("/admin/login")
    password = PASSWORD if who.startswith("alice") else "wrong"
    data = {"csrf_token": csrf_token(page), "identifier": who, "password": password}
    answer = browser.client.post("/admin/login", base_url="http://127.0.0.1", data=data)
    text = answer.get_data(as_text=True)
    assert answer.status_code == 401
    assert "The address or the password is not right." in text
    assert f'value="{who}"' in text, "what was typed stays"
    assert password not in text
    assert browser.get("/admin/").status_code == 303


def test_one_browser_stands_at_both_doors(app: Any, world: World) -> None:
    browser = sign_in(app, world, "sam")
    page = browser.get("/portal/login")
    data = {"csrf_token": csrf_token(page), "identifier": world.people["alice"].email, "password": PASSWORD}
    assert browser.client.post("/portal/login", base_url="http://127.0.0.1", data=data).status_code == 303
    assert browser.get("/admin/tickets/").status_code == 200
    assert browser.get("/portal/tickets").status_code == 200
    assert browser.post("/admin/logout").status_code == 303
    assert browser.get("/admin/tickets/").status_code == 303
    assert browser.get("/portal/tickets").status_code == 200


def test_sign_in_leads_back_but_never_elsewhere(app: Any, world: World) -> None:
    for wanted, leads in (
        ("/admin/people/?kind=staff", "/admin/people/?kind=staff"),
        ("//evil.example/admin", "/admin/"),
        ("https://evil.example/", "/admin/"),
        ("/portal/tickets", "/admin/"),
    ):
        browser = Browser(app.test_client(), "127.0.0.1", "admin")
        page = browser.get("/admin/login")
        data = {
            "csrf_token": csrf_token(page),
            "identifier": "sam@demo.example",
            "password": PASSWORD,
            "next": wanted,
        }
        answer = browser.client.post("/admin/login", base_url="http://127.0.0.1", data=data)
        assert answer.headers["Location"] == leads


def test_guessing_is_stopped(app: Any, world: World) -> None:
    browser = Browser(app.test_client(), "127.0.0.1", "admin")
    token = csrf_token(browser.get("/admin/login"))
    data = {"csrf_token": token, "identifier": "jonas@demo.example", "password": "wrong"}
    statuses = [
        browser.client.post("/admin/login", base_url="http://127.0.0.1", data=data).status_code for _ in range(12)
    ]
    assert statuses[:10] == [401] * 10
    assert statuses[10:] == [429, 429]


def test_a_form_without_its_token_does_nothing(app: Any, staff: Any, urgent: UUID) -> None:
    browser = staff("ada")
    for endpoint, path in addresses(app, "POST"):
        status = browser.client.post(path, base_url="http://127.0.0.1", data={"message": "x"}).status_code
        assert status == 400, endpoint


def test_ids_of_another_tenant_are_not_found(app: Any, world: World, staff: Any, ticket: Any, real: Any) -> None:
    foreign = ticket("nia")
    browser = staff("ada")
    token = csrf_token(browser.get("/admin/tickets/"))
    assert browser.get(f"/admin/tickets/{foreign}").status_code == 404
    assert browser.get(f"/admin/companies/details/?id={world.companies['ofuq']}").status_code == 404
    for action, data in (
        ("reply", {"message": "x"}),
        ("note", {"message": "x"}),
        ("assign", {"assignee_id": ""}),
        ("update", {"status": "closed"}),
    ):
        sent = {"csrf_token": token, **data}
        path = f"/admin/tickets/{foreign}/{action}"
        assert browser.client.post(path, base_url="http://127.0.0.1", data=sent).status_code == 404, action


@pytest.mark.parametrize("bad", ["", "x", "1", "00000000-0000-0000-0000-00000000000g", "%00", "' or 1=1"])
def test_bad_keys_are_not_found(staff: Any, bad: str) -> None:
    browser = staff("ada")
    for path in ("companies/details", "people/details", "mail/details", "sla/policies/edit", "sla/calendars/edit"):
        assert browser.get(f"/admin/{path}/?id={bad}").status_code == 404, path


def test_roles_of_the_world_cover_every_staff_role() -> None:
    # What a role of the tenant's own making may is in its row, not in the table.
    ours = {role for role in Role if not role.value.startswith("customer")} - {Role.CUSTOM}
    assert {role for _, role in STAFF.values()} == ours
