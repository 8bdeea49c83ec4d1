"""Conditions of saved views in CEL, made into SQL: `ticket.priority == "high" && "vip" in ticket.tags`.

What CEL calls an error (an order or a part of nothing) is NULL in SQL: `&&` and `||` treat both alike, and a ticket
for which the whole is neither true nor false is not in the view. `docs/tickets.md` lists fields and functions.
"""

import ast
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from typing import Any, Literal

import cel
from sqlalchemy import (
    ColumnElement,
    DateTime,
    Interval,
    Text,
    and_,
    cast,
    false,
    func,
    literal,
    not_,
    null,
    or_,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB

from portal.lib.cel_tree import Condition, ConditionError, parse_condition
from portal.services.tickets import condition_answers as answers
from portal.services.tickets.condition_fields import ANSWERS, FIELDS, Field, Kind

_ORDERS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: lambda left, right: left < right,
    ast.LtE: lambda left, right: left <= right,
    ast.Gt: lambda left, right: left > right,
    ast.GtE: lambda left, right: left >= right,
}
_PARTS = ("contains", "startsWith", "endsWith")


@dataclass(frozen=True)
class _Part:
    """A piece of the condition in SQL.

    `values` are the only ones that a field of a few choices can have, `written` is what a constant says, and `fails`
    means that NULL is an error here, not the value null. An `answer` has the kind that is asked for, by its `key`.
    """

    kind: Kind | Literal["null", "map", "answer"]
    sql: Any
    values: tuple[str, ...] = ()
    written: Any = None
    fails: bool = False
    key: str = ""


def condition_clause(text: str, now: datetime) -> ColumnElement[bool]:
    """What a condition asks of a ticket; raises ConditionError with line and column."""
    condition = parse_condition(text)
    return _Translation(condition, now).truth(condition.root)


