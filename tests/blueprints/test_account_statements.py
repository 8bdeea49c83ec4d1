"""Statements in the browser, over the API and in the back office, and nothing of anybody else."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from portal.authz import Actor
from portal.models import AuditEntry, OutboxEvent, Statement, StatementFormat, StatementState
from portal.models.session import TenantSessions
from portal.services.statements.figures import BooksStillOpen
from portal.services.statements.making import give_up, make_statement
from portal.services.statements.requesting import StatementRequest, request_statement
from tests.browsing import sign_in
from tests.patience import until
from tests.world import World

API, DESK = "/api/v1/portal/statements", "/api/v1/staff/statements"
PAGE = "/portal/statements"
BASE_URL = "http://127.0.0.1:8000"
SPAN = {"start": "2026-01-01", "end": "2026-03-31", "format": "csv"}


@pytest.fixture
def real(app: Any) -> TenantSessions:
    """Transactions that the application sees."""
    return TenantSessions(app.extensions["portal_engine"])


@pytest.fixture
def make(app: Any, real: TenantSessions, world: World) -> Callable[[Any], None]:
    """Have a statement made as the worker does."""

    def made(statement_id: Any, tenant: UUID | None = None) -> None:
        storage = app.extensions["portal_files"].storage

        def attempt() -> bool:
            try:
                make_statement(
                    real, tenant or world.demo, UUID(str(statement_id)), storage=storage, base_url=BASE_URL,
                    now=datetime.now(UTC),
                )  # fmt: skip
            except BooksStillOpen:
                return False
            return True

        until(attempt)

    return made


@pytest.fixture
def asked(real: TenantSessions) -> Callable[..., Statement]:
    """A statement of somebody's, not made yet."""

    def ask(actor: Actor, **more: Any) -> Statement:
        given = {"format": StatementFormat.CSV, "start": date(2026, 1, 1), "end": date(2026, 1, 31)} | more
        with real.begin(actor.tenant_id) as session:
            return request_statement(
                session, StatementRequest(**given), locale="en", actor=actor, now=datetime.now(UTC)
            )

    return ask


def text_of(answer: Any) -> str:
    return " ".join(answer.get_data(as_text=True).split())


def test_a_customer_asks_follows_and_downloads_over_the_api(api: Any, world: World, make: Any) -> None:
    bob = api("bob")
    answer = bob.post(API, json=SPAN | {"attach": True}, headers={"Idempotency-Key": str(uuid4())})
    assert answer.status_code == 202, text_of(answer)
    made = answer.get_json()
    assert (made["status"], made["kind"], made["start"], made["end"]) == ("queued", "period", *list(SPAN.values())[:2])
    assert made["customer_id"] == str(world.companies["acme"])
    assert bob.get(f"{API}/{made['id']}/download").get_json()["code"] == "statement_not_ready"
    make(made["id"])
    found = bob.get(f"{API}/{made['id']}").get_json()
    assert found["status"] == "ready"
    assert found["as_of"] == made["as_of"]
    file = bob.get(f"{API}/{made['id']}/download")
    assert (file.status_code, file.mimetype, len(file.data)) == (200, "text/csv", found["size"])
    assert 'filename="statement-2026-01-01-2026-03-31.csv"' in file.headers["Content-Disposition"]
    assert made["id"] in [one["id"] for one in bob.get(API).get_json()["items"]]


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"start": "2026-02-01", "end": "2026-01-31"}, "end", "end_before_start"),
        ({"start": "2026-02-01"}, "end", "required"),
        ({"end": "2026-02-01"}, "start", "required"),
        ({"start": "2002-02-01", "end": "2026-02-01"}, "end", "span_too_long"),
        ({"start": "1999-12-31", "end": "2000-02-01"}, "start", "date_invalid"),
        ({"kind": "annual"}, "year", "required"),
        ({"kind": "annual", "year": 2150}, "year", "year_invalid"),
        ({"start": "2026-02-30", "end": "2026-03-01"}, "start", "date_invalid"),
    ],
)
def test_what_makes_no_sense_is_refused_by_field(api: Any, body: dict[str, Any], field: str, code: str) -> None:
    answer = api("bob").post(API, json={"format": "pdf"} | body)
    assert answer.status_code == 422
    assert [(error["field"], error["code"]) for error in answer.get_json()["errors"]] == [(field, code)]


def test_outsiders_find_nothing(api: Any, world: World, make: Any, asked: Any) -> None:
    statement = asked(world.people["bob"].actor)
    make(statement.id)
    for stranger in ("charlie", "nia"):
        for path in (f"{API}/{statement.id}", f"{API}/{statement.id}/download"):
            assert api(stranger).get(path).status_code == 404, (stranger, path)
        assert str(statement.id) not in text_of(api(stranger).get(API))
    assert api("charlie").post(API, json=SPAN | {"company_id": str(world.companies["acme"])}).status_code == 404
    assert api("noor").get(f"{DESK}/{statement.id}/download").status_code == 404
    assert api(None).get(API).status_code == 401
    assert api("dora").get(DESK).status_code == 403
    assert api("bob").get(DESK).status_code == 403
    assert api("bill").get(API).status_code == 403


