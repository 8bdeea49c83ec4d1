"""Answering under /api/v1/staff: macros, own statuses, time spent, followers, tags, satisfaction."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from flask import Blueprint, current_app

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.api.operations import operation
from portal.blueprints.api.schemas import Named, NoBody
from portal.blueprints.localisation import select_timezone
from portal.blueprints.policies import permission
from portal.blueprints.tickets.answer_schemas import (
    MacroPatch,
    MacroQuery,
    MacroRequest,
    MacroResult,
    Macros,
    MacroShape,
    MacroUse,
    OwnStatuses,
    OwnStatusPatch,
    OwnStatusRequest,
    OwnStatusShape,
    SatisfactionQuery,
    SatisfactionShape,
    Tags,
    TimeRequest,
    TimeShape,
    TimeSpent,
)
from portal.blueprints.tickets.follower_schemas import CustomerFollower, Followers, FollowRequest
from portal.blueprints.tickets.schemas import StaffMessage, StaffTicket
from portal.errors import NotFound
from portal.services.tickets.custom_statuses import StatusForm, list_custom_statuses, save_custom_status
from portal.services.tickets.detail import get_ticket_detail
from portal.services.tickets.followers import read_circle
from portal.services.tickets.macro_form import MacroForm
from portal.services.tickets.macro_use import MacroPreview, Reply, apply_macro, preview_macro
from portal.services.tickets.macros import duplicate_macro, get_macro, list_macros, save_macro
from portal.services.tickets.mentions import follow_ticket, list_staff_followers
from portal.services.tickets.satisfaction import SatisfactionFilter, read_satisfaction
from portal.services.tickets.tags import suggest_tags
from portal.services.tickets.time_spent import TimeRow, add_time, list_time, remove_time

bp = Blueprint("answer_api", __name__, url_prefix="/api/v1/staff")


def _who() -> dict[str, Any]:
    return {"actor": http.actor(), "now": http.now()}


def _locales() -> tuple[str, ...]:
    tenant = http.tenant()
    return tenant.locale, *(locale for locale in tenant.locales if locale != tenant.locale)


@bp.get("/macros")
@permission(Permission.SLA_READ)
@operation("List macros", query=MacroQuery, answer=Macros)
def macros(query: MacroQuery) -> Macros:
    """Shared macros and your own, those out of use among them."""
    rows = list_macros(http.session(), actor=http.actor(), audience=query.audience, search=query.q)
    return Macros(items=[MacroShape.of(row) for row in rows])


@bp.post("/macros")
@permission(Permission.SLA_READ)
@operation("Make a macro", body=MacroRequest, answer=MacroShape, status=201)
def make_macro(body: MacroRequest) -> MacroShape:
    """Shared ones need the right to change promises, your own that to answer customers."""
    form = MacroForm(
        body.name, body.texts, body.actions.model_dump(mode="json"), body.categories, body.audience, body.shared
    )
    form = replace(form, active=body.active)
    return MacroShape.of(save_macro(http.session(), None, form=form, locales=_locales(), **_who()))


@bp.get("/macros/<uuid:macro_id>")
@permission(Permission.SLA_READ)
@operation("Read a macro", answer=MacroShape)
def macro(macro_id: UUID) -> MacroShape:
    """One macro."""
    return MacroShape.of(get_macro(http.session(), macro_id, actor=http.actor()))


@bp.patch("/macros/<uuid:macro_id>")
@permission(Permission.SLA_READ)
@operation("Change a macro", body=MacroPatch, answer=MacroShape)
def change_macro(macro_id: UUID, body: MacroPatch) -> MacroShape:
    """Replaces the named fields; each change is a version."""
    found = get_macro(http.session(), macro_id, actor=http.actor())
    form = MacroForm(found.name, found.texts, found.actions, found.categories, active=found.active)
    given = body.model_dump(mode="json", exclude_unset=True)
    return MacroShape.of(
        save_macro(http.session(), macro_id, form=replace(form, **given), locales=_locales(), **_who())
    )


@bp.post("/macros/<uuid:macro_id>/duplicate")
@permission(Permission.SLA_READ)
@operation("Copy a macro", body=NoBody, answer=MacroShape, status=201)
def copy_macro(macro_id: UUID, body: NoBody) -> MacroShape:
    """Makes another one of it, shared where you may share."""
    return MacroShape.of(duplicate_macro(http.session(), macro_id, **_who()))


@bp.post("/tickets/<uuid:ticket_id>/macro")
@permission(Permission.DESK_REPLY)
@operation(
    "Use a macro",
    body=MacroUse,
    answer=MacroResult,
    conflicts="The ticket is closed, or cannot go to the macro's status.",
)
def use_macro(ticket_id: UUID, body: MacroUse) -> MacroResult:
    """Sends the macro's text as an answer and makes its changes, all or nothing; or only tells what would be."""
    tenant = http.tenant()
    found = preview_macro(
        http.session(),
        ticket_id,
        body.macro_id,
        actor=http.actor(),
        portal_name=tenant.name,
        main_locale=tenant.locale,
    )
    if body.preview:
        return _result(found)
    text = found.text if body.message is None else body.message
    reply = Reply(message=text, attachment_ids=body.attachment_ids)
    entry = apply_macro(http.session(), ticket_id, body.macro_id, reply=reply, **_who())
    detail = get_ticket_detail(http.session(), ticket_id, actor=http.actor())
    return _result(
        found,
        applied=True,
        message=StaffMessage.of(entry) if entry is not None else None,
        ticket=StaffTicket.of(detail, http.now()),
    )


