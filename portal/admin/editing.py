"""Forms of the back office: shown, sent to a service, shown again with what it refuses."""

from abc import abstractmethod
from typing import Any

from flask import flash, request
from flask.typing import ResponseReturnValue
from wtforms import Form

from portal.admin.base import ServiceModelView, route
from portal.blueprints import http
from portal.blueprints.localisation import gettext
from portal.errors import Invalid
from portal.lib.wording.errors import error_text


class EditableModelView(ServiceModelView):
    """A list whose records are also created and changed; `routes` names the pages of both that exist."""

    @abstractmethod
    def save(self, form: Any, record: Any | None) -> Any:
        """Have a service create (record None) or change; raises Invalid."""

    @route("/new/", methods=("GET", "POST"))
    def create_view(self) -> ResponseReturnValue:
        """The form for a new record."""
        return self._edit(self.create_form(), None)

    @route("/edit/", methods=("GET", "POST"))
    def edit_view(self) -> ResponseReturnValue:
        """The form for an existing record."""
        record = self.get_one(request.args.get("id"))
        return self._edit(self.edit_form(record), record)

    def _edit(self, form: Form, record: Any | None) -> ResponseReturnValue:
        if request.method == "POST" and self.prepare(form) and form.validate():
            try:
                self.save(form, record)
            except Invalid as error:
                http.session().rollback()
                show_errors(form, error)
            else:
                http.commit()
                flash(gettext("Saved"), "ok")
                return http.see_other(f"{self.endpoint}.index_view")
        status = 422 if form.errors else 200
        template = self.edit_template if record is not None else self.create_template
        return self.render(template, form=form, model=record, form_errors=error_list(form), **self.choices()), status

    def prepare(self, form: Any) -> bool:
        """Do what a button other than Save asks for; False keeps the form open."""
        return True

    def choices(self) -> dict[str, Any]:
        """What the form's template needs besides the form."""
        return {}


def show_errors(form: Form, error: Invalid) -> None:
    """Put a service's refusals beside the form's fields; those of no field go to the form itself."""
    for item in error.errors:
        text = error_text(item.code, dict(item.params), gettext)
        if item.field in form._fields:
            field = form[item.field]
            field.errors = [*field.errors, text]
        else:
            form.form_errors.append(text)


def error_list(form: Form) -> list[tuple[str, str]]:
    """(field id, text) for the summary on top of a form."""
    found: list[tuple[str, str]] = []
    for name, errors in form.errors.items():
        field = form._fields.get(name) if name is not None else None
        found.extend((field.id if field is not None else "", text) for text in _texts(errors))
    return found


def _texts(errors: Any) -> list[str]:
    """The sentences in WTForms' nested lists and mappings of errors."""
    if isinstance(errors, dict):
        return [text for nested in errors.values() for text in _texts(nested)]
    if isinstance(errors, (list, tuple)):
        return [text for nested in errors for text in _texts(nested)]
    return [str(errors)]
