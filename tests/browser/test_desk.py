"""The team at its desk: views and many tickets at once, macros, notes, colleagues on the same ticket, merging, mail."""

import re
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import picture, sign_in
from tests.browser.programs import Program, wait_for_mail, words_of

pytestmark = [pytest.mark.browser, pytest.mark.temporal]
ANA, BEN = "ana@acme.example", "ben@acme.example"
SAM, JONAS, MIA = "sam@demo.example", "jonas@demo.example", "mia@demo.example"


def staff(new_page, product, email=SAM):
    return sign_in(new_page(), product.url, email, "admin")


def ticket_page(page, product, ticket):
    page.goto(f"{product.url}/admin/tickets/{ticket['id']}")
    page.wait_for_selector("html[data-ready]")
    return page


def test_a_view_of_ones_own_changed_at_once_and_put_back(new_page, product):
    ben, word = Program(product, BEN), f"box{uuid4().hex[:8]}"
    made = [ben.open_ticket(f"Humming {word} on floor {number}") for number in range(3)]
    page = staff(new_page, product)
    page.goto(f"{product.url}/admin/tickets/views/new")
    page.fill("[name=name]", f"Floors, {word}")
    page.fill("[name=text]", word)
    for column in ("priority", "promise", "next_step"):
        page.uncheck(f"[name=columns][value={column}]")
    page.check("[name=columns][value=tags]")
    page.select_option("[name=place_tags]", "1")
    page.get_by_role("button", name="Save view").click()
    expect(page.locator("h1")).to_contain_text(f"Floors, {word}")
    expect(page.locator("thead th").first).to_have_text("Tags")
    expect(page.locator("thead")).not_to_contain_text("Promise")
    page.get_by_role("link", name="Select").click()
    page.wait_for_selector("html[data-ready]")
    page.locator("[data-select-all]").check()
    expect(page.locator("[data-bulk-count]")).to_have_text("3 selected")
    page.select_option("[name=do]", "priority:high")

    # Beside the three, as many that are gone meanwhile: two steps, the second of which waits here.
    gone = [f"00000000-0000-4000-8000-{number:012d}" for number in range(120)]
    page.route("**/bulk/ids*", lambda route: route.fulfill(json={"ids": [*gone, *(one["id"] for one in made)]}))
    steps = []
    page.route(
        "**/admin/tickets/bulk/?*", lambda route: steps.append(route) if steps else steps.append(route.continue_())
    )
    page.check("[name=whole]")
    page.get_by_role("button", name="Apply").click()
    progress = page.locator(".bulk-progress")
    expect(progress).to_be_visible()
    expect(progress).to_have_js_property("value", 100)
    expect(progress).to_have_js_property("max", 123)
    picture(page, "desk-bulk-progress")
    steps[1].continue_()
    told = page.locator("[data-bulk-told]")
    expect(told).to_contain_text("3 tickets changed")
    sam = Program(product, SAM)
    assert {sam.call("GET", f"/api/v1/staff/tickets/{one['id']}")["priority"] for one in made} == {"high"}
    told.get_by_role("button", name="Undo").click()
    expect(page.locator("h1")).to_have_text("3 tickets put back")
    assert {sam.call("GET", f"/api/v1/staff/tickets/{one['id']}")["priority"] for one in made} == {"normal"}


def test_a_macro_fills_its_places_and_makes_its_changes(new_page, product):
    ticket = Program(product, BEN).open_ticket("Router restarts every hour")
    page = ticket_page(staff(new_page, product), product, ticket)
    page.locator("[popovertarget=macro-menu]").click()
    page.get_by_role("button", name="Ask for a router log").click()
    answer = page.locator("#answer-message")
    expect(answer).to_have_value(re.compile(r"^Hello Ben,[\s\S]+Sam, Kestrel IT$"))
    expect(page.locator("#answer-macro")).to_contain_text("Ask for a router log")
    expect(answer).to_be_focused()
    page.keyboard.press("Control+End")
    page.keyboard.type(" PS: by Friday, please.")
    page.get_by_role("button", name=re.compile("^Send")).first.click()
    expect(page.locator(".split-thread")).to_contain_text("PS: by Friday, please.")
    expect(page.locator(".split-head")).to_contain_text("With customer")
    expect(page.locator(".split-panel")).to_contain_text("log-asked")


def test_a_mention_in_a_note_tells_the_colleague_alone(new_page, product):
    ticket = Program(product, BEN).open_ticket("Badge reader beeps twice")
    page = ticket_page(staff(new_page, product), product, ticket)
    page.locator(".composer-tab", has_text="Internal note").click()
    note = page.locator("#answer-note")
    note.press_sequentially("Seen before? @Mia")
    offered = page.locator("#mention-list [role=option]:visible")
    expect(offered).to_have_count(1)
    note.press("Enter")
    expect(note).to_have_value("Seen before? @Mia Lindqvist ")
    page.get_by_role("button", name="Add internal note").click()
    expect(page.locator(".split-thread .note")).to_contain_text("Seen before?")
    mia = staff(new_page, product, MIA)
    mia.goto(f"{product.url}/admin/notifications/")
    notice = mia.locator("main .notice", has_text="Badge reader beeps twice").first
    expect(notice).to_contain_text("Sam Okafor mentioned you")
    notice.locator("button").click()
    mia.wait_for_url(re.compile(ticket["id"]))
    customer = sign_in(new_page(), product.url, BEN)
    customer.goto(f"{product.url}/portal/tickets/{ticket['id']}")
    expect(customer.locator("main")).not_to_contain_text("Seen before?")


