"""Tables as XLSX, written row by row: what was written is on disk, not in memory."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import IO, Any

import xlsxwriter

from portal.lib.money import EXPONENTS

CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_LONGEST_NAME = 31


class SheetFile:
    """A workbook of plain tables. Texts are texts: nothing in them is a formula or an address."""

    def __init__(self, out: IO[bytes], *, title: str, rtl: bool, made_at: datetime) -> None:
        options = {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        }
        self._book = xlsxwriter.Workbook(out, options)
        # The moment is given, so that the same content is the same file.
        self._book.set_properties({"title": title, "created": made_at.replace(tzinfo=None)})
        self._rtl = rtl
        self._bold = self._book.add_format({"bold": True})
        self._day = self._book.add_format({"num_format": "yyyy-mm-dd", "align": "left"})
        self._moneys: dict[tuple[str, bool], Any] = {}

    def add_sheet(
        self, name: str, widths: Sequence[int], rows: Iterable[tuple[Sequence[Any], str, bool]], *, head: int = 1
    ) -> None:
        """One sheet: each row is (cells, currency of its decimals, whether it is set bold); `head` rows stay in view.

        Decimals become numbers with the digits of the currency, dates become dates, everything else text.
        """
        sheet = self._book.add_worksheet(_plain_name(name))
        if self._rtl:
            sheet.right_to_left()
        for column, width in enumerate(widths):
            sheet.set_column(column, column, width)
        sheet.freeze_panes(head, 0)
        for place, (cells, currency, bold) in enumerate(rows):
            for column, value in enumerate(cells):
                self._write(sheet, place, column, value, currency, bold)

    def close(self) -> None:
        """Write the file's end; nothing of it counts before."""
        self._book.close()

    def _write(self, sheet: Any, place: int, column: int, value: Any, currency: str, bold: bool) -> None:
        if value is None or value == "":
            return
        if isinstance(value, Decimal):
            sheet.write_number(place, column, value, self._money(currency, bold))
        elif isinstance(value, date):
            sheet.write_datetime(place, column, datetime(value.year, value.month, value.day), self._day)
        else:
            sheet.write_string(place, column, str(value), self._bold if bold else None)

    def _money(self, currency: str, bold: bool) -> Any:
        key = (currency, bold)
        if key not in self._moneys:
            digits = EXPONENTS.get(currency, 2)
            pattern = "#,##0" + ("." + "0" * digits if digits else "")
            self._moneys[key] = self._book.add_format({"num_format": pattern, "bold": bold})
        return self._moneys[key]


def _plain_name(name: str) -> str:
    """A name as sheets may have it."""
    return "".join(char for char in name if char not in "[]:*?/\\'")[:_LONGEST_NAME] or "1"