def _result(found: MacroPreview, **done: Any) -> MacroResult:
    nothing = {"applied": False, "message": None, "ticket": None}
    return MacroResult(text=found.text, locale=found.locale, actions=found.actions, **nothing | done)


@bp.get("/ticket-statuses")
@permission(Permission.SLA_READ)
@operation("List own statuses", answer=OwnStatuses)
def statuses() -> OwnStatuses:
    """Statuses of your own, those out of use among them."""
    return OwnStatuses(items=[OwnStatusShape.of(row) for row in list_custom_statuses(http.session())])


@bp.post("/ticket-statuses")
@permission(Permission.SLA_CONFIGURE)
@operation("Make a status", body=OwnStatusRequest, answer=OwnStatusShape, status=201)
def make_status(body: OwnStatusRequest) -> OwnStatusShape:
    """A name of your own for one of the standard statuses."""
    form = StatusForm(body.category.value, body.staff_names, body.customer_names, body.active)
    return _save_status(None, form)


@bp.patch("/ticket-statuses/<uuid:status_id>")
@permission(Permission.SLA_CONFIGURE)
@operation("Change a status", body=OwnStatusPatch, answer=OwnStatusShape)
def change_status(status_id: UUID, body: OwnStatusPatch) -> OwnStatusShape:
    """Names it anew, or takes it out of use; tickets keep it."""
    row = next((one for one in list_custom_statuses(http.session()) if one.id == status_id), None)
    if row is None:
        raise NotFound("custom_status")
    form = StatusForm(row.category.value, row.staff_names, row.customer_names, row.active)
    return _save_status(status_id, replace(form, **body.model_dump(exclude_unset=True)))


def _save_status(status_id: UUID | None, form: StatusForm) -> OwnStatusShape:
    main = http.tenant().locale
    row = save_custom_status(http.session(), status_id, form=form, locales=_locales(), main_locale=main, **_who())
    current_app.extensions["portal_tenants"].forget()
    return OwnStatusShape.of(row)


@bp.get("/tickets/tags")
@permission(Permission.DESK_READ)
@operation("List tags", answer=Tags)
def tags() -> Tags:
    """Tags of the tickets that changed last."""
    return Tags(items=suggest_tags(http.session(), actor=http.actor()))


@bp.get("/tickets/<uuid:ticket_id>/time")
@permission(Permission.DESK_READ)
@operation("Read time spent", answer=TimeSpent)
def time_spent(ticket_id: UUID) -> TimeSpent:
    """Every entry of a ticket with their sum; customers see nothing of it."""
    rows = list_time(http.session(), ticket_id, actor=http.actor())
    return TimeSpent(items=[TimeShape.of(row) for row in rows], total_minutes=sum(row.entry.minutes for row in rows))


@bp.post("/tickets/<uuid:ticket_id>/time")
@permission(Permission.DESK_UPDATE)
@operation("Write down time", body=TimeRequest, answer=TimeShape, status=201)
def write_time(ticket_id: UUID, body: TimeRequest) -> TimeShape:
    """Writes down time that you spent."""
    entry = add_time(
        http.session(),
        ticket_id,
        minutes=body.minutes,
        note=body.note,
        billable=body.billable,
        spent_at=body.spent_at,
        **_who(),
    )
    return TimeShape.of(TimeRow(entry, http.actor().name))


@bp.delete("/tickets/<uuid:ticket_id>/time/<uuid:entry_id>")
@permission(Permission.DESK_UPDATE)
@operation("Take back time", answer=None, status=204)
def take_back_time(ticket_id: UUID, entry_id: UUID) -> None:
    """Takes back an entry of yours."""
    remove_time(http.session(), ticket_id, entry_id, **_who())


@bp.get("/tickets/<uuid:ticket_id>/followers")
@permission(Permission.DESK_READ)
@operation("List followers", answer=Followers)
def followers(ticket_id: UUID) -> Followers:
    """Who of the team and of the customer hears of the ticket."""
    return followers_of(ticket_id)


@bp.post("/tickets/<uuid:ticket_id>/follow")
@permission(Permission.DESK_NOTE)
@operation("Follow a ticket", body=FollowRequest, answer=Followers)
def follow(ticket_id: UUID, body: FollowRequest) -> Followers:
    """Has you hear of the ticket, or hear of it no more."""
    follow_ticket(http.session(), ticket_id, follow=body.follow, **_who())
    return followers_of(ticket_id)


def followers_of(ticket_id: UUID) -> Followers:
    """Everybody who hears of a ticket; raises NotFound."""
    session, actor = http.session(), http.actor()
    people, circle = list_staff_followers(session, ticket_id, actor=actor), read_circle(session, ticket_id, actor=actor)
    return Followers(
        items=[Named(id=person.id, name=person.name) for person in people],
        customers=[CustomerFollower.of(one) for one in circle.followers],
        others=[CustomerFollower.of(one) for one in circle.others],
    )


@bp.get("/satisfaction")
@permission(Permission.DESK_READ)
@operation("Read satisfaction", query=SatisfactionQuery, answer=SatisfactionShape)
def satisfaction(query: SatisfactionQuery) -> SatisfactionShape:
    """Ratings of solved tickets by week, category and agent."""
    wanted = SatisfactionFilter(query.weeks, query.category, query.agent)
    found = read_satisfaction(http.session(), wanted, zone=select_timezone(), **_who())
    return SatisfactionShape.of_overview(found)
