"""The form of a saved view: what it offers, what was typed, what the service takes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import MultiDict

from portal.admin.tickets import presenters as show
from portal.admin.tickets.address import QueueAddress
from portal.admin.tickets.columns import HEADS
from portal.blueprints import http
from portal.blueprints.localisation import current_locale, gettext
from portal.errors import FieldError, Invalid
from portal.lib.wording import N_
from portal.lib.wording.errors import error_text
from portal.lib.wording.tickets import PRIORITY, STATUS_FOR_STAFF
from portal.services.tickets.desk_terms import load_desk_terms
from portal.services.tickets.saved_views import COLUMNS, ORDERS, STANDARD_COLUMNS, SavedView, ViewForm
from portal.services.tickets.status_names import list_status_names
from portal.services.tickets.view_filters import ViewFilter

Args = MultiDict[str, str]
SPANS = ("due_hours", "created_days", "updated_days", "idle_days")
LISTS = ("status", "custom_status", "priority", "category", "assignee", "company", "sla")
SLA = {
    "breached": N_("Missed"),
    "due": N_("Running"),
    "paused": N_("Paused"),
    "none": N_("No promise"),
}
ORDER_NAMES = {
    "due": N_("Promise that is missed next first"),
    "-due": N_("Promise with most time first"),
    "-updated": N_("Newest activity first"),
    "updated": N_("Longest without activity first"),
    "-created": N_("Newest first"),
    "created": N_("Oldest first"),
    "-priority": N_("Priority, highest first"),
    "priority": N_("Priority, lowest first"),
    "status": N_("Status"),
    "-status": N_("Status, from the end"),
}
_LABELS = {
    "name": N_("Name"),
    "columns": N_("Columns"),
    "sort": N_("Order"),
    "status": N_("Status"),
    "custom_status": N_("Own status"),
    "priority": N_("Priority"),
    "category": N_("Category"),
    "assignee": N_("Assignee"),
    "company": N_("Customer"),
    "tags": N_("Tags"),
    "sla": N_("Promise"),
    "due_hours": N_("Due within hours"),
    "created_days": N_("Opened within days"),
    "updated_days": N_("Active within days"),
    "idle_days": N_("Without activity for days"),
    "text": N_("Words"),
    "condition": N_("Condition"),
}


@dataclass(frozen=True)
class FormErrors:
    """Sentences by field; those of no field stand under the empty name."""

    by_field: Mapping[str, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, error: Invalid) -> "FormErrors":
        """What a service refused, in the reader's language."""
        found: dict[str, list[str]] = {}
        for item in error.errors:
            found.setdefault(item.field, []).append(error_text(item.code, dict(item.params), gettext))
        return cls(found)

    def at(self, name: str) -> list[str]:
        """What is wrong with a field."""
        return self.by_field.get(name, [])

    def summary(self) -> list[tuple[str, str]]:
        """(field, sentence) for the top of the form."""
        return [
            (name, f"{gettext(_LABELS[name])}: {text}" if name in _LABELS else text)
            for name, texts in self.by_field.items()
            for text in texts
        ]


def read_form(sent: Args) -> ViewForm:
    """What was typed, for the service; raises Invalid about numbers that are none."""
    errors: list[FieldError] = []
    values: dict[str, Any] = {name: tuple(value for value in sent.getlist(name) if value) for name in LISTS}
    for name in SPANS:
        text = sent.get(name, "").strip()
        if text and not (text.isascii() and text.isdigit() and len(text) < 6):
            errors.append(FieldError(name, "not_a_number"))
        values[name] = int(text) if text and not errors else None
    if errors:
        raise Invalid(*errors)
    tags = tuple(tag.strip() for tag in sent.get("tags", "").split(",") if tag.strip())
    version = sent.get("version", "")
    return ViewForm(
        name=sent.get("name", ""),
        filter=ViewFilter(**values, tags=tags, text=sent.get("text", ""), condition=sent.get("condition", "")),
        columns=_columns(sent),
        sort=sent.get("sort", ""),
        shared=sent.get("shared") == "1",
        version=int(version) if version.isascii() and version.isdigit() and len(version) < 8 else None,
    )


def _columns(sent: Args) -> list[str]:
    """The chosen columns by their places; where two have one place, in the standing order."""
    chosen = [name for name in sent.getlist("columns") if name]

    def place(name: str) -> int:
        text = sent.get(f"place_{name}", "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else len(COLUMNS)

    return sorted(chosen, key=place)


def form_values(view: SavedView | None, sent: Args | None, args: Args) -> dict[str, Any]:
    """What the form's fields hold: what was typed, the stored view, or the filters of the queue's address."""
    if sent is not None:
        lists = {name: sent.getlist(name) for name in (*LISTS, "columns")}
        plain = {name: sent.get(name, "") for name in (*SPANS, "name", "tags", "text", "condition", "sort", "version")}
        places = {name: sent.get(f"place_{name}", "") for name in COLUMNS}
        return {**lists, **plain, "shared": sent.get("shared") == "1", "places": places}
    if view is None:
        return _values(ViewForm("", _asked_for(args)), version="")
    form = ViewForm(view.name, view.filter, view.columns, view.sort, view.shared)
    return _values(form, version=str(view.version))


def _asked_for(args: Args) -> ViewFilter:
    address = QueueAddress.read(args)
    return ViewFilter(
        status=tuple(status.value for status in address.status),
        priority=tuple(priority.value for priority in address.priority),
        category=address.category,
        assignee=(address.assignee,) if address.assignee else (),
        company=(str(address.company),) if address.company else (),
        text=address.q,
    )


def _values(form: ViewForm, *, version: str) -> dict[str, Any]:
    columns = form.columns or STANDARD_COLUMNS
    values: dict[str, Any] = dict(vars(form.filter))
    values |= {name: "" if values[name] is None else values[name] for name in SPANS}
    places = {name: columns.index(name) + 1 for name in columns}
    return values | {
        "name": form.name,
        "tags": ", ".join(form.filter.tags),
        "columns": columns,
        "places": places,
        "sort": form.sort,
        "shared": form.shared,
        "version": version,
    }


def form_choices() -> dict[str, Any]:
    """What can be chosen; by two statements."""
    terms = load_desk_terms(http.session())
    locale = current_locale()
    people = [("me", gettext("Me")), ("none", gettext("Nobody"))]
    return {
        "status": [(key, gettext(label)) for key, label in STATUS_FOR_STAFF.items()],
        "custom_status": list_status_names(http.session(), locale=locale),
        "priority": [(key, gettext(label)) for key, label in PRIORITY.items()],
        "category": show.category_choices(terms, locale),
        "assignee": people + [(str(id_), name) for id_, name in terms.team],
        "sla": [(key, gettext(label)) for key, label in SLA.items()],
        "columns": [(name, gettext(HEADS[name][0])) for name in COLUMNS],
        "sort": [(key, gettext(ORDER_NAMES[key])) for key in ORDERS],
        "places": [("", "–"), *((place, str(place)) for place in range(1, len(COLUMNS) + 1))],
    }
