"""The desk's settings by the API: categories, statuses, rules, working hours, mail texts, the mailbox, followers."""

import time

import pytest
from sqlalchemy import delete, select, update

from portal.models import (
    AssignmentRule,
    AuditEntry,
    BusinessCalendar,
    ConfigVersion,
    CustomStatus,
    MailIntake,
    MailWords,
    Tenant,
    TicketCategory,
)
from portal.models.session import TenantSessions
from portal.services.mail_in.webhook import signature
from tests.blueprints.conftest import DESK, codes, problem
from tests.letters import HELP, letter
from tests.world import PASSWORD

STAFF = "/api/v1/staff"


@pytest.fixture(autouse=True)
def _as_before(engine, world, app):
    yield
    with TenantSessions(engine).begin(world.demo) as session:
        session.execute(delete(AssignmentRule))
        session.execute(delete(TicketCategory).where(TicketCategory.key.like("by_program%")))
        session.execute(delete(CustomStatus).where(CustomStatus.key.like("by_program%")))
        session.execute(delete(BusinessCalendar).where(BusinessCalendar.name.like("By program%")))
        session.execute(delete(MailWords))
        session.execute(delete(MailIntake))
        session.execute(delete(ConfigVersion))
    app.extensions["portal_tenants"].forget()


def versions(caller, path):
    return [(one["version"], one["current"]) for one in caller.get(f"{path}/versions").get_json()["items"]]


def test_a_category_is_made_changed_moved_and_taken_back(api):
    mia, path = api("mia"), f"{STAFF}/ticket-categories"
    asked = {"kind": "choice", "names": {"en": "Site"}, "options": [{"names": {"en": "Lyon"}}]}
    made = mia.post(path, json={"names": {"en": "By program"}, "fields": [asked]})
    assert made.status_code == 201
    one = made.get_json()
    assert (one["key"], one["fields"][0]["key"]) == ("by_program", "site")
    own = f"{path}/{one['id']}"
    assert mia.patch(own, json={"fields": []}).get_json()["fields"] == []
    assert versions(api("sam"), own) == [(2, True), (1, False)]
    back = mia.post(f"{own}/versions/1/restore", json={}).get_json()
    assert back["fields"][0]["options"] == [{"key": "lyon", "names": {"en": "Lyon"}}]
    moved = mia.post(f"{own}/move", json={"direction": "up"}).get_json()["items"]
    assert [item["key"] for item in moved][-2] == "by_program"
    wrong = mia.patch(own, json={"fields": [{"kind": "choice", "names": {"en": "Site"}}]})
    assert codes(wrong) == {"fields.0.options": "required"}
    problem(mia.patch(own, json={}), 422)
    problem(api("sam").patch(own, json={"active": False}), 403)
    problem(api("noor").patch(own, json={"active": False}), 404)


def test_an_own_status_is_moved_and_taken_back(api):
    mia, path = api("mia"), f"{STAFF}/ticket-statuses"
    names = {"category": "open", "staff_names": {"en": "By program"}, "customer_names": {"en": "We look"}}
    own = f"{path}/{mia.post(path, json=names).get_json()['id']}"
    mia.patch(own, json={"customer_names": {"en": "Somebody looks"}})
    assert versions(mia, own) == [(2, True), (1, False)]
    assert mia.post(f"{own}/versions/1/restore", json={}).get_json()["customer_names"] == {"en": "We look"}
    assert mia.post(f"{own}/move", json={"direction": "down"}).status_code == 200
    problem(api("noor").get(f"{own}/versions"), 404)


def test_a_rule_is_patched_moved_taken_back_and_deleted(api):
    mia, path = api("mia"), f"{STAFF}/assignment/rules"
    first, second = (mia.post(path, json={"name": name}).get_json()["id"] for name in ("First", "Second"))
    own = f"{path}/{second}"
    assert mia.patch(own, json={"skills": ["vpn"]}).get_json()["skills"] == ["vpn"]
    moved = mia.post(f"{own}/move", json={"direction": "up"}).get_json()["items"]
    assert [item["id"] for item in moved] == [second, first]
    assert versions(mia, own) == [(2, True), (1, False)]
    assert mia.post(f"{own}/versions/1/restore", json={}).get_json()["skills"] == []
    problem(api("sam").request("DELETE", own), 403)
    problem(api("noor").request("DELETE", own), 404)
    assert mia.request("DELETE", own).status_code == 204
    problem(mia.get(own), 404)


