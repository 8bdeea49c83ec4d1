"""CSV for people who open it in a spreadsheet: the one place where files of that kind are written.

A cell that begins like a formula is begun with an apostrophe, so that text which somebody typed into the portal is
not computed on the reader's machine (OWASP, "CSV injection").
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

MEDIA_TYPE = "text/csv; charset=utf-8"
# Without it spreadsheets take UTF-8 for something else.
BYTE_ORDER_MARK = "\ufeff"
# Spreadsheets look past white space and full-width forms, too.
_STARTERS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def csv_chunks(
    header: Sequence[str], pages: Iterable[Iterable[Sequence[object]]], *, mark: bool = True
) -> Iterator[str]:
    """The file in pieces: the header, then one piece for each page of rows; `mark` begins it with a byte order mark."""
    yield (BYTE_ORDER_MARK if mark else "") + _lines([header])
    for page in pages:
        yield _lines(page)


def safe_cell(value: object) -> str:
    """A value as text that no spreadsheet computes; None is empty."""
    text = "" if value is None else str(value)
    if isinstance(value, (int, float, Decimal)):
        return text
    return f"'{text}" if text.lstrip().startswith(_STARTERS) or text.startswith(_STARTERS) else text


def _lines(rows: Iterable[Sequence[object]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerows([safe_cell(cell) for cell in row] for row in rows)
    return buffer.getvalue()
