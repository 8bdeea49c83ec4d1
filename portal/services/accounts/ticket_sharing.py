"""Whether everybody of a company sees all of its tickets, or each their own (and what is shared with them)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from portal.authz import Actor, Permission, require
from portal.errors import Forbidden, NotFound
from portal.events import audit
from portal.models import Company
from portal.models.session import TenantSession


def set_ticket_sharing(
    session: TenantSession, company_id: UUID, *, shared: bool, actor: Actor, now: datetime
) -> Company:
    """Switch it for a company: staff who edit customers, and the company's administrators.

    It holds from the next request on. Raises NotFound for a company that is not the actor's, and Forbidden.
    """
    if actor.is_customer:
        if company_id not in actor.company_ids:
            raise NotFound("company")
        if company_id not in actor.admin_company_ids:
            raise Forbidden("not_allowed", permission=Permission.COMPANY_MANAGE.value)
    else:
        require(actor, Permission.CUSTOMERS_EDIT)
    company = session.scalar(select(Company).where(Company.id == company_id).with_for_update())
    if company is None:
        raise NotFound("company")
    if company.shares_tickets != shared:
        before, after = {"shares_tickets": company.shares_tickets}, {"shares_tickets": shared}
        company.shares_tickets = shared
        audit(
            session, "company.sharing_changed", "company", company_id, actor=actor, now=now, before=before, after=after
        )
    return company
