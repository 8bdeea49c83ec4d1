"""Pages of quotes, contracts, invoices and payments: axe, width, headings, as `test_desk_pages.py` looks at the others."""

import re
import time

import pytest
from playwright.sync_api import Page

from portal.demo.content import demo_uuid
from tests.browser.conftest import sign_in
from tests.browser.test_desk_pages import PHONE, ROW, check

pytestmark = [pytest.mark.browser, pytest.mark.temporal]
CUSTOMER = ("/portal/quotes", "/portal/quotes/{quote}", "/portal/quotes/{accepted}", "/portal/quotes/request",
            "/portal/quotes/deciding", "/portal/quotes/requests/{wish}",
            "/portal/quotes/compare?ids={quote}&ids={accepted}", "/portal/quotes/{quote}/decline",
            "/portal/contracts", "/portal/contracts/{agreement}", "/portal/contracts/{addendum}",
            "/portal/contracts/{addendum}/decline", "/portal/invoices", "/portal/invoices?view=all&q=zzzz",
            "/portal/invoices/{open}", "/portal/invoices/{paid}", "/portal/invoices/{part_paid}",
            "/portal/invoices/{void}", "/portal/invoices/{disputed}", "/portal/invoices/{open}/pay",
            "/portal/invoices/{failed}/pay", "/portal/invoices/{part_paid}/schedule",
            "/portal/invoices/{disputed}/disputes", "/portal/invoices/{part_paid}/disputes/new",
            ("/portal/invoices/{disputed}/disputes", "main a[href*='/portal/disputes/']"),
            "/portal/invoices/{part_paid}/extension", "/portal/invoices/overview", "/portal/payment-reminders",
            "/portal/statements", "/portal/payments", "/portal/payments/{payment}", "/portal/payments/{failed_payment}",
            "/portal/payments/{processing}", "/portal/payments/{payment}/disputes/new", "/portal/payments/new",
            "/portal/payment-methods", "/portal/payment-methods/{method}/remove", "/portal/scheduled-payments",
            "/portal/calendar", "/verify", "{verify}")  # fmt: skip
STAFF = ("/admin/quotes/", "/admin/quotes/new", "/admin/quotes/{quote}", "/admin/quotes/{accepted}",
         "/admin/quotes/requests", "/admin/quotes/requests/{wish}", "/admin/quotes/templates", "/admin/contracts/",
         "/admin/contracts/new", "/admin/contracts/{agreement}", "/admin/invoices/", "/admin/invoices/new",
         "/admin/invoices/{open}", "/admin/invoices/customers/{company}", "/admin/payments/",
         "/admin/payments/details/?id={payment}", "/admin/statements/", "/admin/billing/receivables/",
         "/admin/billing/receivables/{company}", "/admin/billing/bank/", "/admin/billing/bank/{transfer}",
         "/admin/billing/bank/{matched}", "/admin/billing/bank/statements/", "{table}", "/admin/billing/write-offs/",
         "/admin/billing/write-offs/of/{open}", "/admin/disputes/", ("/admin/disputes/", ROW),
         ("/admin/disputes/?list=extensions", ROW), "/admin/disputes/?list=chargebacks", "/admin/billing/settings/",
         "/admin/billing/catalogue/", "/admin/billing/catalogue/tax-rates/new",
         "/admin/billing/catalogue/items/new")  # fmt: skip
KNOWN = {
    "quote": ("quote", "acme-network"),
    "accepted": ("quote", "acme-backup"),
    "wish": ("quote_request", "acme-hall"),
    "agreement": ("contract", "agreement"),
    "addendum": ("contract", "addendum"),
    "open": ("invoice", "acme-7"),
    "paid": ("invoice", "acme-4"),
    "part_paid": ("invoice", "acme-5"),
    "void": ("invoice", "acme-3"),
    "disputed": ("invoice", "acme-disputed"),
    "failed": ("invoice", "acme-failed"),
    "payment": ("payment", "acme-4"),
    "failed_payment": ("payment", "acme-failed"),
    "processing": ("payment", "acme-processing"),
    "method": ("payment_method", "acme"),
    "company": ("company", "acme"),
    "matched": ("bank_transaction", "DEMO-0"),
    "transfer": ("bank_transaction", "DEMO-1"),
}
TABLE = b"Date;Name;Text;Amount\n20.11.2026;Initech GmbH;INV 17, thanks;1.250,00\n"
# In English some of them: they differ in nothing but their words and their direction.
SOME = slice(2, None, 7)


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


def table_of_a_bank(page: Page, base: str) -> str:
    """Where the columns of a table are given their meaning, after it was imported."""
    page.goto(f"{base}/admin/billing/bank/statements/")
    page.set_input_files("#file", {"name": "account.csv", "mimeType": "text/csv", "buffer": TABLE})
    page.locator("form[enctype] button[type=submit]").click()
    page.wait_for_url(re.compile(r"/statements/[0-9a-f-]{36}"))
    return page.url.removeprefix(base)


@pytest.mark.parametrize("locale", ["ar", "en"])
def test_a_customers_money(product, new_page, locale):
    page = sign_in(new_page(locale=locale, **PHONE), product.url, "ana@acme.example")
    paths = CUSTOMER if locale == "ar" else CUSTOMER[SOME]
    check(page, product.url, paths, verify=sealed(page, product.url), **known())


@pytest.mark.parametrize("locale", ["ar", "en"])
def test_the_teams_money(product, new_page, locale):
    page = sign_in(new_page(locale=locale, **PHONE), product.url, "ada@demo.example", "admin")
    if locale == "ar":
        check(page, product.url, STAFF, table=table_of_a_bank(page, product.url), **known())
    else:
        check(page, product.url, STAFF[SOME], table="", **known())
