"""Billing in the back office: invoices issued, voided and credited; settings, catalogue and taxes."""

import re
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from portal.authz import system_actor
from portal.models import AuditEntry, BillingSettings, CatalogItem, Company, Invoice, TaxRate
from portal.services.billing.issuing import issue_from_lines
from portal.services.billing.lines import NewLine
from portal.services.billing.settings import load_settings
from tests.world import World

LIST, SETTINGS, CATALOGUE = "/admin/invoices/", "/admin/billing/settings/", "/admin/billing/catalogue/"


@pytest.fixture
def invoice(real: Any, world: World) -> Invoice:
    """Two lines of 100.00 each, to Globex."""
    lines = [NewLine("First", unit_price=10_000), NewLine("Second", unit_price=10_000)]
    with real.begin(world.demo) as session:
        return issue_from_lines(
            session,
            customer_id=world.companies["globex"],
            currency="EUR",
            lines=lines,
            actor=system_actor(world.demo),
            now=datetime.now(UTC),
        )


def text_of(answer: Any) -> str:
    return " ".join(answer.get_data(as_text=True).split())


def test_an_invoice_is_issued_from_the_form(staff: Any, real: Any, world: World) -> None:
    bill, sku = staff("bill"), uuid4().hex[:8]
    made = {
        "sku": sku,
        "name_en": "Firewall",
        "currency": "EUR",
        "unit_price": "145.50",
        "unit": "piece",
        "active": "1",
    }
    assert bill.post(f"{CATALOGUE}items/new", made).status_code == 303
    with real.begin(world.demo) as session:
        item_id = session.scalars(select(CatalogItem.id).where(CatalogItem.sku == sku)).one()
    form = {
        "customer": "GLO",
        "currency": "EUR",
        "lines.0.item": str(item_id),
        "lines.0.quantity": "2",
        "lines.2.description": "Visit",
        "lines.2.unit_price": "98,00",
        "lines.2.quantity": "3.5",
        "lines.2.tax_rate": "0",
    }
    answer = bill.post(f"{LIST}new", form)
    assert answer.status_code == 303, text_of(answer)
    page = text_of(bill.get(answer.headers["Location"]))
    for part in ("Firewall", "€291.00", "€343.00", "€634.00", "Ledger", "Invoiced"):
        assert part in page, part
    number = re.search(r"INV-\d{4}-\d{4,}", page)
    assert number is not None
    assert number[0] in text_of(bill.get(f"{LIST}?q={number[0]}&status=open"))


def test_what_was_typed_stays_and_what_is_wrong_is_said(staff: Any) -> None:
    form = {
        "customer": "Nobody",
        "currency": "EUR",
        "lines.0.description": "Kept words",
        "lines.0.unit_price": "12.345",
    }
    answer = staff("bill").post(f"{LIST}new", form)
    assert answer.status_code == 422
    page = text_of(answer)
    assert "Kept words" in page
    assert "Choose one of the customers." in page
    assert "Enter an amount such as 120.50." in page


def test_lines_are_credited_and_the_rest_cannot_be_voided(staff: Any, invoice: Invoice) -> None:
    bill = staff("bill")
    page = bill.get(f"{LIST}{invoice.id}").get_data(as_text=True)
    lines = re.findall(r'name="line_ids" value="([^"]+)"', page)
    assert bill.post(f"{LIST}{invoice.id}/credit", {"reason": "", "line_ids": lines[:1]}).status_code == 422
    assert bill.post(f"{LIST}{invoice.id}/credit", {"reason": "One", "line_ids": lines[:1]}).status_code == 303
    page = text_of(bill.get(f"{LIST}{invoice.id}"))
    assert "CN-" in page
    assert "−€100.00" in page or "-€100.00" in page
    assert bill.post(f"{LIST}{invoice.id}/void", {"reason": "Late"}).status_code == 409


def test_an_invoice_is_voided_with_a_reason(staff: Any, invoice: Invoice) -> None:
    bill = staff("bill")
    assert bill.post(f"{LIST}{invoice.id}/void", {"reason": "Billed twice"}).status_code == 303
    assert "Billed twice" in text_of(bill.get(f"{LIST}{invoice.id}"))


def test_who_may_what(staff: Any, invoice: Invoice) -> None:
    for name in ("sam", "mia"):
        browser = staff(name)
        page = text_of(browser.get(f"{LIST}{invoice.id}"))
        assert "Void invoice" not in page
        assert browser.post(f"{LIST}{invoice.id}/void", {"reason": "x"}).status_code == 403
        assert browser.get(f"{LIST}new").status_code == 403
        assert browser.get(SETTINGS).status_code == 403
    assert staff("dora").get(LIST).status_code == 403
    assert staff("noor").get(f"{LIST}{invoice.id}").status_code == 404


@pytest.fixture
def kept(real: Any, world: World) -> Any:
    """The settings as they were, put back after the test."""
    with real.begin(world.demo) as session:
        found = load_settings(session)
        stored = {c.key: getattr(found, c.key) for c in BillingSettings.__table__.columns if c.key != "tenant_id"}
    yield stored
    with real.begin(world.demo) as session:
        found = load_settings(session)
        for name, value in stored.items():
            setattr(found, name, value)


def form_of(page: Any) -> dict[str, str]:
    text = page.get_data(as_text=True).partition('action="/admin/billing/settings/dunning"')[0]
    fields = dict(re.findall(r'<input class="control"[^>]* name="([^"]+)" value="([^"]*)"', text))
    version = re.search(r'name="version" value="(\d+)"', text)
    assert version is not None
    return fields | {"version": version[1], "tax_rounding": "document", "partial_payments": "1"}


