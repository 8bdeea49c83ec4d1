"""The people of the own company under /api/v1/portal/company (ACC-08)."""

from typing import Any
from uuid import UUID

from flask import Blueprint

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.accounts.confirm import prove_again
from portal.blueprints.accounts.delivery import delivery
from portal.blueprints.accounts.people_schemas import (
    CompanyPageQuery,
    CompanyQuery,
    ContactRequest,
    Invitation,
    InvitationRequest,
    Invitations,
    Member,
    MemberPatch,
    Members,
    ProofRequest,
)
from portal.blueprints.api.operations import operation
from portal.blueprints.api.schemas import NoBody
from portal.blueprints.policies import permission
from portal.errors import Forbidden, NotFound, invalid
from portal.models import Company
from portal.services.accounts import company_people
from portal.services.accounts.company_people import ContactForm
from portal.services.accounts.company_queries import (
    CompanyPerson,
    get_company_person,
    get_own_company,
    list_company_people,
)
from portal.services.accounts.invitation_queries import get_invitation, list_company_invitations
from portal.services.accounts.invitations import NewInvitation, invite_customer, renew_invitation, revoke_invitation

bp = Blueprint("company_api", __name__, url_prefix="/api/v1/portal/company")


@bp.get("/invitations")
@permission(Permission.COMPANY_MANAGE)
@operation("List invitations", query=CompanyPageQuery, answer=Invitations)
def invitations(query: CompanyPageQuery) -> Invitations:
    """Who was invited into your company, and where each invitation stands."""
    company = _company(query.company, "company")
    page = list_company_invitations(
        http.session(), [company.id], limit=query.limit, cursor=query.cursor, actor=http.actor(), now=http.now()
    )
    return Invitations(items=[Invitation.of(row) for row in page.items], next_cursor=page.next_cursor)


@bp.post("/invitations")
@permission(Permission.COMPANY_MANAGE)
@operation(
    "Invite somebody",
    body=InvitationRequest,
    answer=Invitation,
    status=201,
    conflicts="The person belongs to the company or is invited already, or the address got too many mails.",
)
def invite(body: InvitationRequest) -> Invitation:
    """Mails a link that works once, for seven days. An address that has a login here accepts while signed in."""
    prove_again(body.password)
    made = invite_customer(
        http.session(),
        _company(body.company_id).id,
        NewInvitation(body.name, body.email, body.role, locale=body.locale),
        actor=http.actor(),
        delivery=delivery(),
        now=http.now(),
    )
    return Invitation.of(get_invitation(http.session(), made.id, now=http.now()))


@bp.post("/invitations/<uuid:invitation_id>/renew")
@permission(Permission.COMPANY_MANAGE)
@operation(
    "Send an invitation again",
    body=NoBody,
    answer=Invitation,
    conflicts="It was accepted or withdrawn, or was sent a moment ago.",
)
def renew(invitation_id: UUID, body: NoBody) -> Invitation:
    """Mails a new link for another seven days; the one before stops working."""
    renew_invitation(http.session(), invitation_id, actor=http.actor(), delivery=delivery(), now=http.now())
    return Invitation.of(get_invitation(http.session(), invitation_id, now=http.now()))


@bp.post("/invitations/<uuid:invitation_id>/revoke")
@permission(Permission.COMPANY_MANAGE)
@operation("Withdraw an invitation", body=NoBody, answer=Invitation, conflicts="It was accepted or withdrawn already.")
def revoke(invitation_id: UUID, body: NoBody) -> Invitation:
    """Its link stops working."""
    revoke_invitation(http.session(), invitation_id, actor=http.actor(), now=http.now())
    return Invitation.of(get_invitation(http.session(), invitation_id, now=http.now()))


@bp.get("/people")
@permission(Permission.PROFILE_EDIT)
@operation("List people", query=CompanyQuery, answer=Members)
def people(query: CompanyQuery) -> Members:
    """Everybody of your company by name, contacts without a login among them."""
    company = _company(query.company, "company")
    rows = list_company_people(http.session(), company.id, actor=http.actor())
    return Members(items=[_member(row, company.id) for row in rows], next_cursor=None)


@bp.get("/people/<uuid:person_id>")
@permission(Permission.PROFILE_EDIT)
@operation("Read a person", answer=Member)
def person(person_id: UUID) -> Member:
    """Somebody of your company."""
    company_id, found = _find(person_id)
    return _member(found, company_id)


