"""Views of one's own in the back office, selecting, changing many, going through a list, and taking it along."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from portal.models import AuditEntry, BulkChange, Ticket, TicketStatus
from portal.services.tickets.saved_views import ViewForm, list_saved_views, save_view
from portal.services.tickets.view_filters import ViewFilter
from tests.admin.conftest import send, statements_of
from tests.world import World

VIEWS = "/admin/tickets/views"
BULK = "/admin/tickets/bulk"


@pytest.fixture(autouse=True)
def _known_tenants(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.services.tenants.directory.FRESH_FOR_SECONDS", 3600.0)


@pytest.fixture
def keep(real: Any, world: World) -> Any:
    """Save a view (as sam unless said) and give its id."""

    def make(who: str = "sam", name: str = "Kept", **fields: Any) -> UUID:
        with real.begin(world.demo) as session:
            form = ViewForm(name, **fields)
            return save_view(session, None, form=form, actor=world.people[who].actor, now=datetime.now(UTC)).id

    return make


@pytest.fixture
def tagged(real: Any, world: World, ticket: Any) -> Any:
    """Open tickets that carry a tag of their own, a minute apart, and give (tag, ids from the first to the last)."""

    def make(count: int = 3, **fields: Any) -> tuple[str, list[UUID]]:
        tag, now = f"t{uuid4().hex[:8]}", datetime.now(UTC)
        ids = [ticket(at=now - timedelta(minutes=count - number), **fields) for number in range(count)]
        with real.begin(world.demo) as session:
            for row in session.scalars(select(Ticket).where(Ticket.id.in_(ids))):
                row.tags = [tag]
        return tag, ids

    return make


def rows_of(page: Any) -> list[str]:
    """Ids of the tickets of a list, in its order."""
    pattern = r'class="cell-link" href="/admin/tickets/([0-9a-f-]{36})'
    return list(dict.fromkeys(re.findall(pattern, page.get_data(as_text=True))))


def test_a_view_is_made_used_changed_and_deleted(staff: Any, real: Any, world: World, tagged: Any) -> None:
    tag, ids = tagged()
    browser = staff("jonas")
    page = browser.get(f"{VIEWS}/new?q=vpn&priority=normal")
    assert 'value="vpn"' in page.get_data(as_text=True)
    form = {"name": "Tagged", "tags": tag, "sort": "-created", "columns": ["subject", "tags", "number"]}
    places = {"place_number": "1", "place_subject": "2", "place_tags": "3"}
    made = send(browser, page, f"{VIEWS}/new", form | places)
    assert made.status_code == 303
    shown = browser.get(made.location)
    assert rows_of(shown) == [str(id_) for id_ in reversed(ids)]
    text = shown.get_data(as_text=True)
    assert "<h1>Tagged" in text
    assert text.index(">Number<") < text.index(">Subject<") < text.index(">Tags<")
    assert ">Status</" not in text.split("<thead>")[1].split("</thead>")[0]
    view_id = re.search(r"view=([0-9a-f-]{36})", made.location)[1]
    page = browser.get(f"{VIEWS}/{view_id}")
    version = re.search(r'name="version" value="(\d+)"', page.get_data(as_text=True))[1]
    renamed = form | {"name": "Renamed", "columns": ["subject"], "version": version}
    assert send(browser, page, f"{VIEWS}/{view_id}", renamed).status_code == 303
    late = send(browser, page, f"{VIEWS}/{view_id}", renamed | {"name": "Late"})
    assert late.status_code == 409
    assert 'value="Late"' in late.get_data(as_text=True)
    assert send(browser, page, f"{VIEWS}/{view_id}/restore", {"version": "1"}).status_code == 303
    copied = send(browser, page, f"{VIEWS}/{view_id}/duplicate", {})
    assert "Copy of Tagged" in browser.get(copied.location).get_data(as_text=True)
    assert send(browser, page, f"{VIEWS}/{view_id}/delete", {}).status_code == 303
    assert browser.get(f"/admin/tickets/?view={view_id}").status_code == 404
    with real.begin(world.demo) as session:
        names = [view.name for view in list_saved_views(session, actor=world.people["jonas"].actor)]
    assert "Copy of Tagged" in names
    assert "Tagged" not in names


def test_what_is_wrong_is_said_beside_what_was_typed(staff: Any) -> None:
    browser = staff("sam")
    page = browser.get(f"{VIEWS}/new")
    sent = {"name": "", "due_hours": "soon", "sort": "due", "columns": ["subject"], "tags": "kept-text"}
    answer = send(browser, page, f"{VIEWS}/new", sent)
    assert answer.status_code == 422
    text = answer.get_data(as_text=True)
    assert "Enter a whole number." in text
    assert 'value="soon"' in text
    assert "kept-text" in text
    again = send(browser, page, f"{VIEWS}/new", sent | {"due_hours": "5"})
    assert "Name: " in again.get_data(as_text=True)


def test_a_condition_narrows_a_view_and_says_where_it_is_wrong(staff: Any, tagged: Any) -> None:
    tag, ids = tagged()
    browser = staff("sam")
    page = browser.get(f"{VIEWS}/new")
    sent = {"name": "Asked", "sort": "-created", "columns": ["subject"], "tags": tag}
    wrong = send(browser, page, f"{VIEWS}/new", sent | {"condition": 'true &&\n  ticket.subjct == "<b>"'})
    assert wrong.status_code == 422
    text = wrong.get_data(as_text=True)
    assert "Condition: Line 2, column 3: there is no “ticket.subjct”." in text
    assert "ticket.subjct == &#34;&lt;b&gt;&#34;</textarea>" in text
    for condition, shown in ((f'"{tag}" in ticket.tags', ids), ('ticket.status == "closed"', [])):
        made = send(browser, page, f"{VIEWS}/new", sent | {"condition": condition})
        assert made.status_code == 303
        assert rows_of(browser.get(made.location)) == [str(id_) for id_ in reversed(shown)]


def test_views_stand_beside_the_queue_in_their_order(staff: Any, keep: Any) -> None:
    browser = staff("dora")
    first, second = keep("dora", "Alpha"), keep("dora", "Beta")
    shared = keep("mia", "Common", shared=True)
    side = browser.get(f"{VIEWS}/side?view={second}")
    text = side.get_data(as_text=True)
    assert "<html" not in text
    assert text.index(str(shared)) < text.index(str(first)) < text.index(str(second))
    assert re.search(rf'view={second}" aria-current="page"', text)
    page = browser.get(f"{VIEWS}/")
    assert send(browser, page, f"{VIEWS}/move", {"id": str(second), "direction": "up"}).status_code == 303
    text = browser.get(f"{VIEWS}/side").get_data(as_text=True)
    assert text.index(str(second)) < text.index(str(first))


def test_nobody_reaches_the_views_of_others(staff: Any, keep: Any) -> None:
    own, shared = keep(), keep("mia", "Common", shared=True)
    stranger = staff("jonas")
    page = stranger.get(f"{VIEWS}/")
    assert str(own) not in page.get_data(as_text=True)
    for path in (f"{VIEWS}/{own}", f"/admin/tickets/?view={own}", f"/admin/tickets/export/?view={own}"):
        assert stranger.get(path).status_code in (403, 404)
    for path in ("delete", "duplicate", "restore"):
        assert send(stranger, page, f"{VIEWS}/{own}/{path}", {"version": "1"}).status_code == 404
    assert send(stranger, page, f"{VIEWS}/{shared}/delete", {}).status_code == 403
    form = stranger.get(f"{VIEWS}/{shared}").get_data(as_text=True)
    assert "Save view" not in form
    assert (
        send(
            stranger, page, f"{VIEWS}/new", {"name": "x", "shared": "1", "sort": "due", "columns": "subject"}
        ).status_code
        == 403
    )
    assert staff("noor").get(f"{VIEWS}/{shared}").status_code == 404


def test_a_view_costs_as_many_statements_whatever_it_holds(staff: Any, keep: Any, tagged: Any) -> None:
    few, many = tagged(2)[0], tagged(12)[0]
    browser, counts = staff("sam"), []
    for tag in (few, many):
        view = keep(filter=ViewFilter(tags=(tag,)), columns=("subject", "tags", "source", "requester", "created"))
        browser.get(f"/admin/tickets/?view={view}")
        counts.append(statements_of(browser.get(f"/admin/tickets/?view={view}")))
        [first, *_] = rows_of(browser.get(f"/admin/tickets/?view={view}"))
        assert statements_of(browser.get(f"/admin/tickets/{first}?view={view}")) <= 9
    assert counts == [6, 6]
    assert statements_of(browser.get(f"{VIEWS}/side")) == statements_of(browser.get(f"{VIEWS}/side")) <= 6


def test_selected_tickets_change_and_come_back(staff: Any, real: Any, world: World, tagged: Any, keep: Any) -> None:
    tag, ids = tagged()
    view, browser = keep(filter=ViewFilter(tags=(tag,))), staff("sam")
    page = browser.get(f"/admin/tickets/?view={view}&select=1")
    text = page.get_data(as_text=True)
    assert text.count('name="ids"') == 3
    assert "All in this view" in text
    chosen = {"ids": [str(ids[0]), str(ids[1])], "do": "status:resolved"}
    done = send(browser, page, f"{BULK}/?view={view}", chosen)
    assert done.status_code == 303
    told = browser.get(done.location).get_data(as_text=True)
    assert "2 tickets changed" in told
    assert "Undo" in told

    def states() -> list[str]:
        with real.begin(world.demo) as session:
            found = {row.id: row.status.value for row in session.scalars(select(Ticket).where(Ticket.id.in_(ids)))}
        return [found[id_] for id_ in ids]

    assert states() == ["resolved", "resolved", "open"]
    undo = done.location.replace("?", "/undo?")
    assert send(browser, page, undo, {}).status_code == 303
    assert states() == ["open"] * 3
    again = send(browser, page, undo, {})
    assert again.status_code == 409
    assert "undone already" in again.get_data(as_text=True)
    assert send(staff("jonas"), staff("jonas").get("/admin/tickets/"), undo, {}).status_code in (400, 404)


def test_a_whole_view_changes_in_steps_that_are_one_change(
    staff: Any, real: Any, world: World, tagged: Any, keep: Any
) -> None:
    tag, ids = tagged(5)
    view, browser = keep(filter=ViewFilter(tags=(tag,)), sort="created"), staff("sam")
    page = browser.get(f"/admin/tickets/?view={view}&select=1")
    found = browser.get(f"{BULK}/ids?view={view}&limit=17").get_json()["ids"]
    assert found == [str(id_) for id_ in ids]
    change, headers = "", {"Accept": "application/json"}
    for step in (found[:2], found[2:]):
        body = {"ids": step, "do": "priority:high", "change": change}
        answer = send(browser, page, f"{BULK}/?view={view}", body, headers=headers).get_json()
        change = answer["id"]
    assert answer["done"] == 5
    with real.begin(world.demo) as session:
        assert len(session.scalar(select(BulkChange).where(BulkChange.id == UUID(change))).results) == 5
    done = browser.get(answer["address"], headers={"HX-Request": "true"}).get_data(as_text=True)
    assert "<html" not in done
    assert "5 tickets changed" in done
    whole = send(browser, page, f"{BULK}/?view={view}", {"whole": "1", "do": "add_tags:", "tags": "swept, clean"})
    assert "5 tickets changed" in browser.get(whole.location).get_data(as_text=True)
    with real.begin(world.demo) as session:
        assert {tuple(row.tags) for row in session.scalars(select(Ticket).where(Ticket.id.in_(ids)))} == {
            ("clean", "swept", tag)
        }


def test_results_tell_of_each(staff: Any, real: Any, world: World, tagged: Any) -> None:
    _, ids = tagged(2)
    with real.begin(world.demo) as session:
        session.scalar(select(Ticket).where(Ticket.id == ids[0])).status = TicketStatus.CANCELLED
    browser = staff("sam")
    page = browser.get("/admin/tickets/?select=1")
    gone = uuid4()
    sent = {"ids": [str(ids[0]), str(ids[1]), str(gone)], "do": "status:waiting_customer"}
    done = send(browser, page, f"{BULK}/", sent)
    text = browser.get(done.location).get_data(as_text=True)
    assert "1 ticket changed" in text
    assert "cannot go from this state" in text
    assert str(gone) in text


@pytest.mark.parametrize(
    "sent",
    [
        {"do": "status:resolved"},
        {"ids": ["x"], "do": "status:resolved"},
        {"ids": [str(uuid4())], "do": ""},
        {"ids": [str(uuid4())], "do": "status:lost"},
        {"ids": [str(uuid4())], "do": "explode:"},
        {"ids": [str(uuid4())], "do": "assign:x"},
        {"ids": [str(uuid4())], "do": "add_tags:", "tags": " , "},
    ],
)
def test_what_is_no_change_says_so(staff: Any, sent: dict[str, Any]) -> None:
    browser = staff("sam")
    page = browser.get("/admin/tickets/?select=1")
    answer = send(browser, page, f"{BULK}/", sent)
    assert answer.status_code == 422
    assert "Nothing was changed" in answer.get_data(as_text=True)


def test_who_may_not_change_tickets_selects_none(staff: Any) -> None:
    browser = staff("bill")
    page = browser.get("/admin/tickets/?select=1")
    text = page.get_data(as_text=True)
    assert 'id="bulk"' not in text
    assert "select=1" not in text.split("<main")[1].split("data-live-url")[0]
    assert send(browser, page, f"{BULK}/", {"ids": [str(uuid4())], "do": "status:closed"}).status_code == 403
    assert browser.get(f"{BULK}/bar").status_code == 403


def test_one_goes_through_a_list_and_out_at_its_end(staff: Any, tagged: Any, keep: Any) -> None:
    tag, ids = tagged(3)
    view, browser = keep(filter=ViewFilter(tags=(tag,)), sort="created"), staff("sam")

    def follow(ticket_id: UUID, more: str = "") -> str:
        answer = browser.get(f"/admin/tickets/{ticket_id}/next?view={view}{more}")
        assert answer.status_code == 303
        return answer.location

    assert follow(ids[0]).startswith(f"/admin/tickets/{ids[1]}?view={view}")
    assert follow(ids[1]).startswith(f"/admin/tickets/{ids[2]}?")
    assert follow(ids[2]) == f"/admin/tickets/?view={view}"
    assert follow(ids[2], "&back=1").startswith(f"/admin/tickets/{ids[1]}?")
    assert follow(ids[0], "&back=1") == f"/admin/tickets/?view={view}"
    assert browser.get(f"/admin/tickets/{uuid4()}/next").status_code == 404
    page = browser.get(f"/admin/tickets/{ids[1]}?view={view}").get_data(as_text=True)
    assert f"/admin/tickets/{ids[1]}/next?view={view}" in page
    assert browser.get(f"/admin/tickets/{ids[1]}?view={uuid4()}").status_code == 200


def test_an_export_is_the_list_and_on_record(staff: Any, real: Any, world: World, tagged: Any, keep: Any) -> None:
    tag, ids = tagged(3, subject='=HYPERLINK("http://x")')
    view, browser = keep("mia", filter=ViewFilter(tags=(tag,)), sort="created"), staff("mia")
    answer = browser.get(f"/admin/tickets/export/?view={view}")
    assert answer.mimetype == "text/csv"
    assert "attachment" in answer.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True).lstrip("\ufeff"))))
    assert [row["id"] for row in rows] == [str(id_) for id_ in ids]
    assert {row["subject"] for row in rows} == {'\'=HYPERLINK("http://x")'}
    assert rows[0]["tags"] == tag
    with real.begin(world.demo) as session:
        entry = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "tickets.exported").order_by(AuditEntry.seq.desc())
        ).first()
    assert (entry.actor_name, entry.record_id, entry.after["view"]) == ("Mia Lindqvist", view, "Kept")
    for who in ("sam", "bill", "dora"):
        assert staff(who).get("/admin/tickets/export/").status_code == 403
    assert "/admin/tickets/export/" not in staff("sam").get("/admin/tickets/").get_data(as_text=True)


def test_an_export_follows_the_pages(staff: Any, tagged: Any, keep: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.services.tickets.exporting.PAGE", 2)
    tag, ids = tagged(5)
    view = keep("ada", filter=ViewFilter(tags=(tag,)))
    text = staff("ada").get(f"/admin/tickets/export/?view={view}").get_data(as_text=True)
    assert sorted(row["id"] for row in csv.DictReader(io.StringIO(text.lstrip("\ufeff")))) == sorted(map(str, ids))


def test_hits_of_a_search_are_marked_and_nothing_else_is_markup(staff: Any, ticket: Any, keep: Any) -> None:
    word = f"quagga{uuid4().hex[:6]}"
    ticket(subject=f"<img src=x> {word.title()} & more", description="Plain.")
    view = keep(filter=ViewFilter(text=word))
    for path in (f"?q={word}", f"?view={view}", f"?q={word}&select=1"):
        text = staff("sam").get(f"/admin/tickets/{path}").get_data(as_text=True)
        assert f"&lt;img src=x&gt; <mark>{word.title()}</mark> &amp; more" in text, path
        assert "<img src=x>" not in text
    assert "<mark>" not in staff("sam").get("/admin/tickets/").get_data(as_text=True)
