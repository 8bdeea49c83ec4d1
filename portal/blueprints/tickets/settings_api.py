"""The desk's settings for programs of the team: categories with their questions, own statuses' history, mail texts."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from flask import Blueprint, current_app

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.api.operations import operation
from portal.blueprints.api.schemas import NoBody
from portal.blueprints.policies import permission
from portal.blueprints.tickets.answer_schemas import OwnStatuses, OwnStatusShape
from portal.blueprints.tickets.settings_schemas import (
    CategoryPatch,
    CategoryRequest,
    MailTexts,
    MailTextShape,
    MailTextsRequest,
    StaffCategories,
    StaffCategory,
)
from portal.blueprints.tickets.version_schemas import Versions
from portal.blueprints.tickets.views_api import MoveRequest
from portal.errors import NotFound
from portal.services.notifications.mail_words import (
    KINDS,
    find_words,
    list_word_versions,
    list_words,
    restore_words,
    save_words,
)
from portal.services.tenants.config_versions import list_versions
from portal.services.tickets import custom_statuses
from portal.services.tickets.categories import (
    RECORD,
    CategoryForm,
    get_category,
    move_category,
    restore_category,
    save_category,
)
from portal.services.tickets.category_fields import forms_of
from portal.services.tickets.queries import list_categories

bp = Blueprint("desk_settings_api", __name__, url_prefix="/api/v1/staff")


def _who() -> dict[str, Any]:
    return {"actor": http.actor(), "now": http.now()}


def _languages() -> dict[str, Any]:
    return {"locales": http.tenant().locales, "main_locale": http.tenant().locale}


@bp.get("/ticket-categories")
@permission(Permission.SLA_READ)
@operation("List categories for the team", answer=StaffCategories)
def categories() -> StaffCategories:
    """In the tenant's order, each with what it asks of new tickets."""
    return _categories()


@bp.post("/ticket-categories")
@permission(Permission.SLA_CONFIGURE)
@operation("Make a category", body=CategoryRequest, answer=StaffCategory, status=201)
def make_category(body: CategoryRequest) -> StaffCategory:
    """It comes last; the tenant's own language needs a name."""
    form = CategoryForm(body.names, body.active, tuple(field.form() for field in body.fields))
    return StaffCategory.of(save_category(http.session(), None, form=form, **_languages(), **_who()))


@bp.patch("/ticket-categories/<uuid:category_id>")
@permission(Permission.SLA_CONFIGURE)
@operation("Change a category", body=CategoryPatch, answer=StaffCategory)
def change_category(category_id: UUID, body: CategoryPatch) -> StaffCategory:
    """Replaces the named parts; each change is a version."""
    row = get_category(http.session(), category_id)
    form = CategoryForm(row.names, row.active, forms_of(row.fields))
    given: dict[str, Any] = {name: getattr(body, name) for name in body.model_fields_set}
    if "fields" in given:
        given["fields"] = tuple(field.form() for field in body.fields)
    saved = save_category(http.session(), category_id, form=replace(form, **given), **_languages(), **_who())
    return StaffCategory.of(saved)


@bp.post("/ticket-categories/<uuid:category_id>/move")
@permission(Permission.SLA_CONFIGURE)
@operation("Move a category", body=MoveRequest, answer=StaffCategories)
def move_one_category(category_id: UUID, body: MoveRequest) -> StaffCategories:
    """One place up or down; at the ends nothing happens."""
    move_category(http.session(), category_id, up=body.direction == "up", **_who())
    return _categories()


def _categories() -> StaffCategories:
    http.session().flush()
    rows = list_categories(http.session(), include_inactive=True)
    return StaffCategories(items=[StaffCategory.of(row) for row in rows])


@bp.get("/ticket-categories/<uuid:category_id>/versions")
@permission(Permission.SLA_READ)
@operation("List a category's versions", answer=Versions)
def category_versions(category_id: UUID) -> Versions:
    """Who saved what when."""
    get_category(http.session(), category_id)
    return Versions.of_rows(list_versions(http.session(), RECORD, category_id))


