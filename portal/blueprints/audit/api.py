"""The audit trail under /api/v1/staff/audit (SEC-05)."""

from flask import Blueprint

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.api.operations import operation
from portal.blueprints.audit.schemas import AuditEntries, AuditItem, AuditQuery
from portal.blueprints.localisation import gettext
from portal.blueprints.policies import permission
from portal.lib.wording.audit import action_text
from portal.services.audit.queries import AuditFilter, list_entries

bp = Blueprint("audit_api", __name__, url_prefix="/api/v1/staff/audit")


@bp.get("")
@permission(Permission.AUDIT_READ)
@operation("Read the audit log", query=AuditQuery, answer=AuditEntries)
def index(query: AuditQuery) -> AuditEntries:
    """Who did what to which record, and what was refused, newest first."""
    wanted = AuditFilter(**query.model_dump())
    page = list_entries(http.session(), wanted, actor=http.actor())
    items = [AuditItem.of(entry, action_text(entry.action, gettext)) for entry in page.items]
    return AuditEntries(items=items, next_cursor=page.next_cursor)