def test_two_at_the_same_ticket_see_each_other_and_never_cross(new_page, product):
    ticket = Program(product, BEN).open_ticket("Two answers at once")
    sam = ticket_page(staff(new_page, product), product, ticket)
    # Sam's line is slow today: what Jonas writes does not reach the page before Sam sends.
    sam.route("**/*part=thread*", lambda route: route.fulfill(status=304))
    sam.locator("#answer-message").fill("Sam looks at it.")
    jonas = ticket_page(staff(new_page, product, JONAS), product, ticket)
    expect(jonas.locator("[data-presence]")).to_contain_text("Sam Okafor is replying")
    jonas.locator("#answer-message").fill("Jonas was faster.")
    expect(sam.locator("[data-presence]")).to_contain_text("Jonas Thiel is replying")
    picture(sam, "desk-presence")
    jonas.get_by_role("button", name=re.compile("^Send")).first.click()
    expect(jonas.locator(".split-thread")).to_contain_text("Jonas was faster.")
    sam.get_by_role("button", name=re.compile("^Send")).first.click()
    expect(sam.locator("main")).to_contain_text("Jonas Thiel answered while you were writing")
    expect(sam.locator(".split-thread")).to_contain_text("Jonas was faster.")
    expect(sam.locator("#answer-message")).to_have_value("Sam looks at it.")
    picture(sam, "desk-crossed")
    sam.get_by_role("button", name="Send anyway").click()
    expect(sam.locator(".split-thread")).to_contain_text("Sam looks at it.")


def test_a_merge_leaves_its_trace_on_both(new_page, product):
    ben = Program(product, BEN)
    first, second = ben.open_ticket("Plotter dead"), ben.open_ticket("Plotter still dead")
    page = ticket_page(staff(new_page, product), product, second)
    page.get_by_role("link", name="Merge").click()
    page.locator("main .list-row", has_text=first["number"]).locator("a").click()
    expect(page.locator("main")).to_contain_text("This cannot be undone")
    page.get_by_role("button", name="Merge for good").click()
    page.wait_for_url(re.compile(first["id"]))
    expect(page.locator(".split-thread")).to_contain_text("About Plotter still dead.")
    expect(page.locator(".split-thread")).to_contain_text(second["number"])
    ticket_page(page, product, second)
    expect(page.locator(".split-thread")).to_contain_text(first["number"])
    customer = sign_in(new_page(), product.url, BEN)
    customer.goto(f"{product.url}/portal/tickets/{second['id']}")
    customer.wait_for_url(re.compile(first["id"]))
    expect(customer.locator("main")).to_contain_text("About Plotter still dead.")


def test_a_supplier_is_asked_beside_the_ticket(new_page, product):
    ticket = Program(product, BEN).open_ticket("Spare part for the lift")
    page = ticket_page(staff(new_page, product), product, ticket)
    page.get_by_role("link", name="Write to somebody outside").click()
    page.fill("[name=recipient]", "parts@supplier.example")
    page.fill("[name=subject]", "Motor for model 7")
    page.fill("[name=body]", "Do you have one in stock?")
    page.get_by_role("button", name="Send mail").click()
    expect(page.locator("h1")).to_have_text("Motor for model 7")
    mail = wait_for_mail(product, "parts@supplier.example", "Motor for model 7")
    assert "Do you have one in stock?" in words_of(mail)
    ticket_page(page, product, ticket)
    expect(page.locator(".split-panel")).to_contain_text("parts@supplier.example")
    customer = sign_in(new_page(), product.url, BEN)
    customer.goto(f"{product.url}/portal/tickets/{ticket['id']}")
    expect(customer.locator("main")).to_contain_text("Spare part for the lift")
    assert "supplier.example" not in customer.content()


def test_what_lies_in_the_trash_comes_back(new_page, product):
    ticket = Program(product, BEN).open_ticket("Sent by mistake")
    customer = sign_in(new_page(), product.url, BEN)
    page = ticket_page(staff(new_page, product), product, ticket)
    page.locator(".split-panel").get_by_role("link", name="Trash").click()
    page.fill("[name=reason]", "Asked for by phone")
    page.get_by_role("button", name="Put into the trash").click()
    page.wait_for_url(lambda url: "/trash/" not in url)
    assert customer.goto(f"{product.url}/portal/tickets/{ticket['id']}").status == 404
    page.goto(f"{product.url}/admin/trash/")
    row = page.locator("tr", has_text=ticket["number"])
    expect(row).to_contain_text("Asked for by phone")
    row.get_by_role("button", name=f"Restore {ticket['number']}").click()
    expect(row).to_have_count(0)
    customer.reload()
    expect(customer.locator("h1")).to_have_text("Sent by mistake")