@dataclass(frozen=True)
class _Translation:
    condition: Condition
    now: datetime

    def truth(self, node: ast.expr) -> ColumnElement[bool]:
        """A part that has to be true or false."""
        part = self._part(node)
        if part.kind == "answer":
            return answers.as_truth(part.key)
        if part.kind != "bool":
            raise self.condition.error("condition_not_a_question", node)
        clause: ColumnElement[bool] = part.sql
        return clause

    def _part(self, node: ast.expr) -> _Part:
        match node:
            case ast.BoolOp(op=op, values=values):
                join = and_ if isinstance(op, ast.And) else or_
                return _Part("bool", join(*map(self.truth, values)))
            case ast.UnaryOp(op=ast.Invert(), operand=operand):
                return _Part("bool", not_(self.truth(operand)))
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
                return self._constant(node, -value)
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return _Part("bool", self._compared(node, left, op, right))
            case ast.Constant(value=value):
                return self._constant(node, value)
            case ast.Attribute(value=ast.Name(id="ticket"), attr=name):
                return _Part("map", None) if name == ANSWERS else self._field(node, name)
            case (
                ast.Attribute(value=ast.Attribute(value=ast.Name(id="ticket"), attr=name), attr=str() as key)
                | ast.Subscript(
                    value=ast.Attribute(value=ast.Name(id="ticket"), attr=name), slice=ast.Constant(value=str() as key)
                )
            ) if name == ANSWERS and "\x00" not in key:
                return _Part("answer", None, key=key)
            case ast.Call(func=called, args=args, keywords=[]):
                return self._call(node, called, args)
            case ast.Name(id=name):
                raise self.condition.error("condition_unknown_name", node, name=name)
        raise self.condition.error("condition_unsupported", node)

    def _constant(self, node: ast.expr, value: Any) -> _Part:
        if value is None:
            return _Part("null", null())
        if isinstance(value, bool):
            return _Part("bool", true() if value else false(), written=value)
        if isinstance(value, str):
            if "\x00" in value:
                raise self.condition.error("condition_unsupported", node)
            return _Part("text", literal(value, Text), written=value)
        if abs(value) > 2**31:
            raise self.condition.error("condition_unsupported", node)
        return _Part("number", literal(value), written=value)

    def _field(self, node: ast.expr, name: str) -> _Part:
        field: Field | None = FIELDS.get(name)
        if field is None:
            raise self.condition.error("condition_unknown_name", node, name=f"ticket.{name}")
        return _Part(field.kind, field.sql(self.now), field.values)

    def _call(self, node: ast.expr, called: ast.expr, args: list[ast.expr]) -> _Part:
        match called, args:
            case ast.Name(id="has"), [ast.Attribute(value=ast.Attribute()) as of]:
                return _Part("bool", answers.is_answered(self._part(of).key))
            case ast.Name(id="size"), [of]:
                return self._size(of)
            case ast.Attribute(value=of, attr="size"), []:
                return self._size(of)
            case ast.Name(id="duration" | "timestamp" as name), [ast.Constant(value=str(written))] if (
                len(written) <= 40
            ):
                return self._moment(node, name, written)
            case ast.Attribute(value=of, attr="contains" | "startsWith" | "endsWith" as name), [part]:
                return _Part("bool", self._held(node, name, self._text(self._part(of)), self._part(part)))
            case ((ast.Name(id=name) | ast.Attribute(attr=name)), _):
                code = "condition_unsupported" if name in (*_PARTS, "size", "duration", "timestamp") else None
                raise self.condition.error(code or "condition_unknown_name", node, name=f"{name}()")
        raise self.condition.error("condition_unsupported", node)

    def _text(self, part: _Part) -> _Part:
        """An answer where a text is asked for."""
        return _Part("text", answers.as_text(part.key)) if part.kind == "answer" else part

    def _size(self, of: ast.expr) -> _Part:
        part = self._text(self._part(of))
        if part.kind not in ("text", "tags"):
            raise self.condition.error("condition_wrong_kind", of)
        count = func.char_length if part.kind == "text" else func.jsonb_array_length
        return _Part("number", count(part.sql), fails=True)

    def _moment(self, node: ast.expr, name: str, written: str) -> _Part:
        """A span or an instant, read by the package that owns the language."""
        try:
            value = cel.evaluate(f"{name}(given)", {"given": written})
        except Exception:
            # The package raises whatever its parser did; all of it means the text.
            value = None
        if isinstance(value, timedelta) and abs(value) <= timedelta(days=36_500):
            return _Part("span", literal(value, Interval), written=value)
        if isinstance(value, datetime) and value.tzinfo is not None and 1900 <= value.year <= 9000:
            return _Part("time", literal(value, DateTime(timezone=True)), written=value)
        raise self.condition.error("condition_no_time", node)

    def _held(self, node: ast.expr, name: str, whole: _Part, part: _Part) -> ColumnElement[bool]:
        if part.kind != "text" or not isinstance(part.written, str):
            raise self.condition.error("condition_wrong_kind", node)
        if whole.kind == "tags" and name == "contains":
            return _has_tag(whole, part)
        if whole.kind != "text":
            raise self.condition.error("condition_wrong_kind", node)
        method = {"contains": "contains", "startsWith": "startswith", "endsWith": "endswith"}[name]
        held: ColumnElement[bool] = getattr(whole.sql, method)(part.written, autoescape=True)
        return held

    def _compared(self, node: ast.expr, left: ast.expr, op: ast.cmpop, right: ast.expr) -> ColumnElement[bool]:
        if isinstance(op, ast.In):
            return self._among(node, self._part(left), right)
        one, other = self._part(left), self._part(right)
        if isinstance(op, ast.Eq | ast.NotEq):
            same = self._same(node, one, other)
            return same if isinstance(op, ast.Eq) else not_(same)
        one, other = _number(one, beside=other), _number(other, beside=one)
        if one.kind != other.kind or one.kind not in ("number", "time", "span"):
            raise self.condition.error("condition_no_order", node)
        ordered: ColumnElement[bool] = _ORDERS[type(op)](one.sql, other.sql)
        return ordered

    def _among(self, node: ast.expr, one: _Part, right: ast.expr) -> ColumnElement[bool]:
        if isinstance(right, ast.List):
            others = [self._part(item) for item in right.elts]
            return reduce(or_, (self._same(node, one, other) for other in others), false())
        whole = self._part(right)
        if whole.kind == "map" and isinstance(one.written, str):
            return answers.is_answered(one.written)
        if whole.kind != "tags" or one.kind != "text" or not isinstance(one.written, str):
            raise self.condition.error("condition_wrong_kind", node)
        return _has_tag(whole, one)

    def _same(self, node: ast.expr, one: _Part, other: _Part) -> ColumnElement[bool]:
        if one.kind != "answer" and other.kind != "answer":
            self._check_alike(node, one, other)
            return _equal(one, other)
        answer, known = (one, other) if one.kind == "answer" else (other, one)
        if known.kind == "answer":
            return answers.equals_answer(answer.key, known.key)
        if known.written is not None and known.kind in ("text", "number", "bool"):
            return answers.equals(answer.key, known.written)
        if known.kind not in ("text", "number"):
            raise self.condition.error("condition_wrong_kind", node)
        return answers.equals_value(answer.key, known.kind, known.sql, fails=known.fails)

    def _check_alike(self, node: ast.expr, one: _Part, other: _Part) -> None:
        kinds = {one.kind, other.kind} - {"null"}
        if len(kinds) > 1 or kinds & {"tags", "map"} or (kinds == {"bool"} and one.kind != other.kind):
            raise self.condition.error("condition_wrong_kind", node)
        for field, value in ((one, other), (other, one)):
            if field.values and isinstance(value.written, str) and value.written not in field.values:
                raise self.condition.error("condition_unknown_value", node, value=value.written)


def _number(part: _Part, *, beside: _Part) -> _Part:
    """An answer beside a number is one, or an error; everything else stays what it is."""
    asked = part.kind == "answer" and beside.kind == "number"
    return _Part("number", answers.as_number(part.key), fails=True) if asked else part


def _equal(one: _Part, other: _Part) -> ColumnElement[bool]:
    """CEL's equality: null equals null and no value, so that the answer is only missing where a part failed."""
    if one.fails or other.fails or one.kind == "bool":
        plain: ColumnElement[bool] = one.sql == other.sql
        return plain
    same: ColumnElement[bool] = one.sql.is_not_distinct_from(other.sql)
    return same


def _has_tag(tags: _Part, tag: _Part) -> ColumnElement[bool]:
    held: ColumnElement[bool] = tags.sql.op("@>", is_comparison=True)(cast([tag.written], JSONB))
    return held


def check_condition(text: str) -> ConditionError | None:
    """What is wrong with a condition, None where nothing is."""
    try:
        condition_clause(text, datetime.max)
    except ConditionError as error:
        return error
    return None
