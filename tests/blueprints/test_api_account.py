"""One's own account by the API: profile, password, settings, sessions, keys (API-08, H9.8, H9.9)."""

from datetime import UTC, datetime, timedelta

import pytest
from limits import RateLimitItemPerMinute
from sqlalchemy import select, update

from portal.models import ApiKey, AuditEntry, IdempotencyKey, Person, User, UserStatus
from tests.blueprints.account_pages import Backstage
from tests.blueprints.conftest import TICKETS, codes, problem
from tests.browsing import Program, sign_in
from tests.world import PASSWORD

PORTAL = "/api/v1/portal"
PROFILE, KEYS, SESSIONS = f"{PORTAL}/profile", f"{PORTAL}/api-keys", f"{PORTAL}/sessions"
SETTINGS = f"{PORTAL}/notifications/settings"
NEW = "seven otters sail to Graz"


@pytest.fixture
def backstage(app, world):
    found = Backstage(app, world)
    yield found
    found.put_back()


@pytest.fixture
def bob(api, backstage):
    return api("bob")


def put(program, path, body):
    return program.request("PUT", path, json=body)


def delete(program, path):
    return program.request("DELETE", path)


@pytest.fixture
def key(app, bob):
    """Make a key of bob's: its secret and a program that shows it."""

    def make(name="Report", program=bob):
        answer = program.post(KEYS, json={"name": name, "password": PASSWORD})
        assert answer.status_code == 201, answer.get_data(as_text=True)
        made = answer.get_json()
        return made, Program(app.test_client(), program.host, made["key"])

    return make


def test_the_profile_has_everything(bob, world):
    found = bob.get(PROFILE).get_json()
    assert set(found) == {
        "id", "person_id", "name", "email", "email_verified", "pending_email", "phone", "phone_verified",
        "pending_phone", "title", "date_of_birth", "locale", "timezone", "theme", "picture_url", "addresses",
        "completeness",
    }  # fmt: skip
    assert (found["id"], found["email"], found["email_verified"]) == (
        str(world.people["bob"].user_id),
        "bob@acme.example",
        False,
    )
    assert found["completeness"]["percent"] == 16
    assert {"key", "label", "why"} == set(found["completeness"]["missing"][0])


def test_what_is_left_out_stays(bob):
    answer = put(bob, PROFILE, {"title": "Lead", "date_of_birth": "1990-02-28", "timezone": "Asia/Riyadh"})
    assert answer.status_code == 200
    found = put(bob, PROFILE, {"title": None}).get_json()
    assert (found["title"], found["date_of_birth"], found["timezone"], found["name"]) == (
        None,
        "1990-02-28",
        "Asia/Riyadh",
        "Bob Keller",
    )


def test_a_profile_can_be_sent_back_as_it_came(bob):
    found = bob.get(PROFILE).get_json()
    fields = ("name", "email", "phone", "title", "date_of_birth", "locale", "timezone", "theme")
    answer = put(bob, PROFILE, {name: found[name] for name in fields})
    assert answer.status_code == 200
    assert answer.get_json() == found


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"name": " "}, {"name": "required"}),
        ({"name": None}, {"name": "wrong_type"}),
        ({"name": "x" * 101}, {"name": "too_long"}),
        ({"date_of_birth": "28.02.1990"}, {"date_of_birth": "date_invalid"}),
        ({"date_of_birth": 0}, {"date_of_birth": "date_invalid"}),
        ({"date_of_birth": "2990-01-01"}, {"date_of_birth": "birth_invalid"}),
        ({"theme": "neon"}, {"theme": "unknown_choice"}),
        ({"locale": "xx"}, {"locale": "unknown_choice"}),
        ({"timezone": "../etc"}, {"timezone": "timezone_unknown"}),
        ({"role": "tenant_admin"}, {"role": "unknown_field"}),
        ({"email_verified": True}, {"email_verified": "unknown_field"}),
        ({"company_id": "x", "kind": "staff"}, {"company_id": "unknown_field", "kind": "unknown_field"}),
    ],
)
def test_what_cannot_be_written(bob, body, wrong):
    assert codes(put(bob, PROFILE, body)) == wrong


