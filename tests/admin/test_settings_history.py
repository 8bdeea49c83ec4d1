"""Versions of statuses, rules of assignment and categories: what changed, by whom, and the way back."""

import pytest
from sqlalchemy import delete, select

from portal.models import AssignmentRule, ConfigVersion, CustomStatus, TicketCategory
from tests.admin.conftest import send

RULES = "/admin/assignment/rules"
STATUSES = "/admin/desk/statuses"
CATEGORIES = "/admin/sla/categories"


@pytest.fixture
def mia(staff):
    return staff("mia")


@pytest.fixture(autouse=True)
def _as_before(real, world, app):
    yield
    with real.begin(world.demo) as session:
        session.execute(delete(AssignmentRule))
        session.execute(delete(CustomStatus).where(CustomStatus.key.like("history%")))
        session.execute(delete(TicketCategory).where(TicketCategory.key.like("history%")))
        session.execute(delete(ConfigVersion))
    app.extensions["portal_tenants"].forget()


def made(real, world, model, **where):
    with real.begin(world.demo) as session:
        return session.scalars(select(model).filter_by(**where)).one()


def history(browser, base, record):
    return browser.get(f"{base}/versions/?id={record.id}").get_data(as_text=True)


def rule(**fields):
    return {"do": "save", "name": "History rule", "strategy": "round_robin", "active": "y"} | fields


def test_a_rule_goes_back_to_what_it_was(mia, staff, real, world):
    page = mia.get(f"{RULES}/new/")
    assert send(mia, page, f"{RULES}/new/", rule()).status_code == 303
    row = made(real, world, AssignmentRule, name="History rule")
    edit = f"{RULES}/edit/?id={row.id}"
    assert send(mia, mia.get(edit), edit, rule(skills="vpn", strategy="least_loaded")).status_code == 303
    told = history(mia, RULES, row)
    assert "Mia Lindqvist" in told
    assert "vpn" in told
    assert "before: Everybody in turn" in told
    back = send(mia, mia.get(edit), f"{RULES}/restore/", {"id": str(row.id), "version": "1"})
    assert back.status_code == 303
    again = made(real, world, AssignmentRule, name="History rule")
    assert (again.skills, again.strategy, again.version) == ([], "round_robin", 3)
    sam = staff("sam")
    refused = send(sam, sam.get("/admin/tickets/"), f"{RULES}/restore/", {"id": str(row.id), "version": "1"})
    assert refused.status_code == 403
    for version in ("9", "x", "99999999999"):
        gone = send(mia, mia.get(edit), f"{RULES}/restore/", {"id": str(row.id), "version": version})
        assert gone.status_code == 404


def test_a_rule_out_of_use_can_be_deleted(mia, real, world):
    send(mia, mia.get(f"{RULES}/new/"), f"{RULES}/new/", rule(active=""))
    row = made(real, world, AssignmentRule, name="History rule")
    edit = mia.get(f"{RULES}/edit/?id={row.id}")
    assert "Delete rule" in edit.get_data(as_text=True)
    assert send(mia, edit, f"{RULES}/delete/", {"id": str(row.id)}).status_code == 303
    with real.begin(world.demo) as session:
        assert session.get(AssignmentRule, row.id) is None


def test_a_status_goes_back_to_its_names(mia, real, world):
    words = {"category": "in_progress", "staff_en": "History", "customer_en": "We look", "active": "y"}
    assert send(mia, mia.get(f"{STATUSES}/new/"), f"{STATUSES}/new/", words).status_code == 303
    row = made(real, world, CustomStatus, key="history")
    edit = f"{STATUSES}/edit/?id={row.id}"
    send(mia, mia.get(edit), edit, words | {"customer_en": "Somebody looks"})
    told = history(mia, STATUSES, row)
    assert "Somebody looks" in told
    assert "before: We look" in told
    send(mia, mia.get(edit), f"{STATUSES}/restore/", {"id": str(row.id), "version": "1"})
    assert made(real, world, CustomStatus, key="history").customer_names == {"en": "We look"}


def category(**fields):
    asked = {
        "questions-0-name_en": "Site",
        "questions-0-kind": "choice",
        "questions-0-options_en": "Lyon\nParis",
        "questions-0-options_fr": "Lyon (FR)\n",
        "questions-0-required": "y",
    }
    return {"do": "save", "name_en": "History", "active": "y"} | asked | fields


def test_questions_are_set_up_and_options_keep_their_keys(mia, real, world):
    page = mia.get(f"{CATEGORIES}/new/")
    assert send(mia, page, f"{CATEGORIES}/new/", category()).status_code == 303
    row = made(real, world, TicketCategory, key="history")
    assert row.fields == [
        {
            "key": "site",
            "kind": "choice",
            "names": {"en": "Site"},
            "required": True,
            "options": [
                {"key": "lyon", "names": {"en": "Lyon", "fr": "Lyon (FR)"}},
                {"key": "paris", "names": {"en": "Paris"}},
            ],
        }
    ]
    edit = f"{CATEGORIES}/edit/?id={row.id}"
    renamed = category(**{"questions-0-key": "site", "questions-0-options_en": "Paris\nLyon centre"})
    assert send(mia, mia.get(edit), edit, renamed).status_code == 303
    (field,) = made(real, world, TicketCategory, key="history").fields
    assert [(option["key"], option["names"]["en"]) for option in field["options"]] == [
        ("paris", "Paris"),
        ("lyon_centre", "Lyon centre"),
    ]
    assert "Question 1" in history(mia, CATEGORIES, row)


def test_what_is_wrong_with_a_question_stands_beside_it(mia):
    page = mia.get(f"{CATEGORIES}/new/")
    answer = send(mia, page, f"{CATEGORIES}/new/", category(**{"questions-0-options_en": ""}))
    text = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "Question 1 needs your attention." in text
    assert 'id="questions-0-options_en-error"' in text


def test_questions_are_added_moved_and_removed_before_saving(mia):
    page = mia.get(f"{CATEGORIES}/new/")
    more = send(mia, page, f"{CATEGORIES}/new/", category(do="add-question")).get_data(as_text=True)
    assert "questions-1-name_en" in more
    assert "questions-2-name_en" not in more
    two = category(do="up-question-1", **{"questions-1-name_en": "Later", "questions-1-kind": "text"})
    moved = send(mia, page, f"{CATEGORIES}/new/", two).get_data(as_text=True)
    assert moved.index('value="Later"') < moved.index('value="Site"')
    gone = send(mia, page, f"{CATEGORIES}/new/", category(do="drop-question-0")).get_data(as_text=True)
    assert "questions-0-name_en" not in gone
