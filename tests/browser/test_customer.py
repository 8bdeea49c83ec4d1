"""A customer with the tickets of a company: colleagues, views, rating from the mail, cancelling, many at once, files."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import picture, sign_in
from tests.browser.programs import Program, wait_for_mail, words_of

pytestmark = [pytest.mark.browser, pytest.mark.temporal]
ANA, BEN, LENA, SAM = "ana@acme.example", "ben@acme.example", "lena@acme.example", "sam@demo.example"


def test_a_colleague_is_brought_in_and_answers(new_page, product):
    ticket = Program(product, BEN).open_ticket("Meeting room display")
    address = f"{product.url}/portal/tickets/{ticket['id']}"
    lena = sign_in(new_page(), product.url, LENA)
    assert lena.goto(address).status == 404
    ben = sign_in(new_page(), product.url, BEN)
    ben.goto(address)
    ben.wait_for_selector("html[data-ready]")
    ben.get_by_role("link", name="Colleagues").first.click()
    drawer = ben.locator("#colleagues")
    person = drawer.locator("[name=user_id] option", has_text="Lena Vogt")
    drawer.locator("[name=user_id]").select_option(value=person.get_attribute("value"))
    drawer.locator("form button").last.click()
    expect(ben.locator("main")).to_contain_text("Lena Vogt")
    ben.goto(address)
    assert lena.goto(address).status == 200
    lena.fill("#reply", "The cable is missing, too.")
    lena.locator("#reply-form button.button-primary").click()
    expect(ben.locator("#thread, main").first).to_contain_text("The cable is missing, too.")


def test_filters_are_kept_as_a_view(new_page, product):
    page = sign_in(new_page(), product.url, BEN)
    page.goto(f"{product.url}/portal/tickets?view=all&category=technical")
    page.wait_for_selector("html[data-ready]")
    page.get_by_role("link", name="More", exact=True).click()
    drawer = page.locator("#list-more")
    drawer.locator("#view-name").fill("Technik aller Zeiten")
    drawer.get_by_role("button", name="Save this view").click()
    page.goto(f"{product.url}/portal/tickets")
    page.wait_for_selector("html[data-ready]")
    page.get_by_role("link", name="More", exact=True).click()
    drawer.get_by_role("link", name="Technik aller Zeiten").click()
    page.wait_for_url(re.compile("category=technical"))
    expect(page.locator(".filter-chip")).to_contain_text("Technical")


def test_a_rating_from_the_mail_needs_no_sign_in(new_page, product):
    ticket = Program(product, BEN).open_ticket("Headset crackles")
    sam = Program(product, SAM)
    body = {"message": "A new one is on your desk.", "status": "resolved"}
    sam.call("POST", f"/api/v1/staff/tickets/{ticket['id']}/reply", body)
    pattern = re.compile(r"4/5: (\S+)")
    mail = wait_for_mail(product, BEN, ticket["number"], having="4/5: ")
    found = pattern.search(words_of(mail))
    assert found
    page = new_page(viewport={"width": 390, "height": 844}, has_touch=True)
    page.goto(found[1])
    expect(page.locator("[name=rating][value='4']")).to_be_checked()
    assert sam.call("GET", f"/api/v1/staff/tickets/{ticket['id']}")["satisfaction_rating"] is None
    picture(page, "rating-phone")
    page.fill("[name=comment]", "Quick.")
    page.get_by_role("button", name="Send rating").click()
    expect(page.locator("h1")).to_have_text("Thank you")
    page.goto(found[1])
    expect(page.locator("h1")).to_have_text("This ticket is rated already")


def test_a_ticket_is_cancelled_with_a_reason(new_page, product):
    ticket = Program(product, BEN).open_ticket("Not needed any more")
    page = sign_in(new_page(), product.url, BEN)
    page.goto(f"{product.url}/portal/tickets/{ticket['id']}")
    page.wait_for_selector("html[data-ready]")
    page.get_by_role("link", name="Cancel ticket").click()
    dialog = page.locator("#cancel-ticket")
    expect(dialog).to_be_visible()
    dialog.locator("[name=reason]").fill("Found the charger.")
    dialog.get_by_role("button", name="Cancel ticket").click()
    expect(page.locator("main")).to_contain_text("Cancelled")
    expect(page.locator("main")).to_contain_text("Found the charger.")
    expect(page.get_by_role("link", name="Ask again")).to_be_visible()


def test_several_are_closed_at_once_with_a_result_for_each(new_page, product):
    ben = Program(product, BEN)
    made = [ben.open_ticket(f"Toner for floor {number}") for number in (1, 2)]
    page = sign_in(new_page(), product.url, BEN)
    page.goto(f"{product.url}/portal/tickets?q=Toner+for+floor")
    page.wait_for_selector("html[data-ready]")
    for ticket in made:
        page.get_by_role("checkbox", name=f"Select {ticket['number']}").check()
    bar = page.locator("[data-bulk-bar]")
    expect(bar).to_contain_text("2 selected")
    bar.get_by_role("button", name="Close", exact=True).click()
    expect(page.locator("h1")).to_have_text("2 of 2 tickets done")
    for ticket in made:
        expect(page.locator("tr", has_text=ticket["number"])).to_contain_text("Closed")


def test_the_list_and_a_ticket_are_taken_along_as_files(new_page, product):
    ticket = Program(product, BEN).open_ticket("=HYPERLINK(1) for the archive")
    page = sign_in(new_page(), product.url, BEN)
    page.goto(f"{product.url}/portal/tickets?q=HYPERLINK")
    page.wait_for_selector("html[data-ready]")
    page.get_by_role("link", name="More", exact=True).click()
    drawer = page.locator("#list-more")
    with page.expect_download() as csv:
        drawer.get_by_role("link", name="CSV for spreadsheets").click()
    text = csv.value.path().read_text(encoding="utf-8-sig")
    assert ticket["number"] in text
    assert "'=HYPERLINK(1) for the archive" in text
    with page.expect_download() as listed:
        drawer.get_by_role("link", name="PDF").click()
    assert listed.value.path().read_bytes().startswith(b"%PDF-")
    page.goto(f"{product.url}/portal/tickets/{ticket['id']}")
    with page.expect_download() as single:
        page.get_by_role("link", name="Download as PDF").click()
    assert single.value.path().read_bytes().startswith(b"%PDF-")
    assert ticket["number"] in single.value.suggested_filename
