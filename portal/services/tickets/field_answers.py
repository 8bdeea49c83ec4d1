"""What customers answer to the fields of a category: checked when a ticket is opened, read on its pages."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select

from portal.authz import Actor
from portal.errors import FieldError
from portal.models import TicketCategory
from portal.models.session import TenantSession
from portal.services.tickets.queries import get_ticket
from portal.services.tickets.validation import checked_text

FIELD = "custom_fields"
ANSWER_LENGTH = 500
_NUMBER = re.compile(r"[+-]?\d{1,12}(?:[.,]\d{1,6})?", re.ASCII)

Answer = str | int | float


@dataclass(frozen=True)
class FieldAnswer:
    """An answer with its question in the reader's language; numbers and dates as they are stored."""

    key: str
    kind: str
    name: str
    value: Answer


def checked_answers(
    fields: Sequence[Mapping[str, Any]], given: Mapping[str, Any], errors: list[FieldError]
) -> dict[str, Answer]:
    """The answers as they are stored: texts, keys of options, numbers, days as 2026-11-21.

    What is wrong is added to `errors`, about `custom_fields.<key>`; empty answers count as none.
    """
    known = {str(field["key"]) for field in fields}
    for key in given:
        if key not in known:
            errors.append(FieldError(f"{FIELD}.{key[:40]}", "unknown_field"))
    answers: dict[str, Answer] = {}
    for field in fields:
        key = str(field["key"])
        value = given.get(key)
        if value is None or (isinstance(value, str) and not value.strip()):
            if field["required"]:
                errors.append(FieldError(f"{FIELD}.{key}", "required"))
            continue
        answer = _checked(field, value, f"{FIELD}.{key}", errors)
        if answer is not None:
            answers[key] = answer
    return answers


def _checked(field: Mapping[str, Any], value: Any, where: str, errors: list[FieldError]) -> Answer | None:
    kind = field["kind"]
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        errors.append(FieldError(where, "wrong_type"))
        return None
    if kind == "number":
        return _number(value, where, errors)
    if not isinstance(value, str):
        errors.append(FieldError(where, "wrong_type"))
        return None
    if kind == "text":
        return " ".join(checked_text(where, value, limit=ANSWER_LENGTH, errors=errors).split())
    if kind == "choice":
        if value in {option["key"] for option in field["options"]}:
            return value
        errors.append(FieldError(where, "unknown_choice"))
        return None
    return _day(value, where, errors)


def _number(value: Answer, where: str, errors: list[FieldError]) -> Answer | None:
    text = value.strip() if isinstance(value, str) else f"{value:f}" if isinstance(value, float) else str(value)
    if not _NUMBER.fullmatch(text):
        errors.append(FieldError(where, "number_invalid"))
        return None
    number = float(text.replace(",", "."))
    return int(number) if number.is_integer() else number


def _day(value: str, where: str, errors: list[FieldError]) -> str | None:
    try:
        if len(value.strip()) != len("2026-11-21"):
            raise ValueError
        return date.fromisoformat(value.strip()).isoformat()
    except ValueError:
        errors.append(FieldError(where, "date_invalid"))
        return None


def read_answers(
    session: TenantSession, ticket_id: UUID, *, locale: str, fallback: str, actor: Actor
) -> list[FieldAnswer]:
    """A ticket's answers in the order of its category's form, those of earlier forms last. Raises NotFound.

    A field or an option that is gone keeps its key, made readable.
    """
    ticket = get_ticket(session, ticket_id, actor=actor)
    answers: dict[str, Answer] = dict(ticket.custom_fields)
    if not answers:
        return []
    rows = session.execute(select(TicketCategory.key, TicketCategory.fields))
    forms = sorted(rows, key=lambda row: row.key != ticket.category)
    told: list[FieldAnswer] = []
    for field in (field for _, fields in forms for field in fields):
        if field["key"] in answers:
            value = answers.pop(field["key"])
            told.append(FieldAnswer(field["key"], field["kind"], *_told(field, value, locale, fallback)))
    told.extend(FieldAnswer(key, "text", _readable(key), value) for key, value in sorted(answers.items()))
    return told


def name_in(names: Mapping[str, str], key: str, locale: str, fallback: str) -> str:
    """A name in `locale`, else in the tenant's language, else the key made readable."""
    return names.get(locale) or names.get(fallback) or _readable(key)


def _told(field: Mapping[str, Any], value: Answer, locale: str, fallback: str) -> tuple[str, Answer]:
    name = name_in(field["names"], field["key"], locale, fallback)
    for option in field["options"]:
        if option["key"] == value:
            return name, name_in(option["names"], option["key"], locale, fallback)
    return name, value


def _readable(key: str) -> str:
    return key.replace("_", " ").capitalize()
