"""Which statements somebody sees: customers those of their companies, staff all with the right."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, false, select, tuple_

from portal.authz import Actor, Permission, require
from portal.errors import NotFound
from portal.lib.paging import DEFAULT_LIMIT, Page, decode_cursor, paginate
from portal.models import Company, Person, Statement, User
from portal.models.session import TenantSession


@dataclass(frozen=True)
class StatementRow:
    """A statement with the names around it; `asked_by` is empty for somebody who is gone."""

    statement: Statement
    company_name: str
    asked_by: str


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """The rows that the actor may see; Forbidden without the permission to see any."""
    if actor.is_customer:
        require(actor, Permission.INVOICES_READ)
        return Statement.customer_id.in_(actor.company_ids) if actor.company_ids else false()
    require(actor, Permission.BILLING_READ)
    return Statement.id.is_not(None)


def get_statement(session: TenantSession, statement_id: UUID, *, actor: Actor) -> Statement:
    """One statement that the actor sees, else NotFound."""
    found = session.scalar(select(Statement).where(Statement.id == statement_id, visible_to(actor)))
    if found is None:
        raise NotFound("statement")
    return found


def page_statements(
    session: TenantSession,
    *,
    actor: Actor,
    customer_id: UUID | None = None,
    limit: int = DEFAULT_LIMIT,
    cursor: str | None = None,
) -> Page[StatementRow]:
    """Statements that the actor sees, the newest first. Raises Invalid for a cursor of another list."""
    start = decode_cursor(cursor)
    query = (
        select(Statement, Company.name, Person.name)
        .join(Company, Company.id == Statement.customer_id)
        .outerjoin(User, User.id == Statement.requested_by)
        .outerjoin(Person, Person.id == User.person_id)
        .where(visible_to(actor))
    )
    if customer_id is not None:
        query = query.where(Statement.customer_id == customer_id)
    order = (Statement.created_at.desc(), Statement.id.desc())
    if start is not None:
        key, edge = tuple_(Statement.created_at, Statement.id), tuple_(start.moment(), start.id)
        query = query.where(key > edge if start.backwards else key < edge)
        if start.backwards:
            order = (Statement.created_at.asc(), Statement.id.asc())
    rows = session.execute(query.order_by(*order).limit(limit + 1))
    found = [StatementRow(statement, company, person or "") for statement, company, person in rows]
    return paginate(found, limit, start, lambda row: (row.statement.created_at, row.statement.id))
