"""The story of the product, as told: a ticket that keeps its promise by itself."""

import re
import time

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import picture, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.temporal]


def open_drill(page, base, subject):
    """Open an outage drill through the form; returns when its page is shown."""
    page.goto(f"{base}/portal/tickets/new")
    page.fill("[name=subject]", subject)
    page.select_option("[name=category]", "drill")
    page.fill("[name=description]", "The line to Lyon is down.\nNobody can work.")
    page.locator("main form button[type=submit]").last.click()
    page.wait_for_url(re.compile(r"/portal/tickets/[0-9a-f-]{36}"))
    return page.url.rsplit("/", 1)[-1].split("?")[0]


def test_nobody_answers_and_the_ticket_escalates_to_the_second(product, new_page):
    page = sign_in(new_page(), product.url, "ana@acme.example")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Ana")
    open_drill(page, product.url, "Line down, nobody answers")
    began = time.monotonic()
    main = page.locator("main")
    expect(main).to_contain_text(re.compile(r"TCK-\d{4}"))
    expect(main).to_contain_text("Escalates to the team lead")
    picture(page, "story-1-promise")
    expect(main).to_contain_text(re.compile(r"Escalated to the team lead"), timeout=90_000)
    assert time.monotonic() - began > 17, "not before its time"
    expect(main).to_contain_text("Mia Lindqvist")
    expect(main).to_contain_text("Escalates to the head of service")
    picture(page, "story-2-escalated")
    mia = sign_in(new_page(), product.url, "mia@demo.example", "admin")
    mia.goto(f"{product.url}/admin/notifications")
    expect(mia.locator("main")).to_contain_text("Line down, nobody answers")
    deadline = time.monotonic() + 60
    while not any("mia@demo.example" in mail.read_text(errors="replace") for mail in product.mails()):
        assert time.monotonic() < deadline, "no mail to the manager"
        time.sleep(0.2)


def test_an_answer_appears_live_and_the_note_never_does(product, new_page):
    customer = sign_in(new_page(), product.url, "ana@acme.example")
    ticket = open_drill(customer, product.url, "Line down, somebody answers")
    agent = sign_in(new_page(), product.url, "sam@demo.example", "admin")
    agent.goto(f"{product.url}/admin/tickets/?view=open&q=somebody+answers")
    expect(agent.locator("main")).to_contain_text("Line down, somebody answers")
    agent.goto(f"{product.url}/admin/tickets/{ticket}")
    agent.locator("textarea[name=message]").first.fill("We are on it, Ana.")
    agent.get_by_role("button", name=re.compile("^Send")).first.click()
    expect(agent.locator("main")).to_contain_text("We are on it, Ana.")
    expect(customer.locator("main")).to_contain_text("We are on it, Ana.")
    expect(customer.locator("main")).to_contain_text(re.compile("Given in"))
    picture(customer, "story-3-answered")
    picture(agent, "story-3-agent")
    agent.locator(".composer-tab", has_text="Internal note").click()
    agent.locator("#answer-note").fill("CANARY-NOTE the customer must not read this")
    agent.get_by_role("button", name="Add internal note").click()
    expect(agent.locator("main")).to_contain_text("CANARY-NOTE")
    time.sleep(2)
    customer.reload()
    assert "CANARY" not in customer.content()
    assert not any("CANARY" in mail.read_text(errors="replace") for mail in product.mails())
    sent = [mail.read_text(errors="replace") for mail in product.mails()]
    assert any("To: ana@acme.example" in mail or "<ana@acme.example>" in mail for mail in sent)


@pytest.mark.parametrize("victim", ["worker", "web"])
def test_a_killed_process_comes_back_and_the_escalation_is_on_time(product, new_page, victim):
    page = sign_in(new_page(), product.url, "ana@acme.example")
    subject = f"Line down while the {victim} dies"
    ticket = open_drill(page, product.url, subject)
    began = time.monotonic()
    time.sleep(8)
    product.kill(victim)
    product.start(victim)
    product.wait_ready()
    time.sleep(max(0.0, 24 - (time.monotonic() - began)))
    page.goto(f"{product.url}/portal/tickets/{ticket}")
    expect(page.locator("main").get_by_text(re.compile("Escalated to the team lead")).first).to_be_visible()
