"""The payment history narrowed in every way by its address, and the same selection as files (BIL-12)."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from pypdf import PdfReader
from sqlalchemy import select

from portal.authz import system_actor
from portal.models import AuditEntry, Payment, PaymentAllocation, PaymentKind, PaymentStatus
from portal.models.session import TenantSessions
from portal.services.billing.issuing import issue_from_lines
from portal.services.billing.lines import NewLine
from portal.services.payments.filters import PRESETS
from tests.browsing import sign_in
from tests.world import World

PAGE, API = "/portal/payments", "/api/v1/portal/payments"
# Far from what other tests pay.
DAY = datetime(2017, 5, 10, 12, tzinfo=UTC)
SPAN = "start=2017-05-01&end=2017-05-31"


@pytest.fixture(scope="module")
def real(app: Any) -> TenantSessions:
    """Transactions that the application sees."""
    return TenantSessions(app.extensions["portal_engine"])


@pytest.fixture(scope="module")
def paid(real: TenantSessions, world: World) -> dict[str, str]:
    """Payments of Acme in May 2017, one of Globex: name -> number."""
    numbers = {}

    def add(name: str, amount: int, company: str = "acme", service: str = "", **more: Any) -> None:
        at = more.pop("at", DAY)
        with real.begin(world.demo) as session:
            invoice = issue_from_lines(
                session, customer_id=world.companies[company], currency="EUR",
                lines=[NewLine(f"Line of {name}", unit_price=amount, service_type=service)],
                actor=system_actor(world.demo), now=at,
            )  # fmt: skip
            values = {"status": PaymentStatus.SUCCEEDED, "method": {"kind": "card", "brand": "visa", "last4": "4242"},
                      "kind": PaymentKind.HOSTED} | more  # fmt: skip
            payment = Payment(
                id=uuid4(), number=f"H-{uuid4().hex[:10]}", customer_id=world.companies[company], currency="EUR",
                amount=amount, created_at=at, **values,
            )  # fmt: skip
            session.add(payment)
            session.flush()
            session.add(PaymentAllocation(payment_id=payment.id, invoice_id=invoice.id, amount=amount))
            numbers[name] = payment.number

    add("card", 10_000, service="hist-support")
    add("debit", 25_000, service="hist-cloud", method={"kind": "sepa_debit", "brand": "", "last4": "3000"})
    add("pending", 7_000, status=PaymentStatus.PROCESSING)
    add("failed", 8_000, status=PaymentStatus.FAILED, failure_code="card_declined")
    add("cancelled", 8_500, status=PaymentStatus.CANCELLED)
    add("refunded", 9_000, refunded=9_000)
    add("credit", 500, kind=PaymentKind.CREDIT, method={})
    add("june", 10_000, at=DAY + timedelta(days=30))
    add("foreign", 10_000, company="globex", service="hist-secret")
    return numbers


CASES = [
    ("status=success", {"card", "debit", "refunded", "credit"}),
    ("status=pending", {"pending"}),
    ("status=failed", {"failed", "cancelled"}),
    ("status=refunded", {"refunded"}),
    ("status=cancelled", {"cancelled"}),
    ("method=sepa_debit", {"debit"}),
    ("method=credit", {"credit"}),
    ("service=hist-cloud", {"debit"}),
    ("service=hist-secret", set()),
    ("min=80&max=100", {"failed", "cancelled", "refunded", "card"}),
    ("min=100.01", {"debit"}),
    ("max=5,00", {"credit"}),
    ("status=success&method=card&max=90", {"refunded"}),
]


@pytest.mark.parametrize(("query", "expected"), CASES)
def test_the_address_narrows_the_list(
    app: Any, world: World, paid: dict[str, str], query: str, expected: set[str]
) -> None:
    answer = sign_in(app, world, "bob").get(f"{PAGE}/export?format=csv&{SPAN}&{query}")
    rows = list(csv.reader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"))))
    found = {row[0] for row in rows[1:]}
    assert found == {paid[name] for name in expected}


def test_the_page_keeps_its_filters_and_offers_its_files(app: Any, world: World, paid: dict[str, str]) -> None:
    browser = sign_in(app, world, "bob")
    page = " ".join(browser.get(f"{PAGE}?{SPAN}&status=success&service=hist-cloud&min=100").text.split())
    assert paid["debit"] in page
    assert paid["card"] not in page
    assert "format=pdf" in page
    assert "hist-support" in page
    assert "hist-secret" not in page
    assert 'value="hist-cloud" selected' in page
    for odd in ("min=many&max=-", "preset=odd&status=odd&method=odd", "start=odd&end=0001-01-01", "service=%00"):
        assert browser.get(f"{PAGE}?{odd}").status_code == 200, odd


def test_the_pdf_says_what_narrows_it_and_the_trail_keeps_it(
    app: Any, world: World, real: TenantSessions, paid: dict[str, str]
) -> None:
    before = datetime.now(UTC)
    answer = sign_in(app, world, "alice").get(f"{PAGE}/export?format=pdf&{SPAN}&method=sepa_debit&min=100")
    words = " ".join(PdfReader(io.BytesIO(answer.data)).pages[0].extract_text().split())
    for part in (paid["debit"], "SEPA direct debit", "At least", "€100.00", "€250.00"):
        assert part in words, part
    assert paid["card"] not in words
    assert sign_in(app, world, "alice").get(f"{PAGE}/export?format=doc").status_code == 422
    with real.begin(world.demo) as session:
        entry = select(AuditEntry.after).where(
            AuditEntry.action == "payment.exported",
            AuditEntry.at >= before,
            AuditEntry.actor_id == world.people["alice"].user_id,
        )
        assert session.scalars(entry).all() == [{"format": "pdf", "filtered": True}]


def test_the_api_takes_the_same_filters(api: Any, paid: dict[str, str]) -> None:
    def numbers(name: str, query: str) -> set[str]:
        items = api(name).get(f"{API}?{SPAN}&{query}").get_json()["items"]
        return {item["number"] for item in items}

    assert numbers("bob", "outcome=refunded") == {paid["refunded"]}
    assert numbers("bob", "min_amount=20000&method=sepa_debit&service_type=hist-cloud") == {paid["debit"]}
    assert numbers("bob", "max_amount=20000&currency=USD") == set()
    assert numbers("nia", "outcome=success") == set()
    assert api("bob").get(f"{API}?outcome=odd").status_code == 422
    file = api("bob").get(f"{API}/export?{SPAN}&outcome=refunded")
    assert (file.mimetype, paid["refunded"] in file.text, paid["card"] in file.text) == ("text/csv", True, False)
    assert api("bob").get(f"{API}/export?format=doc").status_code == 422
    assert api("bill").get(f"{API}/export").status_code == 403
    assert api(None).get(f"{API}/export").status_code == 401


@pytest.mark.parametrize(
    ("preset", "today", "first", "last"),
    [
        ("this_month", date(2028, 2, 15), date(2028, 2, 1), date(2028, 2, 29)),
        ("last_month", date(2026, 1, 31), date(2025, 12, 1), date(2025, 12, 31)),
        ("last_30_days", date(2026, 3, 1), date(2026, 1, 31), date(2026, 3, 1)),
        ("last_90_days", date(2026, 3, 31), date(2026, 1, 1), date(2026, 3, 31)),
        ("this_year", date(2026, 12, 31), date(2026, 1, 1), date(2026, 12, 31)),
        ("last_year", date(2026, 1, 1), date(2025, 1, 1), date(2025, 12, 31)),
    ],
)
def test_presets_are_whole_days(preset: str, today: date, first: date, last: date) -> None:
    assert PRESETS[preset](today) == (first, last)
