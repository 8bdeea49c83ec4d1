"""Every page of the desk and of a customer's tickets beyond the daily ones: axe, width, headings.

Each is loaded once, dark on a phone, and looked at again light on a desk; some in high contrast too.
"""

import pytest
from playwright.sync_api import Page, expect

from portal.demo.answering import MACROS
from portal.demo.content import demo_uuid
from portal.demo.settings import POLICIES
from tests.browser.conftest import picture, sign_in
from tests.browser.test_accessibility import scrolls_sideways, violations

pytestmark = [pytest.mark.browser, pytest.mark.temporal]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "color_scheme": "dark"}
# Colours move for a moment when the look changes.
SETTLED = """async () => {
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    await Promise.allSettled(document.getAnimations().map((one) => one.finished));
}"""
# Where a page is found by its link on another one: (page, selector of the link).
QUEUE = "/admin/tickets/?view=all&q=Graz"
ROW = "main a.cell-link"
STAFF = ("/admin/tickets/?view=open&select=1", "/admin/tickets/?view=all&q=zzzz", "/admin/tickets/views/",
         "/admin/tickets/views/new", ("/admin/tickets/views/", "main td .button[href*='/views/']"), "{ticket}",
         "/admin/relations/{id}", "/admin/relations/{id}/merge", "/admin/relations/{id}/split",
         "/admin/relations/{id}/incidents", "/admin/side/new/{id}", ("/admin/relations/{id}", "a[href*='/side/']"),
         "/admin/trash/", "/admin/trash/{id}", "/admin/desk/ticket/{id}/macros", "/admin/desk/ticket/{id}/time",
         "/admin/desk/ticket/{id}/customer", "/admin/desk/ticket/{id}/edit", "/admin/ticket-clock/{id}",
         "/admin/preferences/keyboard")  # fmt: skip
SETTINGS = ("/admin/desk/macros/", "/admin/desk/macros/new/", ("/admin/desk/macros/", "main a[href*='/edit/']"),
            "/admin/desk/statuses/", "/admin/desk/statuses/new/", "/admin/satisfaction/", "/admin/reports/promises/",
            "/admin/reports/promises/?by=agent", "/admin/assignment/rules/", "/admin/assignment/rules/new/",
            "/admin/assignment/people/", ("/admin/assignment/people/", "main a[href*='/edit/']"),
            ("/admin/sla/policies/", ROW), ("/admin/sla/calendars/", ROW), "/admin/sla/categories/new/",
            "/admin/settings/tickets/", "/admin/settings/tickets/versions/", "/admin/inbound/",
            ("/admin/inbound/", ROW), "/admin/inbound/addresses/", "/admin/settings/mailbox/",
            "/admin/sla/policies/edit/?id={policy}", "/admin/sla/policies/versions/?id={policy}",
            "/admin/desk/macros/versions/?id={macro}")  # fmt: skip
CUSTOMER = ("/portal/tickets?view=all&q=zzzz", "/portal/tickets/more", "/portal/tickets/select", "{ticket}",
            "{ticket}/colleagues", "{ticket}/close", "{ticket}/cancel", "{ticket}/escalate", "{ticket}/related",
            "{ticket}/prepared", ("{ticket}", "a[href$='/edit']"), "{solved}", "{solved}/rate",
            "/portal/keyboard")  # fmt: skip


def found(page: Page, base: str, path: str, selector: str = ROW) -> str:
    """Where the first such link of a page leads."""
    page.goto(base + path)
    return str(page.locator(selector).first.get_attribute("href")).split("?")[0]


def check(page: Page, base: str, paths: tuple[str | tuple[str, str], ...], **known: str) -> None:
    problems = []
    for entry in paths:
        path, selector = entry if isinstance(entry, tuple) else (entry, None)
        path = path.format(**known)
        if selector:
            page.goto(base + path)
            path = str(page.locator(selector).first.get_attribute("href"))
        page.set_viewport_size(PHONE["viewport"])
        page.emulate_media(color_scheme="dark")
        answer = page.goto(base + path)
        if page.locator("[hx-trigger=load]").count():
            # Its parts come by requests of their own.
            page.wait_for_load_state("networkidle")
        seen = faults(page)
        page.set_viewport_size({"width": 1440, "height": 900})
        page.emulate_media(color_scheme="light")
        page.evaluate(SETTLED)
        seen += [f"light, on a desk: {text}" for text in faults(page, "color-contrast")]
        if answer is None or answer.status != 200:
            seen.append(f"status {answer and answer.status}")
        if page.locator("h1").count() != 1:
            seen.append(f"{page.locator('h1').count()} h1")
        if "built-in method" in page.content():
            seen.append("shows a function instead of its answer")
        problems += [f"{path}: {text}" for text in seen]
    assert not problems, "\n".join(problems)


def faults(page: Page, *rules: str) -> list[str]:
    """What is wrong with the page as it looks now, by all rules or by those that depend on the look."""
    return violations(page, *rules) + (["scrolls sideways"] if scrolls_sideways(page) else [])


def test_pages_of_the_desk(product, new_page):
    page = sign_in(new_page(locale="ar", **PHONE), product.url, "ada@demo.example", "admin")
    ticket = found(page, product.url, QUEUE)
    check(page, product.url, STAFF, ticket=ticket, id=ticket.rsplit("/", 1)[1])


def test_settings_of_the_desk(product, new_page):
    page = sign_in(new_page(locale="en", **PHONE), product.url, "ada@demo.example", "admin")
    policy, macro = demo_uuid("demo", "policy", POLICIES[0]["name"]), demo_uuid("demo", "macro", MACROS[0][0])
    check(page, product.url, SETTINGS, policy=str(policy), macro=str(macro))


def test_pages_of_a_customer(product, new_page):
    page = sign_in(new_page(locale="ar", **PHONE), product.url, "ana@acme.example")
    ticket = found(page, product.url, "/portal/tickets?view=all&q=VPN")
    solved = found(page, product.url, "/portal/tickets?status=resolved")
    check(page, product.url, CUSTOMER, ticket=ticket, solved=solved)


def test_the_desk_in_high_contrast(product, new_page):
    page = sign_in(new_page(contrast="more", color_scheme="dark"), product.url, "jonas@demo.example", "admin")
    ticket = found(page, product.url, QUEUE)
    check(page, product.url, ("/admin/tickets/?view=open", "{ticket}", "/admin/satisfaction/"), ticket=ticket)


def test_whoever_may_not_is_told_so(product, new_page):
    page = sign_in(new_page(), product.url, "bill@demo.example", "admin")
    assert page.goto(f"{product.url}/admin/trash/").status == 403
    expect(page.locator("h1")).to_be_visible()
    assert not violations(page)
    picture(page, "desk-forbidden")