def test_working_hours_are_added_previewed_changed_and_taken_back(api):
    mia, path = api("mia"), f"{STAFF}/sla/calendars"
    hours = {"name": "By program", "timezone": "Europe/Paris", "intervals": [[0, 480, 720]], "holidays": ["2026-12-25"]}
    made = mia.post(path, json=hours)
    assert made.status_code == 201
    own = f"{path}/{made.get_json()['id']}"
    longer = hours | {"intervals": [[0, 480, 1080]]}
    assert mia.post(f"{own}/preview", json=longer).get_json()["moves"] == []
    assert mia.request("PUT", own, json=longer).get_json()["intervals"] == [[0, 480, 1080]]
    assert mia.post(f"{own}/versions/1/restore", json={}).get_json()["intervals"] == [[0, 480, 720]]
    assert versions(mia, own)[0] == (3, True)
    assert codes(mia.request("PUT", own, json=hours | {"timezone": "Nowhere"})) == {"timezone": "timezone_unknown"}
    problem(mia.post(path, json=hours | {"holidays": ["2026-02-30"]}), 422)
    problem(api("sam").request("PUT", own, json=hours), 403)
    problem(api("noor").get(own), 404)


def test_mail_texts_are_said_in_own_words_and_taken_back(api):
    mia, path = api("mia"), f"{STAFF}/mail-texts"
    own = f"{path}/ticket_answered"
    words = {"en": {"subject": "{{ticket.number}}", "body": "News."}}
    assert mia.request("PUT", own, json={"texts": words}).get_json()["texts"] == words
    assert mia.request("PUT", own, json={"texts": {}}).get_json()["texts"] == {}
    assert mia.post(f"{own}/versions/1/restore", json={}).get_json()["version"] == 3
    kinds = {item["kind"]: item["texts"] for item in api("sam").get(path).get_json()["items"]}
    assert kinds["ticket_answered"] == words
    wrong = mia.request("PUT", own, json={"texts": {"en": {"body": "{{secret}}"}}})
    assert codes(wrong) == {"body_en": "placeholder_unknown"}
    problem(mia.request("PUT", f"{path}/invitation", json={"texts": {}}), 404)
    problem(api("sam").request("PUT", own, json={"texts": {}}), 403)


def test_the_mailbox_is_read_and_changed_with_a_proof(api):
    ada, path = api("ada"), f"{STAFF}/mailbox"
    rules = {"host": "imap.example.com", "username": "help", "polled": True, "mailbox_password": "s3cret-box"}
    problem(ada.request("PUT", path, json=rules), 403, "step_up_required")
    changed = ada.request("PUT", path, json=rules | {"password": PASSWORD})
    assert changed.status_code == 200
    assert changed.get_json()["has_password"] is True
    assert "s3cret-box" not in ada.get(path).get_data(as_text=True)
    problem(api("sam").get(path), 403)


def test_the_webhook_s_key_is_renewed_with_a_proof_and_shown_once(api, app, engine, world):
    ada, path = api("ada"), f"{STAFF}/mailbox"
    assert ada.get(path).get_json()["has_webhook_key"] is False
    problem(ada.post(f"{path}/key", json={}), 403, "step_up_required")
    problem(ada.post(f"{path}/key", json={"password": "wrong"}), 403, "step_up_required")
    assert ada.get(path).get_json()["has_webhook_key"] is False
    once = {"headers": {"Idempotency-Key": "renew-the-webhook-key"}}
    made = ada.post(f"{path}/key", json={"password": PASSWORD}, **once)
    assert made.status_code == 201
    first = made.get_json()["key"]
    assert ada.post(f"{path}/key", json={"password": PASSWORD}, **once).get_json()["key"] == first
    assert delivered(app, first) == 200
    second = ada.post(f"{path}/key", json={"password": PASSWORD}).get_json()["key"]
    assert (delivered(app, first), delivered(app, second)) == (401, 200)
    assert first not in ada.get(path).get_data(as_text=True)
    with TenantSessions(engine).begin(world.demo) as session:
        kept = session.scalars(select(AuditEntry).where(AuditEntry.action == "mail_intake.key_renewed")).all()
        assert kept[-1].actor_id == world.people["ada"].user_id
        assert not [one for one in kept if first in repr((one.before, one.after))]
    for who in ("sam", "mia", "bob"):
        problem(api(who).post(f"{path}/key", json={"password": PASSWORD}), 403)


