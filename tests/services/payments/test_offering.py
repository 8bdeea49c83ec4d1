"""Ways of paying (H7.4): what a tenant offers, what fits, what the gateway's page is asked for, and who decides."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from portal.authz import system_actor
from portal.integrations.payments import GatewayUnavailable
from portal.lib.pay_methods import WAYS, PayMethod
from portal.lib.wording.pay_methods import ABOUT, NAME, WHERE
from portal.models import AuditEntry, Invoice
from portal.services.billing.configuring import save_payment_methods
from portal.services.billing.settings import load_settings
from portal.services.payments.agreement import Agreement, save_agreement
from portal.services.payments.balances import available
from portal.services.payments.calling import carry_out
from portal.services.payments.offering import chargeable, kept_types, offered, repeated_choice
from portal.services.payments.reserving import PayRequest, start_payment
from portal.services.payments.setups import begin_setup, open_setup_page
from tests.together import at_once, codes_of

EVERY = [method.value for method in PayMethod]
REDIRECTS = ("ideal", "bancontact", "eps", "p24")


def ways(till: Any, currency: str, amount: int) -> list[str]:
    with till.begin() as session:
        return [one.value for one in offered(load_settings(session), currency, amount)]


def asked(till: Any, currency: str, choice: str, **more: Any) -> tuple[tuple[str, ...], bool]:
    """What the page of a payment was asked to take."""
    till.pay(till.invoice(60_000, currency=currency), choice=choice, **more)
    return till.gateway.pages_asked[-1]


def test_every_way_has_words() -> None:
    assert set(WAYS) == set(NAME) == set(ABOUT) == set(WHERE) == set(PayMethod)


def test_cards_and_bank_debits_unless_the_tenant_chose_others(till: Any) -> None:
    assert ways(till, "EUR", 5000) == ["card", "bank_debit"]
    assert ways(till, "SAR", 5000) == ["card"]
    assert asked(till, "EUR", "") == (("card", "sepa_debit"), False)
    assert asked(till, "USD", "bank_debit") == (("us_bank_account",), False)


@pytest.mark.parametrize(
    ("currency", "amount", "expected"),
    [
        ("EUR", 5000, ["card", "bank_debit", "net_banking", "wallet", "emi"]),
        ("INR", 5000, ["card", "upi", "wallet"]),
        ("MYR", 5000, ["card", "net_banking", "wallet"]),
        ("MXN", 30_000, ["card", "wallet", "emi"]),
        ("MXN", 29_999, ["card", "wallet"]),
        ("SAR", 5000, ["card", "wallet"]),
        ("EUR", 0, []),
    ],
)
def test_what_fits_currency_and_amount_is_offered(till: Any, currency: str, amount: int, expected: list[str]) -> None:
    till.settings(payment_methods=EVERY)
    assert ways(till, currency, amount) == expected


def test_above_a_providers_limit_a_part_can_be_paid_where_parts_may(till: Any) -> None:
    till.settings(payment_methods=["emi"])
    affirm = WAYS[PayMethod.EMI].types[1]
    assert (affirm.fits("USD", 3_000_001), affirm.fits("USD", 3_000_001, part=True)) == (False, True)
    assert (affirm.fits("USD", 4999, part=True), affirm.fits("EUR", 6000)) == (False, False)


@pytest.mark.parametrize(
    ("currency", "choice", "types", "installments"),
    [
        ("EUR", "card", ("card",), False),
        ("GBP", "bank_debit", ("bacs_debit",), False),
        ("INR", "upi", ("upi",), False),
        ("EUR", "net_banking", REDIRECTS, False),
        ("EUR", "wallet", ("card", "link", "amazon_pay"), False),
        ("INR", "wallet", ("card", "link"), False),
        ("USD", "emi", ("klarna", "affirm"), False),
        ("MXN", "emi", ("card",), True),
        ("INR", "", ("card", "upi", "link"), False),
    ],
)
def test_the_choice_goes_to_the_page(
    till: Any, currency: str, choice: str, types: tuple[str, ...], installments: bool
) -> None:
    till.settings(payment_methods=EVERY)
    assert asked(till, currency, choice) == (types, installments)


def test_wallets_come_without_cards_where_cards_are_not_taken(till: Any) -> None:
    till.settings(payment_methods=["wallet"])
    assert asked(till, "EUR", "wallet") == (("link", "amazon_pay"), False)


def test_what_is_not_offered_or_does_not_fit_is_refused_and_reserves_nothing(till: Any, refused: Any) -> None:
    invoice = till.invoice(5000)
    assert refused(lambda: till.start(invoice, choice="upi")) == "method_not_enabled"
    assert refused(lambda: till.start(invoice, choice="cheque")) == "method_not_enabled"
    till.settings(payment_methods=["upi", "card"])
    assert refused(lambda: till.start(invoice, choice="upi")) == "method_does_not_fit"
    till.settings(payment_methods=["upi"])
    assert refused(lambda: till.start(invoice)) == "method_none_fits"
    assert (till.get_invoice(invoice).reserved, till.get_invoice(invoice).status) == (0, "open")


def test_only_what_can_be_charged_again_is_kept(till: Any, refused: Any) -> None:
    till.settings(payment_methods=EVERY)
    assert asked(till, "EUR", "", save=True) == (("card", "sepa_debit"), False)
    for choice in ("net_banking", "wallet", "emi"):
        invoice = till.invoice(5000)
        assert refused(lambda c=choice, i=invoice: till.start(i, choice=c, save=True)) == "method_not_kept"
    with till.begin() as session:
        company = begin_setup(session, None, actor=till.actor("alice"))
    open_setup_page(till.desk, company, actor=till.actor("alice"), now=till.now)
    with till.begin() as session:
        expected = kept_types(load_settings(session), load_settings(session).currency)
    assert till.gateway.pages_asked[-1] == (expected, False)
    assert set(expected) <= {"card", "sepa_debit", "us_bank_account", "bacs_debit"}
    till.settings(payment_methods=["upi", "wallet"])
    with till.begin() as session:
        assert refused(lambda: begin_setup(session, None, actor=till.actor("alice"))) == "method_not_kept"


def test_a_repeated_call_asks_the_same_whatever_was_set_meanwhile(till: Any) -> None:
    till.settings(payment_methods=["card", "net_banking"])
    payment_id = till.start(till.invoice(5000), choice="net_banking")
    till.gateway.away = True
    with pytest.raises(GatewayUnavailable):
        carry_out(till.desk, payment_id, now=till.now)
    till.gateway.away = False
    till.settings(payment_methods=["card"])
    carry_out(till.desk, payment_id, now=till.now)
    assert till.gateway.pages_asked[-1] == (REDIRECTS, False)
    with till.begin() as session:
        settings = load_settings(session)
        assert repeated_choice(settings, till.payment(payment_id), 5000) == ""
        settings.payment_methods = ["net_banking"]
        assert repeated_choice(settings, till.payment(payment_id), 5000) == "net_banking"


def agree(till: Any, method: UUID) -> None:
    with till.begin() as session:
        save_agreement(session, None, Agreement(True, method), actor=till.actor("alice"), now=till.now)


def test_saved_accounts_follow_what_is_offered_but_agreements_go_on(till: Any, refused: Any) -> None:
    account = till.save_card(kind="sepa_debit", brand="", last4="3000", exp_month=None, exp_year=None)
    invoice, dollars = till.invoice(5000), till.invoice(5000, currency="USD")
    assert refused(lambda: till.start(dollars, method_id=account)) == "method_does_not_fit"
    till.settings(payment_methods=["card"])
    assert refused(lambda: till.start(invoice, method_id=account)) == "method_not_enabled"
    with till.begin() as session:
        mine = [one for one in till.methods() if one.id == account]
        assert chargeable(load_settings(session), mine, "EUR") == []
    assert refused(lambda: agree(till, account)) == "method_not_enabled"
    with till.begin() as session:
        request = PayRequest({invoice: None}, method_id=account)
        actor = system_actor(till.desk.tenant_id)
        assert start_payment(session, request, actor=actor, now=till.now).method["kind"] == "sepa_debit"


def test_thirty_choices_at_once_reserve_once_and_pay_once(till: Any) -> None:
    till.settings(payment_methods=EVERY)
    invoice = till.invoice(5000, currency="INR")
    codes = codes_of(at_once(30, lambda index: till.start(invoice, choice=("upi", "card", "wallet")[index % 3])))
    assert sorted(codes) == ["ok"] + ["payment_already_processed"] * 29
    with till.begin() as session:
        assert available(session.get_one(Invoice, invoice)) == 0


def save(till: Any, who: str, wanted: list[str], version: int | None = None) -> Any:
    with till.begin() as session:
        return save_payment_methods(session, wanted, version=version, actor=till.actor(who), now=till.now).version


def test_the_choice_is_versioned_audited_and_for_those_who_set_up_billing(till: Any, refused: Any) -> None:
    with till.begin() as session:
        before = load_settings(session).version
    after = save(till, "bill", ["upi", "card"], before)
    assert after == before + 1
    assert save(till, "bill", ["card", "upi"]) == after, "the same again changes nothing"
    with till.begin() as session:
        assert load_settings(session).payment_methods == ["card", "upi"]
        entry = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "billing_settings.saved").order_by(AuditEntry.seq.desc())
        ).first()
        assert entry is not None
        assert (entry.before, entry.after) == (
            {"payment_methods": ["card", "bank_debit"]},
            {"payment_methods": ["card", "upi"]},
        )
    with till.desk.sessions.begin(till.world.nova) as session:
        assert load_settings(session).payment_methods == ["card", "bank_debit"], "another tenant's"
    assert refused(lambda: save(till, "ada", ["card"], before)) == "changed_meanwhile"
    assert refused(lambda: save(till, "ada", [])) == "required"
    assert refused(lambda: save(till, "ada", ["card", "cheque"])) == "unknown_choice"
    for outsider in ("sam", "mia", "alice"):
        assert refused(lambda o=outsider: save(till, o, ["card"])) == "not_allowed", outsider
