"""The end of a saved card is told before payments fail by it: a month and a week before, each once."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from portal.models import MailMessage, Notification, OutboxEvent, PaymentMethod
from portal.services.payments.expiring import advance_expiry, first_day_after
from portal.services.payments.inbox import list_waiting, look_into, store_events
from portal.services.payments.methods import ends_of, remove_method
from tests.gateways import CARD
from tests.tills import BASE_URL

END = datetime(2031, 9, 1, tzinfo=ZoneInfo("Europe/Paris"))
MONTH, WEEK = datetime(2031, 8, 2, 7, tzinfo=UTC), datetime(2031, 8, 25, 7, tzinfo=UTC)


def save(till: Any) -> tuple[UUID, str]:
    """A card until August 2031, with digits of its own to find its mails by."""
    digits = f"{uuid4().int % 10000:04}"
    return till.save_card(token=f"pm_{uuid4().hex}", exp_month=8, exp_year=2031, last4=digits), digits


def advance(till: Any, method: UUID, at: datetime, expires: str = "2031-08") -> Any:
    with till.begin() as session:
        return advance_expiry(session, method, expires, base_url=BASE_URL, now=at)


def told(till: Any, method: UUID) -> list[str]:
    bells = till.rows(Notification, Notification.record_id == method)
    return [bell.kind for bell in bells]


def test_a_month_and_a_week_before_each_once(till: Any) -> None:
    method, digits = save(till)
    assert advance(till, method, till.now) == MONTH
    for _ in range(2):
        assert advance(till, method, MONTH) == WEEK
    assert told(till, method) == ["payment_method_expiring"]
    for _ in range(2):
        assert advance(till, method, WEEK) is None
    assert told(till, method) == ["payment_method_expiring"] * 2
    mails = till.rows(MailMessage, MailMessage.template == "payment_method_expiring", MailMessage.text.contains(digits))
    assert [mail.recipient for mail in mails] == ["alice@acme.example"] * 2
    assert "08/31" in mails[0].text
    kinds = [row.kind for row in till.rows(OutboxEvent, OutboxEvent.record_id == method)]
    assert kinds == ["payment_method.added", "payment_method.expiring", "payment_method.expiring"]


def test_of_missed_notices_the_last_comes_and_none_after_the_end(till: Any) -> None:
    late, _ = save(till)
    assert advance(till, late, WEEK + timedelta(days=2)) is None
    assert told(till, late) == ["payment_method_expiring"]
    gone, _ = save(till)
    assert advance(till, gone, END) is None
    assert told(till, gone) == []


def test_a_card_that_is_removed_or_renewed_is_told_of_no_more(till: Any) -> None:
    method, _ = save(till)
    with till.begin() as session:
        remove_method(session, method, actor=till.actor("alice"), now=till.now)
    assert advance(till, method, MONTH) is None
    renewed, _ = save(till)
    token = till.rows(PaymentMethod, PaymentMethod.id == renewed)[0].gateway_id
    till.gateway.methods[token] = replace(CARD, id=token, exp_month=3, exp_year=2035)
    event = till.gateway.happened("payment_method.automatically_updated", token)
    store_events(till.desk.sessions, [event], now=till.now)
    assert event.id in list_waiting(till.desk.sessions, now=till.now, batch=500)
    look_into(till.office, event.id, now=till.now)
    assert ends_of(till.rows(PaymentMethod, PaymentMethod.id == renewed)[0]) == "2035-03"
    assert advance(till, renewed, MONTH) is None
    assert told(till, renewed) == []
    updated = till.rows(OutboxEvent, OutboxEvent.record_id == renewed, OutboxEvent.kind == "payment_method.updated")
    assert [row.payload["expires"] for row in updated] == ["2035-03"]


def test_the_end_of_a_year() -> None:
    assert first_day_after("2028-12") == date(2029, 1, 1)
    assert first_day_after("2028-01") == date(2028, 2, 1)
