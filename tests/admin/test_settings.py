"""Promises, working hours and categories: edited by service, errors beside the fields, open tickets follow."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select

from portal.models import AuditEntry, BusinessCalendar, ConfigVersion, OutboxEvent, SlaPolicy, Ticket, TicketCategory
from portal.services.tickets.escalation import advance_clock
from tests.admin.conftest import send
from tests.browsing import csrf_token
from tests.world import World

LADDER = {
    "levels-0-metric": "first_response",
    "levels-0-after": "0 min",
    "levels-0-notify_role": "manager",
    "levels-0-assign_role": "manager",
}


def fields(world: World, **changes: Any) -> dict[str, Any]:
    return {
        "do": "save",
        "open_tickets": "move",
        "name": "Fast lane",
        "active": "y",
        "calendar_id": str(world.calendars["always"]),
        "match_categories": ["technical"],
        "first_response_seconds": "15 min",
        "resolution_seconds": "4 h",
        "warn_before_seconds": "5 min",
        "auto_close_seconds": "5 d",
        "pause_statuses": ["waiting_customer"],
        **LADDER,
        **changes,
    }


@pytest.fixture
def mia(staff: Any) -> Any:
    return staff("mia")


@pytest.fixture(autouse=True)
def _as_before(real: Any, world: World) -> Iterator[None]:
    """Promises, hours and categories are the world's: other tests find them as they were."""
    before = {model: snapshot(real, world, model) for model in (SlaPolicy, BusinessCalendar, TicketCategory)}
    yield
    for model, rows in before.items():
        with real.begin(world.demo) as session:
            for row in session.scalars(select(model)):
                if row.id not in rows:
                    session.delete(row)
                for name, value in rows.get(row.id, {}).items():
                    setattr(row, name, value)
    with real.begin(world.demo) as session:
        session.execute(delete(ConfigVersion))


def snapshot(real: Any, world: World, model: Any) -> dict[Any, dict[str, Any]]:
    names = [column.key for column in model.__mapper__.column_attrs]
    return {row.id: {name: getattr(row, name) for name in names} for row in read(real, world, select(model))}


def read(real: Any, world: World, query: Any) -> Any:
    with real.begin(world.demo) as session:
        return session.scalars(query).all()


def test_a_promise_is_created_with_its_ladder(mia: Any, real: Any, world: World) -> None:
    page = mia.get("/admin/sla/policies/new/")
    answer = send(mia, page, "/admin/sla/policies/new/", fields(world, name="Created"))
    assert answer.status_code == 303, answer.get_data(as_text=True)
    (policy,) = read(real, world, select(SlaPolicy).where(SlaPolicy.name == "Created"))
    assert (policy.first_response_seconds, policy.resolution_seconds) == (900, 14_400)
    assert (policy.warn_before_seconds, policy.auto_close_seconds) == (300, 432_000)
    assert policy.match_categories == ["technical"]
    assert policy.levels == [
        {"metric": "first_response", "after_seconds": 0, "notify_role": "manager", "assign_role": "manager"}
    ]
    assert read(real, world, select(AuditEntry).where(AuditEntry.record_id == policy.id))


def test_a_day_is_a_working_day_of_the_calendar(mia: Any, real: Any, world: World) -> None:
    page = mia.get("/admin/sla/policies/new/")
    sent = fields(world, name="Days", calendar_id=str(world.calendars["office"]), resolution_seconds="3 d")
    send(mia, page, "/admin/sla/policies/new/", sent)
    (policy,) = read(real, world, select(SlaPolicy).where(SlaPolicy.name == "Days"))
    assert policy.resolution_seconds == 3 * 9 * 3600
    form = mia.get(f"/admin/sla/policies/edit/?id={policy.id}").get_data(as_text=True)
    assert 'value="3 d"' in form


