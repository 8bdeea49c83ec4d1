"""What a category asks on the form of new tickets, and what was answered on a ticket's pages."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from babel.numbers import format_decimal
from flask import render_template
from flask.typing import ResponseReturnValue

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.localisation import current_locale, format_day, gettext
from portal.blueprints.policies import permission
from portal.blueprints.tickets.blueprint import bp
from portal.lib.i18n import babel_locale
from portal.services.tickets.field_answers import ANSWER_LENGTH, FieldAnswer, name_in, read_answers

PREFIX = "field_"
_NUMBER_LENGTH = 20


def typed_answers(form: Mapping[str, str]) -> dict[str, str]:
    """The answers on a form that was sent; those to another category's questions are left out."""
    if form.get("questions_of", "") != form.get("category", ""):
        return {}
    return {name.removeprefix(PREFIX): value for name, value in form.items() if name.startswith(PREFIX)}


def shown_questions(
    fields: Iterable[Mapping[str, Any]], form: Mapping[str, str], errors: Mapping[str, str]
) -> list[dict[str, Any]]:
    """A category's questions for the form, with what was typed and what is wrong with it."""
    locale, fallback = current_locale(), http.tenant().locale
    shown = []
    for field in fields:
        name = f"{PREFIX}{field['key']}"
        options = [
            (option["key"], name_in(option["names"], option["key"], locale, fallback)) for option in field["options"]
        ]
        shown.append(
            {
                "name": name,
                "kind": field["kind"],
                "label": name_in(field["names"], field["key"], locale, fallback),
                "required": field["required"],
                "options": [("", gettext("Please choose")), *options],
                "value": form.get(name, ""),
                "errors": [errors[name]] if name in errors else [],
                "length": ANSWER_LENGTH if field["kind"] == "text" else _NUMBER_LENGTH,
            }
        )
    return shown


def told_answers(answers: Sequence[FieldAnswer]) -> list[tuple[str, str]]:
    """Questions and answers as their reader writes them."""
    return [(answer.name, _told(answer)) for answer in answers]


def _told(answer: FieldAnswer) -> str:
    if answer.kind == "number":
        return str(format_decimal(answer.value, locale=babel_locale(current_locale())))
    return format_day(date.fromisoformat(str(answer.value))) if answer.kind == "date" else str(answer.value)


@bp.get("/<uuid:ticket_id>/answers")
@permission(Permission.TICKETS_READ)
def answers(ticket_id: UUID) -> ResponseReturnValue:
    """What was answered when the ticket was opened: a part of its page, and a page without scripts."""
    found = read_answers(
        http.session(), ticket_id, locale=current_locale(), fallback=http.tenant().locale, actor=http.actor()
    )
    template = "tickets/_answers.html" if http.wants_fragment() else "tickets/answers.html"
    return render_template(template, ticket_id=ticket_id, answers=told_answers(found))
