"""A macro as people fill it in, checked: texts per language with known places, changes that are possible."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import select

from portal.errors import FieldError, Invalid
from portal.lib.placeholders import FOR_CUSTOMERS, PLACEHOLDERS, unknown_places
from portal.models import CustomStatus, TicketCategory, TicketPriority, TicketStatus
from portal.models.session import TenantSession
from portal.services.tickets.desk import MAX_TAGS, TAG_LENGTH
from portal.services.tickets.queries import list_assignable
from portal.services.tickets.validation import TEXT_LENGTH, checked_text

NAME_LENGTH = 80
STAFF, CUSTOMER = "staff", "customer"
# Whoever uses the macro, and nobody: the two answers to "to whom" that are no person.
ME, NOBODY = "me", "none"


@dataclass(frozen=True)
class MacroForm:
    """`texts` by language; `actions` are field changes: status, custom_status, priority, assignee, add_tags."""

    name: str
    texts: Mapping[str, str] = field(default_factory=dict)
    actions: Mapping[str, Any] = field(default_factory=dict)
    categories: Sequence[str] = ()
    audience: str = STAFF
    shared: bool = True
    active: bool = True
    version: int | None = None


@dataclass(frozen=True)
class CheckedMacro:
    """The same, clean, ready to be stored."""

    name: str
    texts: dict[str, str]
    actions: dict[str, Any]
    categories: list[str]


def check_macro(session: TenantSession, form: MacroForm, *, locales: Sequence[str]) -> CheckedMacro:
    """The form's values as they are stored; raises Invalid with everything that is wrong with it."""
    errors: list[FieldError] = []
    name = " ".join(checked_text("name", form.name, limit=NAME_LENGTH, errors=errors).split())
    texts = _texts(form, locales, errors)
    actions = _actions(session, form, errors)
    known = set(session.scalars(select(TicketCategory.key)))
    if not known.issuperset(form.categories):
        errors.append(FieldError("categories", "unknown_category"))
    if not errors and not texts and not actions:
        errors.append(FieldError(f"text_{locales[0]}", "macro_empty"))
    if errors:
        raise Invalid(*errors)
    return CheckedMacro(name, texts, actions, sorted(set(form.categories)))


def _texts(form: MacroForm, locales: Sequence[str], errors: list[FieldError]) -> dict[str, str]:
    allowed = PLACEHOLDERS if form.audience == STAFF else FOR_CUSTOMERS
    texts: dict[str, str] = {}
    for locale in sorted(set(form.texts) - set(locales)):
        errors.append(FieldError(f"text_{locale}", "unknown_choice"))
    for locale in locales:
        name = f"text_{locale}"
        text = checked_text(name, form.texts.get(locale) or "", limit=TEXT_LENGTH, errors=errors, required=False)
        for place in unknown_places(text, allowed):
            where = (("name", place.name), ("line", place.line), ("column", place.column))
            errors.append(FieldError(name, "placeholder_unknown", where))
        if text:
            texts[locale] = text
    return texts


def _actions(session: TenantSession, form: MacroForm, errors: list[FieldError]) -> dict[str, Any]:
    given = {name: value for name, value in form.actions.items() if value not in (None, "", [], ())}
    if given and form.audience == CUSTOMER:
        errors.append(FieldError("status", "macro_no_actions"))
        return {}
    actions: dict[str, Any] = {}
    if "custom_status" in given:
        actions |= _own_status(session, str(given["custom_status"]), errors)
    elif "status" in given:
        _choose(actions, "status", str(given["status"]), set(TicketStatus) - {TicketStatus.CANCELLED}, errors)
    if "priority" in given:
        _choose(actions, "priority", str(given["priority"]), set(TicketPriority), errors)
    if "assignee" in given:
        people = {str(user_id) for user_id, _ in list_assignable(session)}
        _choose(actions, "assignee", str(given["assignee"]), people | {ME, NOBODY}, errors)
    if "add_tags" in given:
        tags = [checked_text("add_tags", str(tag), limit=TAG_LENGTH, errors=errors) for tag in given["add_tags"]]
        actions["add_tags"] = sorted(set(tags))
        if len(actions["add_tags"]) > MAX_TAGS:
            errors.append(FieldError("add_tags", "too_many", (("limit", MAX_TAGS),)))
    return actions


def _choose(actions: dict[str, Any], name: str, value: str, allowed: set[Any], errors: list[FieldError]) -> None:
    if value in allowed:
        actions[name] = value
    else:
        errors.append(FieldError(name, "unknown_choice"))


def _own_status(session: TenantSession, key: str, errors: list[FieldError]) -> dict[str, str]:
    known = session.scalar(select(CustomStatus.id).where(CustomStatus.key == key, CustomStatus.active))
    if known is None:
        errors.append(FieldError("status", "unknown_choice"))
        return {}
    return {"custom_status": key}


def assignee_of(actions: Mapping[str, Any], me: UUID | None) -> UUID | None:
    """Whom the changes give the ticket to; None is nobody."""
    chosen = actions.get("assignee")
    if chosen in (None, NOBODY):
        return None
    return me if chosen == ME else UUID(str(chosen))