def test_an_edited_promise_moves_open_tickets(mia: Any, real: Any, world: World, ticket: Any) -> None:
    opened = datetime.now(UTC)
    ticket_id = ticket(category="drill", at=opened)
    policy_id = world.policies["Drill"]
    path = f"/admin/sla/policies/edit/?id={policy_id}"
    page = mia.get(path)
    sent = fields(
        world, name="Drill", match_categories=["drill"], first_response_seconds="2 h", resolution_seconds="6 h"
    )
    assert send(mia, page, path, sent).status_code == 303
    told = read(
        real,
        world,
        select(OutboxEvent).where(OutboxEvent.record_id == ticket_id, OutboxEvent.kind == "ticket.clock_changed"),
    )
    assert told, "the ticket's timer hears of it"
    with real.begin(world.demo) as session:
        advance_clock(session, ticket_id, cycle=1, now=opened + timedelta(seconds=1))
    (found,) = read(real, world, select(Ticket).where(Ticket.id == ticket_id))
    assert found.first_response_due_at == opened + timedelta(hours=2)
    assert found.resolution_due_at == opened + timedelta(hours=6)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"name": ""}, "This field is needed."),
        ({"name": "Standard"}, "Something else has this name already."),
        ({"name": "x" * 90}, "At most 80 characters."),
        ({"first_response_seconds": "soon"}, "Enter a time such as"),
        ({"first_response_seconds": "-5 min"}, "Enter a time such as"),
        ({"first_response_seconds": "0 min"}, "Enter a time longer than zero."),
        ({"first_response_seconds": "999999999 h"}, "Enter a time such as"),
        ({"first_response_seconds": "", "resolution_seconds": ""}, "Set a time for the first answer"),
        ({"calendar_id": "nope"}, "Choose one of the offered values."),
        ({"match_priorities": ["nope"]}, "Choose one of the offered values."),
        ({"match_categories": ["nope"]}, "Choose one of the categories."),
        ({"match_companies": ["nope"]}, "Choose one of the offered values."),
        ({"levels-0-after": "later"}, "Enter a time such as"),
        ({"levels-0-notify_role": "customer"}, "Each level needs"),
    ],
)
def test_a_bad_promise_comes_back_with_what_was_typed(
    mia: Any, world: World, changes: dict[str, Any], text: str
) -> None:
    page = mia.get("/admin/sla/policies/new/")
    answer = send(mia, page, "/admin/sla/policies/new/", fields(world, **changes))
    shown = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert text in shown
    assert "data-error-summary" in shown
    assert 'value="5 min"' in shown, "the rest of the form is kept"


def test_levels_are_added_and_taken_away_without_scripts(mia: Any, world: World, real: Any) -> None:
    page = mia.get("/admin/sla/policies/new/")
    more = send(mia, page, "/admin/sla/policies/new/", fields(world, do="add-level")).get_data(as_text=True)
    assert more.count("ladder-row") == 2
    two = LADDER | {key.replace("-0-", "-1-"): value for key, value in LADDER.items()} | {"levels-1-after": "7 h"}
    fewer = send(mia, page, "/admin/sla/policies/new/", fields(world, do="drop-level-0", **two)).get_data(as_text=True)
    assert fewer.count("ladder-row") == 1
    assert 'value="7 h"' in fewer
    assert not read(real, world, select(SlaPolicy).where(SlaPolicy.name == "Fast lane"))


def test_companies_are_searched_not_listed(mia: Any, world: World) -> None:
    page = mia.get("/admin/sla/policies/new/")
    assert "Globex" not in page.get_data(as_text=True)
    found = send(mia, page, "/admin/sla/policies/new/", fields(world, do="find-company", company_search="glob"))
    assert f'value="{world.companies["globex"]}"' in found.get_data(as_text=True)


def test_order_of_promises(mia: Any, real: Any, world: World) -> None:
    order = select(SlaPolicy.name).where(SlaPolicy.active).order_by(SlaPolicy.position)
    before = read(real, world, order)
    page = mia.get("/admin/sla/policies/")
    sent = {"id": str(world.policies["Standard"]), "direction": "up"}
    assert send(mia, page, "/admin/sla/policies/move/", sent).status_code == 303
    assert read(real, world, order) != before
    send(mia, page, "/admin/sla/policies/move/", {**sent, "direction": "down"})
    assert read(real, world, order) == before


