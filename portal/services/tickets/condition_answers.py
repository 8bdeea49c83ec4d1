"""Answers to a category's questions in conditions of views: `ticket.custom_fields.site == "lyon"`.

`custom_fields` is a map whose values are what their answers are: texts (days as 2026-11-21, choices by their key),
numbers, or true and false. What was not answered is "", and false where a question is asked of it; no error.
"""

from typing import Any

from sqlalchemy import Boolean, ColumnElement, Numeric, Text, case, cast, false, func, literal, null, or_
from sqlalchemy.dialects.postgresql import JSONB

from portal.models import Ticket


def is_answered(key: str) -> ColumnElement[bool]:
    """Whether there is an answer."""
    there: ColumnElement[bool] = Ticket.custom_fields.op("?", is_comparison=True)(key)
    return there


def equals(key: str, written: Any) -> ColumnElement[bool]:
    """Whether the answer is this constant, of its kind: 5 is not "5"."""
    held: ColumnElement[bool] = Ticket.custom_fields.op("@>", is_comparison=True)(cast({key: written}, JSONB))
    return or_(held, ~is_answered(key)) if written == "" or written is False else held


def equals_value(key: str, kind: str, value: Any, *, fails: bool) -> ColumnElement[bool]:
    """Whether the answer is what a field or a size says; a field without a value equals no answer.

    `fails` means that NULL is an error there, which the answer of this question then is, too.
    """
    answer = as_text(key) if kind == "text" else as_number(key)
    same = func.coalesce(answer == value, false())
    found: ColumnElement[bool] = case((value.is_(None), null()), else_=same) if fails else same
    return found


def equals_answer(key: str, other: str) -> ColumnElement[bool]:
    """Whether two answers are the same."""
    none = literal("", JSONB)
    same: ColumnElement[bool] = func.coalesce(_json(key), none) == func.coalesce(_json(other), none)
    return same


def as_text(key: str) -> Any:
    """The answer where it is a text, "" where there is none; NULL for all others."""
    return case((~is_answered(key), literal("", Text)), (_is(key, "string"), _text(key)))


def as_number(key: str) -> Any:
    """The answer where it is a number; NULL for all others."""
    return case((_is(key, "number"), cast(_text(key), Numeric)))


def as_truth(key: str) -> ColumnElement[bool]:
    """The answer where it is true or false, false where there is none; NULL for all others."""
    flag = cast(_text(key), Boolean)
    truth: ColumnElement[bool] = case((~is_answered(key), false()), (_is(key, "boolean"), flag))
    return truth


def _json(key: str) -> Any:
    return Ticket.custom_fields.op("->", return_type=JSONB())(literal(key))


def _text(key: str) -> Any:
    return Ticket.custom_fields.op("->>", return_type=Text())(literal(key))


def _is(key: str, kind: str) -> ColumnElement[bool]:
    found: ColumnElement[bool] = func.jsonb_typeof(_json(key)) == kind
    return found
