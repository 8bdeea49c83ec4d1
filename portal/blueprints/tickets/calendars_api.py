"""Working hours for programs of the team: reading, changing with a preview, versions."""

from uuid import UUID

from flask import Blueprint

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.api.operations import operation
from portal.blueprints.policies import permission
from portal.blueprints.tickets.settings_schemas import CalendarRequest, Calendars, CalendarSave, CalendarShape
from portal.blueprints.tickets.sla_schemas import MovesShape, RestoreRequest
from portal.blueprints.tickets.version_schemas import Versions, VersionShape
from portal.services.tickets.calendars import get_calendar, list_calendars
from portal.services.tickets.sla_moves import preview_calendar
from portal.services.tickets.sla_policies import restore_calendar, save_calendar
from portal.services.tickets.sla_versions import CALENDAR, list_versions

bp = Blueprint("calendars_api", __name__, url_prefix="/api/v1/staff/sla/calendars")


@bp.get("")
@permission(Permission.SLA_READ)
@operation("List working hours", answer=Calendars)
def calendars() -> Calendars:
    """Every calendar that promises are counted in."""
    return Calendars(items=[CalendarShape.of(row) for row in list_calendars(http.session())])


@bp.post("")
@permission(Permission.SLA_CONFIGURE)
@operation("Add working hours", body=CalendarRequest, answer=CalendarShape, status=201)
def add(body: CalendarRequest) -> CalendarShape:
    """No promise uses them until it says so."""
    row = save_calendar(http.session(), None, form=body.form(), actor=http.actor(), now=http.now())
    return CalendarShape.of(row)


@bp.get("/<uuid:calendar_id>")
@permission(Permission.SLA_READ)
@operation("Read working hours", answer=CalendarShape)
def detail(calendar_id: UUID) -> CalendarShape:
    """One calendar."""
    return CalendarShape.of(get_calendar(http.session(), calendar_id))


@bp.put("/<uuid:calendar_id>")
@permission(Permission.SLA_CONFIGURE)
@operation("Change working hours", body=CalendarSave, answer=CalendarShape)
def change(calendar_id: UUID, body: CalendarSave) -> CalendarShape:
    """Replaces them; promises that use them get a new version each."""
    row = save_calendar(
        http.session(),
        calendar_id,
        form=body.form(),
        actor=http.actor(),
        now=http.now(),
        open_tickets=body.open_tickets,
    )
    return CalendarShape.of(row)


@bp.post("/<uuid:calendar_id>/preview")
@permission(Permission.SLA_CONFIGURE)
@operation("See what other working hours would move", body=CalendarRequest, answer=MovesShape)
def preview(calendar_id: UUID, body: CalendarRequest) -> MovesShape:
    """Changes nothing: the due times of open tickets before and after."""
    get_calendar(http.session(), calendar_id)
    found = preview_calendar(http.session(), calendar_id, body.form(), actor=http.actor(), now=http.now())
    return MovesShape.of_moves(found)


@bp.get("/<uuid:calendar_id>/versions")
@permission(Permission.SLA_READ)
@operation("List working hours' versions", answer=Versions)
def versions(calendar_id: UUID) -> Versions:
    """Who saved what when."""
    get_calendar(http.session(), calendar_id)
    found = list_versions(http.session(), CALENDAR, calendar_id, actor=http.actor())
    return Versions(items=[VersionShape.of_version(one) for one in found])


@bp.post("/<uuid:calendar_id>/versions/<int:version>/restore")
@permission(Permission.SLA_CONFIGURE)
@operation("Go back to working hours' version", body=RestoreRequest, answer=CalendarShape)
def back(calendar_id: UUID, version: int, body: RestoreRequest) -> CalendarShape:
    """Saves the hours as they were, which makes a new version."""
    row = restore_calendar(
        http.session(), calendar_id, version, actor=http.actor(), now=http.now(), open_tickets=body.open_tickets
    )
    return CalendarShape.of(row)
