"""The month of payments and the choice of reminders, as pages and API (H1.7, H7.8)."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete

from portal.models import ReminderChoice
from portal.models.session import TenantSessions
from portal.services.payments.scheduling import Wish, schedule_payment
from tests.blueprints.conftest import codes, problem
from tests.browsing import sign_in
from tests.tills import BASE_URL, USUAL, Till, open_till

API = "/api/v1/portal/payment-reminders"


@pytest.fixture
def till(engine: Any, world: Any) -> Iterator[Till]:
    """A till; nobody has chosen reminders before or after."""
    found = open_till(TenantSessions(engine), world, datetime.now(UTC))
    yield found
    found.settings(**USUAL)
    with found.begin() as session:
        session.execute(delete(ReminderChoice))


def test_the_month_marks_what_falls_due_and_what_is_scheduled(till: Till, app: Any, world: Any) -> None:
    invoice = till.invoice(123456, days=200)
    due_on = till.get_invoice(invoice).due_on
    assert due_on is not None
    day = due_on - timedelta(days=1) if due_on.day > 1 else due_on
    method = till.save_card(token=f"pm_{uuid4().hex}")
    with till.begin() as session:
        wish = Wish(day, method, 65430)
        schedule_payment(session, invoice, wish, base_url=BASE_URL, actor=till.actor("alice"), now=till.now)
    path = f"/portal/calendar?month={due_on:%Y-%m}"
    alice = sign_in(app, world, "alice")
    part = alice.get(path, headers={"HX-Request": "true"}).get_data(as_text=True)
    assert "<html" not in part
    assert "€1,234.56" in part
    assert "€654.30" in part
    assert part.count('scope="col"') == 7
    assert f'href="/portal/invoices/{invoice}"' in part
    whole = alice.get(path).get_data(as_text=True)
    assert '<div id="payment-calendar">' in whole
    later = (due_on.replace(day=1) + timedelta(days=32)).strftime("%Y-%m")
    assert f'href="/portal/calendar?month={later}"' in whole
    other = sign_in(app, world, "charlie").get(path).get_data(as_text=True)
    assert str(invoice) not in other
    till.paid(invoice)
    assert str(invoice) not in alice.get(path).get_data(as_text=True)


def test_months_that_are_none_show_this_one(till: Till, app: Any, world: Any) -> None:
    alice = sign_in(app, world, "alice")
    today = till.now.astimezone(ZoneInfo("Europe/Paris")).date()
    for text in ("", "x", "2026-13", "0000-01", "2026-1", "٢٠٢٦-٠١", "9999-12"):
        page = alice.get(f"/portal/calendar?month={text}")
        assert page.status_code == 200, text
        assert f'datetime="{today.isoformat()}"' in page.get_data(as_text=True), text


def test_the_dashboard_asks_for_it_once_it_stands(till: Till, app: Any, world: Any) -> None:
    page = sign_in(app, world, "bob").get("/portal/").get_data(as_text=True)
    assert 'hx-get="/portal/calendar"' in page
    assert "/portal/calendar?month" not in page


def test_reminders_by_the_api(till: Till, api: Any) -> None:
    bob = api("bob")
    assert bob.get(API).get_json() == {"days": None, "by_mail": True, "by_text": False}
    chosen = bob.post(API, json={"days": [7, -3], "by_mail": True}).get_json()
    assert chosen["days"] == [-3, 7]
    assert bob.get(API).get_json() == chosen
    assert api("alice").get(API).get_json()["days"] is None
    assert codes(bob.post(API, json={"days": [1], "by_text": True})) == {"by_text": "phone_not_proven"}
    assert codes(bob.post(API, json={"days": [99]})) == {"days": "out_of_range"}
    problem(api("sam").get(API), 403)
    assert bob.post(API, json={"days": None}).get_json()["days"] is None


def test_reminders_on_the_page(till: Till, app: Any, world: Any) -> None:
    bob, path = sign_in(app, world, "bob"), "/portal/payment-reminders"
    assert f'href="{path}"' in bob.get("/portal/invoices").get_data(as_text=True)
    empty = bob.post(path, {"which": "own"})
    assert empty.status_code == 422
    saved = bob.post(path, {"which": "own", "days": ["-3", "7"], "by_mail": "1"})
    assert saved.status_code == 303
    page = bob.get(path).get_data(as_text=True)
    assert 'value="-3" checked' in page
    assert 'value="14" checked' not in page
    assert bob.post(path, {"which": "own", "days": ["1"], "by_text": "1"}).status_code == 422
    assert bob.post(path, {"which": "none"}).status_code == 303
    assert 'value="none" checked' in bob.get(path).get_data(as_text=True)
