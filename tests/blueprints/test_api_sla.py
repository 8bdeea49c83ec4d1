"""Promises, rules of assignment and the report by the API."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import delete, update

from portal.models import AssignmentRule, ConfigVersion, SlaPolicy, StaffProfile
from portal.models.session import TenantSessions
from tests.blueprints.conftest import DESK, codes, problem
from tests.world import World

SLA = "/api/v1/staff/sla"
ASSIGNMENT = "/api/v1/staff/assignment"


@pytest.fixture(autouse=True)
def _as_before(engine: Any, world: World) -> Iterator[None]:
    """Promises and rules would change what other tests find."""
    sessions = TenantSessions(engine)
    yield
    with sessions.begin(world.demo) as session:
        session.execute(update(SlaPolicy).where(SlaPolicy.name == "By program").values(active=False))
        session.execute(delete(AssignmentRule))
        session.execute(delete(StaffProfile))
        session.execute(delete(ConfigVersion).where(ConfigVersion.record_type == "assignment_rule"))


def a_policy(world: World, **fields: Any) -> dict[str, Any]:
    return {
        "name": "By program",
        "calendar_id": str(world.calendars["always"]),
        "match_companies": [str(world.companies["globex"])],
        "match_priorities": ["urgent"],
        "first_response_seconds": 60,
        "next_response_seconds": 120,
        "update_seconds": 3600,
        "levels": [{"metric": "next_response", "after_seconds": 0, "notify_role": "manager"}],
    } | fields


def test_a_promise_is_added_previewed_changed_and_taken_back(api: Any, engine: Any, world: World) -> None:
    mia = api("mia")
    made = mia.post(f"{SLA}/policies", json=a_policy(world))
    assert made.status_code == 201, made.get_json()
    policy = made.get_json()
    path = f"{SLA}/policies/{policy['id']}"
    assert (policy["version"], policy["update_seconds"], policy["levels"][0]["metric"]) == (1, 3600, "next_response")
    with TenantSessions(engine).begin(world.demo) as session:  # tried before the one that covers everything
        session.execute(update(SlaPolicy).where(SlaPolicy.name == "By program").values(position=-1))
    body = {"subject": "Down", "description": "All.", "category": "general", "priority": "urgent"}
    ticket = api("charlie").post("/api/v1/portal/tickets", json=body).get_json()
    changed = a_policy(world, first_response_seconds=600)
    preview = mia.post(f"{path}/preview", json=changed).get_json()
    assert [one["id"] for one in preview["moves"]] == [ticket["id"]]
    saved = mia.request("PUT", path, json=changed | {"open_tickets": "stay"}).get_json()
    assert (saved["version"], saved["first_response_seconds"]) == (2, 600)
    same = api("sam").get(f"{DESK}/{ticket['id']}").get_json()["sla"]["first_response_due_at"]
    assert same == ticket["sla"]["first_response_due_at"]
    versions = api("sam").get(f"{path}/versions").get_json()["items"]
    assert [(one["version"], one["current"]) for one in versions] == [(2, True), (1, False)]
    back = mia.post(f"{path}/versions/1/restore", json={"open_tickets": "move"}).get_json()
    assert (back["version"], back["first_response_seconds"]) == (3, 60)
    problem(mia.post(f"{path}/versions/99/restore", json={}), 404)
    assert policy["id"] in [one["id"] for one in api("sam").get(f"{SLA}/policies").get_json()["items"]]
    refused = mia.request("PUT", path, json=a_policy(world, calendar_id=str(uuid4())))
    assert codes(refused) == {"calendar_id": "unknown_choice"}


def test_rules_and_people(api: Any, world: World) -> None:
    mia, sam = api("mia"), str(world.people["sam"].user_id)
    rule = {"name": "VPN", "strategy": "person", "people": [sam], "match_companies": [str(world.companies["globex"])]}
    tried = mia.post(f"{ASSIGNMENT}/rules/trial", json=rule)
    assert (tried.status_code, len(tried.get_json()["items"]) <= 20) == (200, True)
    made = mia.post(f"{ASSIGNMENT}/rules", json=rule)
    assert made.status_code == 201
    path = f"{ASSIGNMENT}/rules/{made.get_json()['id']}"
    changed = mia.request("PUT", path, json=rule | {"skills": ["VPN"]}).get_json()
    assert (changed["version"], changed["skills"]) == (2, ["vpn"])
    assert [one["name"] for one in api("sam").get(f"{ASSIGNMENT}/rules").get_json()["items"]] == ["VPN"]
    person = {"skills": ["vpn"], "absent_from": "2026-12-24T10:00:00Z", "most_open": 5}
    known = mia.request("PUT", f"{ASSIGNMENT}/people/{sam}", json=person).get_json()
    assert (known["skills"], known["absent_from"], known["most_open"]) == (["vpn"], "2026-12-24T10:00:00Z", 5)
    assert sam in [one["id"] for one in api("sam").get(f"{ASSIGNMENT}/people").get_json()["items"]]
    problem(mia.request("PUT", f"{ASSIGNMENT}/people/{world.people['bob'].user_id}", json=person), 404)


def test_the_report_is_read(api: Any) -> None:
    found = api("sam").get(f"{SLA}/report?by=category&since=2034-01-01&until=2034-01-31").get_json()
    assert (found["by"], found["items"], found["total"]["tickets"]) == ("category", [], 0)
    assert api("sam").get(f"{SLA}/report").status_code == 200
    refused = api("sam").get(f"{SLA}/report?since=2034-01-01&until=2033-01-01")
    assert codes(refused) == {"until": "span_invalid"}


@pytest.mark.parametrize("path", [f"{SLA}/policies", f"{SLA}/report", f"{ASSIGNMENT}/rules", f"{ASSIGNMENT}/people"])
def test_customers_read_none_of_it(api: Any, path: str) -> None:
    problem(api("bob").get(path), 403)
    problem(api(None).get(path), 401)


def test_agents_change_nothing(api: Any, world: World) -> None:
    sam = api("sam")
    problem(sam.post(f"{SLA}/policies", json=a_policy(world)), 403)
    problem(sam.request("PUT", f"{SLA}/policies/{world.policies['Drill']}", json=a_policy(world)), 403)
    problem(sam.post(f"{ASSIGNMENT}/rules", json={"name": "Mine"}), 403)
    problem(sam.request("PUT", f"{ASSIGNMENT}/people/{world.people['sam'].user_id}", json={}), 403)


def test_another_tenants_promises_are_not_found(api: Any, world: World) -> None:
    noor = api("noor")
    answer = noor.request("PUT", f"{SLA}/policies/{world.policies['Drill']}", json=a_policy(world, match_companies=[]))
    problem(answer, 404)
