"""Statements under /api/v1/portal (API-05): ask for one, follow it, take the file."""

from uuid import UUID

from flask import Blueprint, Response

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.api.operations import operation
from portal.blueprints.api.schemas import PageQuery
from portal.blueprints.policies import permission
from portal.blueprints.statements.handing import ask_for, send_statement
from portal.blueprints.statements.schemas import OwnStatement, StatementItem, Statements
from portal.integrations.spreadsheet import CONTENT_TYPE as XLSX
from portal.lib.csv_export import MEDIA_TYPE
from portal.services.statements.queries import get_statement, page_statements

bp = Blueprint("statements_api", __name__, url_prefix="/api/v1/portal/statements")
FILES = ("application/pdf", XLSX, MEDIA_TYPE.partition(";")[0])


@bp.get("")
@permission(Permission.INVOICES_READ)
@operation("List statements", query=PageQuery, answer=Statements)
def index(query: PageQuery) -> Statements:
    """Those of your companies, the newest first."""
    page = page_statements(http.session(), actor=http.actor(), limit=query.limit, cursor=query.cursor)
    return Statements(items=[StatementItem.of(row.statement) for row in page.items], next_cursor=page.next_cursor)


@bp.post("")
@permission(Permission.INVOICES_READ)
@operation(
    "Ask for a statement", body=OwnStatement, answer=StatementItem, status=202, conflicts="Many are being made already."
)
def create(body: OwnStatement) -> StatementItem:
    """It is made within moments; you are told by mail. What is booked from now on is not in it."""
    made = ask_for(body.read(body.company_id))
    http.session().refresh(made)
    return StatementItem.of(made)


@bp.get("/<uuid:statement_id>")
@permission(Permission.INVOICES_READ)
@operation("Read a statement", answer=StatementItem)
def detail(statement_id: UUID) -> StatementItem:
    """How far it is, and its balances."""
    return StatementItem.of(get_statement(http.session(), statement_id, actor=http.actor()))


@bp.get("/<uuid:statement_id>/download")
@permission(Permission.INVOICES_READ)
@operation("Download a statement", answer=None, media=FILES, conflicts="It is not ready.")
def download(statement_id: UUID) -> Response:
    """The file as it was made."""
    return send_statement(statement_id)
