"""The queue and a ticket of the team by keys alone: one step at a time, and nothing at all once they are off."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.temporal]
HELP = "#shortcuts-help[open]"


def test_the_team_works_by_keys(new_page, product):
    page = sign_in(new_page(), product.url, "sam@demo.example", "admin")
    page.goto(f"{product.url}/admin/tickets/?view=open&select=1")
    page.wait_for_selector("html[data-ready]")
    links = page.locator("tr[data-live-row] .cell-link")
    for key, at in (("j", 0), ("j", 1), ("j", 2), ("k", 1)):
        page.keyboard.press(key)
        expect(links.nth(at)).to_be_focused()
    page.keyboard.press("x")
    expect(page.locator("[data-bulk-count]")).to_have_text("1 selected")
    page.keyboard.press("Escape")
    expect(page.locator(".row-select:checked")).to_have_count(0)
    page.keyboard.press("?")
    expect(page.locator(HELP)).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(HELP)).to_have_count(0)
    page.keyboard.press("/")
    page.keyboard.type("jk?x")
    expect(page.locator("input:focus")).to_have_value("jk?x")
    page.locator("input:focus").blur()
    page.keyboard.press("j")
    page.keyboard.press("o")
    page.wait_for_url(re.compile(r"/tickets/[0-9a-f-]{36}"))
    page.wait_for_selector("html[data-ready]")
    first = page.url
    page.keyboard.press("r")
    expect(page.locator("#answer-message")).to_be_focused()
    page.keyboard.type("n")
    expect(page.locator("#answer-message")).to_have_value("n")
    page.keyboard.press("Backspace")
    page.locator("#answer-message").blur()
    page.keyboard.press("n")
    page.wait_for_url(lambda url: url != first)
    page.wait_for_selector("html[data-ready]")
    page.keyboard.press("p")
    page.wait_for_url(first)


def test_switched_off_keys_leave_the_queue_alone(new_page, product):
    page = sign_in(new_page(), product.url, "jonas@demo.example", "admin")
    page.goto(f"{product.url}/admin/preferences/keyboard")
    page.locator("[name=shortcuts][value='0']").click()
    try:
        page.goto(f"{product.url}/admin/tickets/?view=open&select=1")
        page.wait_for_selector("html[data-ready]")
        for key in ("j", "/", "?", "x"):
            page.keyboard.press(key)
        assert page.evaluate("document.activeElement === document.body")
        expect(page.locator(HELP)).to_have_count(0)
    finally:
        page.goto(f"{product.url}/admin/preferences/keyboard")
        page.locator("[name=shortcuts][value='1']").click()
