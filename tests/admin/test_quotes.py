"""Quotes in the back office: drafted, sent, revised; wishes answered; templates."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest

from portal.lib.clock import utcnow
from portal.services.quotes.requests import QuoteWish, request_quote
from tests.browsing import sign_in

DESK = "/admin/quotes"


@pytest.fixture
def visitor(app, world):
    return lambda who: sign_in(app, world, who)


def text_of(page):
    return page.get_data(as_text=True).replace("\xa0", " ")


def form(**more):
    return {
        "customer_text": "Acme",
        "title": f"Refresh {uuid4().hex[:6]}",
        "valid_until": (utcnow() + timedelta(days=9)).date().isoformat(),
        "deposit_percent": "30",
        "line_id": ["", "", ""],
        "line_catalog_item_id": ["", "", ""],
        "line_description": ["Firewall", "Spare", ""],
        "line_quantity": ["2", "1,5", "1"],
        "line_unit": ["", "h", ""],
        "line_unit_price": ["2890.00", "100", ""],
        "line_discount": ["", "10", ""],
        "line_tax_rate": ["20", "20", ""],
        "line_optional": ["1"],
        **more,
    }


def id_in(answer):
    return re.search(r"[0-9a-f-]{36}", answer.headers["Location"])[0]


def test_drafting_sending_and_the_next_version(visitor):
    bill, sent = visitor("bill"), form()
    made = bill.post(f"{DESK}/new", sent)
    assert made.status_code == 303, text_of(made)
    quote = id_in(made)
    page = text_of(bill.get(f"{DESK}/{quote}"))
    assert "€6,936.00" in page
    assert "Draft" in page
    edit = text_of(bill.get(f"{DESK}/{quote}/edit"))
    seen = re.search(r'name="seen" value="(\d+)"', edit)[1]
    changed = form(title=sent["title"], line_quantity=["3", "1", "1"], seen=seen)
    assert bill.post(f"{DESK}/{quote}/edit", changed).status_code == 303
    stale = bill.post(f"{DESK}/{quote}/edit", changed)
    assert stale.status_code == 409
    assert "Somebody changed this" in text_of(stale)
    assert bill.post(f"{DESK}/{quote}/send").status_code == 303
    assert "With customer" in text_of(bill.get(f"{DESK}/{quote}"))
    assert bill.get(f"{DESK}/{quote}/edit").status_code == 303
    assert sent["title"] in text_of(bill.get(f"{DESK}/?q={sent['title']}&status=sent"))
    again = bill.post(f"{DESK}/{quote}/revise")
    assert again.status_code == 303
    assert id_in(again) != quote
    assert bill.post(f"{DESK}/{quote}/revise").status_code == 409
    assert "Version 2" in text_of(bill.get(f"{DESK}/{quote}"))


def test_what_is_wrong_is_said_where_it_is(visitor):
    bill = visitor("bill")
    refused = bill.post(f"{DESK}/new", form(customer_text="Nobody", line_quantity=["x", "1", "1"]))
    assert refused.status_code == 422
    page = text_of(refused)
    assert "Choose one of the customers." in page
    assert "Enter a number such as 7.5." in page
    assert 'value="2890.00"' in page
    more = bill.post(f"{DESK}/new", form(do="more"))
    assert more.status_code == 200
    assert text_of(more).count('name="line_description"') == 5


def test_an_agent_looks_on(visitor):
    quote = id_in(visitor("bill").post(f"{DESK}/new", form()))
    sam = visitor("sam")
    page = text_of(sam.get(f"{DESK}/{quote}"))
    assert "Firewall" in page
    assert f"{DESK}/{quote}/send" not in page
    assert sam.get(f"{DESK}/new").status_code == 403
    assert sam.post(f"{DESK}/{quote}/send").status_code == 403
    assert visitor("noor").get(f"{DESK}/{quote}").status_code == 404


def test_a_wish_becomes_a_quote(visitor, sessions, world):
    with sessions.begin(world.demo) as session:
        wish = request_quote(session, QuoteWish("Wi-Fi", "Hall 3"), actor=world.people["bob"].actor, now=utcnow())
        wish_id, number = wish.id, wish.number
    bill = visitor("bill")
    assert number in text_of(bill.get(f"{DESK}/requests"))
    begun = text_of(bill.get(f"{DESK}/new?request={wish_id}"))
    assert "Wi-Fi" in begun
    quote = id_in(bill.post(f"{DESK}/new", form(request_id=str(wish_id), customer=str(world.companies["acme"]))))
    bill.post(f"{DESK}/{quote}/send")
    assert f"{DESK}/{quote}" in text_of(bill.get(f"{DESK}/requests/{wish_id}"))
    late = bill.post(f"{DESK}/requests/{wish_id}/refuse", {"reason": "No"})
    assert late.status_code == 409


def test_templates(visitor):
    bill, name = visitor("bill"), f"Net {uuid4().hex[:6]}"
    quote = id_in(bill.post(f"{DESK}/new", form()))
    assert bill.post(f"{DESK}/{quote}/template", {"name": name}).status_code == 303
    listed = text_of(bill.get(f"{DESK}/templates"))
    template = re.search(rf"{name}.*?template=([0-9a-f-]+)", listed, re.DOTALL)[1]
    assert 'value="2890.00"' in text_of(bill.get(f"{DESK}/new?template={template}"))
    assert bill.post(f"{DESK}/templates/{template}/delete").status_code == 303
    assert name not in text_of(bill.get(f"{DESK}/templates"))


def test_customers_are_found_by_a_few_letters(visitor):
    assert "Acme" in text_of(visitor("bill").get(f"{DESK}/customers?q=ac"))
    assert text_of(visitor("bill").get(f"{DESK}/customers?q=")).strip() == ""
