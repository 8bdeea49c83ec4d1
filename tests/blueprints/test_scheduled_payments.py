"""Planned payments through pages and API; the outsider, and many at once."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from portal.models.session import TenantSessions
from tests.blueprints.conftest import codes, problem
from tests.browsing import sign_in
from tests.tills import USUAL, Till, open_till

API = "/api/v1/portal"


@pytest.fixture
def till(app: Any, engine: Any, world: Any) -> Iterator[Till]:
    """A till whose gateway the application uses, too."""
    found = open_till(TenantSessions(engine), world, datetime.now(UTC))
    before = app.extensions["portal_gateway"]
    app.extensions["portal_gateway"] = found.gateway
    yield found
    app.extensions["portal_gateway"] = before
    found.settings(**USUAL)


def body(till: Till, days: int = 7, **more: Any) -> dict[str, Any]:
    day = till.now.astimezone(ZoneInfo("Europe/Paris")).date() + timedelta(days=days)
    method = str(till.save_card(token=f"pm_{uuid4().hex}"))
    return {"day": day.isoformat(), "payment_method_id": method} | more


def test_scheduling_and_cancelling_by_the_api(till: Till, api: Any) -> None:
    invoice, alice = till.invoice(5000), api("alice")
    path, wanted = f"{API}/invoices/{invoice}/schedule", body(till, amount={"amount": 2000, "currency": "EUR"})
    answer = alice.post(path, json=wanted)
    made = answer.get_json()
    assert (answer.status_code, made["status"], made["amount"]) == (
        201,
        "planned",
        {"amount": 2000, "currency": "EUR"},
    )
    assert (made["day"], made["all_that_is_due"], made["method"]["last4"]) == (wanted["day"], False, "4242")
    seen = alice.get(f"{API}/invoices/{invoice}").get_json()["next_step"]
    assert (seen["kind"], seen["at"]) == ("payment_scheduled", made["charge_at"])
    listed = api("bob").get(f"{API}/scheduled-payments?status=planned&limit=100").get_json()["items"]
    assert made["id"] in {one["id"] for one in listed}
    cancelled = alice.post(f"{API}/scheduled-payments/{made['id']}/cancel")
    assert cancelled.get_json()["status"] == "cancelled"
    problem(alice.post(f"{API}/scheduled-payments/{made['id']}/cancel"), 409, "schedule_not_cancellable")
    assert codes(alice.post(path, json=body(till, 0))) == {"day": "day_not_future"}
    dollars = body(till, amount={"amount": 100, "currency": "USD"})
    assert codes(alice.post(path, json=dollars)) == {"amount": "currency_mismatch"}


def test_a_key_schedules_once_and_so_do_many_at_once(till: Till, api: Any, together: Any) -> None:
    alice, wanted, headers = api("alice"), body(till), {"Idempotency-Key": uuid4().hex}
    path = f"{API}/invoices/{till.invoice(5000)}/schedule"
    answers = [alice.post(path, json=wanted, headers=headers) for _ in range(2)]
    assert answers[0].get_data() == answers[1].get_data()
    race = together(12, alice, f"{API}/invoices/{till.invoice(5000)}/schedule", wanted)
    assert sorted(answer.status_code for answer in race) == [201] + [409] * 11


def test_outsiders_schedule_cancel_and_see_nothing(till: Till, api: Any) -> None:
    invoice, wanted = till.invoice(5000), body(till)
    made = api("alice").post(f"{API}/invoices/{invoice}/schedule", json=wanted).get_json()["id"]
    problem(api("bob").post(f"{API}/invoices/{invoice}/schedule", json=wanted), 403)
    problem(api("bob").post(f"{API}/scheduled-payments/{made}/cancel"), 403)
    for who in ("charlie", "nia"):
        problem(api(who).post(f"{API}/invoices/{invoice}/schedule", json=wanted), 404)
        problem(api(who).get(f"{API}/scheduled-payments/{made}"), 404)
        problem(api(who).post(f"{API}/scheduled-payments/{made}/cancel"), 404)
    assert api("alice").get(f"{API}/scheduled-payments/{made}").get_json()["status"] == "planned"


def test_scheduling_on_the_page(till: Till, app: Any, world: Any) -> None:
    invoice, wanted, alice = till.invoice(5000), body(till), sign_in(app, world, "alice")
    path = f"/portal/invoices/{invoice}/schedule"
    assert f'href="{path}"' in alice.get(f"/portal/invoices/{invoice}/pay").get_data(as_text=True)
    assert wanted["payment_method_id"] in alice.get(path).get_data(as_text=True)
    form = {"day": wanted["day"], "method": wanted["payment_method_id"], "how": "all"}
    again = alice.post(path, form | {"day": "soon"})
    assert (again.status_code, "Enter a day such as" in again.get_data(as_text=True)) == (422, True)
    part = alice.post(path, form | {"how": "part", "amount": "x"})
    assert (part.status_code, "Enter an amount such as" in part.get_data(as_text=True)) == (422, True)
    assert alice.post(path, form | {"how": "part"}).status_code == 422
    assert alice.post(path, form).status_code == 303
    assert alice.post(path, form).status_code == 409
    page = alice.get(f"/portal/invoices/{invoice}").get_data(as_text=True)
    assert "Scheduled payment is charged" in page
    area = alice.get(f"/portal/invoices/{invoice}/pay").get_data(as_text=True)
    cancel = area.split('action="/portal/scheduled-payments/')[1].split('"')[0]
    number = till.get_invoice(invoice).number or ""
    assert number in alice.get("/portal/scheduled-payments").get_data(as_text=True)
    bob = sign_in(app, world, "bob")
    assert f'action="/portal/scheduled-payments/{cancel}' not in bob.get(f"/portal/invoices/{invoice}/pay").get_data(
        as_text=True
    )
    assert bob.get(path).status_code == 403
    charlie = sign_in(app, world, "charlie")
    assert charlie.get(path).status_code == 404
    assert cancel.endswith("/cancel")
    assert charlie.post(f"/portal/scheduled-payments/{cancel}").status_code == 404
    assert alice.post(f"/portal/scheduled-payments/{cancel}").status_code == 303
    assert "Scheduled payment is charged" not in alice.get(f"/portal/invoices/{invoice}").get_data(as_text=True)
