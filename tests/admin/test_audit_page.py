"""The audit log for people and programs: every filter, what leaves as a file, and who gets neither."""

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select, update

from portal.authz import Actor, ActorKind
from portal.events import audit
from portal.lib.csv_export import BYTE_ORDER_MARK
from portal.models import AuditEntry, AuthSession
from portal.services.audit.exporting import read_export
from portal.services.audit.queries import AuditFilter
from tests.browsing import program
from tests.world import World

# A stretch of time of its own, so that what other tests did is not in the way.
DAY = datetime(2031, 3, 4, 12, 0, tzinfo=UTC)
SPAN = {"since": "2031-03-04", "until": "2031-03-04"}
API = "/api/v1/staff/audit"
API_SPAN = {"since": "2031-03-04T00:00:00Z", "until": "2031-03-05T00:00:00Z"}


@pytest.fixture(scope="module")
def trail(app: Any, world: World) -> dict[str, Any]:
    """Five entries of a day: two of Mia's, one of a person with a formula for a name, a denial, one of Noor's."""
    from portal.models.session import TenantSessions

    real = TenantSessions(app.extensions["portal_engine"])
    record = uuid4()
    formula = "=HYPERLINK(1)"

    def person(name: str, tenant: Any, ip: str) -> Actor:
        return Actor(ActorKind.STAFF, tenant, name, uuid4(), ip=ip, request_id="r-12345678")

    with real.begin(world.demo) as session:
        mia = person("Mia Lindqvist", world.demo, "198.51.100.7")
        audit(session, "sla_policy.saved", "sla_policy", record, actor=mia, now=DAY, before={"a": 1}, after={"a": 2})
        audit(session, "calendar.saved", "calendar", uuid4(), actor=mia, now=DAY + timedelta(hours=1))
        other = person(formula, world.demo, "2001:db8::1")
        audit(session, "ticket.created", "ticket", uuid4(), actor=other, now=DAY + timedelta(hours=2))
        told = {"door": "admin", "endpoint": "audit.index", "permission": "audit:read"}
        audit(session, "access.denied", "access", None, actor=other, now=DAY + timedelta(hours=3), after=told)
    with real.begin(world.nova) as session:
        noor = person("Noor Haddad", world.nova, "203.0.113.5")
        audit(session, "category.saved", "category", uuid4(), actor=noor, now=DAY)
    return {"record": record, "formula": formula}


@pytest.fixture
def ada(staff: Any) -> Any:
    return staff("ada")


@pytest.fixture
def stale(real: Any, world: World) -> Callable[[str], None]:
    """Let the proof of a person's sessions be eleven minutes old."""

    def age(name: str) -> None:
        with real.begin(world.people[name].actor.tenant_id) as session:
            session.execute(
                update(AuthSession)
                .where(AuthSession.user_id == world.people[name].user_id)
                .values(proved_at=datetime.now(UTC) - timedelta(minutes=11))
            )

    return age


FILTERS = [
    ({}, {"sla_policy.saved", "calendar.saved", "ticket.created", "access.denied"}),
    ({"actor": "mia"}, {"sla_policy.saved", "calendar.saved"}),
    ({"actor": "100%"}, set()),
    ({"action": "calendar.saved"}, {"calendar.saved"}),
    ({"action": "ticket"}, {"ticket.created"}),
    ({"record_type": "sla_policy"}, {"sla_policy.saved"}),
    ({"address": "198.51.100."}, {"sla_policy.saved", "calendar.saved"}),
    ({"address": "2001:db8::1"}, {"ticket.created", "access.denied"}),
    ({"address": "%"}, set()),
    ({"denials": "1"}, {"access.denied"}),
    ({"denials": "1", "actor": "mia"}, set()),
]


def download(browser: Any, **filters: Any) -> list[list[str]]:
    answer = browser.get("/admin/audit/download", query_string=SPAN | filters)
    assert answer.status_code == 200, answer.headers
    text = answer.get_data(as_text=True)
    assert text.startswith(BYTE_ORDER_MARK)
    return list(csv.reader(io.StringIO(text.removeprefix(BYTE_ORDER_MARK), newline="")))


@pytest.mark.parametrize(("filters", "expected"), FILTERS)
def test_filters_of_page_file_and_api(
    app: Any, world: World, ada: Any, trail: Any, filters: dict[str, str], expected: set[str]
) -> None:
    header, *rows = download(ada, **filters)
    assert {row[header.index("action_code")] for row in rows} == expected
    page = ada.get("/admin/audit/", query_string=SPAN | filters).get_data(as_text=True)
    assert page.count('<tr id="audit-') == len(expected)
    answer = program(app, world, "ada").get(API, query_string=API_SPAN | filters)
    assert {item["action"] for item in answer.get_json()["items"]} == expected


def test_by_record(app: Any, world: World, ada: Any, trail: Any) -> None:
    _, *rows = download(ada, record_id=str(trail["record"]))
    assert len(rows) == 1
    assert len(download(ada, record_id="no id at all")) == 1, "a header, nothing else"
    answer = program(app, world, "ada").get(API, query_string=API_SPAN | {"record_id": str(trail["record"])})
    (item,) = answer.get_json()["items"]
    assert (item["before"], item["after"], item["text"]) == ({"a": 1}, {"a": 2}, "Promise saved")
    assert item["at"] == "2031-03-04T12:00:00Z"


