"""A payment plan: asked for once, written down by the team, in force once it is accepted in writing."""

from datetime import date, timedelta
from typing import Any

import pytest

from portal.models import (
    ExtensionRequest,
    MailMessage,
    Notification,
    OutboxEvent,
    PaymentPlan,
    PlanInterval,
    PlanStatus,
    Signature,
)
from portal.services.disputes.extending import ask_extension, grant_extension
from portal.services.plans.asking import withdraw_plan
from portal.services.plans.deciding import refuse_plan
from portal.services.plans.dividing import Part, divide
from portal.services.plans.letters import answer_plan
from portal.services.plans.queries import get_plan, page_plans
from tests.services.plans.conftest import PARIS
from tests.tills import BASE_URL
from tests.together import at_once, codes_of

DAY = timedelta(days=1)


@pytest.mark.parametrize(("total", "count"), [(10_000, 3), (7, 7), (100_001, 12), (2, 2), (99_999, 4)])
def test_parts_add_up_and_the_remainder_is_in_the_first(total: int, count: int) -> None:
    parts = [part.amount for part in divide(total, count, PlanInterval.WEEKLY, date(2027, 1, 4))]
    assert sum(parts) == total
    assert len(set(parts[1:])) == 1
    assert parts[0] - parts[1] == total % count


def test_months_keep_the_day_or_end_earlier() -> None:
    parts = divide(400, 4, PlanInterval.MONTHLY, date(2027, 11, 30))
    assert [part.due_on.isoformat() for part in parts] == ["2027-11-30", "2027-12-30", "2028-01-30", "2028-02-29"]
    weeks = divide(400, 2, PlanInterval.WEEKLY, date(2027, 12, 28))
    assert [part.due_on.isoformat() for part in weeks] == ["2027-12-28", "2028-01-04"]


def test_it_is_in_force_only_once_it_is_signed(till: Any, plans: Any) -> None:
    invoice = till.invoice(10_000)
    plan = plans.ask(invoice)
    plans.grant(plan, answer="Gladly")
    row = plans.row(plan)
    assert (row.status, row.total) == (PlanStatus.GRANTED, 10_000)
    assert [one.amount for one in plans.instalments(plan)] == [3_334, 3_333, 3_333]
    assert till.get_invoice(invoice).plan_due_at is None
    plans.accept(plan)
    first = plans.instalments(plan)[0]
    assert till.get_invoice(invoice).plan_due_at == first.due_at
    assert (first.due_at.astimezone(PARIS).time().hour, first.due_at > till.now) == (0, True)
    row = plans.row(plan)
    signed = till.rows(Signature, Signature.id == row.signature_id)[0]
    assert (row.status, row.accepted_at) == (PlanStatus.IN_FORCE, till.now)
    assert (signed.signer_name, signed.address, signed.decided_at) == ("Alice Martin", "198.51.100.7", till.now)
    assert signed.content_sha256 == row.content_sha256
    assert "payment plan" in signed.consent_text


def test_the_team_may_offer_other_instalments(till: Any, plans: Any, refused: Any) -> None:
    invoice = till.invoice(10_000)
    plan, today = plans.ask(invoice), plans.wish(days=0).first_on
    wrong = {
        "plan_sum": [Part(today + DAY, 5_000), Part(today + 2 * DAY, 4_999)],
        "plan_days": [Part(today, 5_000), Part(today + DAY, 5_000)],
        "plan_count": [Part(today + DAY, 10_000)],
        "plan_too_long": [Part(today + DAY, 5_000), Part(today + 900 * DAY, 5_000)],
    }
    for code, parts in wrong.items():
        assert refused(lambda parts=parts: plans.grant(plan, parts=parts)) == code
    backwards = [Part(today + 9 * DAY, 5_000), Part(today + 2 * DAY, 5_000)]
    assert refused(lambda: plans.grant(plan, parts=backwards)) == "plan_days"
    assert (
        refused(lambda: plans.grant(plan, parts=[Part(today + DAY, 10_001), Part(today + 2 * DAY, -1)])) == "plan_sum"
    )
    plans.grant(plan, parts=[Part(today + DAY, 9_000), Part(today + 40 * DAY, 1_000)])
    assert [one.amount for one in plans.instalments(plan)] == [9_000, 1_000]


def test_what_is_refused(till: Any, plans: Any, refused: Any) -> None:
    invoice = till.invoice(10_000)
    assert refused(lambda: plans.ask(invoice, count=1)) == "plan_count"
    assert refused(lambda: plans.ask(invoice, count=13)) == "plan_count"
    assert refused(lambda: plans.ask(invoice, days=0)) == "plan_first_day"
    assert refused(lambda: plans.ask(invoice, days=100)) == "plan_first_day"
    assert refused(lambda: plans.ask(invoice, reason=" ")) == "required"
    plan = plans.ask(invoice)
    assert refused(lambda: plans.ask(invoice)) == "plan_stands"
    assert refused(lambda: plans.accept(plan, content_sha256="0" * 64)) == "plan_not_offered"
    plans.grant(plan)
    assert refused(lambda: plans.grant(plan)) == "plan_decided"
    assert refused(lambda: plans.accept(plan, content_sha256="0" * 64)) == "plan_changed"
    assert refused(lambda: plans.accept(plan, content_sha256="x")) == "hash_invalid"
    assert refused(lambda: plans.accept(plan, signer_name=" ")) == "required"
    assert refused(lambda: plans.accept(plan, consent=False)) == "consent_required"
    assert refused(lambda: plans.accept(plan, now=till.now + 20 * DAY)) == "plan_outdated"
    till.paid(invoice, amount=500)
    assert refused(lambda: plans.accept(plan)) == "plan_outdated"
    till.paid(invoice)
    assert (plans.row(plan).status, plans.row(plan).code) == (PlanStatus.ENDED, "invoice_paid")
    assert refused(lambda: plans.ask(invoice)) == "invoice_not_plannable"


