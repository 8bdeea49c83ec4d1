"""Every page in light and dark, English and Arabic, at desktop and phone width: axe, no sideways scrolling, keys."""

import re

import pytest
from playwright.sync_api import Page, expect

from portal.config import LOCALES, ROOT
from tests.browser.conftest import picture, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.temporal]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
CUSTOMER_PAGES = ("/portal/", "/portal/tickets", "/portal/tickets?view=all&q=zzzz", "/portal/tickets/new", "TICKET",
                  "/portal/tickets/more", "/portal/tickets/select", "/portal/keyboard",
                  "/portal/notifications", "/portal/account/profile", "/portal/account/notifications", "/portal/help",
                  "/nope")  # fmt: skip
STAFF_PAGES = ("/admin/tickets/", "STAFF_TICKET", "/admin/sla/policies/", "/admin/sla/policies/new/",
               "/admin/sla/calendars/", "/admin/sla/calendars/new/", "/admin/sla/categories/", "/admin/preferences/", "/admin/companies/", "/admin/people/", "/admin/mail/", "/admin/audit/",
               "/admin/notifications/", "/admin/nope")  # fmt: skip
LOOKS = [("light", "en"), ("dark", "ar")]
MORE = {"en": "More", "es": "Más", "fr": "Plus", "de": "Mehr", "ar": "المزيد"}


def violations(page: Page, *rules: str) -> list[str]:
    """Serious and critical findings of axe on the page; of all its rules, or of these."""
    # By the protocol instead of a <script>: the page's own policy would refuse it, as it should.
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    options = {"resultTypes": ["violations"], **({"runOnly": list(rules)} if rules else {})}
    found = page.evaluate("async (options) => (await axe.run(document, options)).violations", options)
    return [
        f"{item['id']}: {node['html'][:160]}"
        for item in found
        if item["impact"] in ("serious", "critical")
        for node in item["nodes"]
    ]


def scrolls_sideways(page: Page) -> bool:
    """Whether the page is wider than its window."""
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth + 1"))


def first_ticket(page: Page, base: str, path: str) -> str:
    """The address of the first ticket in a list."""
    page.goto(base + path)
    links = page.locator("main a.cell-link, main a.queue-link")
    return str(links.first.get_attribute("href"))


def check(page: Page, base: str, paths: tuple[str, ...], ticket: str, name: str) -> list[str]:
    problems = []
    for path in paths:
        page.goto(base + (ticket if path in ("TICKET", "STAFF_TICKET") else path))
        label = re.sub(r"\W+", "-", path).strip("-") or "home"
        picture(page, f"{name}-{label}")
        problems += [f"{path}: {text}" for text in violations(page)]
        if scrolls_sideways(page):
            problems.append(f"{path}: scrolls sideways")
        if page.locator("h1").count() != 1:
            problems.append(f"{path}: {page.locator('h1').count()} h1")
    return problems


@pytest.mark.parametrize(("scheme", "locale"), LOOKS)
def test_customer_pages(product, new_page, scheme, locale):
    page = new_page(color_scheme=scheme, locale=locale)
    page.goto(f"{product.url}/portal/login?lang={locale}")
    problems = [f"sign-in: {text}" for text in violations(page)]
    picture(page, f"{scheme}-{locale}-sign-in")
    sign_in(page, product.url, "ana@acme.example")
    expect(page.locator("html")).to_have_attribute("dir", "rtl" if locale == "ar" else "ltr")
    ticket = first_ticket(page, product.url, "/portal/tickets")
    problems += check(page, product.url, CUSTOMER_PAGES, ticket, f"{scheme}-{locale}")
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize(("scheme", "locale"), LOOKS)
def test_staff_pages(product, new_page, scheme, locale):
    page = new_page(color_scheme=scheme, locale=locale)
    sign_in(page, product.url, "ada@demo.example", "admin")
    ticket = first_ticket(page, product.url, "/admin/tickets/?view=open")
    problems = check(page, product.url, STAFF_PAGES, ticket, f"{scheme}-{locale}-staff")
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("locale", LOCALES)
def test_the_phone_in_every_language(product, new_page, locale):
    page = new_page(viewport={"width": 390, "height": 844}, locale=locale, has_touch=True)
    sign_in(page, product.url, "ana@acme.example")
    expect(page.locator("html")).to_have_attribute("lang", locale)
    expect(page.locator(".bottom-bar").first).to_contain_text(MORE[locale])
    ticket = first_ticket(page, product.url, "/portal/tickets")
    problems = check(page, product.url, ("/portal/", "/portal/tickets", "/portal/tickets/new", "TICKET"), ticket,
                     f"phone-{locale}")  # fmt: skip
    assert not problems, "\n".join(problems)


def test_high_contrast(product, new_page):
    page = new_page()
    sign_in(page, product.url, "ben@acme.example")
    page.request.get(product.url)
    page.locator(".account-switch").click()
    page.locator("button[name=theme][value=contrast]").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "contrast")
    ticket = first_ticket(page, product.url, "/portal/tickets?view=all")
    problems = check(page, product.url, ("/portal/", "/portal/tickets", "TICKET"), ticket, "contrast")
    page.locator(".account-switch").click()
    page.locator("button[name=theme][value=system]").click()
    assert not problems, "\n".join(problems)


def focus_on(page: Page, name: str) -> None:
    """Press Tab until the focus is on the element with this name or text."""
    for _ in range(60):
        page.keyboard.press("Tab")
        reached = page.evaluate("() => document.activeElement.name || document.activeElement.innerText.trim()")
        if str(reached).startswith(name):
            return
    raise AssertionError(f"Tab never reached {name}")


def test_a_ticket_by_keyboard_alone(product, new_page):
    page = new_page()
    page.goto(f"{product.url}/portal/login")
    # A busy browser moves the focus there after the page has loaded.
    expect(page.locator("[name=identifier]")).to_be_focused()
    page.keyboard.type("ana@acme.example")
    focus_on(page, "password")
    page.keyboard.type("portico-demo")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/portal/$"))
    focus_on(page, "New ticket")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/tickets/new"))
    expect(page.locator("[name=subject]")).to_be_focused()
    focus_on(page, "category")
    page.keyboard.press("End")
    focus_on(page, "subject")
    page.keyboard.type("By keyboard alone")
    focus_on(page, "description")
    page.keyboard.type("No mouse at hand.")
    focus_on(page, "Send ticket")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/portal/tickets/[0-9a-f-]{36}"))
    focus_on(page, "message")
    page.keyboard.type("And an answer.")
    focus_on(page, "Send reply")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("And an answer.")
    focus_on(page, "Close ticket")
    page.keyboard.press("Enter")
    dialog = page.locator("dialog[open]")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert page.evaluate("() => document.activeElement.innerText.trim()").startswith("Close ticket")


def test_without_scripts_everything_still_works(product, new_page):
    page = new_page(java_script_enabled=False)
    sign_in(page, product.url, "ana@acme.example")
    page.goto(f"{product.url}/portal/tickets/new")
    page.fill("[name=subject]", "Without scripts")
    page.fill("[name=description]", "Plain forms.")
    page.get_by_role("button", name="Send ticket").click()
    page.wait_for_url(re.compile(r"/portal/tickets/[0-9a-f-]{36}"))
    page.fill("[name=message]", "Plain answer.")
    page.get_by_role("button", name="Send reply").click()
    expect(page.locator("main")).to_contain_text("Plain answer.")
