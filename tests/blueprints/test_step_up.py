"""Step-up: what is sensitive needs a proof younger than ten minutes, at pages and at the API."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Blueprint
from sqlalchemy import text

from portal.blueprints.accounts.confirm import fresh_proof, prove_again
from portal.blueprints.api.operations import operation
from portal.blueprints.api.schemas import Body, left_out
from portal.blueprints.policies import signed_in
from portal.extensions import csrf
from tests.blueprints.conftest import problem
from tests.browsing import Browser, csrf_token, program, sign_in
from tests.world import PASSWORD, World

DOORS = pytest.mark.parametrize(("who", "door"), [("bob", "portal"), ("sam", "admin")])


class _WithPassword(Body):
    password: str = left_out(max_length=1024)


@pytest.fixture(scope="module")
def guarded(settings: Any, world: World) -> Any:
    """The application with sensitive views of either kind."""
    from portal.app import create_app

    app = create_app(settings)
    app.config["TESTING"] = False
    views = Blueprint("sensitive", __name__)

    @views.route("/portal/secret", methods=["GET", "POST"], endpoint="portal")
    @views.route("/admin/secret", methods=["GET", "POST"], endpoint="admin")
    @signed_in
    @fresh_proof
    def page() -> str:
        return "what was asked for"

    @views.post("/api/v1/portal/secret")
    @signed_in
    @fresh_proof
    @operation("Decorated", body=_WithPassword, answer=None, status=204)
    def decorated(body: _WithPassword) -> None:
        prove_again(body.password)

    @views.post("/api/v1/portal/secret-too")
    @signed_in
    @operation("Asking itself", body=_WithPassword, answer=None, status=204)
    def asking(body: _WithPassword) -> None:
        prove_again(body.password)

    csrf.exempt(views)
    app.register_blueprint(views)
    return app


@pytest.fixture(autouse=True)
def _no_limits(_forget_limits: None, root: Any, app: Any) -> None:
    """Failures of one test do not lock the next one out."""


def age(root: Any, minutes: float) -> None:
    """Let every proof be that old."""
    with root.begin() as connection:
        connection.execute(
            text("UPDATE auth_sessions SET proved_at = :at"), {"at": datetime.now(UTC) - timedelta(minutes=minutes)}
        )


def confirm(browser: Browser, **fields: str) -> Any:
    path = f"/{'admin/' if browser.door == 'admin' else 'portal/account/'}confirm"
    token = csrf_token(browser.get(path))
    data = {"csrf_token": token, **fields}
    return browser.client.post(path, base_url=f"http://{browser.host}", data=data)


@DOORS
def test_a_new_session_counts_as_proved(guarded: Any, world: World, who: str, door: str) -> None:
    assert sign_in(guarded, world, who).get(f"/{door}/secret").status_code == 200


@DOORS
@pytest.mark.parametrize(("minutes", "status"), [(9.9, 200), (10.1, 303)])
def test_a_proof_is_good_for_ten_minutes(
    guarded: Any, world: World, root: Any, who: str, door: str, minutes: float, status: int
) -> None:
    browser = sign_in(guarded, world, who)
    age(root, minutes)
    for method in ("get", "post"):
        assert getattr(browser.client, method)(f"/{door}/secret", base_url="http://127.0.0.1").status_code == status


@DOORS
def test_confirming_leads_back_to_what_was_asked_for(
    guarded: Any, world: World, root: Any, who: str, door: str
) -> None:
    browser = sign_in(guarded, world, who)
    age(root, 11)
    asked = browser.get(f"/{door}/secret?tab=2")
    assert asked.headers["Location"].endswith(f"confirm?next=/{door}/secret?tab%3D2")
    assert browser.get(asked.headers["Location"]).status_code == 200
    done = confirm(browser, password=PASSWORD, next=f"/{door}/secret?tab=2")
    assert (done.status_code, done.headers["Location"]) == (303, f"/{door}/secret?tab=2")
    assert browser.get(f"/{door}/secret").status_code == 200


def test_a_form_leads_back_to_the_page_it_stood_on(guarded: Any, world: World, root: Any) -> None:
    browser = sign_in(guarded, world, "bob")
    age(root, 11)
    for referrer, next_ in (("http://127.0.0.1/portal/account/profile", "?next=/portal/account/profile"), ("", "")):
        answer = browser.post("/portal/secret", headers={"Referer": referrer})
        assert answer.headers["Location"] == f"/portal/account/confirm{next_}"
    foreign = browser.post("/portal/secret", headers={"Referer": "http://evil.example/portal/"})
    assert foreign.headers["Location"] == "/portal/account/confirm"
    part = browser.post("/portal/secret", headers={"HX-Request": "true"})
    assert (part.status_code, part.headers["HX-Redirect"]) == (204, "/portal/account/confirm")


@pytest.mark.parametrize("target", ["//evil.example/portal/", "https://evil.example/", "/admin/", "/portalx"])
def test_confirming_never_leads_elsewhere(guarded: Any, world: World, target: str) -> None:
    browser = sign_in(guarded, world, "bob")
    assert confirm(browser, password=PASSWORD, next=target).headers["Location"] == "/portal/"


def test_the_token_changes_and_the_old_one_is_worthless(guarded: Any, world: World) -> None:
    browser = sign_in(guarded, world, "bob")
    before = browser.client.get_cookie("portico", domain="127.0.0.1").value
    confirm(browser, password=PASSWORD)
    assert browser.get("/portal/account/profile").status_code == 200
    thief = Browser(guarded.test_client(), "127.0.0.1")
    thief.client.set_cookie("portico", before, domain="127.0.0.1")
    assert thief.get("/portal/account/profile").headers["Location"].startswith("/portal/login")


@DOORS
def test_a_wrong_password_proves_nothing_and_counts(guarded: Any, world: World, root: Any, who: str, door: str) -> None:
    browser = sign_in(guarded, world, who)
    age(root, 11)
    for _ in range(5):
        assert confirm(browser, password="wrong").status_code == 401
    assert browser.get(f"/{door}/secret").status_code == 303
    locked = confirm(browser, password=PASSWORD)
    assert locked.status_code == 401
    assert "Too many failed sign-ins" in locked.get_data(as_text=True)
    # The lock is for the proof: whoever is signed in stays so.
    assert browser.get(f"/{door}/", follow_redirects=True).status_code == 200


def test_nothing_typed_is_said(guarded: Any, world: World) -> None:
    answer = confirm(sign_in(guarded, world, "bob"), password="")
    assert answer.status_code == 422
    assert 'id="password-error"' in answer.get_data(as_text=True)


def test_strangers_confirm_nothing(guarded: Any) -> None:
    for path in ("/portal/account/confirm", "/admin/confirm"):
        assert "/login" in Browser(guarded.test_client(), "127.0.0.1").get(path).headers["Location"]


@pytest.mark.parametrize("path", ["/api/v1/portal/secret", "/api/v1/portal/secret-too"])
def test_a_program_brings_the_password_along(guarded: Any, world: World, path: str) -> None:
    bob = program(guarded, world, "bob")
    for body in ({}, {"password": "wrong"}):
        problem(bob.post(path, json=body), 403, "step_up_required")
    assert bob.post(path, json={"password": PASSWORD}).status_code == 204
    problem(bob.post(path, json={}), 403, "step_up_required")


@pytest.mark.parametrize("body", [{"password": None}, {"password": 1}, {"password": ["a"]}, []])
def test_odd_passwords_of_programs_are_refused(guarded: Any, world: World, body: Any) -> None:
    problem(program(guarded, world, "bob").post("/api/v1/portal/secret", json=body), 403, "step_up_required")


def test_wrong_passwords_of_programs_lock(guarded: Any, world: World) -> None:
    bob = program(guarded, world, "bob")
    for _ in range(5):
        problem(bob.post("/api/v1/portal/secret", json={"password": "wrong"}), 403, "step_up_required")
    locked = bob.post("/api/v1/portal/secret", json={"password": PASSWORD})
    problem(locked, 401, "sign_in_locked")
    assert int(locked.headers["Retry-After"]) > 800
