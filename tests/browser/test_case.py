"""One ticket in a real browser: typed words survive the session, prepared replies are inserted, related ones load."""

import re
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.conftest import picture, sign_in

ANA = "ana@acme.example"
BRIDGE = "Object.keys(localStorage).some((name) => name.startsWith('portal-draft'))"


def open_ticket(page: Page, base: str) -> str:
    page.goto(f"{base}/portal/tickets?q=VPN")
    page.locator("a[href*='/portal/tickets/']").filter(has_text=re.compile("VPN", re.IGNORECASE)).first.click()
    page.wait_for_url(re.compile(r"/portal/tickets/[\da-f-]{36}"))
    return page.url


def wait_for_bridge(page: Page, *, held: bool) -> None:
    """Until the device holds a draft, or none any more; the page's policy forbids `wait_for_function`."""
    for _ in range(100):
        if page.evaluate(BRIDGE) == held:
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"held is not {held}")


def test_what_was_typed_is_there_again_on_another_device(new_page: Any, product: Any) -> None:
    page = sign_in(new_page(), product.url, ANA)
    address = open_ticket(page, product.url)
    expect(page.locator("#related")).to_contain_text("Related tickets")
    page.locator("[popovertarget=reply-prepared]").click()
    page.get_by_role("menuitem", name="Still not working").click()
    expect(page.locator("#reply")).to_have_value(re.compile("^It still does not work"))
    with page.expect_response(lambda answer: answer.url.endswith("/portal/drafts") and answer.status == 204):
        page.locator("#reply").press_sequentially("09:40, all of Lyon")
    wait_for_bridge(page, held=False)
    picture(page, "case-desktop-light")
    other = sign_in(new_page(), product.url, ANA)
    other.goto(address)
    expect(other.locator("#reply")).to_have_value(re.compile("09:40, all of Lyon$"))
    other.get_by_role("button", name="Send reply").click()
    expect(other.locator(".message-own").last).to_contain_text("09:40, all of Lyon")
    other.reload(wait_until="networkidle")
    expect(other.locator("#reply")).to_have_value("")


def test_without_a_session_the_device_keeps_it_until_the_next_sign_in(new_page: Any, product: Any) -> None:
    page = sign_in(new_page(), product.url, ANA)
    page.goto(f"{product.url}/portal/tickets/new", wait_until="networkidle")
    page.context.clear_cookies()
    page.fill("#subject", "Scanner")
    page.fill("#description", "Typed after the session was over")
    wait_for_bridge(page, held=True)
    sign_in(page, product.url, ANA)
    page.goto(f"{product.url}/portal/tickets/new", wait_until="networkidle")
    expect(page.locator("#description")).to_have_value("Typed after the session was over")
    expect(page.locator("#subject")).to_have_value("Scanner")
    wait_for_bridge(page, held=False)
    other = sign_in(new_page(), product.url, ANA)
    other.goto(f"{product.url}/portal/tickets/new", wait_until="networkidle")
    expect(other.locator("#description")).to_have_value("Typed after the session was over")
