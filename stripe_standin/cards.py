"""The published test numbers and what each of them does. No other number is accepted anywhere."""

import hashlib
from dataclasses import dataclass

from stripe_standin.kinds import ACH, BACS, KINDS, REDIRECTS, SEPA

RETRY, NEVER, CHECK = "try_again_later", "do_not_try_again", "confirm_card_data"


@dataclass(frozen=True)
class Decline:
    """Why a bank says no."""

    code: str
    decline_code: str
    advice_code: str
    message: str


def _declined(decline_code: str, advice_code: str = RETRY) -> Decline:
    return Decline("card_declined", decline_code, advice_code, "Your card was declined.")


GENERIC = _declined("generic_decline")
FUNDS = Decline("card_declined", "insufficient_funds", RETRY, "Your card has insufficient funds.")


@dataclass(frozen=True)
class TestNumber:
    """A number's brand and behaviour. `asks`: never, unless_saved, always, or in_person (not when off session)."""

    brand: str
    last4: str
    token: str
    decline: Decline | None = None
    declines_when_saved: bool = True
    asks: str = "never"
    dispute: str | None = None
    refund: str = "succeeded"
    kind: str = "card"
    delay: int = 0
    fraud_warning: bool = False

    @property
    def fingerprint(self) -> str:
        """The same for the same number."""
        return hashlib.sha256(self.token.encode()).hexdigest()[:16]


def _card(number: str, token: str, brand: str = "visa", **behaviour: object) -> tuple[str, TestNumber]:
    return number, TestNumber(brand, number[-4:], f"pm_card_{token}", **behaviour)  # type: ignore[arg-type]


def _bank(number: str, token: str, kind: str, decline: Decline | None, delay: int) -> tuple[str, TestNumber]:
    return number, TestNumber(
        "test bank", number[-4:], token, decline, declines_when_saved=False, kind=kind, delay=delay
    )


DAYS = 3 * 86_400
MINUTES = 180
NO_DEBIT = Decline("charge_exceeds_source_limit", "debit_not_authorized", RETRY, "The debit was not authorised.")
EMPTY = Decline("insufficient_funds", "insufficient_funds", RETRY, "The account has insufficient funds.")
CLOSED = Decline("account_closed", "account_closed", NEVER, "The bank account has been closed.")

CARDS: dict[str, TestNumber] = dict(
    (
        _card("4242424242424242", "visa"),
        _card("4000056655665556", "visa_debit"),
        _card("5555555555554444", "mastercard", "mastercard"),
        _card("5200828282828210", "mastercard_debit", "mastercard"),
        _card("378282246310005", "amex", "amex"),
        _card("6011111111111117", "discover", "discover"),
        _card("3056930009020004", "diners", "diners"),
        _card("3566002020360505", "jcb", "jcb"),
        _card("6200000000000005", "unionpay", "unionpay"),
        _card("4000000000000002", "visa_chargeDeclined", decline=GENERIC),
        _card("4000000000009995", "visa_chargeDeclinedInsufficientFunds", decline=FUNDS),
        _card("4000000000009987", "visa_chargeDeclinedLostCard", decline=_declined("lost_card", NEVER)),
        _card("4000000000009979", "visa_chargeDeclinedStolenCard", decline=_declined("stolen_card", NEVER)),
        _card(
            "4000000000000069",
            "chargeDeclinedExpiredCard",
            decline=Decline("expired_card", "expired_card", CHECK, "Your card has expired."),
        ),
        _card(
            "4000000000000127",
            "chargeDeclinedIncorrectCvc",
            decline=Decline("incorrect_cvc", "incorrect_cvc", CHECK, "Your card's security code is incorrect."),
        ),
        _card(
            "4000000000000119",
            "chargeDeclinedProcessingError",
            decline=Decline("processing_error", "processing_error", RETRY, "An error occurred. Try again in a moment."),
        ),
        _card(
            "4000000000006975",
            "visa_chargeDeclinedVelocityLimitExceeded",
            decline=_declined("card_velocity_exceeded"),
        ),
        _card("4000000000000341", "chargeCustomerFail", decline=GENERIC, declines_when_saved=False),
        _card("4000002500003155", "authenticationRequiredOnSetup", asks="unless_saved"),
        _card("4000002760003184", "authenticationRequired", asks="always"),
        _card("4000003800000446", "authenticationRequiredSetupForOffSession", asks="in_person"),
        _card(
            "4000008260003178",
            "authenticationRequiredChargeDeclinedInsufficientFunds",
            asks="always",
            decline=FUNDS,
            declines_when_saved=False,
        ),
        _card("4000008400001629", "threeDSecureRequiredChargeDeclined", asks="always", decline=GENERIC),
        _card("4000000000003220", "threeDSecure2Required", asks="always"),
        _card("4000000000003063", "threeDSecureRequired", asks="always"),
        _card("4000000000000259", "createDispute", dispute="fraudulent"),
        _card("4000000000002685", "createDisputeProductNotReceived", dispute="product_not_received"),
        _card("4000000000005423", "createIssuerFraudRecord", fraud_warning=True),
        _card("4000000000007726", "pendingRefund", refund="pending"),
        _card("4000000000005126", "refundFail", refund="fails_later"),
    )
)
ACCOUNTS: dict[str, TestNumber] = dict(
    (
        _bank("DE89370400440532013000", "pm_sepaDebit_success", SEPA, None, DAYS),
        _bank("DE08370400440532013003", "pm_sepaDebit_successDelayed", SEPA, None, MINUTES),
        _bank("DE62370400440532013001", "pm_sepaDebit_fail", SEPA, NO_DEBIT, DAYS),
        _bank("DE78370400440532013004", "pm_sepaDebit_failDelayed", SEPA, NO_DEBIT, MINUTES),
        _bank("000123456789", "pm_usBankAccount_success", ACH, None, DAYS),
        _bank("000111111116", "pm_usBankAccount_accountClosed", ACH, CLOSED, DAYS),
        _bank("000222222227", "pm_usBankAccount_insufficientFunds", ACH, EMPTY, DAYS),
        _bank("00012345", "pm_bacsDebit_success", BACS, None, DAYS),
        _bank("90012345", "pm_bacsDebit_successDelayed", BACS, None, MINUTES),
        _bank("33333335", "pm_bacsDebit_fail", BACS, NO_DEBIT, DAYS),
        _bank("22222227", "pm_bacsDebit_insufficientFunds", BACS, EMPTY, DAYS),
    )
)
# Nothing is typed here for these: the provider's page asks, and its answer is the outcome, at once.
ELSEWHERE: dict[str, TestNumber] = {
    name: TestNumber(KINDS[name].label, "", f"pm_{name}", kind=name, asks="always") for name in REDIRECTS
}
TOKENS: dict[str, TestNumber] = {
    found.token: found for found in (*CARDS.values(), *ACCOUNTS.values(), *ELSEWHERE.values())
}
# Both spellings are in use.
TOKENS |= {name.replace("pm_card_visa_charge", "pm_card_charge"): found for name, found in list(TOKENS.items())}
