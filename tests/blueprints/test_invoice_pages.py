"""The customer's invoices in the browser: list, page, documents, and nothing of anybody else."""

import io
import zipfile
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from facturx import get_facturx_xml_from_pdf, xml_check_xsd
from lxml import etree
from pypdf import PdfReader
from sqlalchemy import select

from portal.authz import system_actor
from portal.models import Address, Company, Invoice, MailMessage
from portal.models.session import TenantSessions
from portal.services.billing.crediting import credit_invoice
from portal.services.billing.issuing import issue_from_lines
from portal.services.billing.lines import NewLine
from portal.services.billing.settings import load_settings
from portal.services.billing.voiding import void_invoice
from tests.browsing import sign_in
from tests.world import World

NS = {"ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"}
LINES = (
    NewLine('Workplace "#read" $x$ <b>', Decimal(38), 6_200, 600, Decimal(20), "VAT"),
    NewLine("Visit", Decimal("3.5"), 9_800, 0, Decimal("5.5"), "VAT"),
    NewLine("Missed answer", Decimal(1), -6_653, 0, Decimal(20), "VAT"),
)
SELLER = {
    "legal_name": "Kestrel IT SAS",
    "tax_number": "FR 31 844290711",
    "line1": "22 quai Perrache",
    "postal_code": "69002",
    "city": "Lyon",
    "country": "FR",
    "iban": "FR7630006000011234567890189",
}


@pytest.fixture
def real(app: Any) -> TenantSessions:
    """Transactions that the application sees."""
    return TenantSessions(app.extensions["portal_engine"])


@pytest.fixture
def issue(real: TenantSessions, world: World) -> Any:
    """Issue an invoice to a company and give it; its seller is known in full."""

    def make(company: str = "acme", *, lines: Any = LINES, now: datetime | None = None, **more: Any) -> Invoice:
        with real.begin(world.demo) as session:
            load_settings(session).seller = SELLER
            row = session.get(Company, world.companies[company])
            assert row is not None
            row.tax_number = "FR 62 840117355"
            if session.scalar(select(Address.id).where(Address.company_id == row.id)) is None:
                session.add(
                    Address(
                        company_id=row.id, street="14 rue de la Part-Dieu", city="Lyon", postal_code="69003",
                        country="FR", is_primary=True,
                    )
                )  # fmt: skip
                session.flush()
            return issue_from_lines(
                session,
                customer_id=row.id,
                currency=more.pop("currency", "EUR"),
                lines=lines,
                actor=system_actor(world.demo),
                now=now or datetime.now(UTC),
                **more,
            )

    return make


def text_of(answer: Any) -> str:
    return " ".join(answer.get_data(as_text=True).split())


def test_the_list_shows_own_invoices_and_filters_by_address(app: Any, world: World, issue: Any) -> None:
    mine, foreign = issue(), issue("globex")
    browser = sign_in(app, world, "bob")
    page = text_of(browser.get("/portal/invoices"))
    assert mine.number in page
    assert foreign.number not in page
    assert "€3,102.03" in page
    assert "Payment due by" in page
    assert "Pay Now" in page
    assert mine.number not in text_of(browser.get("/portal/invoices?status=paid"))
    assert mine.number in text_of(browser.get(f"/portal/invoices?status=open&q={mine.number}"))
    assert mine.number not in text_of(browser.get("/portal/invoices?issued_to=2020-01-01"))
    assert browser.get("/portal/invoices?cursor=odd").status_code == 303
    assert browser.get("/portal/invoices?status=odd&issued_from=odd&view=odd").status_code == 200


def test_the_page_shows_lines_taxes_sums_and_both_parties(app: Any, world: World, issue: Any) -> None:
    invoice = issue(purchase_order="PO 4500-2291", due_on=date(2030, 1, 1), now=datetime(2029, 12, 1, tzinfo=UTC))
    page = text_of(sign_in(app, world, "bob").get(f"/portal/invoices/{invoice.id}"))
    assert "&lt;b&gt;" in page
    assert "<b>" not in page
    for part in (
        *("VAT 20%", "VAT 5.5%", "Subtotal", "Discounts", "Outstanding", "PO 4500-2291", "Kestrel IT SAS"),
        *("FR 31 844290711", "FR 62 840117355", "14 rue de la Part-Dieu", "1 Jan 2030", "Payable within 31 days."),
    ):
        assert part in page, part
    net = 38 * 6200 - 600 - 6653
    assert (invoice.subtotal - invoice.discount_total, invoice.tax_total) == (net + 34_300, round(net * 0.2) + 1_887)
    for amount in (invoice.subtotal, invoice.total, *(share["tax"] for share in invoice.taxes)):
        assert f"€{amount / 100:,.2f}" in page