def delivered(app, key):
    """Hand a message over by HTTP, signed with the key; the status of the answer."""
    body, at = letter(sender="nobody@strangers.example").as_bytes(), int(time.time())
    signed = f"t={at},v1={signature(key, at, HELP, body)}"
    headers = {"X-Portico-Recipient": HELP, "X-Portico-Signature": signed, "Content-Type": "message/rfc822"}
    return (
        app.test_client()
        .post("/api/v1/mail/in/demo", base_url="http://127.0.0.1", data=body, headers=headers)
        .status_code
    )


def test_the_rules_of_customers_tickets_are_changed_and_taken_back(api, app, engine, world):
    noor, path = api("noor"), f"{STAFF}/ticket-rules"
    was = noor.get(path).get_json()
    assert was == {"highest_priority": "urgent", "edit_minutes": None, "reopen_days": 30}
    assert noor.get(f"{path}/versions").get_json()["items"] == []
    rules = {"highest_priority": "high", "edit_minutes": 30, "reopen_days": 14}
    try:
        assert noor.request("PUT", path, json=rules).get_json() == rules
        assert noor.request("PUT", path, json=rules).status_code == 200
        assert noor.get(path).get_json() == rules
        assert versions(noor, path) == [(2, True), (1, False)]
        assert noor.post(f"{path}/versions/1/restore", json={}).get_json() == was
        assert versions(noor, path) == [(3, True), (2, False), (1, False)]
        newest = noor.get(f"{path}/versions").get_json()["items"][0]
        assert (newest["saved_by"], newest["form"]) == (world.people["noor"].actor.name, was)
        for version in (9, 99999999999):
            problem(noor.post(f"{path}/versions/{version}/restore", json={}), 404)
        for wrong in ({"highest_priority": "low"}, {"edit_minutes": 1441}, {"reopen_days": -1}):
            assert noor.request("PUT", path, json=rules | wrong).status_code == 422
        assert api("mia").get(f"{path}/versions").get_json()["items"] == []
    finally:
        with TenantSessions(engine).begin(world.nova) as session:
            session.execute(update(Tenant).where(Tenant.id == world.nova).values(settings={}))
            session.execute(delete(ConfigVersion))
    for who in ("sam", "bill"):
        for method, below in (("GET", ""), ("PUT", ""), ("GET", "/versions"), ("POST", "/versions/1/restore")):
            problem(api(who).request(method, path + below, json=rules if method == "PUT" else {}), 403)


def test_the_team_shares_a_ticket_with_a_colleague_of_the_customer(api, ticket, world):
    sam, made = api("sam"), ticket("bob")
    path = f"{DESK}/{made['id']}/followers"
    alice = str(world.people["alice"].user_id)
    assert alice in [one["user_id"] for one in sam.get(path).get_json()["others"]]
    added = sam.post(path, json={"user_id": alice})
    assert (added.status_code, [one["user_id"] for one in added.get_json()["customers"]]) == (201, [alice])
    problem(sam.post(path, json={"user_id": alice}), 409, "already_following")
    problem(sam.post(path, json={"user_id": str(world.people["charlie"].user_id)}), 404)
    problem(api("bill").post(path, json={"user_id": alice}), 403)
    assert sam.request("DELETE", f"{path}/{alice}").status_code == 204
    assert sam.get(path).get_json()["customers"] == []
    problem(sam.request("DELETE", f"{path}/{alice}"), 404)
