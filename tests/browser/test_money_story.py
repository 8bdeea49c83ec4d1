"""The story of money: a quote is signed by keys alone and its copy checked, invoices are paid, however it goes."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from portal.demo.content import demo_uuid
from tests.browser.conftest import Product, picture, sign_in
from tests.browser.programs import Program, wait_for_mail
from tests.browser.test_accessibility import focus_on

pytestmark = [pytest.mark.browser, pytest.mark.temporal]
ANA, BILL = "ana@acme.example", "bill@demo.example"
VISA, DECLINED, DECLINED_ONCE_SAVED, ASKS = (
    *("4242 4242 4242 4242", "4000 0000 0000 0002", "4000 0000 0000 0341"),
    "4000 0000 0000 3220",
)
PAID = "Your payment has arrived"


def eur(amount: int) -> dict:
    return {"amount": amount, "currency": "EUR"}


@pytest.fixture(scope="module")
def bill(product) -> Program:
    """The program of somebody who bills."""
    return Program(product, BILL)


@pytest.fixture
def quote(bill) -> dict:
    """A quote that was sent to Acme: 1,800 and an option of 400, each plus 20 % of VAT, 25 % of it as a deposit."""
    body = {
        "customer_id": str(demo_uuid("demo", "company", "acme")),
        "currency": "EUR",
        "title": "Door system, Lyon warehouse",
        "terms": "Payable within 30 days.\nThe hardware stays ours until it is paid.",
        "valid_until": (datetime.now(UTC) + timedelta(days=9)).date().isoformat(),
        "deposit_percent": "25",
        "lines": [
            {"description": "Readers for six doors", "quantity": "6", "unit_price": eur(30_000), "tax_rate": "20"},
            {"description": "Cards for visitors", "unit_price": eur(40_000), "tax_rate": "20", "optional": True,
             "selected": False},
        ],
    }  # fmt: skip
    made = bill.call("POST", "/api/v1/staff/quotes", body)
    return bill.call("POST", f"/api/v1/staff/quotes/{made['id']}/send", {})


@pytest.fixture
def invoice(bill):
    """Issue an invoice to Acme; its address in the portal ends with its id."""

    def make(amount: int, text: str) -> str:
        line = {"description": text, "unit_price": eur(amount), "tax_rate": "0"}
        customer = str(demo_uuid("demo", "company", "acme"))
        body = {"customer_id": customer, "currency": "EUR", "lines": [line]}
        return str(bill.call("POST", "/api/v1/staff/invoices", body)["id"])

    return make


def until_paid(bill: Program, invoice_id: str, seconds: float = 30) -> list[dict]:
    """Wait until the invoice is paid; what was booked as paid."""
    deadline = time.monotonic() + seconds
    while (found := bill.call("GET", f"/api/v1/staff/invoices/{invoice_id}"))["status"] != "paid":
        assert time.monotonic() < deadline, found["status"]
        time.sleep(0.2)
    return [entry for entry in found["ledger"] if entry["kind"] == "paid"]


def begin_paying(page: Page, product: Product, invoice_id: str, method: str = "card") -> None:
    """From the invoice's page to the hosted one, or by a saved method."""
    page.goto(f"{product.url}/portal/invoices/{invoice_id}")
    form = page.locator("#pay form")
    form.locator(f"input[name=method][value='{method}']").check()
    form.locator("button.button-primary").click()


def type_card(page: Page, number: str) -> None:
    """What somebody types on the hosted page, and its button."""
    page.fill("#number", number)
    page.fill("#exp", "12/34")
    page.fill("#cvc", "123")
    page.locator("#pay").click(no_wait_after=True)


def test_a_quote_is_signed_by_keys_alone_and_its_copy_checked(product, new_page, quote, tmp_path):
    page = sign_in(new_page(), product.url, ANA)
    page.goto(f"{product.url}/portal/quotes/{quote['id']}")
    page.wait_for_selector("html[data-ready]")
    expect(page.locator("#terms")).to_contain_text("stays ours until it is paid")
    sums = page.locator("#quote-sums")
    expect(sums).to_contain_text("€2,160.00")
    focus_on(page, "lines")
    page.keyboard.press("Space")
    expect(sums).to_contain_text("€2,640.00")
    expect(sums).to_contain_text("€660.00")
    focus_on(page, "signer_name")
    page.keyboard.press("Control+a")
    page.keyboard.type("Ana Torres-Vidal")
    focus_on(page, "consent")
    page.keyboard.press("Space")
    picture(page, "money-1-sign")
    focus_on(page, "Sign and accept")
    page.keyboard.press("Enter")
    main = page.locator("main")
    expect(main).to_contain_text("Accepted by Ana Torres-Vidal")
    # The worker issues and seals, and the open page shows it by itself.
    made = page.locator("#follow-up .list-row")
    expect(made).to_have_count(2)
    expect(made.first).to_contain_text("€660.00")
    expect(page.locator("#follow-up").get_by_role("link", name="Signed copy")).to_be_visible()
    picture(page, "money-2-accepted")
    assert len(page.context.pages) == 1
    signed = tmp_path / "signed.pdf"
    with page.expect_download() as download:
        focus_on(page, "Signed copy")
        page.keyboard.press("Enter")
    download.value.save_as(signed)
    focus_on(page, "Check this document")
    page.keyboard.press("Enter")
    page.wait_for_url("**/verify/*")
    check_copies(page, signed)