def test_the_pdf_has_the_pages_figures_and_carries_a_valid_e_invoice(app: Any, world: World, issue: Any) -> None:
    invoice = issue()
    answer = sign_in(app, world, "bob").get(f"/portal/invoices/{invoice.id}/pdf")
    assert answer.mimetype == "application/pdf"
    words = "".join("".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(answer.data)).pages)
    for part in (invoice.number, "€3,102.03", "VAT 5.5%", "Kestrel IT SAS", 'Workplace "#read" $x$ <b>'):
        assert part.replace(" ", "") in words, part
    name, xml = get_facturx_xml_from_pdf(answer.data)
    assert name == "factur-x.xml"
    check(xml, invoice)
    says = PdfReader(io.BytesIO(answer.data)).trailer["/Root"]["/Metadata"].get_data()
    # What programs look for, beside what makes it PDF/A-3 (both found valid by veraPDF and Mustang's validator).
    assert b"<fx:ConformanceLevel>EN 16931</fx:ConformanceLevel>" in says
    assert b"<fx:DocumentFileName>factur-x.xml</fx:DocumentFileName>" in says
    assert b"<pdfaid:part>3</pdfaid:part>" in says
    assert etree.fromstring(says).tag == "{adobe:ns:meta/}xmpmeta"


def check(xml: bytes, invoice: Invoice) -> None:
    """The XML fits its schema, and its sums hold (BR-CO-10, 13, 14, 15, 17)."""
    assert xml_check_xsd(xml, flavor="factur-x", level="en16931")
    tree = etree.fromstring(xml)

    def amounts(path: str) -> list[Decimal]:
        return [Decimal(found.text) for found in tree.iterfind(f".//ram:{path}", NS)]

    lines = amounts("SpecifiedTradeSettlementLineMonetarySummation/ram:LineTotalAmount")
    header = "SpecifiedTradeSettlementHeaderMonetarySummation/ram:"
    assert [sum(lines)] == amounts(header + "LineTotalAmount") == amounts(header + "TaxBasisTotalAmount")
    taxes = amounts("ApplicableHeaderTradeSettlement/ram:ApplicableTradeTax/ram:CalculatedAmount")
    assert [sum(taxes)] == amounts(header + "TaxTotalAmount")
    assert amounts(header + "GrandTotalAmount") == [sum(lines) + sum(taxes)] == [Decimal(invoice.total) / 100]
    assert all(price >= 0 for price in amounts("NetPriceProductTradePrice/ram:ChargeAmount"))


def test_a_credit_note_and_a_late_fee_are_valid_e_invoices(app: Any, world: World, issue: Any, real: Any) -> None:
    browser, system = sign_in(app, world, "alice"), system_actor(world.demo)
    invoice = issue()
    with real.begin(world.demo) as session:
        note = credit_invoice(session, invoice.id, reason="Agreed", actor=system, now=datetime.now(UTC))
    fee = issue(lines=[NewLine("Late", unit_price=500, tax_rate=Decimal(0), tax_name="", tax_category="E")])
    for one in (note, fee):
        answer = browser.get(f"/portal/invoices/{one.id}/xml")
        assert answer.status_code == 200, text_of(answer)
        check(answer.data, one)
    assert b">381<" in browser.get(f"/portal/invoices/{note.id}/xml").data
    assert note.number in text_of(browser.get(f"/portal/invoices/{invoice.id}"))


def test_three_decimals_have_no_e_invoice_but_a_pdf(app: Any, world: World, issue: Any) -> None:
    invoice = issue(currency="KWD")
    browser = sign_in(app, world, "bob")
    assert browser.get(f"/portal/invoices/{invoice.id}/xml").status_code == 409
    pdf = browser.get(f"/portal/invoices/{invoice.id}/pdf")
    assert "KWD310.203" in PdfReader(io.BytesIO(pdf.data)).pages[0].extract_text()


