"""Words about the ways of paying: what each is called, what it is for, where it works."""

from portal.lib.pay_methods import PayMethod
from portal.lib.wording import N_

NAME = {
    PayMethod.CARD: N_("Card"),
    PayMethod.BANK_DEBIT: N_("Bank debit"),
    PayMethod.UPI: N_("UPI"),
    PayMethod.NET_BANKING: N_("Online banking"),
    PayMethod.WALLET: N_("Wallet"),
    PayMethod.EMI: N_("Instalments"),
}
# Told to whoever pays.
ABOUT = {
    PayMethod.CARD: N_("Credit or debit card; Apple Pay and Google Pay where your device has them"),
    PayMethod.BANK_DEBIT: N_("From your bank account; it takes some days to arrive"),
    PayMethod.UPI: N_("Confirmed in your UPI app, arrives at once"),
    PayMethod.NET_BANKING: N_("Confirmed in your bank's online banking"),
    PayMethod.WALLET: N_("Link, Amazon Pay and what your device offers"),
    PayMethod.EMI: N_("Paid over time; we get the whole amount at once"),
}
# Told to whoever chooses what is offered.
WHERE = {
    PayMethod.CARD: N_("Worldwide. Can be kept for later and for auto-pay."),
    PayMethod.BANK_DEBIT: N_("SEPA, United States (ACH), United Kingdom (Bacs). Can be kept for later and auto-pay."),
    PayMethod.UPI: N_("India. One payment at a time."),
    PayMethod.NET_BANKING: N_("iDEAL, Bancontact, EPS, Przelewy24, FPX, Pay by Bank. One payment at a time."),
    PayMethod.WALLET: N_("Link, Amazon Pay; with cards also Apple Pay and Google Pay. One payment at a time."),
    PayMethod.EMI: N_("Klarna, Affirm (from 50), instalments on Mexican cards (from 300). One payment at a time."),
}
EVERYWHERE = N_("Every currency")