@pytest.mark.parametrize("body", [{}, {"password": PASSWORD}])
def test_nothing_is_no_change(bob, body):
    problem(put(bob, PROFILE, body), 422, "nothing_to_change")


def test_another_address_waits_and_needs_the_password(app, bob, backstage):
    problem(put(bob, PROFILE, {"email": "robert@acme.example", "name": "Robert"}), 403, "step_up_required")
    assert backstage.person("bob")[1].name == "Bob Keller"
    wrong = {"email": "robert@acme.example", "password": "wrong"}
    problem(put(bob, PROFILE, wrong), 403, "step_up_required")
    found = put(bob, PROFILE, wrong | {"password": PASSWORD}).get_json()
    assert (found["email"], found["pending_email"]["value"]) == ("bob@acme.example", "robert@acme.example")
    assert backstage.kinds("bob@acme.example") == ["email_change_requested"]
    # The present one, sent again, withdraws it.
    assert put(bob, PROFILE, {"email": "bob@acme.example"}).get_json()["pending_email"] is None


def test_a_number_is_confirmed_by_its_code(bob, backstage):
    found = put(bob, PROFILE, {"phone": "+33 6 39 98 00 15", "password": PASSWORD}).get_json()
    assert (found["phone"], found["pending_phone"]["value"]) == (None, "+33639980015")
    code = backstage.secret("phone_code", "+33639980015")
    confirm = f"{PROFILE}/phone/confirm"
    assert codes(bob.post(confirm, json={"code": f"{(int(code) + 1) % 10**6:06d}"})) == {"code": "code_wrong"}
    found = bob.post(confirm, json={"code": code}).get_json()
    assert (found["phone"], found["phone_verified"], found["pending_phone"]) == ("+33639980015", True, None)
    problem(bob.post(confirm, json={"code": code}), 409, "link_expired")
    problem(put(bob, PROFILE, {"phone": None}), 403, "step_up_required")
    assert put(bob, PROFILE, {"phone": None, "password": PASSWORD}).get_json()["phone"] is None


def test_the_password_is_changed_and_everything_else_ends(api, bob, backstage):
    other = api("bob")
    body = {"current_password": PASSWORD, "new_password": NEW}
    answer = put(bob, f"{PORTAL}/password", body)
    assert (answer.status_code, answer.get_data()) == (204, b"")
    assert bob.get(PROFILE).status_code == 200
    problem(other.get(PROFILE), 401, "token_invalid")
    sign_in_again = {"identifier": "bob@acme.example", "password": PASSWORD}
    problem(api(None).post("/api/v1/auth/token", json=sign_in_again), 401, "wrong_credentials")


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"current_password": "wrong", "new_password": NEW}, {"current_password": "current_password_wrong"}),
        ({"current_password": PASSWORD, "new_password": "short"}, {"new_password": "too_short"}),
        ({"current_password": PASSWORD, "new_password": PASSWORD}, {"new_password": "password_unchanged"}),
        ({"new_password": NEW}, {"current_password": "required"}),
        (
            {"current_password": ["x"], "new_password": {}},
            {"current_password": "wrong_type", "new_password": "wrong_type"},
        ),
    ],
)
def test_a_password_that_is_not_taken(bob, body, wrong):
    assert codes(put(bob, f"{PORTAL}/password", body)) == wrong


def test_guessing_the_password_is_locked(bob):
    for _ in range(5):
        put(bob, f"{PORTAL}/password", {"current_password": "wrong", "new_password": NEW})
    answer = put(bob, f"{PORTAL}/password", {"current_password": PASSWORD, "new_password": NEW})
    problem(answer, 401, "sign_in_locked")
    assert int(answer.headers["Retry-After"]) > 0