@pytest.mark.parametrize("locale", ["ar", "de", "es", "fr"])
def test_the_pdf_is_set_in_every_language(app: Any, world: World, issue: Any, locale: str) -> None:
    invoice = issue()
    pdf = sign_in(app, world, "bob").get(f"/portal/invoices/{invoice.id}/pdf?lang={locale}")
    root: Any = PdfReader(io.BytesIO(pdf.data)).trailer["/Root"]
    assert root["/Lang"] == locale


def test_several_come_in_one_archive(app: Any, world: World, issue: Any) -> None:
    mine, other, foreign = issue(), issue(), issue("globex")
    browser = sign_in(app, world, "bob")
    answer = browser.get(f"/portal/invoices/archive?ids={mine.id}&ids={other.id}")
    with zipfile.ZipFile(io.BytesIO(answer.data)) as folder:
        assert sorted(folder.namelist()) == sorted(f"{one.number}.pdf" for one in (mine, other))
    assert browser.get(f"/portal/invoices/archive?ids={mine.id}&ids={foreign.id}").status_code == 404
    assert browser.get("/portal/invoices/archive?ids=odd").status_code == 303


def test_a_copy_goes_to_whoever_asks(app: Any, world: World, issue: Any, real: TenantSessions) -> None:
    invoice = issue()
    browser = sign_in(app, world, "bob")
    assert browser.post(f"/portal/invoices/{invoice.id}/copy").status_code == 303
    with real.begin(world.demo) as session:
        mails = session.scalars(select(MailMessage).where(MailMessage.template == "invoice_copy")).all()
        assert [mail.recipient for mail in mails if str(invoice.number) in mail.subject] == ["bob@acme.example"]


def test_what_is_foreign_is_not_there(app: Any, world: World, issue: Any) -> None:
    invoice = issue("globex")
    for who in ("bob", "nia"):
        browser = sign_in(app, world, who)
        for path in ("", "/pdf", "/xml"):
            assert browser.get(f"/portal/invoices/{invoice.id}{path}").status_code == 404


def test_a_void_invoice_says_why(app: Any, world: World, issue: Any, real: TenantSessions) -> None:
    invoice = issue()
    with real.begin(world.demo) as session:
        void_invoice(session, invoice.id, reason="Billed twice", actor=system_actor(world.demo), now=datetime.now(UTC))
    page = text_of(sign_in(app, world, "bob").get(f"/portal/invoices/{invoice.id}"))
    assert "Billed twice" in page
    assert 'id="pay"' not in page


def test_the_dashboard_asks_for_figures_once_it_is_there(app: Any, world: World, issue: Any, real: Any) -> None:
    issue("globex", lines=[NewLine("Visit", unit_price=10_000)], now=datetime.now(UTC) - timedelta(days=90))
    with real.begin(world.demo) as session:
        company = session.get(Company, world.companies["globex"])
        company.credit_limit = 5_000
    browser = sign_in(app, world, "charlie")
    assert "/portal/invoices/figures" in text_of(browser.get("/portal/"))
    part = text_of(browser.get("/portal/invoices/figures"))
    for words in ("Total outstanding", "overdue", "Pay Now", "Credit limit", "€50.00", "Available credit"):
        assert words in part, words


def test_pages_take_the_same_few_statements_whatever_they_show(app: Any, world: World, issue: Any) -> None:
    short, long = issue(lines=LINES[:1]), issue(lines=LINES * 20)
    browser = sign_in(app, world, "bob")

    def statements(path: str) -> int:
        # Every five seconds some request reads its tenant anew, by a few statements more.
        timings = [browser.get(path).headers["Server-Timing"] for _ in range(3)]
        return min(int(timing.rpartition('desc="')[2].rstrip('"')) for timing in timings)

    assert statements("/portal/invoices") == statements(f"/portal/invoices?q={short.number}") <= 5
    assert statements(f"/portal/invoices/{short.id}") == statements(f"/portal/invoices/{long.id}") <= 5


def test_what_paying_late_costs_is_said(app: Any, world: World, issue: Any, real: TenantSessions) -> None:
    with real.begin(world.demo) as session:
        settings = load_settings(session)
        settings.late_fee_percent, settings.late_fee_after_days = Decimal("2.5"), 10
    try:
        invoice = issue()
    finally:
        with real.begin(world.demo) as session:
            settings = load_settings(session)
            settings.late_fee_percent, settings.late_fee_after_days = Decimal(0), 0
    page = text_of(sign_in(app, world, "bob").get(f"/portal/invoices/{invoice.id}"))
    assert "Paid more than 10 days late, it costs 2.5% of what is open." in page
