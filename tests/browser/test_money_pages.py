"""Pages of quotes, contracts, invoices and payments: axe, width, headings, as `test_desk_pages.py` looks at the others."""

import re
import time

import pytest
from playwright.sync_api import Page

from portal.demo.content import demo_uuid
from tests.browser.conftest import sign_in
from tests.browser.test_desk_pages import PHONE, check

pytestmark = [pytest.mark.browser, pytest.mark.temporal]
CUSTOMER = ("/portal/quotes", "/portal/quotes/{quote}", "/portal/quotes/{accepted}", "/portal/quotes/request",
            "/portal/quotes/compare?ids={quote}&ids={accepted}", "/portal/quotes/{quote}/decline",
            "/portal/contracts", "/portal/contracts/{agreement}", "/portal/contracts/{addendum}",
            "/portal/contracts/{addendum}/decline", "/portal/invoices", "/portal/invoices/{open}",
            "/portal/invoices/{paid}", "/portal/invoices/{open}/pay", "/portal/payments", "/portal/payments/{payment}",
            "/portal/payment-methods", "/verify", "{verify}")  # fmt: skip
STAFF = ("/admin/quotes/", "/admin/quotes/new", "/admin/quotes/{quote}", "/admin/quotes/requests",
         "/admin/quotes/templates", "/admin/contracts/", "/admin/contracts/new", "/admin/contracts/{agreement}",
         "/admin/invoices/", "/admin/invoices/new", "/admin/invoices/{open}", "/admin/payments/",
         "/admin/payments/details/?id={payment}", "/admin/billing/settings/", "/admin/billing/catalogue/",
         "/admin/billing/catalogue/items/new")  # fmt: skip
KNOWN = {
    "quote": ("quote", "acme-network"),
    "accepted": ("quote", "acme-backup"),
    "agreement": ("contract", "agreement"),
    "addendum": ("contract", "addendum"),
    "open": ("invoice", "acme-7"),
    "paid": ("invoice", "acme-4"),
    "payment": ("payment", "acme-4"),
}


def known() -> dict[str, str]:
    return {name: str(demo_uuid("demo", *key)) for name, key in KNOWN.items()}


def sealed(page: Page, base: str) -> str:
    """Where the signed agreement is checked, once the worker has sealed it."""
    deadline = time.monotonic() + 60
    link = page.locator("a[href*='/verify/']")
    while True:
        page.goto(f"{base}/portal/contracts/{known()['agreement']}")
        if link.count():
            return re.sub(r"^https?://[^/]+", "", str(link.first.get_attribute("href")))
        assert time.monotonic() < deadline, "the agreement was never sealed"
        page.wait_for_timeout(500)


@pytest.mark.parametrize("locale", ["ar", "en"])
def test_a_customers_money(product, new_page, locale):
    page = sign_in(new_page(locale=locale, **PHONE), product.url, "ana@acme.example")
    # In English some of them: they differ in nothing but their words and their direction.
    paths = CUSTOMER if locale == "ar" else CUSTOMER[1::4]
    check(page, product.url, paths, verify=sealed(page, product.url), **known())


@pytest.mark.parametrize("locale", ["ar", "en"])
def test_the_teams_money(product, new_page, locale):
    page = sign_in(new_page(locale=locale, **PHONE), product.url, "ada@demo.example", "admin")
    check(page, product.url, STAFF if locale == "ar" else STAFF[1::4], **known())