@bp.post("/ticket-categories/<uuid:category_id>/versions/<int:version>/restore")
@permission(Permission.SLA_CONFIGURE)
@operation("Go back to a category's version", body=NoBody, answer=StaffCategory)
def category_back(category_id: UUID, version: int, body: NoBody) -> StaffCategory:
    """Saves the category as it was, which makes a new version."""
    return StaffCategory.of(restore_category(http.session(), category_id, version, **_languages(), **_who()))


@bp.post("/ticket-statuses/<uuid:status_id>/move")
@permission(Permission.SLA_CONFIGURE)
@operation("Move an own status", body=MoveRequest, answer=OwnStatuses)
def move_status(status_id: UUID, body: MoveRequest) -> OwnStatuses:
    """One place up or down in the menus."""
    custom_statuses.move_custom_status(http.session(), status_id, up=body.direction == "up", **_who())
    http.session().flush()
    current_app.extensions["portal_tenants"].forget()
    return OwnStatuses(items=[OwnStatusShape.of(row) for row in custom_statuses.list_custom_statuses(http.session())])


@bp.get("/ticket-statuses/<uuid:status_id>/versions")
@permission(Permission.SLA_READ)
@operation("List an own status's versions", answer=Versions)
def status_versions(status_id: UUID) -> Versions:
    """Who saved what when."""
    if status_id not in {row.id for row in custom_statuses.list_custom_statuses(http.session())}:
        raise NotFound(custom_statuses.RECORD)
    return Versions.of_rows(list_versions(http.session(), custom_statuses.RECORD, status_id))


@bp.post("/ticket-statuses/<uuid:status_id>/versions/<int:version>/restore")
@permission(Permission.SLA_CONFIGURE)
@operation("Go back to an own status's version", body=NoBody, answer=OwnStatusShape)
def status_back(status_id: UUID, version: int, body: NoBody) -> OwnStatusShape:
    """Saves the status as it was, which makes a new version."""
    row = custom_statuses.restore_custom_status(http.session(), status_id, version, **_languages(), **_who())
    current_app.extensions["portal_tenants"].forget()
    return OwnStatusShape.of(row)


@bp.get("/mail-texts")
@permission(Permission.SLA_READ)
@operation("List mail texts", answer=MailTexts)
def mail_texts() -> MailTexts:
    """Every mail about tickets, with the own words it has."""
    own = list_words(http.session(), actor=http.actor())
    return MailTexts(items=[MailTextShape.of(kind, own.get(kind)) for kind in KINDS])


@bp.put("/mail-texts/<kind>")
@permission(Permission.SLA_CONFIGURE)
@operation("Say a mail in own words", body=MailTextsRequest, answer=MailTextShape)
def change_mail_text(kind: str, body: MailTextsRequest) -> MailTextShape:
    """Replaces the own words, which makes a version; none at all gives the mail its standard words again."""
    row = save_words(http.session(), kind, texts=body.words(), locales=http.tenant().locales, **_who())
    return MailTextShape.of(kind, row)


@bp.get("/mail-texts/<kind>/versions")
@permission(Permission.SLA_READ)
@operation("List a mail text's versions", answer=Versions)
def mail_text_versions(kind: str) -> Versions:
    """Who saved what when."""
    find_words(http.session(), kind, actor=http.actor())
    return Versions.of_rows(list_word_versions(http.session(), kind, actor=http.actor()))


@bp.post("/mail-texts/<kind>/versions/<int:version>/restore")
@permission(Permission.SLA_CONFIGURE)
@operation("Go back to a mail text's version", body=NoBody, answer=MailTextShape)
def mail_text_back(kind: str, version: int, body: NoBody) -> MailTextShape:
    """Saves the words as they were, which makes a new version."""
    row = restore_words(http.session(), kind, version, locales=http.tenant().locales, **_who())
    return MailTextShape.of(kind, row)