def check_copies(page: Page, signed: Path) -> None:
    """The page of the check knows the sealed file, and one with another byte from it."""
    told = page.locator("[data-verify-told]")
    page.set_input_files("#file", signed)
    expect(told).to_contain_text("This is the sealed document, unchanged")
    content = bytearray(signed.read_bytes())
    content[len(content) // 2] ^= 1
    changed = signed.with_name("changed.pdf")
    changed.write_bytes(content)
    page.set_input_files("#file", changed)
    expect(told).to_contain_text("This is not the sealed document")
    picture(page, "money-3-changed-byte")


def test_an_invoice_is_paid_and_the_receipt_comes(product, new_page, bill, invoice):
    invoice_id = invoice(12_345, "Badge printer")
    page = sign_in(new_page(), product.url, ANA)
    begin_paying(page, product, invoice_id)
    picture(page, "money-4-hosted")
    type_card(page, VISA)
    page.wait_for_url("**/portal/payments/*")
    expect(page.locator("main")).to_contain_text(PAID)
    expect(page.locator("main .amount")).to_contain_text("€123.45")
    picture(page, "money-5-arrived")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the receipt").click()
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF-")
    page.goto(f"{product.url}/portal/invoices/{invoice_id}")
    expect(page.locator(".meta-row .badge")).to_have_text("Paid")
    assert len(until_paid(bill, invoice_id)) == 1
    wait_for_mail(product, ANA, "receipt")


def test_a_declined_card_leaves_the_amount_and_offers_retry(product, new_page, bill, invoice):
    invoice_id = invoice(23_400, "Label rolls")
    page = sign_in(new_page(), product.url, ANA)
    page.goto(f"{product.url}/portal/payment-methods")
    page.locator("#consent").check()
    page.get_by_role("button", name="Add method").click()
    type_card(page, DECLINED_ONCE_SAVED)
    page.wait_for_url("**/portal/payment-methods*")
    saved = page.locator("[id^=method-]", has_text="0341")
    expect(saved).to_be_visible()
    method_id = str(saved.get_attribute("id")).removeprefix("method-")
    begin_paying(page, product, invoice_id, method_id)
    expect(page.locator("main")).to_contain_text("Payment failed")
    expect(page.get_by_role("button", name="Retry")).to_be_visible()
    picture(page, "money-6-declined")
    page.goto(f"{product.url}/portal/invoices/{invoice_id}")
    expect(page.locator("#pay .amount")).to_have_text("€234.00")
    expect(page.locator("#pay")).to_contain_text("Try again: €234.00")
    begin_paying(page, product, invoice_id)
    type_card(page, DECLINED)
    expect(page.locator("#error")).to_contain_text("declined")
    type_card(page, VISA)
    page.wait_for_url("**/portal/payments/*")
    expect(page.locator("main")).to_contain_text(PAID)
    assert len(until_paid(bill, invoice_id)) == 1


def test_the_bank_asks_whether_it_is_them(product, new_page, bill, invoice):
    invoice_id = invoice(34_500, "Scanner, repaired")
    page = sign_in(new_page(), product.url, ANA)
    begin_paying(page, product, invoice_id)
    type_card(page, ASKS)
    expect(page.locator("h1")).to_contain_text("Your bank asks")
    assert bill.call("GET", f"/api/v1/staff/invoices/{invoice_id}")["status"] != "paid"
    page.locator("#approve").click()
    page.wait_for_url("**/portal/payments/*")
    expect(page.locator("main")).to_contain_text(PAID)
    assert len(until_paid(bill, invoice_id)) == 1


def test_two_tabs_pay_once(product, new_page, bill, invoice):
    invoice_id = invoice(45_600, "Cable ducts")
    first = sign_in(new_page(), product.url, ANA)
    second = first.context.new_page()
    for page in (first, second):
        page.goto(f"{product.url}/portal/invoices/{invoice_id}")
        page.locator("#pay form input[value=card]").check()
    first.locator("#pay form button.button-primary").click()
    first.wait_for_selector("#number")
    second.locator("#pay form button.button-primary").click()
    # The other tab is led to the payment that is under way, not to one more.
    second.get_by_role("link", name="See payment").click()
    picture(second, "money-7-second-tab")
    second.get_by_role("link", name="Go on to payment").click()
    second.wait_for_selector("#number")
    type_card(first, VISA)
    first.wait_for_url("**/portal/payments/*")
    type_card(second, VISA)
    second.wait_for_url("**/portal/payments/*")
    for page in (first, second):
        expect(page.locator("main")).to_contain_text(PAID)
    assert [entry["amount"]["amount"] for entry in until_paid(bill, invoice_id)] == [-45_600]
    begun = Program(product, ANA).call("GET", f"/api/v1/portal/payments?invoice_id={invoice_id}")["items"]
    assert [one["status"] for one in begun] == ["succeeded"]


def test_whoever_closes_the_browser_has_paid_nevertheless(product, new_page, bill, invoice):
    invoice_id = invoice(56_700, "Rack, second hand")
    page = sign_in(new_page(), product.url, ANA)
    begin_paying(page, product, invoice_id)
    page.wait_for_selector("#number")
    # The hosted page has taken the money, and its answer never reaches the browser: it is closed.
    held: list[dict] = []
    browser = page.context.new_cdp_session(page)

    def hold(event: dict) -> None:
        held.append(event)

    browser.on("Fetch.requestPaused", hold)
    browser.send("Fetch.enable", {"patterns": [{"urlPattern": "*/c/pay/*", "requestStage": "Response"}]})
    type_card(page, VISA)
    deadline = time.monotonic() + 30
    while not held:
        assert time.monotonic() < deadline, "nothing was sent"
        page.wait_for_timeout(20)
    assert held[0]["responseStatusCode"] == 303
    page.close()
    assert len(until_paid(bill, invoice_id)) == 1