def test_notification_settings_are_replaced(bob):
    by_mail = {"security": {"new_device": "mail"}}
    assert bob.get(SETTINGS).get_json() == {"mail": {"tickets": True}} | by_mail
    off = {"mail": {"tickets": False}}
    assert put(bob, SETTINGS, off).get_json() == off | by_mail
    assert bob.get(SETTINGS).get_json() == off | by_mail
    for body in ({}, {"mail": {}}, {"mail": {"tickets": "no"}}, {"mail": {"tickets": 0}}, {"mail": {"tickets": None}}):
        problem(put(bob, SETTINGS, body), 422)
    assert "unknown_field" in codes(put(bob, SETTINGS, {"mail": {"tickets": True, "sms": True}})).values()


def test_how_new_devices_are_told_needs_a_proven_number(bob, backstage):
    on = {"mail": {"tickets": True}}
    for wrong in ("none", "", 1, None, ["text"]):
        problem(put(bob, SETTINGS, on | {"security": {"new_device": wrong}}), 422)
    for wrong in ({}, None, {"new_device": "mail", "phone": "+33639980042"}):
        problem(put(bob, SETTINGS, on | {"security": wrong}), 422)
    refused = codes(put(bob, SETTINGS, {"mail": {"tickets": False}, "security": {"new_device": "text"}}))
    assert refused == {"new_device": "phone_not_proven"}
    assert bob.get(SETTINGS).get_json()["mail"] == {"tickets": True}, "refused as a whole"
    backstage.change(Person, "bob", phone="+33639980042", phone_verified_at=datetime.now(UTC))
    both = on | {"security": {"new_device": "both"}}
    assert put(bob, SETTINGS, both).get_json() == both
    assert put(bob, SETTINGS, on).get_json() == both, "what is left out stays"


def test_sessions_are_listed_with_this_one_marked(app, world, api, bob):
    sign_in(app, world, "bob")
    items = bob.get(SESSIONS).get_json()["items"]
    assert [item["current"] for item in items].count(True) == 1
    assert items[0]["current"]
    assert items[0]["kind"] == "program"
    assert {"program", "browser"} == {item["kind"] for item in items}
    assert {item["place"] for item in items} == {"This network"}
    others = {item["id"] for item in api("alice").get(SESSIONS).get_json()["items"]}
    assert not others & {item["id"] for item in items}


def test_a_session_is_ended_at_once(app, world, api, bob):
    browser, other = sign_in(app, world, "bob"), api("bob")
    mine = other.get(SESSIONS).get_json()["items"][0]["id"]
    assert delete(bob, f"{SESSIONS}/{mine}").status_code == 204
    problem(other.get(PROFILE), 401, "token_invalid")
    problem(delete(bob, f"{SESSIONS}/{mine}"), 404, "session_not_found")
    assert browser.get("/portal/").status_code == 200
    assert delete(bob, SESSIONS).status_code == 204
    assert browser.get("/portal/").status_code == 303
    assert bob.get(PROFILE).status_code == 200


@pytest.mark.parametrize("who", ["alice", "charlie", "nia", "sam"])
def test_sessions_of_others_are_not_found(api, bob, who):
    mine = bob.get(SESSIONS).get_json()["items"][0]["id"]
    problem(delete(api(who), f"{SESSIONS}/{mine}"), 404, "session_not_found")
    assert delete(api(who), SESSIONS).status_code == 204
    assert bob.get(PROFILE).status_code == 200


def test_the_history_is_paged(api, bob):
    for _ in range(3):
        api("bob")
    first = bob.get(f"{SESSIONS}/history?limit=2").get_json()
    assert len(first["items"]) == 2
    second = bob.get(f"{SESSIONS}/history?limit=2&cursor={first['next_cursor']}").get_json()
    assert not {item["id"] for item in first["items"]} & {item["id"] for item in second["items"]}
    assert codes(bob.get(f"{SESSIONS}/history?cursor=x")) == {"cursor": "cursor_invalid"}


