"""More time: asked for once, answered once; the due date moves with everything that depends on it."""

from datetime import timedelta
from typing import Any

from portal.models import ExtensionRequest, InvoiceStatus, MailMessage, NextStep, Notification, OutboxEvent
from portal.services.billing.dunning import advance_invoice
from portal.services.disputes.extending import (
    ask_extension,
    grant_extension,
    refuse_extension,
    withdraw_extension,
)
from portal.services.disputes.letters import answer_dispute
from tests.tills import BASE_URL
from tests.together import at_once, codes_of

DAY = timedelta(days=1)


def ask(till: Any, invoice: Any, days: int = 20, who: str = "charlie") -> Any:
    due = till.get_invoice(invoice).due_on
    with till.begin() as session:
        made = ask_extension(
            session, invoice, wanted_on=due + days * DAY, reason="Budget", actor=till.actor(who), now=till.now
        )
        return made.id


def grant(till: Any, wish: Any, who: str = "bill", **more: Any) -> None:
    with till.begin() as session:
        grant_extension(session, wish, actor=till.actor(who), **{"now": till.now} | more)


def refuse(till: Any, wish: Any) -> None:
    with till.begin() as session:
        refuse_extension(session, wish, answer="Sorry", actor=till.actor("bill"), now=till.now)


def test_granting_moves_due_date_and_steps(till: Any, bill: Any) -> None:
    invoice, _ = bill()
    before = till.get_invoice(invoice)
    later = before.due_at + 2 * DAY
    with till.begin() as session:
        advance_invoice(session, invoice, cycle=0, now=later)
    assert till.get_invoice(invoice).status is InvoiceStatus.OVERDUE
    grant(till, ask(till, invoice), now=later)
    after = till.get_invoice(invoice)
    assert (after.status, after.due_on) == (InvoiceStatus.OPEN, before.due_on + 20 * DAY)
    steps = till.rows(NextStep, NextStep.record_id == invoice)
    assert after.due_at in {step.at for step in steps}
    with till.begin() as session:
        assert advance_invoice(session, invoice, cycle=0, now=later).at > later
        advance_invoice(session, invoice, cycle=0, now=after.due_at)
    assert till.get_invoice(invoice).status is InvoiceStatus.OVERDUE
    kinds = [row.kind for row in till.rows(OutboxEvent, OutboxEvent.record_id == invoice)]
    assert kinds.count("invoice.overdue") == 2


def test_another_date_may_be_granted(till: Any, bill: Any, refused: Any) -> None:
    invoice, _ = bill()
    wish, due = ask(till, invoice), till.get_invoice(invoice).due_on
    assert refused(lambda: grant(till, wish, due_on=due)) == "not_later"
    grant(till, wish, due_on=due + 5 * DAY)
    assert till.get_invoice(invoice).due_on == due + 5 * DAY
    assert till.rows(ExtensionRequest, ExtensionRequest.id == wish)[0].status == "granted"


def test_who_may_and_what_is_refused(till: Any, bill: Any, refused: Any) -> None:
    invoice, _ = bill()
    assert refused(lambda: ask(till, invoice, who="alice")) == "invoice_not_found"
    assert refused(lambda: ask(till, invoice, days=0)) == "not_later"
    assert refused(lambda: ask(till, invoice, days=800)) == "too_late"
    wish = ask(till, invoice)
    assert refused(lambda: ask(till, invoice)) == "extension_open"
    assert refused(lambda: grant(till, wish, who="charlie")) == "not_allowed"
    assert refused(lambda: grant(till, wish, who="sam")) == "not_allowed"
    with till.begin() as session:
        assert refused(lambda: withdraw_extension(session, wish, actor=till.actor("alice"), now=till.now)) == (
            "extension_request_not_found"
        )
    refuse(till, wish)
    assert refused(lambda: grant(till, wish)) == "extension_decided"
    again = ask(till, invoice)
    with till.begin() as session:
        withdraw_extension(session, again, actor=till.actor("charlie"), now=till.now)
    till.paid(invoice, who="charlie")
    assert refused(lambda: ask(till, invoice)) == "invoice_not_owed"


def test_one_of_many_asks_and_one_of_many_answers(till: Any, bill: Any) -> None:
    invoice, _ = bill()
    codes = codes_of(at_once(5, lambda _: ask(till, invoice)))
    assert sorted(codes) == ["extension_open"] * 4 + ["ok"]
    wish = till.rows(ExtensionRequest, ExtensionRequest.invoice_id == invoice)[0].id
    codes = codes_of(at_once(5, lambda at: grant(till, wish) if at % 2 else refuse(till, wish)))
    assert sorted(codes) == ["extension_decided"] * 4 + ["ok"]


def test_the_answer_is_told_once_and_mailed(till: Any, bill: Any) -> None:
    invoice, _ = bill()
    wish = ask(till, invoice)
    refuse(till, wish)
    for event in till.rows(OutboxEvent, OutboxEvent.record_id == wish):
        for _ in range(2):
            with till.begin() as session:
                assert answer_dispute(session, event.id, base_url=BASE_URL, now=till.now)
    told = {(row.user_id, row.kind) for row in till.rows(Notification, Notification.record_id == wish)}
    assert (till.world.people["bill"].user_id, "invoice_extension_requested") in told
    assert (till.world.people["charlie"].user_id, "invoice_extension_refused") in told
    number = till.get_invoice(invoice).number
    mails = till.rows(
        MailMessage, MailMessage.template == "invoice_extension_refused", MailMessage.subject.contains(number)
    )
    assert len(mails) == 1
    assert "Sorry" in mails[0].text
