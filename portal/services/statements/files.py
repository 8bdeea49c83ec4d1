"""A statement as CSV, XLSX or PDF. The two for spreadsheets are written row by row, however long they are."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import IO, Any

from portal.errors import Conflict
from portal.integrations.pdf import typeset
from portal.integrations.spreadsheet import CONTENT_TYPE as XLSX
from portal.integrations.spreadsheet import SheetFile
from portal.lib.csv_export import MEDIA_TYPE, csv_chunks
from portal.models import StatementFormat, StatementKind
from portal.services.statements.figures import PAGE, Balance, Line
from portal.services.statements.words import Contents, Words, decimal

CONTENT_TYPES: Mapping[StatementFormat, str] = {
    StatementFormat.PDF: "application/pdf",
    StatementFormat.XLSX: XLSX,
    StatementFormat.CSV: MEDIA_TYPE,
}
# A PDF is set as a whole. Up to the first number its tables are tables for readers of every kind; beyond, each page
# is set by columns, which takes a quarter of the time and memory, and beyond the second there is no PDF.
TABLE_LINES, PDF_LINES = 2_000, 20_000
# What fits into a column of such a page without a second line.
_CUT = 30
_WIDTHS = (12, 22, 20, 26, 16, 16, 10)
# Cells, the currency of the amounts among them, and whether it is a sum.
Row = tuple[Sequence[Any], str, bool]


def require_drawable(contents: Contents) -> None:
    """Raise Conflict `statement_too_long` where there is more than a PDF takes."""
    if sum(one.lines for one in contents.balances) > PDF_LINES:
        raise Conflict("statement_too_long")


def write_csv(contents: Contents, lines: Iterable[Line], out: IO[bytes]) -> None:
    """The lines with their balances, then, for a year, its taxes."""
    words = Words(contents.statement)
    rows = (cells for cells, _, _ in _rows(contents, lines, words))
    for piece in csv_chunks(words.columns(), _pages(rows)):
        out.write(piece.encode())
    if taxes := _tax_rows(contents, words):
        for piece in csv_chunks([], [[cells for cells, _, _ in taxes]], mark=False):
            out.write(piece.encode())


def write_xlsx(contents: Contents, lines: Iterable[Line], out: IO[bytes]) -> None:
    """A sheet with the lines, one with the sums, and for a year one with its taxes."""
    words, _ = Words(contents.statement), Words(contents.statement).translate
    book = SheetFile(out, title=words.title(), rtl=words.rtl, made_at=contents.statement.as_of)
    facts: list[Row] = [([words.title()], "", True), *(([*fact], "", False) for fact in words.facts(contents))]
    head: list[Row] = [*facts, ([], "", False), (words.columns(), "", True)]
    book.add_sheet(_("Entries"), _WIDTHS, _chain(head, _rows(contents, lines, words)), head=len(head))
    book.add_sheet(_("Sums"), (30, 18, 10), _sum_rows(contents, words))
    if taxes := _tax_rows(contents, words):
        book.add_sheet(_("Taxes"), (24, 12, 18, 18, 10), taxes)
    book.close()


def collect_pages(contents: Contents, lines: Iterable[Line]) -> dict[str, Any]:
    """Everything that the PDF shows, read while the ledger is open."""
    words = Words(contents.statement)
    _ = words.translate
    found: dict[str, list[list[str]]] = {one.currency: [] for one in contents.balances}
    for line in lines:
        found[line.currency].append(
            [
                words.day(words.day_of(line.at)),
                line.document or line.payment,
                words.kind(line.kind),
                words.amount(line.amount, line.currency),
                words.amount(line.balance, line.currency),
            ]
        )
    long = any(len(rows) > TABLE_LINES for rows in found.values())
    return {
        "title": words.title(),
        "facts": words.facts(contents),
        "headers": [_("Date"), _("Document"), _("Entry"), _("Amount"), _("Balance")],
        "sections": [_section(one, found[one.currency], words, long) for one in contents.balances],
        "long": long,
        "note": _("For a table that assistive technology can follow, choose Excel or CSV.") if long else "",
        "empty": _("Nothing was booked."),
        "sums_title": _("Sums"),
        "taxes_title": _("Taxes"),
        "tax_headers": [_("Tax"), _("Rate"), _("Net"), _("Tax amount")],
        "taxes": [
            [tax.name, words.rate(tax.rate), words.amount(tax.net, tax.currency), words.amount(tax.tax, tax.currency)]
            for tax in contents.taxes
        ],
        "tax_note": _("Invoices of these days, less credit notes and what was voided.") if contents.taxes else "",
    }


def set_pages(contents: Contents, pages: dict[str, Any]) -> bytes:
    """The PDF of what was collected."""
    statement, parties = contents.statement, contents.parties
    return typeset(
        "statement.typ",
        pages,
        locale=statement.locale,
        tenant=parties.tenant,
        accent=parties.accent,
        now=statement.as_of,
    )


def _section(balance: Balance, rows: list[list[str]], words: Words, long: bool) -> dict[str, Any]:
    _, currency = words.translate, balance.currency
    return {
        "currency": currency,
        "opening": [_("Opening balance"), words.amount(balance.opening, currency)],
        "closing": [_("Closing balance"), words.amount(balance.closing, currency)],
        "rows": [[_cut(cell) for cell in row] for row in rows] if long else rows,
        "sums": [[words.kind(kind), words.amount(amount, currency)] for kind, amount in balance.sums],
    }


def _cut(text: str) -> str:
    return text if len(text) <= _CUT else f"{text[: _CUT - 1]}…"


def _rows(contents: Contents, lines: Iterable[Line], words: Words) -> Iterator[Row]:
    """Opening balance, lines and closing balance of each currency."""
    waiting = iter(lines)
    line = next(waiting, None)
    for one in contents.balances:
        yield _balance_row(words.translate("Opening balance"), contents.statement.start_on, one.opening, one.currency)
        while line is not None and line.currency == one.currency:
            yield _line_row(line, words)
            line = next(waiting, None)
        yield _balance_row(words.translate("Closing balance"), contents.statement.end_on, one.closing, one.currency)


def _balance_row(label: str, day: Any, amount: int, currency: str) -> Row:
    return [day, "", "", label, None, decimal(amount, currency), currency], currency, True


def _line_row(line: Line, words: Words) -> Row:
    amount, balance = decimal(line.amount, line.currency), decimal(line.balance, line.currency)
    day, label = words.day_of(line.at), words.kind(line.kind)
    return [day, line.document, line.payment, label, amount, balance, line.currency], line.currency, False


def _sum_rows(contents: Contents, words: Words) -> Iterator[Row]:
    _ = words.translate
    yield [_("Entry"), _("Amount"), _("Currency")], "", True
    for one in contents.balances:
        currency = one.currency
        yield [_("Opening balance"), decimal(one.opening, currency), currency], currency, False
        for kind, amount in one.sums:
            yield [words.kind(kind), decimal(amount, currency), currency], currency, False
        yield [_("Closing balance"), decimal(one.closing, currency), currency], currency, True


def _tax_rows(contents: Contents, words: Words) -> list[Row]:
    """The taxes of a year; nothing for any other span."""
    if contents.statement.kind is not StatementKind.ANNUAL:
        return []
    _ = words.translate
    rows: list[Row] = [([_("Tax"), _("Rate"), _("Net"), _("Tax amount"), _("Currency")], "", True)]
    for tax in contents.taxes:
        amounts = [decimal(tax.net, tax.currency), decimal(tax.tax, tax.currency)]
        rows.append(([tax.name, words.rate(tax.rate), *amounts, tax.currency], tax.currency, False))
    return rows


def _pages(rows: Iterator[Sequence[Any]]) -> Iterator[list[Sequence[Any]]]:
    while page := list(islice(rows, PAGE)):
        yield page


def _chain(first: list[Row], rest: Iterable[Row]) -> Iterator[Row]:
    yield from first
    yield from rest