def test_a_key_needs_the_password(bob, backstage):
    problem(bob.post(KEYS, json={"name": "Report"}), 403, "step_up_required")
    problem(bob.post(KEYS, json={"name": "Report", "password": "wrong"}), 403, "step_up_required")
    assert codes(bob.post(KEYS, json={"password": PASSWORD})) == {"name": "required"}
    assert bob.get(KEYS).get_json() == {"items": [], "next_cursor": None}


def test_a_key_is_shown_once(bob, key, backstage):
    made, _ = key()
    assert made["key"].startswith(made["prefix"])
    (listed,) = bob.get(KEYS).get_json()["items"]
    assert set(listed) == {"id", "name", "prefix", "created_at", "last_used_at", "last_used_ip"}
    assert listed == {name: value for name, value in made.items() if name != "key"}
    assert backstage.kinds("bob@acme.example") == ["api_key_created"]


def test_a_key_reads_what_its_owner_reads(bob, key, ticket, api):
    mine, theirs = ticket("bob")["id"], ticket("charlie")["id"]
    _, program = key()
    assert program.get(TICKETS).get_json() == bob.get(TICKETS).get_json()
    assert program.get(f"{TICKETS}/{mine}").status_code == 200
    problem(program.get(f"{TICKETS}/{theirs}"), 404)
    assert program.get("/api/v1/auth/me").get_json()["email"] == "bob@acme.example"
    assert program.request("HEAD", TICKETS).status_code == 200
    assert program.get(PROFILE).status_code == 200


def test_every_write_with_a_key_is_refused(app, key, bob, ticket, monkeypatch):
    from portal.blueprints.api.openapi import operations

    # So many refusals from one origin would meet the limit of failures first.
    monkeypatch.setattr("portal.blueprints.api.limits.count", lambda *_: True)
    _, program = key()
    found = ticket("bob")["id"]
    tried = 0
    for rule, method, _ in operations(app):
        path = rule.rule
        for name in rule.arguments:
            path = path.replace(f"<uuid:{name}>", found)
        if method == "GET" or "<" in path:
            continue
        tried += 1
        # Before any body is read, or the operation's own rules are asked.
        answer = program.request(method, path, data=b"{", content_type="application/json")
        problem(answer, 403, "api_key_read_only")
    assert tried > 20
    assert bob.get(f"{TICKETS}/{found}").get_json()["status"] == "open"


@pytest.mark.parametrize("path", ["/api/v1/staff/tickets"])
def test_a_key_reads_nothing_of_staff_s(key, path):
    _, program = key()
    problem(program.get(path), 403, "api_key_read_only")


def test_a_key_opens_no_page(key):
    _, program = key()
    for path in ("/portal/tickets", "/portal/account/profile", "/admin/tickets/"):
        assert program.get(path).status_code == 303


def test_the_document_is_open_to_keys_too(key):
    _, program = key()
    assert program.get("/api/v1/openapi.json").status_code == 200


def test_a_revoked_key_is_refused_at_once(bob, key, api):
    made, program = key()
    assert program.get(TICKETS).status_code == 200
    problem(delete(api("alice"), f"{KEYS}/{made['id']}"), 404, "api_key_not_found")
    assert delete(bob, f"{KEYS}/{made['id']}").status_code == 204
    problem(program.get(TICKETS), 401, "token_invalid")
    problem(delete(bob, f"{KEYS}/{made['id']}"), 404, "api_key_not_found")


@pytest.mark.parametrize("values", [{"status": UserStatus.SUSPENDED}, {"portal_access": False}])
def test_a_suspended_owner_s_key_is_refused_at_once(key, backstage, values):
    _, program = key()
    backstage.change(User, "bob", **values)
    try:
        problem(program.get(TICKETS), 401, "token_invalid")
    finally:
        backstage.change(User, "bob", status=UserStatus.ACTIVE, portal_access=True)
    assert program.get(TICKETS).status_code == 200


