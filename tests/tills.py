"""A till for tests: invoices to pay in real transactions, and a gateway in memory."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import select

from portal.authz import Actor, system_actor
from portal.models import Invoice, LedgerEntry, Payment, PaymentMethod, Refund
from portal.services.billing.issuing import issue_from_lines
from portal.services.billing.ledger import owed_by_ledger
from portal.services.billing.lines import NewLine
from portal.services.billing.settings import load_settings
from portal.services.payments.applying import Desk, apply_payment
from portal.services.payments.calling import carry_out
from portal.services.payments.inbox import Office
from portal.services.payments.methods import Consent, MethodFacts, save_method
from portal.services.payments.reserving import PayRequest, start_payment
from tests.gateways import CARD, FakeGateway
from tests.world import World

BASE_URL = "http://127.0.0.1:8000"
PARIS = ZoneInfo("Europe/Paris")


@dataclass
class Till:
    """Everything around one gateway, in tenant demo."""

    desk: Desk
    gateway: FakeGateway
    world: World
    now: datetime

    @property
    def today(self) -> date:
        """The tenant's day, by which invoices are due; for an hour each night it is not UTC's."""
        return self.now.astimezone(PARIS).date()

    @property
    def office(self) -> Office:
        return Office(self.desk.sessions, self.gateway, BASE_URL)

    def actor(self, name: str) -> Actor:
        return self.world.people[name].actor

    def begin(self) -> Any:
        return self.desk.sessions.begin(self.desk.tenant_id)

    def invoice(
        self, amount: int = 12000, company: str = "acme", days: int = 30, currency: str = "EUR", **more: Any
    ) -> UUID:
        """An open invoice, without tax."""
        with self.begin() as session:
            made = issue_from_lines(
                session,
                customer_id=self.world.companies[company],
                currency=currency,
                lines=[NewLine("Managed workplace", Decimal(1), amount, 0, Decimal(0), "VAT")],
                due_on=self.today + timedelta(days=days),
                actor=system_actor(self.desk.tenant_id),
                now=self.now,
                **more,
            )
            return made.id

    def start(self, *invoices: UUID, who: str = "alice", amount: int | None = None, **more: Any) -> UUID:
        with self.begin() as session:
            request = PayRequest(dict.fromkeys(invoices, amount), **more)
            return start_payment(session, request, actor=self.actor(who), now=self.now).id

    def pay(self, *invoices: UUID, **more: Any) -> UUID:
        """Start, and ask the gateway."""
        payment_id = self.start(*invoices, **more)
        carry_out(self.desk, payment_id, now=self.now)
        return payment_id

    def paid(self, *invoices: UUID, **more: Any) -> UUID:
        """A payment by a new card, all the way."""
        payment_id = self.pay(*invoices, **more)
        self.gateway.pay(self.payment(payment_id).session_id or "")
        self.apply(payment_id)
        return payment_id

    def apply(self, payment_id: UUID) -> str:
        return apply_payment(self.desk, payment_id, now=self.now).value

    def save_card(self, company: str = "acme", token: str | None = None, **more: Any) -> UUID:
        facts = {"kind": "card", "brand": "visa", "last4": "4242", "exp_month": 8, "exp_year": 2028} | more
        with self.begin() as session:
            consent = Consent(self.world.people["alice"].user_id, self.now, "127.0.0.1")
            gateway_id = token or f"pm_{uuid4().hex}"
            self.gateway.methods[gateway_id] = CARD
            made = save_method(
                session, self.world.companies[company], MethodFacts(gateway_id, **facts), consent=consent, now=self.now
            )
            return made.id

    def payment(self, payment_id: UUID) -> Payment:
        with self.begin() as session:
            return session.get_one(Payment, payment_id)

    def get_invoice(self, invoice_id: UUID) -> Invoice:
        with self.begin() as session:
            return session.get_one(Invoice, invoice_id)

    def owed(self, invoice_id: UUID) -> int:
        with self.begin() as session:
            return owed_by_ledger(session, session.get_one(Invoice, invoice_id))

    def entries(self, payment_id: UUID) -> list[tuple[str, int]]:
        with self.begin() as session:
            query = select(LedgerEntry).where(LedgerEntry.payment_id == payment_id).order_by(LedgerEntry.seq)
            return [(entry.kind.value, entry.amount) for entry in session.scalars(query)]

    def rows(self, model: Any, *conditions: Any) -> list[Any]:
        with self.begin() as session:
            return list(session.scalars(select(model).where(*conditions)))

    def methods(self) -> list[PaymentMethod]:
        return self.rows(PaymentMethod, PaymentMethod.removed_at.is_(None))

    def refunds(self, payment_id: UUID) -> list[Refund]:
        return self.rows(Refund, Refund.payment_id == payment_id)

    def settings(self, **values: Any) -> None:
        with self.begin() as session:
            stored = load_settings(session, lock=True)
            for name, value in values.items():
                setattr(stored, name, value)


USUAL = {
    "partial_payments": True,
    "partial_minimum": 0,
    "four_eyes_over": None,
    "payment_methods": ["card", "bank_debit"],
}


def open_till(sessions: Any, world: World, now: datetime) -> Till:
    """A till with a gateway of its own and the tenant's usual settings."""
    gateway = FakeGateway()
    found = Till(Desk(sessions, gateway, world.demo, BASE_URL), gateway, world, now)
    found.settings(**USUAL)
    return found
