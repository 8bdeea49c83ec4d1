"""Credit pays invoices: as much as is there, once, whoever else is after the same credit or the same invoice."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update

from portal.models import (
    AuditEntry,
    Invoice,
    LedgerEntry,
    LedgerKind,
    OutboxEvent,
    Payment,
    PaymentAllocation,
    Refund,
    RefundStatus,
)
from portal.services.billing.crediting import CreditedLine, credit_invoice
from portal.services.billing.detail import get_invoice_detail
from portal.services.billing.voiding import void_invoice
from portal.services.disputes.opening import Objection, dispute_invoice
from portal.services.payments.credit import credit_balance, usable_credit
from portal.services.payments.refunds import RefundRequest, decide_refund, refundable, request_refund, send_refund
from portal.services.payments.transfers import Transfer, book_transfer, reverse_transfer
from portal.services.payments.using_credit import CreditRequest, offer_credit, use_credit
from tests.tills import BASE_URL
from tests.together import at_once, codes_of


@pytest.fixture(autouse=True)
def no_credit(till: Any) -> None:
    """Companies begin with neither credit nor debt, and with no refund that waits."""
    with till.begin() as session:
        waiting = Refund.status.in_([RefundStatus.REQUESTED, RefundStatus.APPROVED])
        session.execute(update(Refund).where(waiting).values(status=RefundStatus.REFUSED))
        for company in (till.world.companies["acme"], till.world.companies["globex"]):
            left = credit_balance(session, company, "EUR")
            kind, key = LedgerKind.CREDIT_USED, f"test:{uuid4()}"
            entry = {"customer_id": company, "kind": kind, "amount": left, "currency": "EUR", "key": key}
            session.add(LedgerEntry(id=uuid4(), at=till.now, **entry))


def use(till: Any, invoice: UUID, amount: int | None = None, who: str = "alice", key: UUID | None = None) -> UUID:
    with till.begin() as session:
        request = CreditRequest(amount, key)
        return use_credit(session, invoice, request, actor=till.actor(who), now=till.now).id


def overpaid(till: Any, excess: int, amount: int = 5000) -> UUID:
    """A payment that brought more than its invoice owed; gives its id."""
    payment = till.pay(till.invoice(amount))
    till.gateway.pay(till.payment(payment).session_id or "", amount=amount + excess)
    till.apply(payment)
    return payment


def balance(till: Any, company: str = "acme") -> int:
    with till.begin() as session:
        return credit_balance(session, till.world.companies[company], "EUR")


def offered(till: Any, invoice: UUID, who: str = "bob") -> tuple[int, int]:
    with till.begin() as session:
        found = offer_credit(session, invoice, actor=till.actor(who))
        return found.credit, found.usable


def refund(till: Any, payment: UUID, amount: int | None = None) -> UUID:
    with till.begin() as session:
        request, bill = RefundRequest("Wanted back", amount), till.actor("bill")
        return request_refund(session, payment, request, base_url=BASE_URL, actor=bill, now=till.now).id


def test_credit_pays_a_part_and_shows_in_the_history(till: Any) -> None:
    overpaid(till, 1200)
    invoice = till.invoice(3000)
    assert offered(till, invoice) == (1200, 1200)
    made = till.payment(use(till, invoice))
    found = till.get_invoice(invoice)
    assert (found.status, found.paid, found.outstanding, till.owed(invoice)) == ("open", 1200, 1800, 1800)
    assert (made.kind, made.status, made.amount, made.intent_id) == ("credit", "succeeded", 1200, None)
    assert made.number.startswith("P-")
    assert till.entries(made.id) == [("credit_used", 1200), ("credit_used", -1200)]
    (allocation,) = till.rows(PaymentAllocation, PaymentAllocation.payment_id == made.id)
    assert (allocation.invoice_id, allocation.booked) == (invoice, 1200)
    assert balance(till) == 0
    (entry,) = till.rows(AuditEntry, AuditEntry.record_id == made.id)
    assert (entry.action, entry.after["amount"]) == ("payment.credit_used", 1200)
    (event,) = till.rows(OutboxEvent, OutboxEvent.record_id == made.id)
    assert event.kind == "payment.credit_used"


def test_no_more_than_is_owed_is_taken(till: Any) -> None:
    overpaid(till, 5000)
    invoice = till.invoice(3000)
    assert offered(till, invoice) == (5000, 3000)
    use(till, invoice)
    assert (till.get_invoice(invoice).status, balance(till)) == ("paid", 2000)


def test_a_named_amount(till: Any, refused: Any) -> None:
    till.settings(partial_payments=False)
    overpaid(till, 2000)
    invoice = till.invoice(3000)
    for amount in (0, -5, 3001):
        assert refused(lambda amount=amount: use(till, invoice, amount)) == "amount_not_due"
    assert refused(lambda: use(till, invoice, 2001)) == "credit_too_small"
    # What is here already is no part payment that somebody would have to ask for.
    use(till, invoice, 500)
    assert (till.owed(invoice), balance(till)) == (2500, 1500)


def test_a_request_that_comes_again_uses_nothing_more(till: Any, refused: Any) -> None:
    overpaid(till, 2000)
    invoice, key = till.invoice(3000), uuid4()
    assert use(till, invoice, 700, key=key) == use(till, invoice, 700, key=key) == key
    assert (balance(till), till.owed(invoice)) == (1300, 2300)
    assert refused(lambda: use(till, invoice, 700, key=till.paid(till.invoice(100)))) == "payment_already_processed"


def test_thirty_at_once_use_the_credit_once(till: Any) -> None:
    overpaid(till, 1000)
    invoices = [till.invoice(300) for _ in range(10)]
    codes = codes_of(at_once(30, lambda index: use(till, invoices[index % 10])))
    # 300 three times, and once the hundred that is left.
    assert codes.count("ok") == 4
    assert set(codes) <= {"ok", "no_credit", "payment_already_processed"}
    found = [till.get_invoice(one) for one in invoices]
    assert sum(one.paid for one in found) == 1000
    assert all(0 <= one.paid <= one.total and one.outstanding == till.owed(one.id) for one in found)
    assert balance(till) == 0


def test_thirty_at_once_pay_an_invoice_once(till: Any) -> None:
    overpaid(till, 9000)
    invoice, key = till.invoice(1000), uuid4()
    codes = codes_of(at_once(30, lambda index: use(till, invoice, key=key if index % 2 else None)))
    assert codes.count("ok") in range(1, 16)
    assert set(codes) <= {"ok", "payment_already_processed"}
    found = till.get_invoice(invoice)
    assert (found.paid, found.status, till.owed(invoice), balance(till)) == (1000, "paid", 0, 8000)


def test_credit_and_refund_at_once_spend_it_once(till: Any) -> None:
    payment, invoices = overpaid(till, 1000, amount=500), [till.invoice(1000) for _ in range(29)]

    def either(index: int) -> Any:
        return refund(till, payment, 1500) if index == 0 else use(till, invoices[index - 1])

    codes = codes_of(at_once(30, either))
    assert codes.count("ok") == 1
    for one in till.refunds(payment):
        send_refund(till.desk, one.id, now=till.now)
    assert balance(till) == 0


def test_a_crash_leaves_everything(till: Any) -> None:
    overpaid(till, 1000)
    invoice = till.invoice(1000)
    with pytest.raises(RuntimeError, match="power"), till.begin() as session:
        use_credit(session, invoice, CreditRequest(), actor=till.actor("alice"), now=till.now)
        session.flush()
        raise RuntimeError("power")
    assert (till.owed(invoice), balance(till), till.get_invoice(invoice).paid) == (1000, 1000, 0)
    use(till, invoice)
    assert (till.owed(invoice), balance(till)) == (0, 0)


def test_what_went_into_another_invoice_does_not_go_back(till: Any, refused: Any) -> None:
    payment, invoice = overpaid(till, 2000, amount=5000), till.invoice(2000)
    use(till, invoice)
    with till.begin() as session:
        assert refundable(session, session.get_one(Payment, payment)) == 5000
    assert refused(lambda: refund(till, payment, 5001)) == "refund_too_large"
    send_refund(till.desk, refund(till, payment), now=till.now)
    assert (balance(till), till.get_invoice(invoice).paid) == (0, 2000)
    with till.begin() as session:
        paid = session.scalar(
            select(Invoice.paid)
            .join(PaymentAllocation, PaymentAllocation.invoice_id == Invoice.id)
            .where(PaymentAllocation.payment_id == payment)
        )
    assert paid == 0


def test_a_refund_that_waits_keeps_its_part(till: Any, refused: Any) -> None:
    till.settings(four_eyes_over=0)
    payment, invoice = overpaid(till, 2000), till.invoice(3000)
    waiting = refund(till, payment, 1500)
    assert offered(till, invoice) == (500, 500)
    use(till, invoice)
    assert refused(lambda: use(till, invoice)) == "no_credit"
    with till.begin() as session:
        decide_refund(session, waiting, approve=True, actor=till.actor("ada"), now=till.now)
    send_refund(till.desk, waiting, now=till.now)
    assert balance(till) == 0


def test_a_transfer_whose_credit_was_used_is_not_undone(till: Any, refused: Any) -> None:
    with till.begin() as session:
        transfer = Transfer(till.world.companies["acme"], "EUR", 2500, {})
        actor = till.actor("bill")
        payment = book_transfer(session, transfer, base_url=BASE_URL, actor=actor, now=till.now).id
    use(till, till.invoice(1000))

    def undo() -> None:
        with till.begin() as session:
            reverse_transfer(session, payment, uuid4(), base_url=BASE_URL, actor=till.actor("bill"), now=till.now)

    assert refused(undo) == "transfer_credit_used"
    assert balance(till) == 1500


def test_credit_of_a_credit_note(till: Any) -> None:
    first, second = till.invoice(4000), till.invoice(1000)
    payment = till.paid(first)
    with till.begin() as session:
        bill = till.actor("bill")
        line = get_invoice_detail(session, first, actor=bill).lines[0]
        credit_invoice(session, first, reason="wrong", lines=[CreditedLine(line.id)], actor=bill, now=till.now)
    assert balance(till) == 4000
    use(till, second)
    with till.begin() as session:
        assert refundable(session, session.get_one(Payment, payment)) == 3000
    assert balance(till) == 3000


def test_what_takes_no_credit(till: Any, refused: Any) -> None:
    overpaid(till, 2000)
    void, paid, disputed, under_way = (till.invoice(1000) for _ in range(4))
    with till.begin() as session:
        void_invoice(session, void, reason="wrong", actor=till.actor("bill"), now=till.now)
        dispute_invoice(session, disputed, Objection("Twice"), actor=till.actor("bob"), now=till.now)
    till.paid(paid)
    till.start(under_way)
    assert refused(lambda: use(till, void)) == "invoice_not_payable"
    assert refused(lambda: use(till, paid)) == "payment_already_processed"
    assert refused(lambda: use(till, disputed)) == "invoice_disputed"
    assert refused(lambda: use(till, under_way)) == "payment_already_processed"
    for one in (void, paid, disputed, under_way):
        assert offered(till, one)[1] == 0
    assert balance(till) == 2000


def test_without_credit(till: Any, refused: Any) -> None:
    invoice = till.invoice(1000)
    assert offered(till, invoice) == (0, 0)
    assert refused(lambda: use(till, invoice)) == "no_credit"


def test_credit_of_another_company_or_currency_is_not_used(till: Any, refused: Any) -> None:
    overpaid(till, 2000)
    other = till.invoice(1000, company="globex")
    assert refused(lambda: use(till, other, who="charlie")) == "no_credit"
    with till.begin() as session:
        assert usable_credit(session, till.world.companies["acme"], "USD") == 0


def test_outsiders(till: Any, refused: Any) -> None:
    overpaid(till, 2000)
    invoice = till.invoice(1000)
    assert refused(lambda: use(till, invoice, who="bob")) == "not_allowed"
    assert refused(lambda: use(till, invoice, who="charlie")) == "invoice_not_found"
    for who in ("sam", "mia", "dora"):
        assert refused(lambda who=who: use(till, invoice, who=who)) == "not_allowed"
    assert refused(lambda: offered(till, invoice, "charlie")) == "invoice_not_found"
    assert refused(lambda: offered(till, invoice, "dora")) == "not_allowed"

    def elsewhere() -> None:
        with till.desk.sessions.begin(till.world.nova) as session:
            use_credit(session, invoice, CreditRequest(), actor=till.actor("noor"), now=till.now)

    assert refused(elsewhere) == "invoice_not_found"
    use(till, invoice, who="bill")
    assert till.owed(invoice) == 0


def test_posted_rows_add_up(till: Any) -> None:
    payment = overpaid(till, 2000)
    invoice = till.invoice(1500)
    made = use(till, invoice)
    rows = till.rows(LedgerEntry, LedgerEntry.payment_id.in_([payment, made]))
    assert sum(row.amount for row in rows if row.invoice_id is None) == -500
    assert sum(row.amount for row in rows if row.invoice_id == invoice) == -1500
