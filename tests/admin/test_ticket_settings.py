"""What customers may do with their tickets, as the tenant sets it: priority (TKT-04) and editing (TKT-12)."""

from html import unescape

import pytest
from sqlalchemy import delete, select, update

from portal.models import AuditEntry, ConfigVersion, Tenant
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
        session.execute(delete(ConfigVersion).where(ConfigVersion.record_id == world.nova))
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


def test_the_rules_go_back_to_what_they_were(nova, app, world, sessions):
    noor = nova("noor")
    history = f"{PAGE}versions/?lang=en"
    assert "No versions yet" in noor.get(history).get_data(as_text=True)
    noor.post(PAGE, RULES)
    noor.post(PAGE, RULES)
    told = unescape(noor.get(history).get_data(as_text=True))
    assert world.people["noor"].actor.name in told
    for shown in ("For 30 minutes", "before: Until the other side has answered", "14 days after closing", "In force"):
        assert shown in told
    assert noor.post(f"{PAGE}restore/", {"version": "1"}).status_code == 303
    assert 'value="urgent"' in nova("nia").get("/portal/tickets/new").get_data(as_text=True)
    with sessions.begin(world.nova) as session:
        kept = session.scalars(select(ConfigVersion).where(ConfigVersion.record_id == world.nova)).all()
        assert sorted(row.version for row in kept) == [1, 2, 3]
        trail = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "tenant.tickets_changed").order_by(AuditEntry.seq)
        ).all()
        assert trail[-1].after["highest_priority"] == "urgent"
    for version in ("9", "x", "99999999999"):
        assert noor.post(f"{PAGE}restore/", {"version": version}).status_code == 404


def test_a_version_that_is_out_of_bounds_today_is_not_brought_back(nova, world, sessions):
    noor = nova("noor")
    noor.post(PAGE, RULES)
    with sessions.begin(world.nova) as session:
        first = session.scalars(
            select(ConfigVersion).where(ConfigVersion.record_id == world.nova, ConfigVersion.version == 1)
        ).one()
        first.data = {"form": first.data["form"] | {"reopen_days": 9_999}}
    assert noor.post(f"{PAGE}restore/?lang=en", {"version": "1"}).status_code == 303
    assert "nothing was changed" in noor.get(f"{PAGE}versions/?lang=en").get_data(as_text=True)
    assert 'value="30"' in unescape(noor.get(PAGE).get_data(as_text=True))


def test_versions_are_the_tenant_s_own(nova, app, world):
    nova("noor").post(PAGE, RULES)
    other = sign_in(app, world, "dora")
    assert "No versions yet" in other.get(f"{PAGE}versions/").get_data(as_text=True)
    assert other.post(f"{PAGE}restore/", {"version": "1"}).status_code == 404


def test_only_who_configures_promises_may(app, world):
    assert sign_in(app, world, "dora").get(PAGE).status_code == 200
    assert sign_in(app, world, "sam").get(PAGE).status_code == 403
    assert sign_in(app, world, "sam").post(PAGE, RULES).status_code == 403
    assert sign_in(app, world, "sam").get(f"{PAGE}versions/").status_code == 403
    assert sign_in(app, world, "sam").post(f"{PAGE}restore/", {"version": "1"}).status_code == 403