def test_agents_read_promises_and_change_nothing(staff: Any, world: World) -> None:
    sam = staff("sam")
    page = sam.get("/admin/sla/policies/")
    assert "New promise" not in page.get_data(as_text=True)
    details = sam.get(f"/admin/sla/policies/details/?id={world.policies['Standard']}")
    assert details.status_code == 200
    assert "built-in method" not in details.text
    token = csrf_token(sam.get("/admin/preferences/"))
    for path in ("sla/policies/new/", f"sla/policies/edit/?id={world.policies['Standard']}", "sla/policies/move/"):
        answer = sam.client.post(f"/admin/{path}", base_url="http://127.0.0.1", data={"csrf_token": token})
        assert answer.status_code == 403, path


def test_a_calendar_is_saved(mia: Any, real: Any, world: World) -> None:
    page = mia.get("/admin/sla/calendars/new/")
    sent = {
        "name": "Night shift",
        "timezone": "Asia/Riyadh",
        "day_6": "22:00–24:00",
        "day_0": "0:00-6:00, 7.30 - 9h",
        "holidays": "2026-12-25\n2026-12-24",
    }
    assert send(mia, page, "/admin/sla/calendars/new/", sent).status_code == 303
    (calendar,) = read(real, world, select(BusinessCalendar).where(BusinessCalendar.name == "Night shift"))
    assert calendar.intervals == [[0, 0, 360], [0, 450, 540], [6, 1320, 1440]]
    assert calendar.holidays == ["2026-12-24", "2026-12-25"]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"name": "office"}, "Something else has this name already."),
        ({"timezone": "Mars/Olympus"}, "Choose a time zone"),
        ({"day_0": "9 to five"}, "Write hours such as"),
        ({"day_0": "12:00–08:00"}, "Write hours such as"),
        ({"day_0": "08:00–12:00, 11:00–13:00"}, "Write hours such as"),
        ({"day_0": "08:00–25:00"}, "Write hours such as"),
        ({"day_0": ""}, "Give hours for one day at least."),
        ({"holidays": "25.12.2026"}, "Enter a date such as"),
    ],
)
def test_a_bad_calendar_comes_back(mia: Any, changes: dict[str, str], text: str) -> None:
    page = mia.get("/admin/sla/calendars/new/")
    sent = {"name": "Bad", "timezone": "Europe/Paris", "day_0": "08:00–12:00", "holidays": "", **changes}
    answer = send(mia, page, "/admin/sla/calendars/new/", sent)
    assert answer.status_code == 422
    assert text in answer.get_data(as_text=True)


def test_a_category_gets_names_and_a_place(mia: Any, real: Any, world: World) -> None:
    page = mia.get("/admin/sla/categories/new/")
    sent = {"name_en": "Café & printing", "name_de": "Druck", "active": "y"}
    assert send(mia, page, "/admin/sla/categories/new/", sent).status_code == 303
    (row,) = read(real, world, select(TicketCategory).where(TicketCategory.key == "cafe_printing"))
    assert row.names == {"en": "Café & printing", "de": "Druck"}
    path = f"/admin/sla/categories/edit/?id={row.id}"
    assert send(mia, mia.get(path), path, {"name_en": "Printing", "name_de": ""}).status_code == 303
    (row,) = read(real, world, select(TicketCategory).where(TicketCategory.key == "cafe_printing"))
    assert (row.names, row.active) == ({"en": "Printing"}, False)
    assert send(mia, mia.get(path), path, {"name_en": "Billing"}).status_code == 422
    assert send(mia, mia.get(path), path, {"name_en": ""}).status_code == 422


def test_order_of_categories(mia: Any, real: Any, world: World) -> None:
    order = select(TicketCategory.key).order_by(TicketCategory.position)
    before = read(real, world, order)
    (row,) = read(real, world, select(TicketCategory).where(TicketCategory.key == before[1]))
    page = mia.get("/admin/sla/categories/")
    assert send(mia, page, "/admin/sla/categories/move/", {"id": str(row.id), "direction": "up"}).status_code == 303
    assert read(real, world, order)[:2] == [before[1], before[0]]
    send(mia, page, "/admin/sla/categories/move/", {"id": str(row.id), "direction": "down"})
