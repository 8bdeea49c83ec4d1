"""A gateway in memory: the port's protocol with true idempotency, for tests of the ledger."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from portal.integrations.payments import (
    AuthenticationNeeded,
    GatewayDispute,
    GatewayEventSeen,
    GatewayFailure,
    GatewayIntent,
    GatewayMethod,
    GatewayRefund,
    GatewayRefused,
    GatewaySession,
    GatewaySetup,
    GatewayUnavailable,
    PaymentDeclined,
)

CARD = GatewayMethod("pm_visa", "card", "visa", "4242", 8, 2028, "fp_visa", "cus_1")
DECLINED = "insufficient_funds"


class FakeGateway:
    """What a payer does is done by the test: `pay`, `refuse`, `expire`; `away` makes every call fail."""

    simulated = True

    def __init__(self) -> None:
        self.sessions: dict[str, GatewaySession] = {}
        self.intents: dict[str, GatewayIntent] = {}
        self.refunds: dict[str, GatewayRefund] = {}
        self.disputes: dict[str, GatewayDispute] = {}
        self.setups: dict[str, GatewaySetup] = {}
        self.methods: dict[str, GatewayMethod] = {CARD.id: CARD}
        self.events: list[GatewayEventSeen] = []
        self.keys: dict[str, Any] = {}
        self.calls: list[str] = []
        # What each page was asked to take: the types, and whether cards' own plans.
        self.pages_asked: list[tuple[tuple[str, ...], bool]] = []
        self.away = False
        self.lose_answer = False
        self.decline: str | None = None
        self.now = datetime.now(UTC)
        self._lock = threading.RLock()

    # What a test lets happen.

    def pay(self, session_id: str, amount: int | None = None, method: GatewayMethod = CARD) -> GatewayIntent:
        """The payer pays on the hosted page."""
        page = self.sessions[session_id]
        intent_id = page.intent_id or f"pi_{uuid4().hex}"
        intent = self._intent(intent_id, page.metadata, self._asked[session_id], "succeeded", method)
        if amount is not None:
            intent = replace(intent, amount=amount, amount_received=amount)
        self.intents[intent_id] = intent
        self.sessions[session_id] = replace(page, status="complete", payment_status="paid", intent_id=intent_id)
        self.happened("payment_intent.succeeded", intent_id, intent_id)
        return intent

    def set_intent(self, session_id: str, status: str, failure: GatewayFailure | None = None) -> GatewayIntent:
        """The page's payment gets to some state; the page stays open unless the money is on its way."""
        page = self.sessions[session_id]
        intent_id = page.intent_id or f"pi_{uuid4().hex}"
        intent = self._intent(intent_id, page.metadata, self._asked[session_id], status, CARD)
        self.intents[intent_id] = replace(intent, failure=failure)
        done = "complete" if status in ("processing", "succeeded") else page.status
        self.sessions[session_id] = replace(page, intent_id=intent_id, status=done)
        return self.intents[intent_id]

    def expire(self, session_id: str) -> None:
        """The page's time is over."""
        self.sessions[session_id] = replace(self.sessions[session_id], status="expired")

    def refund_elsewhere(self, intent_id: str, amount: int) -> GatewayRefund:
        """Somebody refunds in the gateway's dashboard."""
        return self._refund(f"re_{uuid4().hex}", intent_id, amount, {})

    def happened(self, kind: str, object_id: str, intent_id: str | None = None) -> GatewayEventSeen:
        """An event of the list."""
        event_id = f"evt_{uuid4().hex}"
        event = GatewayEventSeen(event_id, kind, object_id, int(self.now.timestamp()), intent_id)
        self.events.insert(0, event)
        return event

    # The port.

    def ensure_customer(self, *, key: str, **_: Any) -> str:
        return str(self._once(key, lambda: f"cus_{uuid4().hex}"))

    def create_payment_checkout(
        self, *, key: str, amount: Any, expires_at: datetime, metadata: Any, **more: Any
    ) -> Any:
        self.pages_asked.append((tuple(more["method_types"]), more["installments"]))

        def make() -> GatewaySession:
            page_id = f"cs_{uuid4().hex}"
            self._asked[page_id] = (amount.amount, amount.currency)
            url = f"http://127.0.0.1:1/pay/{page_id}"
            page = GatewaySession(page_id, "payment", "open", "unpaid", url, expires_at, metadata=dict(metadata))
            self.sessions[page_id] = page
            return page

        return self._once(key, make)

    def create_setup_checkout(self, *, key: str, customer_id: str, metadata: Any, **more: Any) -> GatewaySession:
        self.pages_asked.append((tuple(more["method_types"]), False))

        def make() -> GatewaySession:
            page_id = f"cs_{uuid4().hex}"
            ends = self.now + timedelta(hours=1)
            page = GatewaySession(
                page_id, "setup", "open", "no_payment_required", f"http://127.0.0.1:1/setup/{page_id}", ends
            )
            self.sessions[page_id] = replace(page, customer_id=customer_id, metadata=dict(metadata))
            return self.sessions[page_id]

        return self._once(key, make)

    def finish_setup(self, page_id: str, method: GatewayMethod) -> None:
        """The owner saves a method on the page."""
        setup = GatewaySetup(f"seti_{uuid4().hex}", "succeeded", method_id=method.id)
        self.setups[setup.id], self.methods[method.id] = setup, method
        self.sessions[page_id] = replace(self.sessions[page_id], status="complete", setup_intent_id=setup.id)

    def expire_checkout(self, session_id: str, *, key: str) -> GatewaySession:
        if self.sessions[session_id].status != "open":
            raise GatewayRefused("resource_invalid_state")
        self.expire(session_id)
        return self.sessions[session_id]

    def charge_saved(
        self, *, key: str, method: GatewayMethod, amount: Any, metadata: Any, off_session: bool, **_: Any
    ) -> GatewayIntent:
        def make() -> GatewayIntent:
            intent_id = f"pi_{uuid4().hex}"
            asked = (amount.amount, amount.currency)
            self.intents[intent_id] = self._intent(intent_id, metadata, asked, "succeeded", method)
            if self.decline:
                failure = GatewayFailure("card_declined", self.decline)
                refused = replace(self.intents[intent_id], status="requires_payment_method", amount_received=0)
                self.intents[intent_id] = replace(refused, failure=failure)
            return self.intents[intent_id]

        intent: GatewayIntent = self._once(key, make)
        if intent.failure is not None:
            if self.decline == "authentication_required" and off_session:
                raise AuthenticationNeeded(intent.id)
            raise PaymentDeclined("card_declined", intent.failure.decline_code, None, intent.id)
        return intent

    def confirm_again(self, intent_id: str, *, key: str, **_: Any) -> GatewayIntent:
        intent = replace(self.intents[intent_id], status="succeeded", failure=None)
        self.intents[intent_id] = replace(intent, amount_received=intent.amount)
        return self.intents[intent_id]

    def cancel_intent(self, intent_id: str, *, key: str) -> GatewayIntent:
        self.intents[intent_id] = replace(self.intents[intent_id], status="canceled")
        return self.intents[intent_id]

    def create_refund(self, *, key: str, intent_id: str, amount: int, metadata: Any, **_: Any) -> GatewayRefund:
        found: GatewayRefund = self._once(
            key, lambda: self._refund(f"re_{uuid4().hex}", intent_id, amount, dict(metadata))
        )
        return found

    def retrieve_session(self, session_id: str) -> GatewaySession:
        return self._answer(self.sessions, session_id)

    def retrieve_intent(self, intent_id: str) -> GatewayIntent:
        return self._answer(self.intents, intent_id)

    def retrieve_setup(self, setup_intent_id: str) -> GatewaySetup:
        return self._answer(self.setups, setup_intent_id)

    def retrieve_method(self, method_id: str) -> GatewayMethod:
        return self._answer(self.methods, method_id)

    def retrieve_refund(self, refund_id: str) -> GatewayRefund:
        return self._answer(self.refunds, refund_id)

    def retrieve_dispute(self, dispute_id: str) -> GatewayDispute:
        return self._answer(self.disputes, dispute_id)

    def list_disputes(self, *, intent_id: str) -> Any:
        self._there()
        return iter([one for one in self.disputes.values() if one.intent_id == intent_id])

    def detach_method(self, method_id: str, *, key: str) -> GatewayMethod:
        self.calls.append(f"detach:{method_id}")
        return self.methods[method_id]

    def list_events(self, *, since: datetime) -> Any:
        self._there()
        return iter([event for event in self.events if event.created >= since.timestamp()])

    def list_intents(self, *, customer_id: str | None = None, since: datetime | None = None) -> Any:
        self._there()
        return iter(list(self.intents.values()))

    def list_refunds(self, *, intent_id: str | None = None, since: datetime | None = None) -> Any:
        self._there()
        return iter([one for one in self.refunds.values() if intent_id in (None, one.intent_id)])

    # Its own.

    @property
    def _asked(self) -> dict[str, tuple[int, str]]:
        return self.__dict__.setdefault("asked", {})

    def _intent(
        self, intent_id: str, metadata: Any, asked: tuple[int, str], status: str, method: GatewayMethod
    ) -> GatewayIntent:
        amount, currency = asked
        received = amount if status == "succeeded" else 0
        return GatewayIntent(
            intent_id, status, amount, received, currency, self.now, method=method, metadata=dict(metadata)
        )

    def _refund(self, refund_id: str, intent_id: str, amount: int, metadata: dict[str, str]) -> GatewayRefund:
        intent = self.intents[intent_id]
        if amount > intent.amount_received - intent.amount_refunded:
            raise GatewayRefused("charge_already_refunded")
        self.intents[intent_id] = replace(intent, amount_refunded=intent.amount_refunded + amount)
        self.refunds[refund_id] = GatewayRefund(
            refund_id, "succeeded", amount, intent.currency, self.now, intent_id, metadata=metadata
        )
        return self.refunds[refund_id]

    def _once(self, key: str, make: Any) -> Any:
        with self._lock:
            self._there()
            self.calls.append(key)
            if key not in self.keys:
                self.keys[key] = make()
            if self.lose_answer:
                raise GatewayUnavailable("the answer was lost")
            return self.keys[key]

    def _answer(self, objects: dict[str, Any], object_id: str) -> Any:
        self._there()
        if object_id not in objects:
            raise GatewayRefused("resource_missing")
        return objects[object_id]

    def _there(self) -> None:
        if self.away:
            raise GatewayUnavailable("away")
