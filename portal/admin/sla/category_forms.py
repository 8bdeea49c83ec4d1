"""The form of a category: its names, and the questions that new tickets of it are asked."""

from collections.abc import Sequence
from typing import Any

from flask import request
from flask_babel import lazy_gettext
from wtforms import BooleanField, FieldList, Form, FormField, HiddenField, SelectField, StringField, TextAreaField

from portal.blueprints import http
from portal.blueprints.localisation import gettext
from portal.errors import FieldError, Invalid
from portal.lib.wording.errors import error_text
from portal.models import TicketCategory
from portal.services.tickets.categories import CategoryForm
from portal.services.tickets.category_fields import MOST_FIELDS, FieldForm, OptionForm, forms_of


class CategoryBase(Form):
    """What every category has; names are added per language, and the questions in them."""

    questions: Any
    active = BooleanField(lazy_gettext("In use"), default=True)

    def read(self, category: TicketCategory | None) -> CategoryForm:
        """What the service takes."""
        known = {form.key: form for form in forms_of(category.fields if category else [])}
        return CategoryForm(
            names={locale: self[f"name_{locale}"].data or "" for locale in http.tenant().locales},
            active=bool(self.active.data),
            fields=tuple(_read_question(entry.form, known) for entry in self.questions),
        )

    def change(self, wish: str) -> None:
        """Add a question, take one away, or have one asked earlier; other wishes change nothing."""
        action, _, place = wish.partition("-question-")
        kept = [entry.data for entry in self.questions]
        index = int(place) if place.isascii() and place.isdigit() and len(place) < 3 else -1
        if wish == "add-question" and len(kept) < MOST_FIELDS:
            kept.append({"kind": "text"})
        elif action == "drop" and 0 <= index < len(kept):
            del kept[index]
        elif action == "up" and 0 < index < len(kept):
            kept[index - 1], kept[index] = kept[index], kept[index - 1]
        # WTForms' lists only lose their last entry, so all are filled in anew.
        while self.questions.entries:
            self.questions.pop_entry()
        self.questions.last_index = -1
        for data in kept:
            self.questions.append_entry(data)

    def show(self, error: Invalid) -> Invalid:
        """Put what is wrong with questions beside them; what is left is for the form's other fields."""
        left: list[FieldError] = []
        for item in error.errors:
            head, _, rest = item.field.partition(".")
            place, _, part = rest.partition(".")
            if head != "fields" or not place:
                left.append(FieldError("questions" if head == "fields" else item.field, item.code, item.params))
                continue
            form = self.questions[int(place)].form
            field = form[part] if part in form._fields else form[f"name_{http.tenant().locale}"]
            if part == "options":
                field = form[f"options_{http.tenant().locale}"]
            field.errors = [*field.errors, error_text(item.code, dict(item.params), gettext)]
            left.append(FieldError("questions", "question_invalid", (("number", int(place) + 1),)))
        return Invalid(*dict.fromkeys(left))


def build_form(category: TicketCategory | None) -> Any:
    """The form of a category, or of a new one; filled with what was sent where something was."""
    locales = http.tenant().locales
    question: dict[str, Any] = {
        "key": HiddenField(),
        "kind": SelectField(validate_choice=False),
        "required": BooleanField(),
    }
    for locale in locales:
        question[f"name_{locale}"] = StringField()
        question[f"options_{locale}"] = TextAreaField()
    fields: dict[str, Any] = {f"name_{locale}": StringField() for locale in locales}
    fields["questions"] = FieldList(FormField(type("QuestionForm", (Form,), question)), max_entries=MOST_FIELDS + 5)
    kind = type("CategoryEditForm", (CategoryBase,), fields)
    if request.method == "POST":
        return kind(request.form)
    if category is None:
        return kind()
    names = {f"name_{locale}": category.names.get(locale, "") for locale in locales}
    questions = [_shown(form, locales) for form in forms_of(category.fields)]
    return kind(data={"active": category.active, "questions": questions, **names})


def _shown(form: FieldForm, locales: Sequence[str]) -> dict[str, Any]:
    shown: dict[str, Any] = {"key": form.key, "kind": form.kind, "required": form.required}
    for locale in locales:
        shown[f"name_{locale}"] = form.names.get(locale, "")
        lines = [option.names.get(locale, "") for option in form.options]
        shown[f"options_{locale}"] = "\n".join(lines).rstrip("\n")
    return shown


def _read_question(form: Any, known: dict[str, FieldForm]) -> FieldForm:
    locales = http.tenant().locales
    key = form.key.data or ""
    stored = known.get(key)
    return FieldForm(
        kind=form.kind.data or "",
        names={locale: form[f"name_{locale}"].data or "" for locale in locales},
        required=bool(form.required.data),
        options=_read_options(form, stored.options if stored else ()),
        key=key if stored else "",
    )


def _read_options(form: Any, stored: Sequence[OptionForm]) -> tuple[OptionForm, ...]:
    """A line is an option; the same line of another language is its name there.

    An option keeps its key by its name, and in a list of the same length by its place: that one was renamed.
    """
    main = http.tenant().locale
    columns = {locale: (form[f"options_{locale}"].data or "").splitlines() for locale in http.tenant().locales}
    lines = [(place, line.strip()) for place, line in enumerate(columns[main]) if line.strip()]
    by_name = {option.names.get(main, "").casefold(): option.key for option in stored}
    keys = [by_name.pop(line.casefold(), "") for _, line in lines]
    if len(lines) == len(stored):
        free = set(by_name.values())
        keys = [key or (stored[n].key if stored[n].key in free else "") for n, key in enumerate(keys)]
    options = []
    for (place, _), key in zip(lines, keys, strict=True):
        names = {locale: column[place] for locale, column in columns.items() if place < len(column)}
        options.append(OptionForm(names, key))
    return tuple(options)