def test_staff_make_one_for_a_customer_who_sees_it_too(api: Any, world: World, make: Any) -> None:
    bill = api("bill")
    assert bill.post(DESK, json=SPAN).status_code == 422
    assert bill.post(DESK, json=SPAN | {"customer_id": str(world.companies["ofuq"])}).status_code == 404
    company = str(world.companies["globex"])
    answer = bill.post(DESK, json={"kind": "annual", "year": 2026, "format": "xlsx", "customer_id": company})
    assert answer.status_code == 202
    made = answer.get_json()["id"]
    make(made)
    assert made in [one["id"] for one in bill.get(f"{DESK}?customer_id={company}").get_json()["items"]]
    other = world.companies["acme"]
    assert made not in [one["id"] for one in bill.get(f"{DESK}?customer_id={other}").get_json()["items"]]
    assert bill.get(f"{DESK}/{made}/download").data[:2] == b"PK"
    assert api("charlie").get(f"{API}/{made}").get_json()["status"] == "ready"


def test_the_page_asks_shows_the_state_and_offers_the_file(
    app: Any, real: TenantSessions, world: World, make: Any
) -> None:
    browser = sign_in(app, world, "alice")
    answer = browser.post(PAGE, {"kind": "annual", "year": "2025", "format": "pdf"})
    assert answer.status_code == 303
    with real.begin(world.demo) as session:
        mine = select(Statement).where(
            Statement.requested_by == world.people["alice"].user_id, Statement.start_on == date(2025, 1, 1)
        )
        statement = session.scalars(mine).one()
        events = select(OutboxEvent.kind).where(OutboxEvent.record_id == statement.id)
        assert session.scalars(events).all() == ["statement.requested"]
    page = text_of(browser.get(PAGE))
    for part in ("Annual statement 2025", "Being made", "hx-trigger=", "Alice Moreau"):
        assert part in page, part
    part = text_of(browser.get(PAGE, headers={"HX-Request": "true"}))
    assert "<html" not in part
    assert "Being made" in part
    make(statement.id)
    page = text_of(browser.get(PAGE))
    assert f"{PAGE}/{statement.id}/download" in page
    file = browser.get(f"{PAGE}/{statement.id}/download")
    assert (file.data[:5], file.headers["Cache-Control"]) == (b"%PDF-", "private, no-store")
    with real.begin(world.demo) as session:
        actions = select(AuditEntry.action).where(AuditEntry.record_id == statement.id)
        assert "statement.downloaded" in session.scalars(actions).all()


def test_the_page_says_what_is_wrong_and_keeps_what_was_typed(app: Any, world: World) -> None:
    browser = sign_in(app, world, "bob")
    answer = browser.post(PAGE, {"kind": "period", "start": "2026-05-05", "end": "2026-05-04", "format": "xlsx"})
    assert answer.status_code == 422
    assert "The end lies before the start." in text_of(answer)
    assert 'value="2026-05-05"' in text_of(answer)
    for wrong in ({"format": "doc"}, {"format": "pdf", "start": "soon", "end": "2026-05-04"},
                  {"kind": "annual", "year": "MMXX", "format": "pdf"}):  # fmt: skip
        assert browser.post(PAGE, {"kind": "period", "start": "2026-05-05"} | wrong).status_code == 422


def test_the_page_of_another_company_has_nothing_of_it(app: Any, world: World, asked: Any, make: Any) -> None:
    statement = asked(world.people["alice"].actor)
    make(statement.id)
    charlie = sign_in(app, world, "charlie")
    assert str(statement.id) not in text_of(charlie.get(PAGE))
    assert charlie.get(f"{PAGE}/{statement.id}/download").status_code == 404


def test_what_could_not_be_made_says_why(app: Any, world: World, real: TenantSessions, asked: Any) -> None:
    statement = asked(world.people["bob"].actor)
    give_up(real, world.demo, statement.id, code="statement_too_long", base_url=BASE_URL, now=datetime.now(UTC))
    page = text_of(sign_in(app, world, "bob").get(PAGE))
    assert "This is too much for a PDF." in page


def test_many_at_a_time_are_refused(api: Any, real: TenantSessions, world: World, asked: Any) -> None:
    charlie = world.people["charlie"].actor
    while True:
        answer = api("charlie").post(API, json=SPAN)
        if answer.status_code == 409:
            break
        assert answer.status_code == 202
    assert answer.get_json()["code"] == "statements_waiting"
    with real.begin(world.demo) as session:
        waiting = session.scalars(
            select(Statement).where(
                Statement.customer_id == world.companies["globex"], Statement.state == StatementState.QUEUED
            )
        ).all()
        assert len(waiting) == 10
        for one in waiting:
            one.state, one.failure = StatementState.FAILED, "statement_not_made"
    assert charlie.company_ids


def test_the_back_office_makes_one_and_lists_everybodys(app: Any, world: World, asked: Any) -> None:
    company = world.companies["acme"]
    statement = asked(world.people["bob"].actor)
    bill = sign_in(app, world, "bill")
    address = f"/admin/statements/?customer={company}"
    assert "Acme" in text_of(bill.get(address))
    form = {"kind": "period", "start": "2026-05-01", "end": "2026-05-31", "format": "pdf"}
    assert bill.post(address, form).status_code == 303
    page = text_of(bill.get(address))
    assert "Bill Hartmann" in page
    assert f"statement-{statement.id}" in page
    assert bill.post(address, form | {"end": "2026-04-30"}).status_code == 422
    assert bill.post("/admin/statements/", form).status_code == 422
    assert "Acme" in text_of(bill.get("/admin/statements/"))
    assert bill.get(f"/admin/statements/{statement.id}").location.endswith(address)
    assert bill.get(f"/admin/statements/?customer={uuid4()}").status_code == 404
    assert sign_in(app, world, "dora").get("/admin/statements/").status_code == 403
    assert statement.created_at > datetime.now(UTC) - timedelta(hours=1)
