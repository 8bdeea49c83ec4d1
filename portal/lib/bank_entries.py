"""What a statement says of money that came: one shape, whatever the file was, and the key that names an entry."""

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

MOST_ENTRIES = 10_000
FIRST_YEAR, LAST_YEAR = 1990, 2199
# What banks write where they have no reference (SEPA rulebook: NOTPROVIDED; German banks: NONREF).
_NO_REFERENCE = frozenset({"", "NONREF", "NOTPROVIDED", "NOREF", "NONE"})
_CONTENT = "content"
_LENGTHS = {
    "account": 40,
    "payer_name": 140,
    "payer_account": 40,
    "remittance": 1000,
    "reference": 140,
    "bank_reference": 140,
}


@dataclass(frozen=True)
class BankEntry:
    """One credit; `amount` in minor units, `bank_reference` is what the bank itself calls the entry."""

    account: str
    booked_on: date
    amount: int
    currency: str
    payer_name: str = ""
    payer_account: str = ""
    remittance: str = ""
    reference: str = ""
    bank_reference: str = ""


@dataclass(frozen=True)
class Entries:
    """What was read of a file: the credits, and how many other entries were passed over."""

    credits: list[BankEntry] = field(default_factory=list)
    passed_over: int = 0


class StatementRefused(Exception):
    """A file that cannot be read as a statement; the code says why, `line` where (counted from one)."""

    def __init__(self, code: str, line: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.line = line


def tidy(entry: BankEntry) -> BankEntry:
    """The entry with texts as they are stored: on one line, without control characters, no longer than they may be."""
    values = {name: clean_cell(getattr(entry, name))[:most] for name, most in _LENGTHS.items()}
    return BankEntry(booked_on=entry.booked_on, amount=entry.amount, currency=entry.currency, **values)


def clean_cell(text: str) -> str:
    """Text on one line; what no store accepts and what turns the direction of reading is left out."""
    kept = (" " if char in "\r\n\t" else char for char in text)
    normal = "".join(char for char in kept if unicodedata.category(char) not in ("Cc", "Cf", "Cs"))
    return " ".join(unicodedata.normalize("NFC", normal).split())


def keyed(entries: Iterable[BankEntry]) -> list[tuple[str, BankEntry]]:
    """Each entry with a key that is the same in every statement that has it.

    The bank's own reference counts together with day and amount, since some banks use one again. Without a reference
    it is all that was said of the entry, and the how manieth of its like it is: banks list whole days, so two equal
    transfers of one day are the first and the second in every file.
    """
    seen: Counter[str] = Counter()
    found = []
    for entry in entries:
        named = _named_by(entry)
        base = _digest(named)
        if named[0] == _CONTENT:
            seen[base] += 1
            base = _digest((base, str(seen[base])))
        found.append((base, entry))
    return found


def _named_by(entry: BankEntry) -> tuple[str, ...]:
    facts = (entry.booked_on.isoformat(), str(entry.amount), entry.currency)
    if entry.bank_reference.upper() not in _NO_REFERENCE:
        return ("reference", entry.bank_reference, *facts)
    words = (entry.payer_name, entry.payer_account, entry.remittance, entry.reference)
    return (_CONTENT, *facts, *(word.casefold() for word in words))


def _digest(parts: tuple[str, ...]) -> str:
    joined = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(joined.encode("utf-8", "replace")).hexdigest()
