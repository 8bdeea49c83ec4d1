"""The list by keys alone (UXA-08): moving, choosing, answering, the help; silent while somebody writes."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.temporal]
HELP = "#shortcuts-help[open]"


def test_a_customer_works_by_keys(new_page, product):
    page = sign_in(new_page(), product.url, "ana@acme.example")
    page.goto(f"{product.url}/portal/tickets?view=all")
    page.wait_for_selector("html[data-ready]")
    links = page.locator("tr[data-live-row] .cell-link")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(links.nth(1)).to_be_focused()
    page.keyboard.press("k")
    expect(links.nth(0)).to_be_focused()
    page.keyboard.press("x")
    expect(page.locator(".bulk-bar")).to_contain_text("1 selected")
    page.keyboard.press("Escape")
    expect(page.locator(".row-select:checked")).to_have_count(0)
    page.keyboard.press("?")
    expect(page.locator(HELP)).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(HELP)).to_have_count(0)
    page.keyboard.press("/")
    page.keyboard.type("jc?x")
    expect(page.locator("input:focus")).to_have_value("jc?x")
    expect(page.locator(HELP)).to_have_count(0)
    page.locator("input:focus").blur()
    page.keyboard.press("Control+c")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: url.rsplit("/", 1)[1].count("-") == 4)
    page.keyboard.press("c")
    page.wait_for_url("**/portal/tickets/new")


def test_keys_that_were_switched_off_do_nothing(new_page, product):
    page = sign_in(new_page(), product.url, "chloe@globex.example")
    page.goto(f"{product.url}/portal/keyboard")
    page.locator("[name=shortcuts][value='0']").click()
    try:
        page.goto(f"{product.url}/portal/tickets?view=all")
        page.wait_for_selector("html[data-ready]")
        for key in ("/", "j", "?"):
            page.keyboard.press(key)
        assert page.evaluate("document.activeElement === document.body")
        expect(page.locator(HELP)).to_have_count(0)
    finally:
        page.goto(f"{product.url}/portal/keyboard")
        page.locator("[name=shortcuts][value='1']").click()
