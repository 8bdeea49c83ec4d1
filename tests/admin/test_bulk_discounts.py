"""Discounts by quantity in the back office: typed in the catalogue, taken by new lines, given by hand instead."""

import re
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from portal.models import CatalogItem, InvoiceLine, QuoteLine
from tests.world import World

CATALOGUE, INVOICES, QUOTES = "/admin/billing/catalogue/", "/admin/invoices/", "/admin/quotes/"
TIERS = {"tier_from": ["10", "", "50,5"], "tier_percent": ["5", "", "12.5"]}


def item_form(sku: str, **more: Any) -> dict[str, Any]:
    form = {"sku": sku, "name_en": "Seat", "currency": "EUR", "unit_price": "10.00", "active": "1"}
    return form | TIERS | more


@pytest.fixture
def item(staff: Any, real: Any, world: World) -> CatalogItem:
    """Seats at 10.00, 5 percent off from 10 and 12.5 from 50.5."""
    sku = uuid4().hex[:12]
    answer = staff("bill").post(f"{CATALOGUE}items/new", item_form(sku))
    assert answer.status_code == 303, answer.get_data(as_text=True)
    with real.begin(world.demo) as session:
        found: CatalogItem = session.scalars(select(CatalogItem).where(CatalogItem.sku == sku)).one()
        return found


def test_tiers_are_typed_and_shown_again(staff: Any, item: CatalogItem) -> None:
    assert item.discounts == [{"from": "10", "percent": "5"}, {"from": "50.5", "percent": "12.5"}]
    page = staff("bill").get(f"{CATALOGUE}items/{item.id}").get_data(as_text=True)
    typed = [re.findall(rf'name="{name}" value="([^"]*)"', page) for name in ("tier_from", "tier_percent")]
    assert typed == [["10", "50.5", "", ""], ["5", "12.5", "", ""]]


def test_what_is_wrong_is_said_at_its_row_and_nothing_is_lost(
    staff: Any, real: Any, world: World, item: CatalogItem
) -> None:
    bill, path = staff("bill"), f"{CATALOGUE}items/{item.id}"
    wrong = {"tier_from": ["10", "10", "many"], "tier_percent": ["5", "6", "7"], "version": str(item.version)}
    answer = bill.post(path, item_form(item.sku) | wrong)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "Each quantity has to be larger" in page
    assert 'href="#discounts.1.from_quantity"' in page
    assert 'value="many"' in page
    full = {"tier_from": [str(n) for n in range(1, 12)], "tier_percent": [str(n) for n in range(1, 12)]}
    assert bill.post(path, item_form(item.sku) | full).status_code == 422
    with real.begin(world.demo) as session:
        assert session.get_one(CatalogItem, item.id).discounts == item.discounts


def test_an_old_page_overwrites_nothing_and_empty_rows_take_them_away(
    staff: Any, real: Any, world: World, item: CatalogItem
) -> None:
    bill, path = staff("bill"), f"{CATALOGUE}items/{item.id}"
    none = item_form(item.sku, tier_from=[""], tier_percent=[""], version=str(item.version))
    assert bill.post(path, none).status_code == 303
    assert bill.post(path, item_form(item.sku, version=str(item.version))).status_code == 422
    with real.begin(world.demo) as session:
        assert session.get_one(CatalogItem, item.id).discounts == []


def test_only_who_sets_up_billing(staff: Any, item: CatalogItem) -> None:
    for name in ("sam", "mia", "dora"):
        assert staff(name).post(f"{CATALOGUE}items/{item.id}", item_form(item.sku)).status_code == 403
    assert staff("noor").get(f"{CATALOGUE}items/{item.id}").status_code == 404


def test_lines_of_an_invoice_take_the_tier_or_what_is_typed(
    staff: Any, real: Any, world: World, item: CatalogItem
) -> None:
    form = {"customer": "GLO", "currency": "EUR"}
    for place, (quantity, discount) in enumerate((("9", ""), ("10", ""), ("51", ""), ("51", "0"), ("51", "1,50"))):
        form |= {f"lines.{place}.item": str(item.id), f"lines.{place}.quantity": quantity}
        form |= {f"lines.{place}.discount": discount}
    bill = staff("bill")
    answer = bill.post(f"{INVOICES}new", form)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    invoice_id = UUID(answer.headers["Location"].rstrip("/").rpartition("/")[2])
    with real.begin(world.demo) as session:
        query = select(InvoiceLine.discount).where(InvoiceLine.invoice_id == invoice_id).order_by(InvoiceLine.position)
        assert session.scalars(query).all() == [0, 500, 6_375, 0, 150]
    assert "63.75" in bill.get(answer.headers["Location"]).get_data(as_text=True)
    assert bill.post(f"{INVOICES}new", form | {"lines.0.discount": "x"}).status_code == 422


def test_a_draft_keeps_what_was_typed_and_follows_the_quantity_elsewhere(
    staff: Any, real: Any, world: World, item: CatalogItem
) -> None:
    bill = staff("bill")

    def lines(*rows: tuple[str, str]) -> dict[str, Any]:
        blank = [""] * len(rows)
        return {
            "line_id": blank,
            "line_catalog_item_id": [str(item.id)] * len(rows),
            "line_description": ["Seats"] * len(rows),
            "line_quantity": [quantity for quantity, _ in rows],
            "line_unit": blank,
            "line_unit_price": ["10.00"] * len(rows),
            "line_discount": [discount for _, discount in rows],
            "line_tax_rate": blank,
            "do": "save",
        }

    def stored(quote_id: UUID) -> list[int]:
        with real.begin(world.demo) as session:
            query = select(QuoteLine.discount).where(QuoteLine.quote_id == quote_id).order_by(QuoteLine.position)
            return list(session.scalars(query))

    form = {"customer": str(world.companies["acme"]), "currency": "EUR", "title": "Seats"}
    made = bill.post(f"{QUOTES}new", form | lines(("10", ""), ("10", "0"), ("10", "1.50")))
    assert made.status_code == 303, made.get_data(as_text=True)
    quote_id = UUID(made.headers["Location"].rstrip("/").rpartition("/")[2])
    assert stored(quote_id) == [500, 0, 150]
    page = bill.get(f"{QUOTES}{quote_id}/edit").get_data(as_text=True)
    inputs = re.findall(r'name="line_discount" value="([^"]*)"(?: placeholder="([^"]*)")?', page)[:3]
    assert inputs == [("", "5.00"), ("0.00", ""), ("1.50", "")]
    valid = re.search(r'name="valid_until" value="([^"]+)"', page)
    assert valid is not None
    typed = [value for value, _ in inputs]
    again = {"title": "Seats", "valid_until": valid[1]} | lines(("60", typed[0]), ("60", typed[1]), ("60", typed[2]))
    assert bill.post(f"{QUOTES}{quote_id}/edit", again).status_code == 303
    assert stored(quote_id) == [7_500, 0, 150]
