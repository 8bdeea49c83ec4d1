"""From what was sent to a checked body or query, and from pydantic's complaints to our codes."""

from collections.abc import Sequence
from typing import Any, TypeVar, get_origin

from annotated_types import Ge, Le
from flask import request
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from portal.blueprints.api.strict_json import field_name, forbidden_text, parse_json
from portal.errors import FieldError, Invalid
from portal.lib.wording.errors import MESSAGES

Checked = TypeVar("Checked", bound=BaseModel)
MAX_BODY_BYTES = 512 * 1024
_CODES = {
    "missing": "required",
    "string_too_short": "required",
    "extra_forbidden": "unknown_field",
    "enum": "unknown_choice",
    "literal_error": "unknown_choice",
    "uuid_parsing": "not_an_id",
    "uuid_type": "not_an_id",
    "int_type": "not_a_number",
    "int_parsing": "not_a_number",
}


def read_body(*, optional: bool) -> Any:
    """The JSON value of the request; `optional` takes no body at all for `{}`.

    Raises UnsupportedMediaType, RequestEntityTooLarge and DomainError (see `parse_json`).
    """
    request.max_content_length = MAX_BODY_BYTES
    declared = request.headers.get("Content-Type")
    if declared is None and optional and not _raw_body():
        return {}
    if request.mimetype != "application/json":
        raise UnsupportedMediaType
    raw = _raw_body()
    return {} if optional and not raw else parse_json(raw)


def _raw_body() -> bytes:
    raw = request.get_data(cache=True)
    if len(raw) >= MAX_BODY_BYTES:
        # Without a Content-Length the stream just ends at the limit.
        raise RequestEntityTooLarge
    return raw


def check_body(model: type[Checked], value: Any) -> Checked:
    """`value` as `model`; raises Invalid with an error per field."""
    return _check(model, value, forbidden_text(value))


def read_query(model: type[Checked]) -> Checked:
    """The parameters of the address as `model`; raises Invalid with an error per parameter.

    A list takes its name several times, values with commas between them, or both.
    """
    values: dict[str, Any] = {}
    errors: list[FieldError] = []
    for name, given in request.args.lists():
        field = model.model_fields.get(name)
        if field is not None and _is_list(field):
            values[name] = [part for one in given for part in one.split(",")]
        elif len(given) > 1:
            errors.append(FieldError(field_name((name,)), "given_twice"))
        else:
            values[name] = given[0]
    return _check(model, values, errors + forbidden_text(values))


def _is_list(field: FieldInfo) -> bool:
    return get_origin(field.annotation) in (list, tuple)


def _check(model: type[Checked], value: Any, errors: Sequence[FieldError]) -> Checked:
    found = {error.field: error for error in reversed(errors)}
    try:
        checked = model.model_validate(value)
    except ValidationError as error:
        for details in error.errors(include_url=False, include_context=True, include_input=False):
            one = _field_error(model, details)
            found.setdefault(one.field, one)
        raise Invalid(*found.values()) from None
    if found:
        raise Invalid(*found.values())
    return checked


def _field_error(model: type[BaseModel], details: ErrorDetails) -> FieldError:
    kind, context = details["type"], details.get("ctx", {})
    name = field_name(details["loc"])
    if kind in ("string_too_long", "too_long"):
        code = "too_long" if kind == "string_too_long" else "too_many"
        return FieldError(name, code, (("limit", context["max_length"]),))
    if kind in ("greater_than_equal", "less_than_equal"):
        return FieldError(name, "out_of_range", _bounds(model, details["loc"], context))
    if kind in MESSAGES:
        return FieldError(name, kind)
    return FieldError(name, _CODES.get(kind, "wrong_type"))


def _bounds(
    model: type[BaseModel], place: tuple[int | str, ...], passed: dict[str, Any]
) -> tuple[tuple[str, Any], ...]:
    """Both ends of a field's range; pydantic names only the one that was passed, which must do for items of lists."""
    field = _field_at(model, place)
    rules = field.metadata if field else ()
    low = next((rule.ge for rule in rules if isinstance(rule, Ge)), passed.get("ge", 0))
    high = next((rule.le for rule in rules if isinstance(rule, Le)), passed.get("le", 0))
    return (("low", low), ("high", high))


def _field_at(model: type[BaseModel], place: tuple[int | str, ...]) -> FieldInfo | None:
    """The field of a model or of one within it, by names from the outside in."""
    found = model.model_fields.get(str(place[0]))
    if found is None or len(place) == 1:
        return found
    inner = found.annotation
    return _field_at(inner, place[1:]) if isinstance(inner, type) and issubclass(inner, BaseModel) else None
