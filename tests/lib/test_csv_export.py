"""A file for spreadsheets computes nothing that somebody typed."""

import csv
import io

import pytest

from portal.lib.csv_export import BYTE_ORDER_MARK, csv_chunks, safe_cell


@pytest.mark.parametrize(
    "typed",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1+1",
        "\r=1+1",
        "\n=1+1",
        "  =cmd|' /C calc'!A0",
        "\u00a0=1",
        "\uff1d1",
        '=HYPERLINK("https://evil.example","x")',
        "=",
    ],
)
def test_what_begins_like_a_formula_is_text(typed):
    assert safe_cell(typed) == f"'{typed}"


@pytest.mark.parametrize(
    ("value", "cell"),
    [(None, ""), (-5, "-5"), (1.5, "1.5"), ("a=b", "a=b"), ("", ""), ("شركة", "شركة"), ("2026-11-24", "2026-11-24")],
)
def test_the_rest_stays_as_it_is(value, cell):
    assert safe_cell(value) == cell


def test_a_file_is_read_back_as_it_was_written():
    rows = [["a", 'quote " and, comma', "line\nbreak"], ["=1", None, 3]]
    text = "".join(csv_chunks(["x", "y", "z"], [rows[:1], rows[1:]]))
    assert text.startswith(BYTE_ORDER_MARK)
    read = list(csv.reader(io.StringIO(text.removeprefix(BYTE_ORDER_MARK), newline="")))
    assert read == [["x", "y", "z"], ["a", 'quote " and, comma', "line\nbreak"], ["'=1", "", "3"]]


def test_a_page_is_written_before_the_next_is_read():
    asked = []

    def pages():
        for number in range(3):
            asked.append(number)
            yield [[number]]

    chunks = csv_chunks(["n"], pages())
    next(chunks)
    next(chunks)
    assert asked == [0]
