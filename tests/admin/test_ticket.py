"""A ticket at work: answers and notes, collisions, properties, and what never leaves the team."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from portal.models import Ticket, TicketMessage, TicketStatus
from portal.services.tickets.conversation import reply_as_customer, reply_as_staff
from tests.admin.conftest import hidden, send, statements_of
from tests.world import World

NOTE = "Their firewall is older than it should be"


@pytest.fixture(autouse=True)
def _known_tenants(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.services.tenants.directory.FRESH_FOR_SECONDS", 3600.0)


@pytest.fixture
def stored(real: Any, world: World) -> Any:
    """The ticket as it is in the database now."""

    def read(ticket_id: UUID) -> Ticket:
        with real.begin(world.demo) as session:
            return session.scalar(select(Ticket).where(Ticket.id == ticket_id))

    return read


def answer_fields(page: Any, message: str, **more: str) -> dict[str, str]:
    return {name: hidden(page, name) for name in ("seen", "message_id", "then")} | {"message": message} | more


def test_an_answer_waits_for_the_customer(staff: Any, urgent: UUID, stored: Any) -> None:
    browser = staff("sam")
    page = browser.get(f"/admin/tickets/{urgent}")
    answer = send(browser, page, f"/admin/tickets/{urgent}/reply", answer_fields(page, "We look at it."))
    assert answer.status_code == 303
    found = stored(urgent)
    assert found.status is TicketStatus.WAITING_CUSTOMER
    assert found.first_response_at is not None
    assert "We look at it." in browser.get(f"/admin/tickets/{urgent}").get_data(as_text=True)


@pytest.mark.parametrize(("chosen", "status"), [("in_progress", "in_progress"), ("resolved", "resolved")])
def test_the_button_sets_the_status(staff: Any, urgent: UUID, stored: Any, chosen: str, status: str) -> None:
    browser = staff("sam")
    page = browser.get(f"/admin/tickets/{urgent}")
    send(browser, page, f"/admin/tickets/{urgent}/reply", answer_fields(page, "Done.", status=chosen))
    assert stored(urgent).status.value == status


def test_sent_twice_is_said_once(staff: Any, urgent: UUID, real: Any, world: World) -> None:
    browser = staff("sam")
    page = browser.get(f"/admin/tickets/{urgent}")
    fields = answer_fields(page, "Only once.")
    statuses = [send(browser, page, f"/admin/tickets/{urgent}/reply", fields).status_code for _ in range(2)]
    assert statuses == [303, 303]
    with real.begin(world.demo) as session:
        said = session.scalars(select(TicketMessage).where(TicketMessage.ticket_id == urgent)).all()
    assert [entry.message for entry in said] == ["Only once."]


@pytest.mark.parametrize("who", ["jonas", "bob"])
def test_a_crossing_answer_comes_back_with_its_text(
    staff: Any, urgent: UUID, real: Any, world: World, now: Any, who: str
) -> None:
    browser = staff("sam")
    page = browser.get(f"/admin/tickets/{urgent}")
    fields = answer_fields(page, "Typed while somebody else was faster")
    person = world.people[who]
    with real.begin(world.demo) as session:
        say = reply_as_staff if person.actor.is_staff else reply_as_customer
        say(session, urgent, message="I was faster", actor=person.actor, now=now)
    crossed = send(browser, page, f"/admin/tickets/{urgent}/reply", fields)
    text = crossed.get_data(as_text=True)
    assert crossed.status_code == 409
    assert f"{person.name} answered while you were writing" in text
    assert "Typed while somebody else was faster" in text
    assert "I was faster" in text
    again = answer_fields(crossed, "Typed while somebody else was faster")
    assert send(browser, crossed, f"/admin/tickets/{urgent}/reply", again).status_code == 303


def test_a_note_stays_with_the_team(staff: Any, urgent: UUID) -> None:
    browser = staff("bill")
    page = browser.get(f"/admin/tickets/{urgent}")
    assert "answer-reply-form" not in page.get_data(as_text=True).replace('form="answer-reply-form"', "")
    assert send(browser, page, f"/admin/tickets/{urgent}/note", {"message": NOTE}).status_code == 303
    shown = staff("sam").get(f"/admin/tickets/{urgent}").get_data(as_text=True)
    assert NOTE in shown
    assert "Internal note, never shown to Acme" in shown
    for name in ("bob", "alice"):
        customer = staff(name)
        for path in (f"/portal/tickets/{urgent}", "/portal/tickets", "/portal/", "/portal/notifications"):
            page = customer.get(path)
            assert page.status_code == 200, path
            assert NOTE not in page.get_data(as_text=True), path
            assert "note_added" not in page.get_data(as_text=True), path


@pytest.mark.parametrize("action", ["reply", "note"])
def test_an_empty_text_is_refused_beside_the_field(staff: Any, urgent: UUID, action: str) -> None:
    browser = staff("sam")
    page = browser.get(f"/admin/tickets/{urgent}")
    answer = send(browser, page, f"/admin/tickets/{urgent}/{action}", {"message": "  "})
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.get_data(as_text=True)


def test_properties_change(staff: Any, urgent: UUID, stored: Any, world: World) -> None:
    browser = staff("mia")
    page = browser.get(f"/admin/tickets/{urgent}")
    base = f"/admin/tickets/{urgent}"
    jonas = str(world.people["jonas"].user_id)
    assert send(browser, page, f"{base}/assign", {"assignee_id": jonas}).status_code == 303
    assert send(browser, page, f"{base}/update", {"priority": "low"}).status_code == 303
    assert send(browser, page, f"{base}/update", {"category": "billing"}).status_code == 303
    sent = {"subject": "VPN is slow", "tags": "vpn, lyon ,, vpn"}
    assert send(browser, page, f"{base}/update", sent).status_code == 303
    found = stored(urgent)
    assert (str(found.assigned_to), found.priority.value, found.category) == (jonas, "low", "billing")
    assert (found.subject, found.tags) == ("VPN is slow", ["lyon", "vpn"])
    assert send(browser, page, f"{base}/assign", {"assignee_id": ""}).status_code == 303
    assert stored(urgent).assigned_to is None


@pytest.mark.parametrize(
    ("action", "data", "status"),
    [
        ("update", {"status": "nope"}, 422),
        ("update", {"priority": "nope"}, 422),
        ("update", {"category": "nope"}, 422),
        ("update", {"subject": ""}, 422),
        ("update", {"subject": "x" * 300}, 422),
        ("update", {"tags": ",".join(f"t{n}" for n in range(30))}, 422),
        ("assign", {"assignee_id": "not-an-id"}, 422),
        ("reply", {"message": "x", "status": "nope"}, 422),
        ("reply", {"message": "x\x00y"}, 422),
    ],
)
def test_bad_input_is_refused_and_nothing_stored(
    staff: Any, urgent: UUID, stored: Any, action: str, data: dict[str, str], status: int
) -> None:
    browser = staff("sam")
    page = browser.get(f"/admin/tickets/{urgent}")
    before = stored(urgent).updated_at
    assert send(browser, page, f"/admin/tickets/{urgent}/{action}", data).status_code == status
    assert stored(urgent).updated_at == before


def test_assigning_a_stranger_is_refused(staff: Any, urgent: UUID, world: World) -> None:
    browser = staff("sam")
    page = browser.get(f"/admin/tickets/{urgent}")
    for name in ("bob", "bill", "noor"):
        sent = {"assignee_id": str(world.people[name].user_id)}
        assert send(browser, page, f"/admin/tickets/{urgent}/assign", sent).status_code == 422, name


def test_a_move_that_is_not_allowed_is_a_conflict(staff: Any, urgent: UUID) -> None:
    browser = staff("sam")
    page = browser.get(f"/admin/tickets/{urgent}")
    assert send(browser, page, f"/admin/tickets/{urgent}/update", {"status": "cancelled"}).status_code == 303
    answer = send(browser, page, f"/admin/tickets/{urgent}/update", {"status": "open"})
    assert answer.status_code == 409
    assert "cannot go from this state" in answer.get_data(as_text=True)


def test_statements_do_not_grow_with_the_thread(staff: Any, ticket: Any, real: Any, world: World, now: Any) -> None:
    browser = staff("sam")
    short, long = ticket(), ticket()
    with real.begin(world.demo) as session:
        for number in range(60):
            reply_as_staff(session, long, message=f"Answer {number}", actor=world.people["sam"].actor, now=now)
    browser.get("/admin/tickets/")
    assert [statements_of(browser.get(f"/admin/tickets/{id_}")) for id_ in (short, long)] == [7, 7]


@pytest.mark.parametrize("part", ["head", "thread", "panel"])
def test_parts_are_fetched_again_by_etag(staff: Any, urgent: UUID, part: str) -> None:
    browser = staff("sam")
    path = f"/admin/tickets/{urgent}?part={part}"
    answers = []
    for _ in range(5):
        first = browser.get(path, headers={"HX-Request": "true"})
        assert first.status_code == 200
        assert "<html" not in first.get_data(as_text=True)
        again = browser.get(path, headers={"HX-Request": "true", "If-None-Match": first.headers["ETag"]})
        answers.append(again.status_code)
    # A clock may turn to its next minute between two of them, but not between all.
    assert 304 in answers


def test_readers_see_no_controls(staff: Any, urgent: UUID) -> None:
    for name, forms in (("dora", 0), ("bill", 1)):
        page = staff(name).get(f"/admin/tickets/{urgent}").get_data(as_text=True)
        own = [
            action for action in ("reply", "note", "assign", "update") if f"/admin/tickets/{urgent}/{action}" in page
        ]
        assert len(own) == forms, (name, own)
