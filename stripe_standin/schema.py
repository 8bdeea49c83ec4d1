"""What the installed SDK says about parameters and objects, read from its source: nothing of it is imported."""

import ast
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from stripe_standin.errors import ParameterError

Fields = dict[str, ast.expr]


@cache
def sdk() -> Path:
    """The folder of the installed SDK."""
    spec = find_spec("stripe")
    assert spec
    assert spec.origin
    return Path(spec.origin).parent


@cache
def api_version() -> str:
    """The version of the API that the SDK was made for."""
    found = re.search(r'CURRENT = "([^"]+)"', (sdk() / "_api_version.py").read_text(encoding="utf-8"))
    assert found
    return found[1]


@cache
def _classes(path: str) -> dict[str, Fields]:
    tree = ast.parse((sdk() / path).read_text(encoding="utf-8"))
    return {node.name: _annotations(node) for node in tree.body if isinstance(node, ast.ClassDef)}


def _annotations(node: ast.ClassDef) -> Fields:
    return {
        line.target.id: line.annotation
        for line in node.body
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name) and line.target.id[0] != "_"
    }


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


@cache
def response_fields(kind: str) -> dict[str, bool]:
    """Top-level fields of an object such as `checkout.session`; True for those that are never null."""
    folder, _, name = kind.rpartition(".")
    fields = _classes(f"{folder}/_{name}.py" if folder else f"_{name}.py")[_camel(name)]
    return {field: not ast.unparse(told).startswith("Optional") for field, told in fields.items()}


def check_params(name: str, given: dict[str, Any]) -> dict[str, Any]:
    """Decoded parameters of an endpoint such as `checkout/session_create`, typed; ParameterError where they fail."""
    folder, _, last = name.rpartition("/")
    path = f"params/{folder}/_{last}_params.py" if folder else f"params/_{last}_params.py"
    return _Checker(_classes(path)).fields(_camel(last) + "Params", given, "")


class _Checker:
    """Compares a tree of strings with the annotations of one file."""

    def __init__(self, classes: dict[str, Fields]) -> None:
        self._classes = classes

    def fields(self, name: str, given: dict[str, Any], path: str) -> dict[str, Any]:
        known = self._classes[name]
        for field, told in known.items():
            required = not ast.unparse(told).startswith("NotRequired")
            if required and field not in given:
                at = _join(path, field)
                raise ParameterError(f"Missing required param: {at}.", "parameter_missing", at)
        checked = {}
        for field, value in given.items():
            at = _join(path, field)
            if field == "payment_method_types":
                raise ParameterError(
                    "payment_method_types is no longer supported.", "payment_method_types_no_longer_supported", at
                )
            if field not in known:
                raise ParameterError(f"Received unknown parameter: {at}", "parameter_unknown", at)
            checked[field] = self.value(known[field], value, at)
        return checked

    def value(self, told: ast.expr, value: Any, at: str) -> Any:
        """The value as the annotation has it."""
        choices = list(_alternatives(told))
        if value == "" and any(isinstance(one, ast.Constant) and one.value == "" for one in choices):
            return ""
        if isinstance(value, dict):
            return self._hash(choices, value, at)
        if isinstance(value, list):
            for one in choices:
                if isinstance(one, ast.Subscript) and _called(one) == "List":
                    return [self.value(one.slice, part, f"{at}[{number}]") for number, part in enumerate(value)]
            raise ParameterError(f"Invalid array: {at}", None, at)
        return _scalar(choices, value, at)

    def _hash(self, choices: list[ast.expr], value: dict[str, Any], at: str) -> dict[str, Any]:
        for one in choices:
            if isinstance(one, ast.Name) and one.id in self._classes:
                return self.fields(one.id, value, at)
            if _called(one) == "Dict":
                return {name: str(part) for name, part in value.items()}
        raise ParameterError(f"Invalid object: {at}", None, at)


def _alternatives(told: ast.expr) -> list[ast.expr]:
    """What an annotation allows, one by one; literals as constants."""
    if isinstance(told, ast.Constant) and isinstance(told.value, str):
        return _alternatives(ast.parse(told.value, mode="eval").body)
    if isinstance(told, ast.BinOp):
        return _alternatives(told.left) + _alternatives(told.right)
    called = _called(told)
    if called in ("NotRequired", "Optional", "Union") and isinstance(told, ast.Subscript):
        parts = told.slice.elts if isinstance(told.slice, ast.Tuple) else [told.slice]
        return [one for part in parts for one in _alternatives(part)]
    if called == "Literal" and isinstance(told, ast.Subscript):
        return list(told.slice.elts) if isinstance(told.slice, ast.Tuple) else [told.slice]
    return [told]


def _called(told: ast.expr) -> str | None:
    return told.value.id if isinstance(told, ast.Subscript) and isinstance(told.value, ast.Name) else None


def _scalar(choices: list[ast.expr], value: Any, at: str) -> Any:
    names = {one.id for one in choices if isinstance(one, ast.Name)}
    words = [one.value for one in choices if isinstance(one, ast.Constant) and one.value != ""]
    if value in words:
        return value
    if "bool" in names and value in ("true", "false"):
        return value == "true"
    if "int" in names and re.fullmatch(r"-?\d{1,15}", str(value)):
        return int(value)
    if words:
        raise ParameterError(f"Invalid {at}: must be one of {', '.join(map(str, words))}", None, at)
    if names & {"str", "Decimal", "float"}:
        return str(value)
    if "int" in names:
        raise ParameterError(f"Invalid integer: {value}", "parameter_invalid_integer", at)
    raise ParameterError(f"Invalid {'boolean' if 'bool' in names else 'object'}: {at}", None, at)


def _join(path: str, field: str) -> str:
    return f"{path}[{field}]" if path else field