def test_settings_are_saved_audited_and_not_overwritten_unseen(staff: Any, real: Any, world: World, kept: Any) -> None:
    ada = staff("ada")
    form = form_of(ada.get(SETTINGS)) | {"legal_name": "Kestrel IT SAS", "payment_terms_days": "14", "country": "FR"}
    assert ada.post(SETTINGS, form).status_code == 303
    with real.begin(world.demo) as session:
        settings = load_settings(session)
        assert (settings.payment_terms_days, settings.seller["legal_name"]) == (14, "Kestrel IT SAS")
        saved = (
            select(AuditEntry.after)
            .where(AuditEntry.action == "billing_settings.saved")
            .order_by(AuditEntry.seq.desc())
        )
        assert session.scalars(saved.limit(1)).one()["payment_terms_days"] == 14
    # The page that was open before shows an old version.
    assert ada.post(SETTINGS, form | {"payment_terms_days": "7"}).status_code == 422
    wrong = form_of(ada.get(SETTINGS)) | {
        "invoice_number_format": "INV",
        "currency": "XX",
        "late_fee_percent": "-1",
        "country": "fr",
        "payment_terms_days": "soon",
    }
    page = text_of(ada.post(SETTINGS, wrong))
    for part in ("Choose a currency", "from 0 to 365", "two letters", "0 to 100"):
        assert part in page, part


def test_the_plan_of_reminders_is_typed_in_durations(staff: Any, real: Any, world: World, kept: Any) -> None:
    bill = staff("bill")
    assert bill.post(f"{SETTINGS}dunning", {"reminders": "-P3D, PT5S", "retry_after": "P2D"}).status_code == 303
    with real.begin(world.demo) as session:
        assert load_settings(session).dunning == {"reminders": ["-P3D", "PT5S"], "retry_after": ["P2D"]}
    assert bill.post(f"{SETTINGS}dunning", {"reminders": "soon", "retry_after": ""}).status_code == 422


def test_the_ways_of_paying_are_chosen_on_the_page(staff: Any, real: Any, world: World, kept: Any) -> None:
    bill, path = staff("bill"), f"{SETTINGS}methods"
    page = bill.get(SETTINGS)
    shown = re.findall(r'name="payment_methods" value="(\w+)"( checked)?', page.get_data(as_text=True))
    assert [code for code, _ in shown] == ["card", "bank_debit", "upi", "net_banking", "wallet", "emi"]
    assert [code for code, checked in shown if checked] == kept["payment_methods"]
    for part in ("India. One payment at a time. INR", "Every currency", "Klarna, Affirm"):
        assert part in text_of(page), part
    version = form_of(page)["version"]
    chosen = {"payment_methods": ["upi", "card"], "version": version}
    assert bill.post(path, chosen).status_code == 303
    with real.begin(world.demo) as session:
        assert load_settings(session).payment_methods == ["card", "upi"]
    # The page that was open before shows an old version; nothing at all and what there is not are refused.
    assert bill.post(path, chosen).status_code == 422
    now = form_of(bill.get(SETTINGS))["version"]
    assert bill.post(path, {"version": now}).status_code == 422
    refused = bill.post(path, {"version": now, "payment_methods": ["card", "cheque"]})
    assert (refused.status_code, 'value="card" checked' in refused.get_data(as_text=True)) == (422, True)
    for outsider in ("sam", "mia"):
        assert staff(outsider).post(path, {"payment_methods": ["card"]}).status_code == 403
    with real.begin(world.demo) as session:
        assert load_settings(session).payment_methods == ["card", "upi"]


def test_gst_comes_by_one_click_and_one_rate_is_the_usual(staff: Any, real: Any, world: World) -> None:
    bill = staff("bill")
    for _ in range(2):
        assert bill.post(f"{CATALOGUE}tax-rates/gst").status_code == 303
    first, second = f"A{uuid4().hex[:6]}", f"B{uuid4().hex[:6]}"
    for name in (first, second):
        form = {"name": name, "rate": "20", "category": "S", "is_default": "1", "active": "1"}
        assert bill.post(f"{CATALOGUE}tax-rates/new", form).status_code == 303
    with real.begin(world.demo) as session:
        assert session.scalars(select(TaxRate.rate).where(TaxRate.name == "GST")).all() == [18]
        rates = {rate.name: rate for rate in session.scalars(select(TaxRate))}
        assert (rates[first].is_default, rates[second].is_default) == (False, True)
        second_id: UUID = rates[second].id
    taken = {"name": first, "rate": "0", "category": "S", "active": "1", "version": "1"}
    assert bill.post(f"{CATALOGUE}tax-rates/{second_id}", taken).status_code == 422
    off = {"name": second, "rate": "20", "category": "S", "version": "1"}
    assert bill.post(f"{CATALOGUE}tax-rates/{second_id}", off).status_code == 303
    assert bill.post(f"{CATALOGUE}tax-rates/{second_id}", off).status_code == 422


def test_billing_details_of_a_company(staff: Any, real: Any, world: World) -> None:
    bill, path = staff("bill"), f"{LIST}customers/{world.companies['globex']}"
    form = {"legal_name": "Globex SA", "tax_number": "FR 1", "credit_limit": "5000.50"}
    assert bill.post(path, form).status_code == 303
    assert bill.post(path, form | {"credit_limit": "much"}).status_code == 422
    with real.begin(world.demo) as session:
        limit = select(Company.legal_name, Company.credit_limit).where(Company.id == world.companies["globex"])
        assert session.execute(limit).one() == ("Globex SA", 500_050)
    assert staff("sam").post(path, form).status_code == 403
