"""Statements of every customer under /api/v1/staff."""

from uuid import UUID

from flask import Blueprint, Response

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.api.operations import operation
from portal.blueprints.policies import permission
from portal.blueprints.statements.api import FILES
from portal.blueprints.statements.handing import ask_for, send_statement
from portal.blueprints.statements.schemas import (
    CustomersStatement,
    StaffStatement,
    StaffStatementQuery,
    StaffStatements,
)
from portal.services.statements.queries import get_statement, page_statements

bp = Blueprint("staff_statements_api", __name__, url_prefix="/api/v1/staff/statements")


@bp.get("")
@permission(Permission.BILLING_READ)
@operation("List customers' statements", query=StaffStatementQuery, answer=StaffStatements)
def index(query: StaffStatementQuery) -> StaffStatements:
    """The newest first."""
    page = page_statements(
        http.session(), actor=http.actor(), customer_id=query.customer_id, limit=query.limit, cursor=query.cursor
    )
    return StaffStatements(items=[StaffStatement.of(row.statement) for row in page.items], next_cursor=page.next_cursor)


@bp.post("")
@permission(Permission.BILLING_READ)
@operation(
    "Make a customer's statement",
    body=CustomersStatement,
    answer=StaffStatement,
    status=202,
    conflicts="Many are being made already.",
)
def create(body: CustomersStatement) -> StaffStatement:
    """The customer sees it, too; whoever asks is told when it is ready."""
    made = ask_for(body.read(body.customer_id))
    http.session().refresh(made)
    return StaffStatement.of(made)


@bp.get("/<uuid:statement_id>")
@permission(Permission.BILLING_READ)
@operation("Read a customer's statement", answer=StaffStatement)
def detail(statement_id: UUID) -> StaffStatement:
    """How far it is, and its balances."""
    return StaffStatement.of(get_statement(http.session(), statement_id, actor=http.actor()))


@bp.get("/<uuid:statement_id>/download")
@permission(Permission.BILLING_READ)
@operation("Download a customer's statement", answer=None, media=FILES, conflicts="It is not ready.")
def download(statement_id: UUID) -> Response:
    """The file as it was made."""
    return send_statement(statement_id)