def test_a_key_is_of_one_tenant(app, key):
    made, _ = key()
    problem(Program(app.test_client(), "nova.localhost", made["key"]).get(TICKETS), 401, "token_invalid")


@pytest.mark.parametrize("token", ["pk_", "pk_x", "pk_" + "a" * 43, "pk_é"])
def test_made_up_keys_are_refused(app, token):
    problem(Program(app.test_client(), "127.0.0.1", token).get(TICKETS), 401)


def test_use_is_written_down_once_a_minute(bob, key, monkeypatch):
    _, program = key()
    began = datetime.now(UTC)
    seen = []
    for seconds in (0, 30, 59, 61, 90):
        monkeypatch.setattr("portal.blueprints.http.utcnow", lambda later=seconds: began + timedelta(seconds=later))
        program.get(TICKETS)
        monkeypatch.undo()
        seen.append(bob.get(KEYS).get_json()["items"][0]["last_used_at"])
    assert len(set(seen[:3])) == 1
    assert len(set(seen[3:])) == 1
    assert seen[0] != seen[3]
    assert bob.get(KEYS).get_json()["items"][0]["last_used_ip"] == "127.0.0.1"


def test_a_refused_write_is_noted_as_use_and_changes_nothing_else(bob, key, backstage):
    _, program = key()
    problem(program.post(TICKETS, json={}), 403, "api_key_read_only")
    assert bob.get(KEYS).get_json()["items"][0]["last_used_at"] is not None


def test_a_key_counts_as_its_owner_for_limits(bob, key, monkeypatch):
    _, program = key()
    monkeypatch.setattr("portal.blueprints.api.limits.CALLS", RateLimitItemPerMinute(3, namespace="calls-of-a-test"))
    assert [caller.get(TICKETS).status_code for caller in (program, bob, program)] == [200, 200, 200]
    for caller in (program, bob):
        assert int(caller.get(TICKETS).headers["Retry-After"]) > 0


@pytest.mark.parametrize("who", ["sam", "ada"])
def test_staff_have_no_keys(api, who):
    problem(api(who).get(KEYS), 403)
    problem(api(who).post(KEYS, json={"name": "x", "password": PASSWORD}), 403)


def test_a_repeated_request_gives_the_same_key_which_is_stored_nowhere_readable(bob, backstage):
    headers, body = {"Idempotency-Key": "key-once"}, {"name": "Report", "password": PASSWORD}
    first, again = (bob.post(KEYS, json=body, headers=headers) for _ in range(2))
    assert (first.status_code, again.headers["Idempotent-Replayed"]) == (201, "true")
    assert first.get_json() == again.get_json()
    assert len(bob.get(KEYS).get_json()["items"]) == 1
    secret = first.get_json()["key"]
    with backstage.begin() as session:
        stored = session.scalars(select(IdempotencyKey).where(IdempotencyKey.key == "key-once")).one()
        assert secret not in stored.body
        assert secret.encode() not in session.scalars(select(ApiKey.key_hash)).one()
        told = session.scalars(select(AuditEntry).where(AuditEntry.action == "api_key.created")).all()
        assert not any(secret in str(row.after) for row in told)
    other = bob.post(KEYS, json=body | {"name": "Other"}, headers=headers)
    problem(other, 422, "idempotency_mismatch")


def test_nobody_reaches_any_of_it(api):
    for path in (PROFILE, SETTINGS, SESSIONS, KEYS, f"{SESSIONS}/history"):
        problem(api(None).get(path), 401, "authentication_required")


def test_people_without_a_verified_number_are_told_so(bob, backstage):
    backstage.change(Person, "bob", phone="+33639980015")
    found = bob.get(PROFILE).get_json()
    assert (found["phone"], found["phone_verified"]) == ("+33639980015", False)
    with backstage.begin() as session:
        person = backstage.person("bob")[1]
        session.execute(update(Person).where(Person.id == person.id).values(phone_verified_at=datetime.now(UTC)))
    assert bob.get(PROFILE).get_json()["phone_verified"]