@bp.post("/people")
@permission(Permission.COMPANY_MANAGE)
@operation("Add a contact", body=ContactRequest, answer=Member, status=201)
def add(body: ContactRequest) -> Member:
    """Notes somebody of your company who needs no login."""
    prove_again(body.password)
    company = _company(body.company_id)
    made = company_people.add_contact(
        http.session(),
        company.id,
        ContactForm(body.name, body.email, body.phone, body.title),
        region=delivery().region,
        actor=http.actor(),
        now=http.now(),
    )
    return _member(get_company_person(http.session(), company.id, made, actor=http.actor()), company.id)


@bp.patch("/people/<uuid:person_id>")
@permission(Permission.COMPANY_MANAGE)
@operation("Change a person", body=MemberPatch, answer=Member, conflicts="Your company would have no administrator.")
def change(person_id: UUID, body: MemberPatch) -> Member:
    """Changes contact details and the role. How a login is found, address and phone, only its owner changes."""
    prove_again(body.password)
    company_id, found = _find(person_id)
    named = body.model_fields_set - {"password"}
    if not named:
        raise invalid("", "nothing_to_change")
    fields: dict[str, Any] = {name: getattr(found, name) for name in ("name", "email", "phone", "title")}
    fields |= {name: getattr(body, name) for name in named & fields.keys()}
    company_people.update_person(
        http.session(),
        company_id,
        person_id,
        ContactForm(**fields),
        region=delivery().region,
        actor=http.actor(),
        now=http.now(),
    )
    if "role" in named:
        company_people.change_role(http.session(), company_id, person_id, body.role, actor=http.actor(), now=http.now())
    return _member(get_company_person(http.session(), company_id, person_id, actor=http.actor()), company_id)


@bp.post("/people/<uuid:person_id>/deactivate")
@permission(Permission.COMPANY_MANAGE)
@operation(
    "Take access away",
    body=ProofRequest,
    answer=Member,
    conflicts="The person has no login, or is the last administrator.",
)
def deactivate(person_id: UUID, body: ProofRequest) -> Member:
    """Ends sessions, programs, links and open invitations at once.

    A login that belongs to another company, too, is taken out of yours and keeps the other one.
    """
    prove_again(body.password)
    company_id, found = _find(person_id)
    company_people.deactivate_person(http.session(), company_id, person_id, actor=http.actor(), now=http.now())
    return _member(_as_left(found, company_id), company_id)


@bp.post("/people/<uuid:person_id>/reactivate")
@permission(Permission.COMPANY_MANAGE)
@operation("Give access back", body=ProofRequest, answer=Member, conflicts="The person has no login.")
def reactivate(person_id: UUID, body: ProofRequest) -> Member:
    """Undoes what your company did; a suspension by our team stays."""
    prove_again(body.password)
    company_id, _ = _find(person_id)
    company_people.reactivate_person(http.session(), company_id, person_id, actor=http.actor(), now=http.now())
    return _member(get_company_person(http.session(), company_id, person_id, actor=http.actor()), company_id)


@bp.delete("/people/<uuid:person_id>")
@permission(Permission.COMPANY_MANAGE)
@operation("Remove a contact", body=ProofRequest, answer=None, status=204, conflicts="The person has a login.")
def remove(person_id: UUID, body: ProofRequest) -> None:
    """Strikes a contact without a login off your company."""
    prove_again(body.password)
    company_id, _ = _find(person_id)
    company_people.remove_contact(http.session(), company_id, person_id, actor=http.actor(), now=http.now())


def _company(wanted: UUID | None, field: str = "company_id") -> Company:
    """The company that is meant: the one named in `field`, else the first that the caller administers."""
    actor = http.actor()
    if not actor.company_ids:
        raise Forbidden("no_company")
    if wanted is not None and wanted not in actor.company_ids:
        raise invalid(field, "unknown_company")
    return get_own_company(http.session(), wanted or next(iter(actor.admin_company_ids), None), actor=actor)


def _find(person_id: UUID) -> tuple[UUID, CompanyPerson]:
    """Somebody of a company of the caller's, those that are administered first."""
    actor = http.actor()
    others = [company_id for company_id in actor.company_ids if company_id not in actor.admin_company_ids]
    for company_id in (*actor.admin_company_ids, *others):
        try:
            return company_id, get_company_person(http.session(), company_id, person_id, actor=actor)
        except NotFound:
            continue
    raise NotFound("contact")


def _as_left(found: CompanyPerson, company_id: UUID) -> CompanyPerson:
    try:
        return get_company_person(http.session(), company_id, found.id, actor=http.actor())
    except NotFound:
        return found.without_login()


def _member(row: CompanyPerson, company_id: UUID) -> Member:
    return Member.of(row, manages=company_id in http.actor().admin_company_ids)