def test_strangers_find_nothing_and_others_may_not(till: Any, plans: Any, refused: Any, world: Any) -> None:
    invoice = till.invoice(10_000)
    assert refused(lambda: plans.ask(invoice, who="charlie")) == "invoice_not_found"
    plan = plans.ask(invoice)
    for who in ("alice", "sam"):
        assert refused(lambda who=who: plans.grant(plan, who=who)) == "not_allowed"
    assert refused(lambda: plans.grant(plan, who="charlie")) == "not_allowed"
    plans.grant(plan)
    assert refused(lambda: plans.accept(plan, who="charlie")) == "payment_plan_not_found"
    assert refused(lambda: plans.accept(plan, who="bob")) == "not_allowed"
    assert refused(lambda: plans.accept(plan, who="bill")) == "not_allowed"
    with till.begin() as session:
        for who, code in (("charlie", "payment_plan_not_found"), ("bob", "not_allowed")):
            assert refused(lambda who=who: withdraw_plan(session, plan, actor=till.actor(who), now=till.now)) == code
        assert plan not in [row.plan.id for row in page_plans(session, actor=till.actor("charlie")).items]
        assert plan in [row.plan.id for row in page_plans(session, actor=till.actor("bob")).items]
    with till.desk.sessions.begin(world.nova) as session:
        assert refused(lambda: get_plan(session, plan, actor=till.actor("noor"))) == "payment_plan_not_found"


def test_more_time_and_a_plan_exclude_each_other(till: Any, plans: Any, refused: Any) -> None:
    invoice = till.invoice(10_000)
    due = till.get_invoice(invoice).due_on
    later = {"wanted_on": due + 9 * DAY, "reason": "Budget", "actor": till.actor("alice"), "now": till.now}
    with till.begin() as session:
        wish = ask_extension(session, invoice, **later).id
    assert refused(lambda: plans.ask(invoice)) == "extension_open"
    with till.begin() as session:
        grant_extension(session, wish, actor=till.actor("bill"), now=till.now)
    plans.ask(invoice)
    with till.begin() as session:
        assert (
            refused(lambda: ask_extension(session, invoice, **later | {"wanted_on": due + 20 * DAY})) == "plan_stands"
        )
    assert len(till.rows(ExtensionRequest, ExtensionRequest.invoice_id == invoice)) == 1


def test_refused_and_withdrawn_plans_make_room(till: Any, plans: Any, refused: Any) -> None:
    invoice = till.invoice(10_000)
    plan = plans.ask(invoice)
    plans.grant(plan)
    with till.begin() as session:
        assert refused(lambda: refuse_plan(session, plan, answer=" ", actor=till.actor("bill"), now=till.now)) == (
            "required"
        )
        refuse_plan(session, plan, answer="Sorry", actor=till.actor("bill"), now=till.now)
    assert refused(lambda: plans.accept(plan)) == "plan_not_offered"
    again = plans.ask(invoice)
    with till.begin() as session:
        withdraw_plan(session, again, actor=till.actor("alice"), now=till.now)
    third = plans.in_force(invoice)
    with till.begin() as session:
        for call in (
            lambda: withdraw_plan(session, third, actor=till.actor("alice"), now=till.now),
            lambda: refuse_plan(session, third, answer="No", actor=till.actor("bill"), now=till.now),
        ):
            assert refused(call) == "plan_decided"


def test_thirty_at_once_ask_grant_and_accept_one(till: Any, plans: Any) -> None:
    invoice = till.invoice(10_000)
    codes = codes_of(at_once(30, lambda _: plans.ask(invoice)))
    assert sorted(codes) == ["ok"] + ["plan_stands"] * 29
    plan = till.rows(PaymentPlan, PaymentPlan.invoice_id == invoice)[0].id
    codes = codes_of(at_once(30, lambda _: plans.grant(plan)))
    assert sorted(codes) == ["ok"] + ["plan_decided"] * 29
    method = till.save_card()
    codes = codes_of(at_once(30, lambda _: plans.accept(plan, method=method)))
    assert sorted(codes) == ["ok"] + ["plan_not_offered"] * 29
    assert len(till.rows(Signature, Signature.record_id == plan)) == 1
    assert len(plans.instalments(plan)) == 3


def test_it_is_told_once_and_mailed(till: Any, plans: Any) -> None:
    invoice = till.invoice(10_000)
    plan = plans.in_force(invoice)
    for event in till.rows(OutboxEvent, OutboxEvent.record_id == plan):
        for _ in range(2):
            with till.begin() as session:
                assert answer_plan(session, event.id, base_url=BASE_URL, now=till.now)
    told = {(row.user_id, row.kind) for row in till.rows(Notification, Notification.record_id == plan)}
    people = till.world.people
    assert {(people["bill"].user_id, "payment_plan_requested"), (people["bill"].user_id, "payment_plan_signed")} <= told
    assert (people["alice"].user_id, "payment_plan_granted") in told
    assert (people["charlie"].user_id, "payment_plan_granted") not in told
    number = till.get_invoice(invoice).number
    for kind in ("payment_plan_granted", "payment_plan_accepted"):
        mails = till.rows(MailMessage, MailMessage.template == kind, MailMessage.subject.contains(number))
        assert len(mails) == 1, kind
        assert "33.34" in mails[0].text
