"""A bank's statement as a table of text: every bank has columns of its own, so somebody says what they mean."""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Self

from portal.lib.bank_entries import (
    FIRST_YEAR,
    LAST_YEAR,
    MOST_ENTRIES,
    BankEntry,
    Entries,
    StatementRefused,
    clean_cell,
    tidy,
)
from portal.lib.money import EXPONENTS, LARGEST

LARGEST_FILE = 5 * 1024 * 1024
MOST_COLUMNS = 60
LONGEST_CELL = 2_000
SHOWN_ROWS = 5
DATE_FORMATS = {"iso": "%Y-%m-%d", "dot": "%d.%m.%Y", "slash_day": "%d/%m/%Y", "slash_month": "%m/%d/%Y"}
AMOUNT_FORMATS = ("point", "comma")
_DELIMITERS = (";", ",", "\t", "|")
_NUMBER = re.compile(r"-?[0-9][0-9.,]{0,24}")
# Two digits for the year mean this century: nobody imports statements of the last one.
_SHORT_YEAR = {name: pattern.replace("%Y", "%y") for name, pattern in DATE_FORMATS.items()}


@dataclass(frozen=True)
class CsvMapping:
    """What the columns mean, by number from 0; None where there is no such column.

    Rows whose amount is empty or not above zero are no credits and are passed over.
    """

    booked_on: int | None
    amount: int | None
    account: str
    currency: str
    date_format: str = "iso"
    amount_format: str = "point"
    has_header: bool = True
    currency_column: int | None = None
    payer_name: int | None = None
    payer_account: int | None = None
    remittance: int | None = None
    bank_reference: int | None = None

    def plain(self) -> dict[str, Any]:
        """The mapping as it is stored, for the next file of the same bank."""
        return asdict(self)

    @classmethod
    def stored(cls, values: dict[str, Any]) -> Self | None:
        """A stored mapping; None for one of another time."""
        return cls(**values) if values and set(values) == {field.name for field in fields(cls)} else None


def decode(content: bytes) -> str:
    """The text of a file in the encodings that banks write. Raises StatementRefused."""
    if len(content) > LARGEST_FILE:
        raise StatementRefused("statement_too_large")
    try:
        wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
        text = content.decode("utf-16") if wide else _utf8_or_latin(content)
    except UnicodeDecodeError as error:
        raise StatementRefused("statement_unreadable") from error
    if "\0" in text:
        raise StatementRefused("statement_unreadable")
    return text


def _utf8_or_latin(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252")


def read_rows(text: str, most: int = MOST_ENTRIES + 1) -> list[list[str]]:
    """The first rows of the table. Raises StatementRefused where it is none, or is larger than it may be."""
    delimiter = max(_DELIMITERS, key=lambda one: _columns(text, one))
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True):
            if not any(cell.strip() for cell in row):
                continue
            if len(row) > MOST_COLUMNS or any(len(cell) > LONGEST_CELL for cell in row):
                raise StatementRefused("statement_unreadable", len(rows) + 1)
            rows.append(row)
            if len(rows) >= most:
                break
    except csv.Error as error:
        raise StatementRefused("statement_unreadable", len(rows) + 1) from error
    if not rows or max(len(row) for row in rows) < 2:
        raise StatementRefused("statement_no_table")
    return rows


def _columns(text: str, delimiter: str) -> int:
    """How many columns the first lines have in common with this delimiter."""
    counts = [line.count(delimiter) for line in text[:20_000].splitlines()[:10] if line.strip()]
    return min(counts) if counts else 0


def guess_mapping(rows: Sequence[Sequence[str]], *, account: str, currency: str) -> CsvMapping:
    """What the columns seem to mean, by the names that banks give them; people look at it before it counts."""
    heads = [clean_cell(cell).casefold() for cell in rows[0]]
    sample = rows[1] if len(rows) > 1 else rows[0]
    found: dict[str, Any] = {name: _column(heads, words) for name, words in _NAMES.items()}
    booked, amount = found["booked_on"], found["amount"]
    day = sample[booked] if booked is not None and booked < len(sample) else ""
    money = sample[amount] if amount is not None and amount < len(sample) else ""
    return CsvMapping(
        account=account,
        currency=currency,
        date_format="dot" if "." in day else "slash_day" if "/" in day else "iso",
        amount_format="comma" if money.rfind(",") > money.rfind(".") else "point",
        **found,
    )


