"""Clearing lost second factors from the person's page and by the API (ASVS 6.4.4)."""

from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select, text

from portal.models import AuthSession, MailMessage, User
from portal.models.session import TenantSessions
from tests.blueprints.conftest import codes, problem
from tests.browsing import sign_in
from tests.world import PASSWORD

WHY = "Called back at the number on record"
PROOF = {"password": PASSWORD, "reason": WHY}


@pytest.fixture
def person_of(app: Any, world: Any) -> Any:
    def find(name: str) -> str:
        with TenantSessions(app.extensions["portal_engine"]).begin(world.people[name].actor.tenant_id) as session:
            return str(session.scalar(select(User.person_id).where(User.id == world.people[name].user_id)))

    return find


def factors(root: Any, world: Any, name: str) -> int:
    with root.connect() as connection:
        query = text("SELECT count(*) FROM totp_factors WHERE user_id = :u AND confirmed_at IS NOT NULL")
        return connection.execute(query, {"u": world.people[name].user_id}).scalar()


def shown(answer: Any) -> str:
    return unescape(answer.get_data(as_text=True))


@pytest.mark.parametrize(
    ("who", "by", "page", "door"),
    [
        ("bob", "mia", "/admin/people/details/?id={id}", "/admin/people/{id}/reset-factors"),
        ("sam", "ada", "/admin/team/{id}", "/admin/team/{id}/reset-factors"),
    ],
    ids=["customer", "team"],
)
def test_from_the_persons_page(app, world, root, enrolled, person_of, who, by, page, door):
    person_id = person_of(who)
    place, form = page.format(id=person_id), door.format(id=person_id)
    staff = sign_in(app, world, by)
    assert form not in shown(staff.get(place))
    assert staff.get(form).status_code == 303, "nothing to clear: back to the person"
    own = sign_in(app, world, who)
    enrolled(who)
    assert form in shown(staff.get(place))
    assert "Authenticator" in shown(staff.get(place))
    assert "call back at the number on record" in shown(staff.get(form))
    refused = staff.post(form, {"reason": " "})
    assert refused.status_code == 422
    assert factors(root, world, who) == 1
    done = staff.post(form, {"reason": WHY})
    assert (done.status_code, done.headers["Location"]) == (303, place)
    assert factors(root, world, who) == 0
    assert "/login" in own.get(f"/{own.door}/", follow_redirects=True).request.path
    with TenantSessions(app.extensions["portal_engine"]).begin(world.demo) as session:
        told = (MailMessage.template == "factors_reset", MailMessage.recipient == world.people[who].email)
        assert session.scalars(select(MailMessage.id).where(*told)).first() is not None
    assert form not in shown(staff.get(place))


def test_the_page_asks_for_a_fresh_proof(app, world, root, enrolled, person_of):
    enrolled("bob")
    form = f"/admin/people/{person_of('bob')}/reset-factors"
    mia = sign_in(app, world, "mia")
    with root.begin() as connection:
        connection.execute(text("UPDATE auth_sessions SET proved_at = now() - interval '11 minutes'"))
    for answer in (mia.get(form), mia.post(form, {"reason": WHY})):
        assert (answer.status_code, answer.headers["Location"].startswith("/admin/confirm")) == (303, True)
    assert factors(root, world, "bob") == 1


def test_at_pages_outsiders_get_nowhere(app, world, root, enrolled, person_of):
    browsers = {name: sign_in(app, world, name) for name in ("sam", "mia", "ada", "noor")}
    enrolled("bob")
    enrolled("jonas")
    bob, jonas = person_of("bob"), person_of("jonas")
    for name, path, status in (
        ("sam", f"/admin/people/{bob}/reset-factors", 403),
        ("mia", f"/admin/people/{jonas}/reset-factors", 403),
        ("mia", f"/admin/team/{jonas}/reset-factors", 403),
        ("ada", f"/admin/team/{bob}/reset-factors", 404),
        ("ada", f"/admin/people/{uuid4()}/reset-factors", 404),
        ("noor", f"/admin/people/{bob}/reset-factors", 404),
    ):
        assert browsers[name].get(path).status_code == status, (name, path)
        assert browsers[name].post(path, {"reason": WHY}).status_code == status, (name, path)
    assert (factors(root, world, "bob"), factors(root, world, "jonas")) == (1, 1)


def test_by_the_api(api, world, root, enrolled, person_of):
    path = f"/api/v1/staff/people/{person_of('bob')}/reset-factors"
    mia, bob = api("mia"), api("bob")
    problem(mia.post(path, json=PROOF), 409, "factor_not_on")
    enrolled("bob")
    problem(mia.post(path, json={"reason": WHY}), 403, "step_up_required")
    for reason in ("", " ", "x" * 256, None, 7):
        problem(mia.post(path, json={"reason": reason, "password": PASSWORD}), 422)
    assert "reason" in codes(mia.post(path, json={"password": PASSWORD}))
    assert factors(root, world, "bob") == 1
    assert mia.post(path, json=PROOF).get_json()["email"] == "bob@acme.example"
    assert factors(root, world, "bob") == 0
    problem(bob.get("/api/v1/auth/me"), 401)


def test_outsiders_at_the_api(api, world, root, enrolled, person_of):
    people, team = "/api/v1/staff/people", "/api/v1/staff/team"
    callers = {name: api(name) for name in ("sam", "mia", "ada", "alice", "noor")}
    for name in ("bob", "jonas", "ada"):
        enrolled(name)
    bob, jonas, ada = person_of("bob"), person_of("jonas"), person_of("ada")
    for name, path, status, code in (
        ("sam", f"{people}/{bob}", 403, None),
        ("alice", f"{people}/{bob}", 403, None),
        ("noor", f"{people}/{bob}", 404, None),
        ("mia", f"{people}/{jonas}", 403, None),
        ("mia", f"{team}/{jonas}", 403, None),
        ("ada", f"{team}/{bob}", 404, None),
        ("ada", f"{team}/{ada}", 403, "not_yourself"),
        ("ada", f"{team}/{uuid4()}", 404, None),
    ):
        problem(callers[name].post(f"{path}/reset-factors", json=PROOF), status, code)
    assert [factors(root, world, name) for name in ("bob", "jonas", "ada")] == [1, 1, 1]
    assert callers["ada"].post(f"{team}/{jonas}/reset-factors", json=PROOF).status_code == 200
    assert factors(root, world, "jonas") == 0


def test_where_a_factor_is_required_the_next_sign_in_sets_up_a_new_one(
    app, world, root, api, enrolled, person_of, sign_in_policy
):
    sign_in_policy(second_factor="everybody", grace_days=30)
    enrolled("bob")
    path = f"/api/v1/staff/people/{person_of('bob')}/reset-factors"
    assert api("mia").post(path, json=PROOF).status_code == 200
    bob = sign_in(app, world, "bob")
    assert bob.get("/portal/tickets").headers["Location"].startswith("/portal/account/security")
    with TenantSessions(app.extensions["portal_engine"]).begin(world.demo) as session:
        held = session.scalars(select(AuthSession).where(AuthSession.user_id == world.people["bob"].user_id)).all()
        assert [row for row in held if row.factor_at is not None and row.revoked_at is None] == []
