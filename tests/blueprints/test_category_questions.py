"""Questions of a category: on the customer's form with and without scripts, on the ticket's pages, by the API."""

from uuid import uuid4

import pytest
from sqlalchemy import delete, update

from portal.models import Ticket, TicketCategory
from portal.models.session import TenantSessions
from tests.browsing import sign_in

NEW = "/portal/tickets/new"
ASKED = [
    {"key": "serial", "kind": "text", "names": {"en": "Serial number"}, "required": True, "options": []},
    {
        "key": "site",
        "kind": "choice",
        "names": {"en": "Site"},
        "required": False,
        "options": [{"key": "lyon", "names": {"en": "Lyon"}}],
    },
]


@pytest.fixture(autouse=True)
def _asking(engine, world):
    sessions = TenantSessions(engine)
    with sessions.begin(world.demo) as session:
        session.add(TicketCategory(key="asking", names={"en": "Asking"}, position=50, fields=ASKED))
    yield
    with sessions.begin(world.demo) as session:
        session.execute(update(Ticket).where(Ticket.category == "asking").values(category="general"))
        session.execute(delete(TicketCategory).where(TicketCategory.key == "asking"))


@pytest.fixture
def alice(app, world):
    return sign_in(app, world, "alice")


def form(**fields):
    words = {"subject": "Broken", "description": "Since Monday.", "category": "asking", "priority": "normal"}
    return words | {"questions_of": "asking", "request_key": str(uuid4())} | fields


def test_the_form_asks_what_the_category_asks(alice):
    assert "Serial number" not in alice.get(f"{NEW}?category=general").get_data(as_text=True)
    page = alice.get(f"{NEW}?category=asking").get_data(as_text=True)
    assert 'name="field_serial"' in page
    assert ">Lyon</option>" in page
    part = alice.get(f"{NEW}/questions?category=asking&field_serial=A1", headers={"HX-Request": "true"})
    assert 'value="A1"' in part.get_data(as_text=True)
    assert "<html" not in part.get_data(as_text=True)


def test_an_answer_is_kept_shown_and_printed(alice, staff_page):
    sent = alice.post(NEW, form(field_serial="A1", field_site="lyon"))
    assert sent.status_code == 303
    where = sent.headers["Location"]
    assert f"{where}/answers" in alice.get(where).get_data(as_text=True)
    told = alice.get(f"{where}/answers").get_data(as_text=True)
    assert "Serial number" in told
    assert "A1" in told
    assert "Lyon" in told
    assert alice.get(f"{where}/pdf").status_code == 200
    ticket = where.rpartition("/")[2]
    assert "A1" in staff_page(f"/admin/desk/ticket/{ticket}/answers")


def test_what_is_missing_is_said_beside_the_question(alice):
    answer = alice.post(NEW, form())
    text = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert 'id="field_serial-error"' in text
    assert 'href="#field_serial"' in text


def test_answers_to_another_categorys_questions_are_left_out(alice):
    sent = alice.post(NEW, form(category="general", field_serial="A1"))
    assert sent.status_code == 303
    assert "/answers" not in alice.get(sent.headers["Location"]).get_data(as_text=True)


def test_without_scripts_a_button_shows_the_questions_and_sends_nothing(alice):
    answer = alice.post(NEW, form(do="questions", questions_of="", subject="Kept"))
    text = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert 'name="field_serial"' in text
    assert 'value="Kept"' in text


def test_the_api_names_takes_and_gives_them(api, app, world):
    alice = api("alice")
    items = alice.get("/api/v1/portal/tickets/categories").get_json()["items"]
    (asking,) = [item for item in items if item["key"] == "asking"]
    assert [(field["key"], field["kind"], field["required"]) for field in asking["fields"]] == [
        ("serial", "text", True),
        ("site", "choice", False),
    ]
    body = {"subject": "Broken", "description": "Since Monday.", "category": "asking"}
    refused = alice.post("/api/v1/portal/tickets", json=body | {"custom_fields": {"site": "x"}})
    assert refused.status_code == 422
    assert {(one["field"], one["code"]) for one in refused.get_json()["errors"]} == {
        ("custom_fields.serial", "required"),
        ("custom_fields.site", "unknown_choice"),
    }
    made = alice.post("/api/v1/portal/tickets", json=body | {"custom_fields": {"serial": "A1"}}).get_json()
    assert made["custom_fields"] == {"serial": "A1"}
    assert api("sam").get(f"/api/v1/staff/tickets/{made['id']}").get_json()["custom_fields"] == {"serial": "A1"}


def test_another_company_reads_no_answers(alice, app, world):
    where = alice.post(NEW, form(field_serial="A1")).headers["Location"]
    assert sign_in(app, world, "charlie").get(f"{where}/answers").status_code == 404


@pytest.fixture
def staff_page(app, world):
    browser = sign_in(app, world, "sam")
    return lambda path: browser.get(path).get_data(as_text=True)