def test_the_file_has_everything_and_computes_nothing(ada: Any, trail: Any) -> None:
    header, *rows = download(ada)
    by_action = {row[header.index("action_code")]: dict(zip(header, row, strict=True)) for row in rows}
    assert by_action["ticket.created"]["by"] == "'" + trail["formula"]
    saved = by_action["sla_policy.saved"]
    assert (saved["before"], saved["after"]) == ('{"a": 1}', '{"a": 2}')
    assert saved["record_id"] == str(trail["record"])
    assert saved["action"] == "Promise saved"
    assert saved["address"] == "198.51.100.7"
    numbers = [int(row[header.index("number")]) for row in rows]
    assert numbers == sorted(numbers, reverse=True)


def test_the_export_itself_is_in_the_trail_before_it_begins(ada: Any, real: Any, world: World, trail: Any) -> None:
    answer = ada.client.get("/admin/audit/download?actor=mia&denials=1", base_url="http://127.0.0.1", buffered=False)
    with real.begin(world.demo) as session:
        entry = session.scalars(select(AuditEntry).order_by(AuditEntry.seq.desc()).limit(1)).one()
    assert (entry.action, entry.actor_name) == ("audit.exported", "Ada Brandt")
    assert entry.after == {"actor": "mia", "denials": True}
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="audit-2')
    answer.close()


def test_the_file_comes_by_pages_and_each_entry_once(
    real: Any, world: World, trail: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.services.audit.exporting.PAGE", 3)
    pages = list(read_export(real, world.demo, AuditFilter(), up_to=10**9))
    numbers = [entry.seq for page in pages for entry in page]
    assert [len(page) for page in pages[:-1]] == [3] * (len(pages) - 1)
    assert numbers == sorted(set(numbers), reverse=True)
    with real.begin(world.demo) as session:
        assert set(numbers) == set(session.scalars(select(AuditEntry.seq)))


def test_what_happens_after_the_beginning_is_not_in_it(real: Any, world: World, trail: Any) -> None:
    with real.begin(world.demo) as session:
        newest = session.scalars(select(AuditEntry.seq).order_by(AuditEntry.seq.desc()).limit(1)).one()
        actor = world.people["mia"].actor
        audit(session, "calendar.saved", "calendar", uuid4(), actor=actor, now=DAY)
    pages = read_export(real, world.demo, AuditFilter(), up_to=newest)
    assert max(entry.seq for page in pages for entry in page) == newest


def test_an_old_proof_leads_to_the_confirmation_and_nothing_leaves(
    ada: Any, stale: Any, real: Any, world: World, trail: Any
) -> None:
    stale("ada")
    with real.begin(world.demo) as session:
        before = session.scalars(select(AuditEntry.id).where(AuditEntry.action == "audit.exported")).all()
    answer = ada.get("/admin/audit/download?actor=mia")
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/admin/confirm?next=/admin/audit/download")
    with real.begin(world.demo) as session:
        after = session.scalars(select(AuditEntry.id).where(AuditEntry.action == "audit.exported")).all()
    assert len(after) == len(before)


@pytest.mark.parametrize("name", ["sam", "bill", "dora"])
def test_who_may_not_read_it_gets_nothing(app: Any, world: World, staff: Any, name: str) -> None:
    browser = staff(name)
    for path in ("/admin/audit/", "/admin/audit/download"):
        assert browser.get(path).status_code == 403
    assert program(app, world, name).get(API).status_code == 403


def test_customers_and_strangers_get_nothing(app: Any, world: World, staff: Any) -> None:
    assert staff("alice").get("/admin/audit/download").status_code == 303
    assert program(app, world, "alice").get(API).status_code == 403
    assert program(app, world, None).get(API).status_code == 401


def test_another_tenant_sees_its_own_trail_only(app: Any, world: World, staff: Any, trail: Any) -> None:
    header, *rows = download(staff("noor"))
    assert [row[header.index("by")] for row in rows] == ["Noor Haddad"]
    items = program(app, world, "noor").get(API, query_string=API_SPAN).get_json()["items"]
    assert [item["actor_name"] for item in items] == ["Noor Haddad"]


@pytest.mark.parametrize(
    ("query", "field", "code"),
    [
        ({"since": "2031-03-04"}, "since", "date_invalid"),
        ({"until": "2031-03-04T00:00:00"}, "until", "date_invalid"),
        ({"record_id": "1"}, "record_id", "not_an_id"),
        ({"denials": "perhaps"}, "denials", "wrong_type"),
        ({"actor": "x" * 101}, "actor", "too_long"),
        ({"actor": "\x00"}, "actor", "characters_forbidden"),
        ({"who": "ada"}, "who", "unknown_field"),
        ({"cursor": "x"}, "cursor", "cursor_invalid"),
    ],
)
def test_odd_filters_of_the_api(app: Any, world: World, query: dict[str, str], field: str, code: str) -> None:
    answer = program(app, world, "ada").get(API, query_string=query)
    assert answer.status_code == 422
    assert [(error["field"], error["code"]) for error in answer.get_json()["errors"]] == [(field, code)]


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_the_ends_of_time(app: Any, world: World, moment: str) -> None:
    assert program(app, world, "ada").get(API, query_string={"since": moment}).status_code == 200


def test_pages_of_the_api_fit_together(app: Any, world: World, trail: Any) -> None:
    ada, seen, cursor = program(app, world, "ada"), [], None
    while True:
        query = API_SPAN | {"limit": "1"} | ({"cursor": cursor} if cursor else {})
        page = ada.get(API, query_string=query).get_json()
        seen += [item["number"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == sorted(set(seen), reverse=True)
    assert len(seen) >= 4


def test_the_button_is_there_for_those_who_may(staff: Any, ada: Any, trail: Any) -> None:
    assert "/admin/audit/download?" in ada.get("/admin/audit/", query_string=SPAN).get_data(as_text=True)