_NAMES = {
    "booked_on": ("booking date", "date", "buchungstag", "buchungsdatum", "date comptable", "fecha", "التاريخ"),
    "amount": ("credit", "amount", "betrag", "umsatz", "montant", "crédit", "importe", "المبلغ"),
    "currency_column": ("currency", "währung", "devise", "divisa", "العملة"),
    "payer_name": ("payer", "name", "auftraggeber", "zahlungspflichtiger", "émetteur", "ordenante", "counterparty"),
    "payer_account": ("payer account", "iban", "kontonummer", "account"),
    "remittance": ("remittance", "description", "verwendungszweck", "libellé", "concepto", "details", "reference text"),
    "bank_reference": ("transaction id", "bank reference", "referenz", "référence", "referencia", "reference"),
}


def _column(heads: Sequence[str], words: Sequence[str]) -> int | None:
    for word in words:
        for position, head in enumerate(heads):
            if head == word:
                return position
    for word in words:
        for position, head in enumerate(heads):
            if head.startswith(word):
                return position
    return None


def read_entries(rows: Sequence[Sequence[str]], mapping: CsvMapping) -> Entries:
    """The credits of the table. Raises StatementRefused with the line that cannot be read."""
    first = 2 if mapping.has_header else 1
    if len(rows) - (first - 1) > MOST_ENTRIES:
        raise StatementRefused("statement_too_long")
    found, passed = [], 0
    for line, row in enumerate(rows[first - 1 :], first):
        entry = _read_row(row, mapping, line)
        if entry is None:
            passed += 1
        else:
            found.append(entry)
    return Entries(found, passed)


def _read_row(row: Sequence[str], mapping: CsvMapping, line: int) -> BankEntry | None:
    currency = _cell(row, mapping.currency_column).upper() or mapping.currency
    if currency not in EXPONENTS:
        raise StatementRefused("statement_currency_invalid", line)
    amount = _read_amount(_cell(row, mapping.amount), mapping.amount_format, currency, line)
    if amount <= 0:
        return None
    return tidy(
        BankEntry(
            account=mapping.account,
            booked_on=_read_day(_cell(row, mapping.booked_on), mapping.date_format, line),
            amount=amount,
            currency=currency,
            payer_name=_cell(row, mapping.payer_name),
            payer_account=_cell(row, mapping.payer_account).replace(" ", "").upper(),
            remittance=_cell(row, mapping.remittance),
            bank_reference=_cell(row, mapping.bank_reference),
        )
    )


def _cell(row: Sequence[str], column: int | None) -> str:
    return clean_cell(row[column]) if column is not None and column < len(row) else ""


def _read_amount(text: str, style: str, currency: str, line: int) -> int:
    """Minor units; thousands may be set apart by the other sign, an apostrophe or a space."""
    bare = text.replace(" ", "").replace("'", "").replace("’", "").replace("+", "")
    if bare.endswith("-"):
        # Debits of German banks.
        bare = f"-{bare[:-1]}"
    if not bare:
        return 0
    if not _NUMBER.fullmatch(bare):
        raise StatementRefused("statement_amount_invalid", line)
    apart, point = (".", ",") if style == "comma" else (",", ".")
    whole, _, rest = bare.partition(point)
    if apart in rest or not _well_grouped(whole, apart):
        raise StatementRefused("statement_amount_invalid", line)
    try:
        minor = Decimal(f"{whole.replace(apart, '')}.{rest or '0'}").scaleb(EXPONENTS[currency])
    except InvalidOperation as error:
        raise StatementRefused("statement_amount_invalid", line) from error
    if not minor.is_finite() or minor != minor.to_integral_value() or abs(minor) > LARGEST:
        raise StatementRefused("statement_amount_invalid", line)
    return int(minor)


def _well_grouped(whole: str, apart: str) -> bool:
    """Whether signs between thousands stand where they do: 1.50 read with a comma is refused, not taken for 150."""
    parts = whole.split(apart)
    return len(parts) == 1 or all(len(part) == 3 for part in parts[1:])


def _read_day(text: str, style: str, line: int) -> date:
    # A time may stand behind the day.
    day = text.replace("T", " ").partition(" ")[0]
    for pattern in (DATE_FORMATS[style], _SHORT_YEAR[style]):
        try:
            found = datetime.strptime(day, pattern).date()
        except ValueError:
            continue
        if FIRST_YEAR <= found.year <= LAST_YEAR:
            return found
    raise StatementRefused("statement_day_invalid", line)
