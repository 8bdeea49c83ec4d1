"""What a category asks for: the fields of the new-ticket form as staff set them up."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from portal.errors import FieldError
from portal.services.tickets.names import checked_names, free_key

KINDS = ("text", "choice", "number", "date")
MOST_FIELDS = 12
MOST_OPTIONS = 40
KEY_LENGTH = 40
_KEY = re.compile(r"[a-z0-9][a-z0-9_]{0,39}")


@dataclass(frozen=True)
class OptionForm:
    """One value of a choice; a new one has no key yet."""

    names: Mapping[str, str]
    key: str = ""


@dataclass(frozen=True)
class FieldForm:
    """A question as staff edit it: `names` by language, `options` for choices alone; a new one has no key yet."""

    kind: str
    names: Mapping[str, str]
    required: bool = False
    options: tuple[OptionForm, ...] = ()
    key: str = ""


def forms_of(stored: Sequence[Mapping[str, Any]]) -> tuple[FieldForm, ...]:
    """The stored fields as they are edited."""
    return tuple(
        FieldForm(
            kind=field["kind"],
            names=field["names"],
            required=field["required"],
            options=tuple(OptionForm(option["names"], option["key"]) for option in field["options"]),
            key=field["key"],
        )
        for field in stored
    )


def checked_fields(
    given: Sequence[FieldForm], locales: Sequence[str], main_locale: str, errors: list[FieldError]
) -> list[dict[str, Any]]:
    """The fields as they are stored; what is wrong is added to `errors`, about `fields.<place>.<part>`.

    Keys stay, so that answers given before keep their names; new fields and options get one from their name.
    """
    if len(given) > MOST_FIELDS:
        errors.append(FieldError("fields", "too_many", (("limit", MOST_FIELDS),)))
        return []
    stored: list[dict[str, Any]] = []
    taken = {form.key for form in given if form.key}
    for place, form in enumerate(given):
        where = f"fields.{place}"
        _check_key(form.key, [other.key for other in given], where, errors)
        names = checked_names(f"{where}.name", form.names, locales, main_locale, errors)
        if form.kind not in KINDS:
            errors.append(FieldError(f"{where}.kind", "unknown_choice"))
        key = form.key or free_key(_word(names, main_locale), taken, fallback="field", limit=KEY_LENGTH)
        taken.add(key)
        options = _checked_options(form, where, locales, main_locale, errors)
        stored.append({"key": key, "kind": form.kind, "names": names, "required": form.required, "options": options})
    if len({field["names"].get(main_locale, field["key"]).casefold() for field in stored}) < len(stored):
        errors.append(FieldError("fields", "name_taken"))
    return stored


def _checked_options(
    form: FieldForm, where: str, locales: Sequence[str], main_locale: str, errors: list[FieldError]
) -> list[dict[str, Any]]:
    if form.kind != "choice":
        return []
    if not form.options:
        errors.append(FieldError(f"{where}.options", "required"))
    if len(form.options) > MOST_OPTIONS:
        errors.append(FieldError(f"{where}.options", "too_many", (("limit", MOST_OPTIONS),)))
        return []
    taken = {option.key for option in form.options if option.key}
    stored: list[dict[str, Any]] = []
    for place, option in enumerate(form.options):
        _check_key(option.key, [other.key for other in form.options], f"{where}.options", errors)
        wrong: list[FieldError] = []
        names = checked_names(f"{where}.options.{place}", option.names, locales, main_locale, wrong)
        errors.extend(FieldError(f"{where}.options", error.code, error.params) for error in wrong)
        key = option.key or free_key(_word(names, main_locale), taken, fallback="option", limit=KEY_LENGTH)
        taken.add(key)
        stored.append({"key": key, "names": names})
    return stored


def _check_key(key: str, every: Sequence[str], where: str, errors: list[FieldError]) -> None:
    if key and (not _KEY.fullmatch(key) or every.count(key) > 1):
        errors.append(FieldError(f"{where}.key" if where.count(".") == 1 else where, "unknown_choice"))


def _word(names: Mapping[str, str], main_locale: str) -> str:
    return names.get("en") or names.get(main_locale, "")
