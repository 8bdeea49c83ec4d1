"""Companies and their invitations under /api/v1/staff (ADM-05)."""

from typing import Any
from uuid import UUID

from flask import Blueprint

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.accounts.delivery import delivery
from portal.blueprints.accounts.people_schemas import Invitation, Invitations
from portal.blueprints.accounts.staff_people_schemas import (
    CompanyPatch,
    CompanyRequest,
    CompanySearch,
    StaffCompanies,
    StaffCompany,
    StaffInvitationRequest,
)
from portal.blueprints.api.operations import operation
from portal.blueprints.api.schemas import NoBody, PageQuery
from portal.blueprints.policies import permission
from portal.errors import invalid
from portal.lib.paging import decode_cursor, paginate
from portal.services.accounts.customers import get_company, get_person, list_companies
from portal.services.accounts.invitation_queries import get_invitation, list_company_invitations
from portal.services.accounts.invitations import NewInvitation, invite_customer, renew_invitation, revoke_invitation
from portal.services.accounts.records import CompanyForm, save_company

bp = Blueprint("staff_companies_api", __name__, url_prefix="/api/v1/staff")


@bp.get("/companies")
@permission(Permission.CUSTOMERS_READ)
@operation("List companies", query=CompanySearch, answer=StaffCompanies)
def index(query: CompanySearch) -> StaffCompanies:
    """Your customers by name."""
    after = decode_cursor(query.cursor)
    rows = list_companies(
        http.session(),
        search=query.q,
        limit=query.limit + 1,
        after=(str(after.value), after.id) if after else None,
        actor=http.actor(),
    )
    page = paginate(rows, query.limit, after, lambda row: (row.name, row.id))
    return StaffCompanies(items=[StaffCompany.of(row) for row in page.items], next_cursor=page.next_cursor)


@bp.get("/companies/<uuid:company_id>")
@permission(Permission.CUSTOMERS_READ)
@operation("Read a company", answer=StaffCompany)
def detail(company_id: UUID) -> StaffCompany:
    """One customer."""
    return _company(company_id)


@bp.post("/companies")
@permission(Permission.CUSTOMERS_EDIT)
@operation("Add a company", body=CompanyRequest, answer=StaffCompany, status=201)
def create(body: CompanyRequest) -> StaffCompany:
    """A new customer with a number of its own."""
    form = CompanyForm(**body.model_dump())
    made = save_company(http.session(), None, form, delivery=delivery(), actor=http.actor(), now=http.now())
    http.session().flush()
    return _company(made.id)


@bp.patch("/companies/<uuid:company_id>")
@permission(Permission.CUSTOMERS_EDIT)
@operation("Change a company", body=CompanyPatch, answer=StaffCompany)
def change(company_id: UUID, body: CompanyPatch) -> StaffCompany:
    """Changes what is named."""
    found = get_company(http.session(), company_id, actor=http.actor())
    if not body.model_fields_set:
        raise invalid("", "nothing_to_change")
    values: dict[str, Any] = {name: getattr(found, name) for name in CompanyPatch.model_fields}
    form = CompanyForm(**values | {name: getattr(body, name) for name in body.model_fields_set})
    save_company(http.session(), company_id, form, delivery=delivery(), actor=http.actor(), now=http.now())
    http.session().flush()
    return _company(company_id)


@bp.get("/companies/<uuid:company_id>/invitations")
@permission(Permission.CUSTOMERS_READ)
@operation("List a company's invitations", query=PageQuery, answer=Invitations)
def invitations(company_id: UUID, query: PageQuery) -> Invitations:
    """Who was invited, and where each invitation stands."""
    company = get_company(http.session(), company_id, actor=http.actor())
    page = list_company_invitations(
        http.session(), [company.id], limit=query.limit, cursor=query.cursor, actor=http.actor(), now=http.now()
    )
    return Invitations(items=[Invitation.of(row) for row in page.items], next_cursor=page.next_cursor)


@bp.post("/companies/<uuid:company_id>/invitations")
@permission(Permission.ACCESS_MANAGE)
@operation(
    "Invite a customer",
    body=StaffInvitationRequest,
    answer=Invitation,
    status=201,
    conflicts="The person belongs to the company or is invited already, or the address got too many mails.",
)
def invite(company_id: UUID, body: StaffInvitationRequest) -> Invitation:
    """Mails a link that works once, for seven days, to a contact or to somebody new."""
    name, email = body.name, body.email
    if body.person_id is not None:
        person = get_person(http.session(), body.person_id, actor=http.actor())
        name, email = name or person.name, person.email
    made = invite_customer(
        http.session(),
        company_id,
        NewInvitation(name or "", email or "", body.role, locale=body.locale),
        actor=http.actor(),
        delivery=delivery(),
        now=http.now(),
    )
    return _invitation(made.id)


@bp.post("/invitations/<uuid:invitation_id>/renew")
@permission(Permission.ACCESS_MANAGE)
@operation(
    "Send an invitation again",
    body=NoBody,
    answer=Invitation,
    conflicts="It was accepted or withdrawn, or was sent a moment ago.",
)
def renew(invitation_id: UUID, body: NoBody) -> Invitation:
    """Mails a new access code for another seven days; the one before stops working."""
    renew_invitation(http.session(), invitation_id, actor=http.actor(), delivery=delivery(), now=http.now())
    return _invitation(invitation_id)


@bp.post("/invitations/<uuid:invitation_id>/revoke")
@permission(Permission.ACCESS_MANAGE)
@operation("Withdraw an invitation", body=NoBody, answer=Invitation, conflicts="It was accepted or withdrawn already.")
def revoke(invitation_id: UUID, body: NoBody) -> Invitation:
    """Its access code stops working."""
    revoke_invitation(http.session(), invitation_id, actor=http.actor(), now=http.now())
    return _invitation(invitation_id)


def _company(company_id: UUID) -> StaffCompany:
    return StaffCompany.of(get_company(http.session(), company_id, actor=http.actor()))


def _invitation(invitation_id: UUID) -> Invitation:
    return Invitation.of(get_invitation(http.session(), invitation_id, now=http.now()))
