"""Who of a company sees its tickets, for its administrators and for the team."""

from uuid import UUID

from flask import Blueprint
from pydantic import Field

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.accounts.people_schemas import CompanyQuery
from portal.blueprints.api.operations import operation
from portal.blueprints.api.schemas import Body, Shape, left_out
from portal.blueprints.policies import permission
from portal.errors import NotFound, invalid
from portal.models import Company
from portal.services.accounts.company_queries import get_own_company
from portal.services.accounts.customers import get_company
from portal.services.accounts.ticket_sharing import set_ticket_sharing

bp = Blueprint("sharing_api", __name__, url_prefix="/api/v1")
SHARED = "Whether everybody of the company sees all of its tickets; else each their own and those shared with them."


class Sharing(Shape):
    """Who of a company sees its tickets."""

    company_id: UUID
    shares_tickets: bool = Field(description=SHARED)

    @classmethod
    def of(cls, company: Company) -> "Sharing":
        """The setting of a company."""
        return cls(company_id=company.id, shares_tickets=company.shares_tickets)


class SharingPatch(Body):
    """The setting to be."""

    shares_tickets: bool = Field(description=SHARED)


class OwnSharingPatch(SharingPatch):
    """The setting to be, of which company."""

    company_id: UUID = left_out(description="Which of several companies.")


@bp.get("/portal/company/ticket-sharing")
@permission(Permission.PROFILE_EDIT)
@operation("Read who sees the company's tickets", query=CompanyQuery, answer=Sharing)
def own(query: CompanyQuery) -> Sharing:
    """The setting of your company."""
    try:
        return Sharing.of(get_own_company(http.session(), query.company, actor=http.actor()))
    except NotFound:
        raise invalid("company", "unknown_company") from None


@bp.patch("/portal/company/ticket-sharing")
@permission(Permission.COMPANY_MANAGE)
@operation("Change who sees the company's tickets", body=OwnSharingPatch, answer=Sharing)
def change_own(body: OwnSharingPatch) -> Sharing:
    """Holds from the next request on; for the company's administrators."""
    actor = http.actor()
    wanted = body.company_id or next(iter(actor.admin_company_ids), UUID(int=0))
    if wanted not in actor.company_ids:
        raise invalid("company_id", "unknown_company")
    return Sharing.of(
        set_ticket_sharing(http.session(), wanted, shared=body.shares_tickets, actor=actor, now=http.now())
    )


@bp.get("/staff/companies/<uuid:company_id>/ticket-sharing")
@permission(Permission.CUSTOMERS_READ)
@operation("Read who sees a company's tickets", answer=Sharing)
def of_company(company_id: UUID) -> Sharing:
    """The setting of a customer."""
    found = get_company(http.session(), company_id, actor=http.actor())
    return Sharing(company_id=found.id, shares_tickets=found.shares_tickets)


@bp.patch("/staff/companies/<uuid:company_id>/ticket-sharing")
@permission(Permission.CUSTOMERS_EDIT)
@operation("Change who sees a company's tickets", body=SharingPatch, answer=Sharing)
def change(company_id: UUID, body: SharingPatch) -> Sharing:
    """Holds from the next request on."""
    return Sharing.of(
        set_ticket_sharing(http.session(), company_id, shared=body.shares_tickets, actor=http.actor(), now=http.now())
    )
