"""Which invoices a transfer may be for: by numbers in its text, amount, account and name, each with its reason.

Nothing is booked here. A handful of statements answers for a whole page of transfers, and what it scores is pure.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select

from portal.authz import Actor, Permission, require
from portal.models import UNPAID, BankMatch, BankTransaction, Company, Invoice, InvoiceKind, Payment
from portal.models.session import TenantSession

SHOWN = 12
MOST_CANDIDATES = 500
# From here on a suggestion may be confirmed without looking: a number and an amount, or more.
SURE = 85
_POINTS = {"reference": 70, "number": 65, "sum": 25, "amount": 25, "account": 20, "name": 15}
_LEAST_NUMBER = 4
_CREDITOR_REFERENCE = re.compile(r"^\s*RF[0-9]{2}", re.IGNORECASE)
_LEGAL_FORMS = frozenset(
    {
        *("ag", "bv", "cv", "co", "corp", "eurl", "gmbh", "inc", "kg", "kft", "llc", "llp", "ltd", "limited", "nv"),
        *("oy", "pvt", "plc", "sa", "sarl", "sas", "se", "sl", "spa", "srl", "ug"),
    }
)


@dataclass(frozen=True)
class OpenInvoice:
    """An invoice that still owes something, minor units."""

    id: UUID
    number: str
    currency: str
    outstanding: int
    due_on: date | None
    customer_id: UUID
    company_name: str
    legal_name: str


@dataclass(frozen=True)
class Candidate:
    """An invoice that a transfer may be for, how likely (0 to 100), why, and how much of it would be booked."""

    invoice: OpenInvoice
    score: int
    reasons: tuple[str, ...]
    part: int = 0


@dataclass(frozen=True)
class Suggestion:
    """What is suggested for a transfer, the likeliest first; `parts` of the candidates are the booking to confirm."""

    candidates: Sequence[Candidate] = field(default_factory=tuple)

    @property
    def chosen(self) -> list[Candidate]:
        """The candidates that the suggested booking names."""
        return [one for one in self.candidates if one.part]

    @property
    def sure(self) -> bool:
        """Whether every chosen invoice is beyond doubt."""
        return bool(self.chosen) and all(one.score >= SURE for one in self.chosen)


def suggest_matches(
    session: TenantSession, transfers: Sequence[BankTransaction], *, actor: Actor
) -> dict[UUID, Suggestion]:
    """Transfer -> suggestion, in two statements however many transfers there are."""
    require(actor, Permission.BILLING_READ)
    if not transfers:
        return {}
    payers = _known_payers(session, transfers)
    invoices = _candidates(session, transfers, {id_ for ids in payers.values() for id_ in ids})
    return {one.id: score(one, invoices, payers.get(one.payer_account, frozenset())) for one in transfers}


def score(transfer: BankTransaction, invoices: Iterable[OpenInvoice], known: frozenset[UUID]) -> Suggestion:
    """The suggestion for one transfer; `known` are companies that paid from this account before."""
    found = [
        Candidate(invoice, min(100, sum(_POINTS[reason] for reason in reasons)), reasons)
        for invoice in invoices
        if invoice.currency == transfer.currency and (reasons := _reasons(transfer, invoice, known))
    ]
    found = _add_up(transfer, found)
    found.sort(key=lambda one: (-one.score, one.invoice.due_on or date.max, one.invoice.number))
    return Suggestion(_with_parts(transfer, found[:SHOWN]))


def _reasons(transfer: BankTransaction, invoice: OpenInvoice, known: frozenset[UUID]) -> tuple[str, ...]:
    reasons = []
    if names_number(_CREDITOR_REFERENCE.sub("", transfer.reference), invoice.number):
        reasons.append("reference")
    elif names_number(transfer.remittance, invoice.number):
        reasons.append("number")
    if invoice.outstanding == transfer.amount:
        reasons.append("amount")
    if invoice.customer_id in known:
        reasons.append("account")
    if same_name(transfer.payer_name, invoice.company_name) or same_name(transfer.payer_name, invoice.legal_name):
        reasons.append("name")
    return tuple(reasons)


def _add_up(transfer: BankTransaction, found: list[Candidate]) -> list[Candidate]:
    """Several numbers whose invoices add up to the transfer confirm one another."""
    named = [one for one in found if _is_named(one)]
    same = len({one.invoice.customer_id for one in named}) == 1
    if len(named) < 2 or not same or sum(one.invoice.outstanding for one in named) != transfer.amount:
        return found
    return [
        replace(one, score=min(100, one.score + _POINTS["sum"]), reasons=(*one.reasons, "sum")) if one in named else one
        for one in found
    ]


def _is_named(one: Candidate) -> bool:
    return bool({"reference", "number"} & set(one.reasons))


def _with_parts(transfer: BankTransaction, found: list[Candidate]) -> list[Candidate]:
    """What would be booked: to the named invoices of one company, else to the one whose amount and payer fit."""
    if not found:
        return []
    chosen = [one for one in found if _is_named(one) and one.invoice.customer_id == found[0].invoice.customer_id]
    if not chosen and "amount" in found[0].reasons and len(found[0].reasons) > 1:
        chosen = found[:1]
    left, parts = transfer.amount, {}
    for one in sorted(chosen, key=lambda one: (one.invoice.due_on or date.max, one.invoice.number)):
        parts[one.invoice.id] = min(left, one.invoice.outstanding)
        left -= parts[one.invoice.id]
    return [replace(one, part=parts.get(one.invoice.id, 0)) for one in found]


def names_number(text: str, number: str) -> bool:
    """Whether a text has a document's number, however it is set: with blanks, without hyphens, in small letters.

    A longer number that only begins or ends with it is another one.
    """
    bare = _letters(number)
    if len(bare) < _LEAST_NUMBER or bare not in _letters(text):
        return False
    before = "(?<![0-9])" if bare[0].isdigit() else ""
    after = "(?![0-9])" if bare[-1].isdigit() else ""
    return re.search(before + "[^A-Z0-9]{0,3}".join(bare) + after, text.upper()) is not None


def same_name(payer: str, company: str) -> bool:
    """Whether a payer's name is a company's, legal forms and case aside; what follows (a town, a branch) may differ."""
    ours, theirs = _words(company), _words(payer)
    return len("".join(ours)) >= 3 and theirs[: len(ours)] == ours


def _words(name: str) -> list[str]:
    return [word for word in re.findall(r"\w+", name.casefold().replace(".", "")) if word not in _LEGAL_FORMS]


def _letters(text: str) -> str:
    return re.sub("[^A-Z0-9]", "", text.upper())


def _known_payers(session: TenantSession, transfers: Sequence[BankTransaction]) -> dict[str, frozenset[UUID]]:
    """Account -> companies whose payments came from it, as people matched them and nobody took back."""
    accounts = {one.payer_account for one in transfers if one.payer_account}
    if not accounts:
        return {}
    rows = session.execute(
        select(BankTransaction.payer_account, Payment.customer_id)
        .join(BankMatch, BankMatch.transaction_id == BankTransaction.id)
        .join(Payment, Payment.id == BankMatch.payment_id)
        .where(BankTransaction.payer_account.in_(accounts), BankMatch.undone_at.is_(None))
        .distinct()
        .limit(MOST_CANDIDATES)
    )
    found: dict[str, set[UUID]] = {}
    for account, customer_id in rows:
        found.setdefault(account, set()).add(customer_id)
    return {account: frozenset(ids) for account, ids in found.items()}


def _candidates(
    session: TenantSession, transfers: Sequence[BankTransaction], known: set[UUID]
) -> Sequence[OpenInvoice]:
    """Every unpaid invoice that one of the transfers may be for; what exactly fits is seen by `score`."""
    owed = Invoice.total - Invoice.paid - Invoice.credited
    query = (
        select(
            Invoice.id,
            func.coalesce(Invoice.number, ""),
            Invoice.currency,
            owed,
            Invoice.due_on,
            Invoice.customer_id,
            Company.name,
            Company.legal_name,
        )
        .join(Company, (Company.tenant_id == Invoice.tenant_id) & (Company.id == Invoice.customer_id))
        .where(
            Invoice.status.in_(UNPAID),
            Invoice.kind != InvoiceKind.CREDIT_NOTE,
            Invoice.currency.in_({one.currency for one in transfers}),
            or_(_is_named_in(transfers), owed.in_({one.amount for one in transfers}), *_payers(transfers, known)),
        )
        .order_by(_is_named_in(transfers).desc(), Invoice.due_on, Invoice.id)
        .limit(MOST_CANDIDATES)
    )
    return [OpenInvoice(*row) for row in session.execute(query)]


def _is_named_in(transfers: Sequence[BankTransaction]) -> ColumnElement[bool]:
    text = " ".join(_letters(f"{one.reference}{one.remittance}") for one in transfers)
    bare = func.regexp_replace(func.upper(Invoice.number), "[^A-Z0-9]", "", "g")
    return (func.length(bare) >= _LEAST_NUMBER) & (func.strpos(text, bare) > 0)


def _payers(transfers: Sequence[BankTransaction], known: set[UUID]) -> list[ColumnElement[bool]]:
    """By the first word of a payer's name, which is compared as a whole afterwards."""
    conditions: list[ColumnElement[bool]] = [Invoice.customer_id.in_(known)] if known else []
    for first in {words[0] for one in transfers if (words := _words(one.payer_name)) and len(words[0]) >= 3}:
        for column in (Company.name, Company.legal_name):
            conditions.append(func.lower(column).startswith(first, autoescape=True))
    return conditions
