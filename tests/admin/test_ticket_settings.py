"""What customers may do with their tickets, as the tenant sets it: priority (TKT-04) and editing (TKT-12)."""

from html import unescape

import pytest
from sqlalchemy import select, update

from portal.models import AuditEntry, Tenant
from tests.browsing import program, sign_in

PAGE = "/admin/settings/tickets/"
RULES = {"highest_priority": "high", "editing": "minutes", "edit_minutes": "30", "reopen_days": "14"}
TICKET = {"subject": "VPN", "description": "Since Monday.", "category": "drill"}


@pytest.fixture
def nova(app, world, sessions):
    """The other tenant, whose rules no other test relies on; they are put back afterwards."""
    yield lambda name: sign_in(app, world, name)
    with sessions.begin(world.nova) as session:
        session.execute(update(Tenant).where(Tenant.id == world.nova).values(settings={}))
    app.extensions["portal_tenants"].forget()


def test_the_rules_are_saved_and_hold(nova, app, world, sessions):
    noor, nia = nova("noor"), nova("nia")
    assert 'value="urgent"' in nia.get("/portal/tickets/new").get_data(as_text=True)
    assert noor.post(PAGE, RULES).status_code == 303
    page = unescape(noor.get(PAGE).get_data(as_text=True))
    assert 'value="30"' in page
    form = nia.get("/portal/tickets/new").get_data(as_text=True)
    assert 'value="high"' in form
    assert 'value="urgent"' not in form
    with sessions.begin(world.nova) as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "tenant.tickets_changed")).one()
        assert entry.after == {"highest_priority": "high", "edit_minutes": 30, "reopen_days": 14}


def test_a_forged_priority_is_refused_by_page_and_program(nova, app, world):
    nova("noor").post(PAGE, RULES)
    forged = nova("nia").post("/portal/tickets/new", TICKET | {"priority": "urgent"})
    assert forged.status_code == 422
    api = program(app, world, "nia")
    answer = api.post("/api/v1/portal/tickets", json=TICKET | {"priority": "urgent"})
    assert answer.status_code == 422
    assert answer.get_json()["errors"][0] | {"message": ""} == {
        "field": "priority",
        "code": "priority_too_high",
        "message": "",
    }
    for priority in ("critical", "high"):
        status = api.post("/api/v1/portal/tickets", json=TICKET | {"priority": priority}).status_code
        assert status == (422 if priority == "critical" else 201)


@pytest.mark.parametrize(
    "wrong",
    [
        {"highest_priority": "low"},
        {"highest_priority": "critical"},
        {"edit_minutes": "1441"},
        {"edit_minutes": "-1"},
        {"reopen_days": "3651"},
    ],
)
def test_rules_out_of_bounds_are_refused(nova, wrong):
    assert nova("noor").post(PAGE, RULES | wrong).status_code == 422


def test_only_who_configures_promises_may(app, world):
    assert sign_in(app, world, "dora").get(PAGE).status_code == 200
    assert sign_in(app, world, "sam").get(PAGE).status_code == 403
    assert sign_in(app, world, "sam").post(PAGE, RULES).status_code == 403
