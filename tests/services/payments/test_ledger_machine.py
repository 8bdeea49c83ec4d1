"""The ledger under any order of what can happen: nothing is over- or underpaid, all sums agree, rows stay as they are."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from portal.errors import DomainError
from portal.models import Invoice, InvoiceStatus, LedgerEntry, Payment, PaymentStatus
from portal.services.billing.crediting import CreditedLine, credit_invoice
from portal.services.billing.detail import get_invoice_detail
from portal.services.billing.voiding import void_invoice
from portal.services.payments.inbox import look_into, store_events
from portal.services.payments.refunds import RefundRequest, request_refund, send_refund
from portal.services.payments.using_credit import CreditRequest, use_credit
from tests.tills import BASE_URL, USUAL, Till, open_till

AMOUNTS = st.integers(min_value=1, max_value=9000)
PICK = st.integers(min_value=0, max_value=1000)


class Ledger(RuleBasedStateMachine):
    """Invoices of one company, paid, refused, refunded, credited and voided through the services."""

    till: ClassVar[Till]

    def __init__(self) -> None:
        super().__init__()
        self.invoices: list[UUID] = []
        self.payments: list[UUID] = []
        self.rows: dict[UUID, tuple[Any, ...]] = {}

    @initialize(amount=AMOUNTS)
    def begin(self, amount: int) -> None:
        self.issue(amount)

    @rule(amount=AMOUNTS)
    def issue(self, amount: int) -> None:
        self.invoices.append(self.till.invoice(amount))

    @rule(which=PICK, amount=st.none() | AMOUNTS)
    def pay(self, which: int, amount: int | None) -> None:
        invoice = self.invoices[which % len(self.invoices)]
        made = self._try(lambda: self.till.pay(invoice, amount=amount))
        if made is not None:
            self.payments.append(made)

    @precondition(lambda self: len(self.invoices) > 1)
    @rule()
    def pay_several(self) -> None:
        made = self._try(lambda: self.till.pay(*self.invoices[:3]))
        if made is not None:
            self.payments.append(made)

    @precondition(lambda self: self.payments)
    @rule(which=PICK, more=st.sampled_from([0, 0, 0, 700]))
    def arrives(self, which: int, more: int) -> None:
        """The money comes, now and then more than was asked for."""
        payment = self._open(which)
        if payment is not None:
            self.till.gateway.pay(payment.session_id or "", amount=payment.amount + more)
            self.till.apply(payment.id)

    @precondition(lambda self: self.payments)
    @rule(which=PICK)
    def fails(self, which: int) -> None:
        payment = self._open(which)
        if payment is not None:
            self.till.gateway.expire(payment.session_id or "")
            self.till.apply(payment.id)

    @precondition(lambda self: self.payments)
    @rule(which=PICK, amount=st.none() | AMOUNTS)
    def refund(self, which: int, amount: int | None) -> None:
        payment = self.payments[which % len(self.payments)]

        def ask() -> UUID:
            with self.till.begin() as session:
                request = RefundRequest("Not delivered", amount)
                actor = self.till.actor("bill")
                return request_refund(session, payment, request, base_url=BASE_URL, actor=actor, now=self.till.now).id

        made = self._try(ask)
        if made is not None:
            send_refund(self.till.desk, made, now=self.till.now)

    @rule(which=PICK, amount=st.none() | AMOUNTS)
    def use_credit(self, which: int, amount: int | None) -> None:
        """What came too much pays another invoice."""
        invoice = self.invoices[which % len(self.invoices)]

        def use() -> None:
            with self.till.begin() as session:
                alice = self.till.actor("alice")
                use_credit(session, invoice, CreditRequest(amount), actor=alice, now=self.till.now)

        self._try(use)

    @rule(which=PICK)
    def credit(self, which: int) -> None:
        invoice = self.invoices[which % len(self.invoices)]

        def take_back() -> None:
            with self.till.begin() as session:
                bill = self.till.actor("bill")
                line = get_invoice_detail(session, invoice, actor=bill).lines[0]
                lines = [CreditedLine(line.id)]
                credit_invoice(session, invoice, reason="wrong", lines=lines, actor=bill, now=self.till.now)

        self._try(take_back)

    @rule(which=PICK)
    def void(self, which: int) -> None:
        invoice = self.invoices[which % len(self.invoices)]

        def take_back() -> None:
            with self.till.begin() as session:
                void_invoice(session, invoice, reason="wrong", actor=self.till.actor("bill"), now=self.till.now)

        self._try(take_back)

    @precondition(lambda self: self.till.gateway.events)
    @rule(order=st.randoms(use_true_random=False))
    def told_again(self, order: Any) -> None:
        """Webhooks come twice and in any order."""
        events = self.till.gateway.events[:6]
        order.shuffle(events)
        store_events(self.till.desk.sessions, events + events, now=self.till.now)
        for event in events:
            look_into(self.till.office, event.id, now=self.till.now)
        for payment in self.payments:
            self.till.apply(payment)

    @invariant()
    def sums_agree(self) -> None:
        with self.till.begin() as session:
            invoices = session.scalars(select(Invoice).where(Invoice.id.in_(self.invoices))).all()
            owed = self._sums(session, LedgerEntry.invoice_id, self.invoices)
            for one in invoices:
                assert 0 <= one.paid <= one.total
                assert one.paid + one.credited <= one.total
                assert one.outstanding == owed[one.id]
                assert one.reserved >= 0
                assert (one.status is InvoiceStatus.PAID) == (owed[one.id] == 0 and one.voided_at is None)
            moved = self._sums(session, LedgerEntry.payment_id, self.payments)
            for payment in session.scalars(select(Payment).where(Payment.id.in_(self.payments))):
                arrived = payment.amount - payment.refunded if payment.status is PaymentStatus.SUCCEEDED else 0
                assert moved.get(payment.id, 0) == -arrived

    @invariant()
    def posted_rows_stay(self) -> None:
        with self.till.begin() as session:
            query = select(LedgerEntry).where(
                LedgerEntry.invoice_id.in_(self.invoices) | LedgerEntry.payment_id.in_(self.payments)
            )
            found = {
                row.id: (row.kind, row.amount, row.key, row.at, row.seq, row.invoice_id, row.payment_id)
                for row in session.scalars(query)
            }
        assert {key: found.get(key) for key in self.rows} == self.rows
        self.rows = found

    @staticmethod
    def _sums(session: Any, column: Any, ids: list[UUID]) -> dict[UUID, int]:
        query = select(column, func.sum(LedgerEntry.amount)).where(column.in_(ids)).group_by(column)
        return {key: int(amount) for key, amount in session.execute(query)}

    @staticmethod
    def _try(call: Callable[[], Any]) -> Any:
        """What a rule refuses is no failure; it must have written nothing, which the sums show."""
        try:
            return call()
        except DomainError:
            return None

    def _open(self, which: int) -> Payment | None:
        payment = self.till.payment(self.payments[which % len(self.payments)])
        return payment if payment.status is PaymentStatus.OPEN else None


def test_any_order_of_events_keeps_the_ledger_true(sessions: Any, world: Any) -> None:
    Ledger.till = open_till(sessions, world, datetime.now(UTC))
    try:
        run_state_machine_as_test(
            Ledger,
            settings=settings(
                max_examples=8,
                stateful_step_count=14,
                deadline=None,
                derandomize=True,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
    finally:
        Ledger.till.settings(**USUAL)


def test_the_database_refuses_to_change_what_is_posted(sessions: Any, world: Any) -> None:
    till = open_till(sessions, world, datetime.now(UTC))
    payment = till.paid(till.invoice(5000))
    entry = till.rows(LedgerEntry, LedgerEntry.payment_id == payment)[0]
    with pytest.raises(DBAPIError), till.begin() as session:
        session.get_one(LedgerEntry, entry.id).amount = -1
    assert till.rows(LedgerEntry, LedgerEntry.id == entry.id)[0].amount == -5000
