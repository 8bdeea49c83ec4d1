"""A year's spending against the invoices one by one, its page, and nothing of anybody else."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from portal.authz import Actor, ActorKind, system_actor
from portal.models import Company, Invoice, Payment, PaymentAllocation, PaymentKind, PaymentStatus, Role
from portal.models.session import TenantSessions
from portal.services.billing.crediting import credit_invoice
from portal.services.billing.issuing import issue_from_lines
from portal.services.billing.lines import NewLine
from portal.services.billing.spending import read_spending
from portal.services.billing.status import settle_invoice
from portal.services.billing.voiding import void_invoice
from tests.browsing import sign_in
from tests.world import World

API = "/api/v1/portal/spending"


@pytest.fixture
def real(app: Any) -> TenantSessions:
    """Transactions that the application sees."""
    return TenantSessions(app.extensions["portal_engine"])


class Books:
    """The invoices of a new company, in a year that no other test writes in."""

    def __init__(self, real: TenantSessions, world: World, year: int) -> None:
        self.real, self.world, self.year = real, world, year
        self.system = system_actor(world.demo)
        with real.begin(world.demo) as session:
            company = Company(id=uuid4(), name="Hooli", customer_number=f"H-{uuid4().hex[:12]}")
            session.add(company)
        self.company = company.id

    def at(self, month: int, day: int = 10) -> datetime:
        return datetime(self.year, month, day, 12, tzinfo=UTC)

    def issue(self, month: int, *lines: NewLine, currency: str = "EUR") -> UUID:
        at = self.at(month)
        with self.real.begin(self.world.demo) as session:
            return issue_from_lines(
                session, customer_id=self.company, currency=currency, lines=lines, actor=self.system, now=at,
                due_on=at.date(),
            ).id  # fmt: skip

    def pay(self, invoice_id: UUID, at: datetime, kind: str, refunded: int = 0) -> None:
        with self.real.begin(self.world.demo) as session:
            invoice = session.get_one(Invoice, invoice_id)
            payment = Payment(
                id=uuid4(), number=f"P-{uuid4().hex[:10]}", customer_id=self.company, kind=PaymentKind.HOSTED,
                status=PaymentStatus.SUCCEEDED, currency=invoice.currency, amount=invoice.total, refunded=refunded,
                method={"kind": kind}, succeeded_at=at, created_at=at,
            )  # fmt: skip
            session.add(payment)
            session.flush()
            session.add(PaymentAllocation(payment_id=payment.id, invoice_id=invoice.id, amount=invoice.total))
            invoice.paid = invoice.total
            settle_invoice(session, invoice, actor=self.system, now=at)

    def reader(self) -> Actor:
        return Actor(
            ActorKind.CUSTOMER,
            self.world.demo,
            "Gavin",
            roles=frozenset({Role.CUSTOMER}),
            company_ids=(self.company,),
        )

    def read(self, now: datetime) -> list[Any]:
        with self.real.begin(self.world.demo) as session:
            return read_spending(session, self.year, zone="Europe/Paris", actor=self.reader(), now=now)


def line(amount: int, service: str = "support", tax: int = 20) -> NewLine:
    return NewLine("Work", Decimal(1), amount, 0, Decimal(tax), "VAT", service_type=service)


def test_figures_are_those_of_the_invoices(real: TenantSessions, world: World) -> None:
    books = Books(real, world, 2019)
    paid, refunded = books.issue(1, line(10_000)), books.issue(3, line(20_000, "cloud"), line(5_000, "", 0))
    open_, credited, voided = books.issue(3, line(7_000)), books.issue(4, line(9_000)), books.issue(5, line(1_000))
    yen = books.issue(6, line(300, "cloud", 0), currency="JPY")
    books.pay(paid, books.at(1, 20), "card")
    books.pay(refunded, books.at(4, 9), "sepa_debit", refunded=1_000)
    with real.begin(world.demo) as session:
        credit_invoice(session, credited, reason="Wrong", lines=None, actor=books.system, now=books.at(5))
        void_invoice(session, voided, reason="Twice", actor=books.system, now=books.at(5, 20))
        open_due = session.get_one(Invoice, open_).due_at
        assert session.get_one(Invoice, yen).total == 300
    assert open_due is not None
    euro, other = books.read(open_due.replace(year=2018))
    assert (other.currency, other.total, other.pending.count) == ("JPY", 300, 1)
    assert euro.months == (12_000, 0, 24_000 + 5_000 + 8_400, 10_800, -10_800, 0, 0, 0, 0, 0, 0, 0)
    assert dict(euro.services) == {"cloud": 20_000, "support": 10_000 + 7_000, "": 5_000}
    assert euro.methods == (("sepa_debit", 28_000), ("card", 12_000))
    assert (euro.paid.count, euro.paid.amount) == (2, 12_000 + 29_000)
    assert (euro.pending.count, euro.pending.amount, euro.overdue.count) == (1, 8_400, 0)
    assert euro.days_to_pay == pytest.approx((10 + 30) / 2)
    late, _ = books.read(open_due)
    assert (late.pending.count, late.overdue.count, late.overdue.amount) == (0, 1, 8_400)


def test_the_page_draws_and_says_the_same_as_tables(app: Any, world: World, real: TenantSessions) -> None:
    with real.begin(world.demo) as session:
        issue_from_lines(
            session, customer_id=world.companies["acme"], currency="EUR", lines=[line(123_400, "Backup <b>")],
            actor=system_actor(world.demo), now=datetime.now(UTC),
        )  # fmt: skip
    browser = sign_in(app, world, "bob")
    page = browser.get("/portal/invoices/overview").get_data(as_text=True)
    for part in ('role="img"', "Average time to pay", "By service, before tax", "Backup &lt;b&gt;", "As a table"):
        assert part in page, part
    assert len(re.findall(r"<rect x=\"\d+\" y=\"\d+\" width=\"36\"", page)) % 12 == 0
    assert "style=" not in page
    for odd in ("1066", "soon", "99999", "²²²²"):
        assert browser.get(f"/portal/invoices/overview?year={odd}").status_code == 200
    rtl = browser.get("/portal/invoices/overview", headers={"Accept-Language": "ar"})
    assert rtl.status_code == 200


def test_the_api_gives_own_figures_only(api: Any, world: World, real: TenantSessions) -> None:
    secret = f"svc-{uuid4().hex[:8]}"
    with real.begin(world.demo) as session:
        issue_from_lines(
            session, customer_id=world.companies["globex"], currency="EUR", lines=[line(5_500, secret)],
            actor=system_actor(world.demo), now=datetime.now(UTC),
        )  # fmt: skip
    mine = api("charlie").get(API).get_json()
    names = [one["name"] for item in mine["items"] for one in item["services"]]
    assert secret in names
    for stranger in ("bob", "nia"):
        assert secret not in api(stranger).get(API).get_data(as_text=True)
    assert api(None).get(API).status_code == 401
    assert api("bill").get(API).status_code == 403
    assert api("bob").get(f"{API}?year=1066").status_code == 422
