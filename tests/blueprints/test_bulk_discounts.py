"""Discounts by quantity through the API and on customers' pages, and nothing of anybody else."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from portal.authz import system_actor
from portal.models import CatalogItem
from portal.models.session import TenantSessions
from portal.services.billing.catalogue import ItemForm, save_item
from portal.services.billing.issuing import issue_from_lines
from portal.services.billing.lines import NewLine
from portal.services.billing.tiers import TierForm
from tests.browsing import sign_in
from tests.world import World

CATALOGUE, OFFERS = "/api/v1/staff/billing/catalogue", "/api/v1/portal/bulk-discounts"
OVERVIEW, PAGE = "/portal/invoices/overview", "/portal/invoices/overview/discounts"


def euros(amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": "EUR"}


@pytest.fixture
def real(app: Any) -> TenantSessions:
    """Transactions that the application sees."""
    return TenantSessions(app.extensions["portal_engine"])


@pytest.fixture
def item_id(real: TenantSessions, world: World) -> UUID:
    """An item at 10.00, 5 percent off from 10 and 12 from 50."""
    tiers = [TierForm(Decimal(10), Decimal(5)), TierForm(Decimal(50), Decimal(12))]
    form = ItemForm(uuid4().hex[:12], {"en": f"Seat {uuid4().hex[:6]} <b>"}, "EUR", 1_000, discounts=tiers)
    with real.begin(world.demo) as session:
        return save_item(session, None, form, actor=system_actor(world.demo), now=datetime.now(UTC)).id


@pytest.fixture
def bought(real: TenantSessions, world: World, item_id: UUID) -> UUID:
    """Eighteen of them, by Globex."""
    with real.begin(world.demo) as session:
        issue_from_lines(
            session,
            customer_id=world.companies["globex"],
            currency="EUR",
            lines=[NewLine("Seats", Decimal(18), 1_000, tax_rate=Decimal(20), catalog_item_id=item_id)],
            actor=system_actor(world.demo),
            now=datetime.now(UTC) - timedelta(days=1),
        )
    return item_id


def test_tiers_are_set_and_read_by_the_api(api: Any, item_id: UUID) -> None:
    bill, path = api("bill"), f"{CATALOGUE}/{item_id}"
    item = bill.get(path).get_json()
    assert item["discounts"][1] == {"from_quantity": "50", "percent": "12"}
    body = {"discounts": [{"from_quantity": "2.5", "percent": 7.5}], "version": item["version"]}
    saved = bill.request("PUT", f"{path}/discounts", json=body)
    assert saved.status_code == 200, saved.get_json()
    assert saved.get_json()["discounts"] == [{"from_quantity": "2.5", "percent": "7.5"}]
    assert bill.request("PUT", f"{path}/discounts", json=body).status_code == 409
    found = bill.get(f"{CATALOGUE}?q={item['sku']}").get_json()["items"]
    assert [(one["id"], one["version"]) for one in found] == [(str(item_id), item["version"] + 1)]
    assert bill.request("PUT", f"{path}/discounts", json={"discounts": []}).get_json()["discounts"] == []


@pytest.mark.parametrize(
    ("tiers", "field"),
    [
        ([{"from_quantity": "10", "percent": "100"}], "discounts.0.percent"),
        ([{"from_quantity": "0", "percent": "5"}], "discounts.0.from_quantity"),
        ([{"from_quantity": "5", "percent": "5"}, {"from_quantity": "5", "percent": "6"}], "discounts.1.from_quantity"),
        ([{"from_quantity": "many", "percent": "5"}], "discounts.0.from_quantity"),
        ([{"from_quantity": "5"}], "discounts.0.percent"),
    ],
)
def test_what_is_no_ladder_is_422(api: Any, item_id: UUID, tiers: Any, field: str) -> None:
    answer = api("bill").request("PUT", f"{CATALOGUE}/{item_id}/discounts", json={"discounts": tiers})
    assert answer.status_code == 422
    assert field in {error["field"] for error in answer.get_json()["errors"]}


def test_only_who_sets_up_billing_sets_them(api: Any, real: TenantSessions, world: World, item_id: UUID) -> None:
    path = f"{CATALOGUE}/{item_id}/discounts"
    for who, status in (("sam", 403), ("dora", 403), ("alice", 403), ("noor", 404), (None, 401)):
        assert api(who).request("PUT", path, json={"discounts": []}).status_code == status, who
    assert api("sam").get(f"{CATALOGUE}/{item_id}").status_code == 200
    assert api("noor").get(f"{CATALOGUE}/{item_id}").status_code == 404
    assert str(item_id) not in api("noor").get(CATALOGUE).get_data(as_text=True)
    with real.begin(world.demo) as session:
        assert len(session.get_one(CatalogItem, item_id).discounts) == 2


def test_a_line_without_a_discount_gets_the_tier(api: Any, world: World, item_id: UUID) -> None:
    line = {"description": "Seats", "quantity": "50", "unit_price": euros(1_000), "tax_rate": "0"}
    line |= {"catalog_item_id": str(item_id)}
    body = {
        "customer_id": str(world.companies["acme"]),
        "currency": "EUR",
        "lines": [line, line | {"discount": euros(0)}],
    }
    made = api("bill").post("/api/v1/staff/invoices", json=body).get_json()
    assert [one["discount"] for one in made["lines"]] == [euros(6_000), euros(0)]
    assert made["total"] == euros(94_000)
    pdf = api("bill").get(f"/api/v1/staff/invoices/{made['id']}/pdf")
    assert pdf.status_code == 200
    quoted = api("bill").post("/api/v1/staff/quotes", json=body).get_json()
    assert [one["discount"] for one in quoted["lines"]] == [euros(6_000), euros(0)]


def test_customers_read_what_they_would_save(api: Any, bought: UUID) -> None:
    offers = {one["item_id"]: one for one in api("charlie").get(OFFERS).get_json()["items"]}
    offer = offers[str(bought)]
    assert (offer["bought"], offer["spent"], offer["discounts_given"]) == ("18", euros(18_000), euros(900))
    assert (offer["reached"]["percent"], offer["reached_saving"]) == ("5", euros(0))
    assert (offer["next"], offer["next_saving"]) == ({"from_quantity": "50", "percent": "12"}, euros(1_260))
    (found,) = api("charlie").get(f"{OFFERS}/{bought}/estimate?quantity=60").get_json()["items"]
    assert (found["gross"], found["discount"], found["net"]) == (euros(60_000), euros(7_200), euros(52_800))
    assert found["next"] is None
    for odd in ("0", "-1", "many", "1.00001", ""):
        assert api("charlie").get(f"{OFFERS}/{bought}/estimate?quantity={odd}").status_code == 422, odd


def test_and_nothing_of_what_others_bought(api: Any, bought: UUID) -> None:
    for who in ("bob", "nia"):
        assert str(bought) not in api(who).get(OFFERS).get_data(as_text=True)
        assert api(who).get(f"{OFFERS}/{bought}/estimate?quantity=5").status_code == 404
    assert api("bill").get(OFFERS).status_code == 403
    assert api(None).get(OFFERS).status_code == 401


def test_the_overview_says_what_is_available_and_calculates(app: Any, world: World, bought: UUID) -> None:
    browser = sign_in(app, world, "charlie")
    overview = " ".join(browser.get(OVERVIEW).get_data(as_text=True).split())
    for part in ("Quantity discounts on what you buy", "&lt;b&gt;", "from 50: 12%", "€12.60", f'value="{bought}"'):
        assert part in overview, part
    # Without scripts a page answers, for an open one only its part.
    full = browser.get(f"{PAGE}?item={bought}&quantity=60")
    fragment = browser.get(f"{PAGE}?item={bought}&quantity=60", headers={"HX-Request": "true"})
    for answer in (full, fragment):
        text = answer.get_data(as_text=True)
        assert answer.status_code == 200
        assert "€528.00" in text
        assert "from 50: 12%" in text
    assert "<html" in full.get_data(as_text=True)
    assert "<html" not in fragment.get_data(as_text=True)
    assert f'value="{bought}" selected' in full.get_data(as_text=True)
    assert "style=" not in full.get_data(as_text=True)
    wrong = browser.get(f"{PAGE}?item={bought}&quantity=none")
    assert wrong.status_code == 422
    assert "Enter a quantity above zero" in wrong.get_data(as_text=True)
    assert browser.get(PAGE).status_code == 200
    assert browser.get(PAGE, headers={"Accept-Language": "ar"}).status_code == 200


def test_pages_of_others_know_nothing_of_it(app: Any, world: World, bought: UUID) -> None:
    browser = sign_in(app, world, "bob")
    assert str(bought) not in browser.get(OVERVIEW).get_data(as_text=True)
    for odd in (bought, uuid4(), "x", ""):
        assert browser.get(f"{PAGE}?item={odd}&quantity=5").status_code == 404
    nia = sign_in(app, world, "nia")
    page = nia.get(PAGE).get_data(as_text=True)
    assert str(bought) not in page
