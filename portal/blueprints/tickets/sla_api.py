"""Promises for programs of the team: reading, changing with a preview, versions, and how they were kept."""

from datetime import date, timedelta
from uuid import UUID

from flask import Blueprint

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.api.operations import operation
from portal.blueprints.localisation import current_locale
from portal.blueprints.policies import permission
from portal.blueprints.tickets.sla_schemas import (
    MovesShape,
    Policies,
    PolicyRequest,
    PolicySave,
    PolicyShape,
    ReportQuery,
    ReportRowShape,
    ReportShape,
    RestoreRequest,
)
from portal.blueprints.tickets.version_schemas import Versions, VersionShape
from portal.errors import NotFound
from portal.services.tickets.policies import POLICY, PolicyRow, load_policies
from portal.services.tickets.promise_report import report_promises
from portal.services.tickets.sla_moves import preview_policy
from portal.services.tickets.sla_policies import restore_policy, save_policy
from portal.services.tickets.sla_versions import list_versions

bp = Blueprint("sla_api", __name__, url_prefix="/api/v1/staff/sla")


@bp.get("/policies")
@permission(Permission.SLA_READ)
@operation("List the promises", answer=Policies)
def policies() -> Policies:
    """In the order in which they are tried; the first that covers a ticket applies."""
    return Policies(items=[PolicyShape.of(row.policy) for row in load_policies(http.session())])


@bp.post("/policies")
@permission(Permission.SLA_CONFIGURE)
@operation("Add a promise", body=PolicySave, answer=PolicyShape, status=201)
def add(body: PolicySave) -> PolicyShape:
    """It is tried last."""
    return _save(None, body)


@bp.put("/policies/<uuid:policy_id>")
@permission(Permission.SLA_CONFIGURE)
@operation("Change a promise", body=PolicySave, answer=PolicyShape)
def change(policy_id: UUID, body: PolicySave) -> PolicyShape:
    """Replaces it; what is left out has its standard value. The version before is kept."""
    return _save(policy_id, body)


@bp.post("/policies/<uuid:policy_id>/preview")
@permission(Permission.SLA_CONFIGURE)
@operation("See what a change would move", body=PolicyRequest, answer=MovesShape)
def preview(policy_id: UUID, body: PolicyRequest) -> MovesShape:
    """Changes nothing: the due times of open tickets before and after."""
    form = body.form(_row(policy_id).policy.position)
    moves = preview_policy(http.session(), policy_id, form, actor=http.actor(), now=http.now())
    return MovesShape.of_moves(moves)


@bp.get("/policies/<uuid:policy_id>/versions")
@permission(Permission.SLA_READ)
@operation("List a promise's versions", answer=Versions)
def versions(policy_id: UUID) -> Versions:
    """Who saved what when; the newest fifty."""
    _row(policy_id)
    found = list_versions(http.session(), POLICY, policy_id, actor=http.actor())
    return Versions(items=[VersionShape.of_version(one) for one in found])


@bp.post("/policies/<uuid:policy_id>/versions/<int:version>/restore")
@permission(Permission.SLA_CONFIGURE)
@operation("Go back to a version", body=RestoreRequest, answer=PolicyShape)
def restore(policy_id: UUID, version: int, body: RestoreRequest) -> PolicyShape:
    """Saves the promise as it was, which makes a new version."""
    restored = restore_policy(
        http.session(), policy_id, version, actor=http.actor(), now=http.now(), open_tickets=body.open_tickets
    )
    return PolicyShape.of(restored)


@bp.get("/report")
@permission(Permission.SLA_READ)
@operation("Read how promises were kept", query=ReportQuery, answer=ReportShape)
def report(query: ReportQuery) -> ReportShape:
    """Per week, category, agent or promise; tickets count by the newest cycle of their clock."""
    until = query.until or http.now().date()
    since = query.since or max(until, date(1970, 6, 1)) - timedelta(days=90)
    found = report_promises(
        http.session(),
        by=query.by,
        since=since,
        until=until,
        zone=http.tenant().timezone,
        locale=current_locale(),
        actor=http.actor(),
        now=http.now(),
    )
    rows = [ReportRowShape.of(row) for row in found.rows]
    return ReportShape(by=found.by, since=since, until=until, total=ReportRowShape.of(found.total), items=rows)


def _row(policy_id: UUID) -> PolicyRow:
    found = next((row for row in load_policies(http.session()) if row.policy.id == policy_id), None)
    if found is None:
        raise NotFound(POLICY)
    return found


def _save(policy_id: UUID | None, body: PolicySave) -> PolicyShape:
    if policy_id is None:
        position = max((row.policy.position for row in load_policies(http.session())), default=-1) + 1
    else:
        position = _row(policy_id).policy.position
    saved = save_policy(
        http.session(),
        policy_id,
        form=body.form(position),
        actor=http.actor(),
        now=http.now(),
        open_tickets=body.open_tickets,
    )
    return PolicyShape.of(saved)
