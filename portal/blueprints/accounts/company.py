"""The company as its own people see it; its administrators manage who belongs to it (ACC-08, H9.5)."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.accounts.confirm import fresh_proof
from portal.blueprints.accounts.delivery import delivery
from portal.blueprints.accounts.joining import shown_errors
from portal.blueprints.chrome import native_name
from portal.blueprints.localisation import gettext
from portal.blueprints.policies import permission
from portal.errors import Conflict, DomainError, Forbidden, Invalid, invalid
from portal.lib.wording.errors import error_text
from portal.lib.wording.tickets import ROLE
from portal.models import Company, Role
from portal.services.accounts import company_people
from portal.services.accounts.company_people import ContactForm
from portal.services.accounts.company_queries import get_company_person, get_own_company, list_company_people
from portal.services.accounts.invitation_queries import InvitationRow, list_company_invitations
from portal.services.accounts.invitations import NewInvitation, invite_customer, renew_invitation, revoke_invitation
from portal.services.accounts.ticket_sharing import set_ticket_sharing

bp = Blueprint("company", __name__, url_prefix="/portal/account/company")
INVITATIONS_SHOWN = 25
FIELDS = ("name", "email", "phone", "title")


@bp.get("")
@permission(Permission.PROFILE_EDIT)
def index() -> ResponseReturnValue:
    """Everybody of the company; for its administrators also the invitations."""
    company = _company()
    manages = company.id in http.actor().admin_company_ids
    invitations: tuple[InvitationRow, ...] = ()
    if manages:
        page = list_company_invitations(
            http.session(), [company.id], limit=INVITATIONS_SHOWN, actor=http.actor(), now=http.now()
        )
        invitations = tuple(row for row in page.items if row.state != "accepted")
    people = list_company_people(http.session(), company.id, actor=http.actor())
    return render_template(
        "accounts/company.html",
        company=company,
        manages=manages,
        people=people,
        invitations=invitations,
        role_name=role_name,
        companies=_companies(company),
    )


@bp.route("/invite", methods=["GET", "POST"])
@permission(Permission.COMPANY_MANAGE)
@fresh_proof
def invite() -> ResponseReturnValue:
    """Invite somebody into the company."""
    company = _managed_company()
    typed = {name: request.values.get(name, "") for name in ("name", "email", "role", "locale")}
    if request.method != "POST":
        return _invite_page(company, typed)
    try:
        form = NewInvitation(typed["name"], typed["email"], _role(typed["role"]), locale=typed["locale"] or None)
        invite_customer(http.session(), company.id, form, actor=http.actor(), delivery=delivery(), now=http.now())
    except (Invalid, Conflict) as error:
        http.session().rollback()
        return _invite_page(_managed_company(), typed, _as_invalid(error, "email"))
    http.commit()
    flash(gettext("Invitation sent"), "ok")
    return http.see_other("company.index", company=_wanted())


@bp.post("/sharing")
@permission(Permission.COMPANY_MANAGE)
def share_tickets() -> ResponseReturnValue:
    """Let everybody of the company see all of its tickets, or no more."""
    shared = request.form.get("shares_tickets") == "1"
    company = _managed_company()
    set_ticket_sharing(http.session(), company.id, shared=shared, actor=http.actor(), now=http.now())
    http.commit()
    flash(gettext("Saved"), "ok")
    return http.see_other("company.index", company=_wanted())


@bp.post("/invitations/<uuid:invitation_id>/renew")
@permission(Permission.COMPANY_MANAGE)
def renew(invitation_id: UUID) -> ResponseReturnValue:
    """Send an invitation again; the link before dies."""
    return _act(
        lambda: renew_invitation(
            http.session(), invitation_id, actor=http.actor(), delivery=delivery(), now=http.now()
        ),
        gettext("Invitation sent again"),
    )


@bp.post("/invitations/<uuid:invitation_id>/revoke")
@permission(Permission.COMPANY_MANAGE)
def revoke(invitation_id: UUID) -> ResponseReturnValue:
    """Withdraw an invitation."""
    return _act(
        lambda: revoke_invitation(http.session(), invitation_id, actor=http.actor(), now=http.now()),
        gettext("Invitation withdrawn"),
    )


@bp.route("/people/new", methods=["GET", "POST"])
@permission(Permission.COMPANY_MANAGE)
@fresh_proof
def new_contact() -> ResponseReturnValue:
    """Note somebody who needs no login."""
    company = _managed_company()
    typed = {name: request.form.get(name, "") for name in FIELDS}
    if request.method != "POST":
        return _person_page(company, None, typed)
    try:
        company_people.add_contact(
            http.session(),
            company.id,
            ContactForm(**typed),
            region=delivery().region,
            actor=http.actor(),
            now=http.now(),
        )
    except Invalid as error:
        http.session().rollback()
        return _person_page(_managed_company(), None, typed, error)
    http.commit()
    flash(gettext("Saved"), "ok")
    return http.see_other("company.index", company=_wanted())


@bp.route("/people/<uuid:person_id>", methods=["GET", "POST"])
@permission(Permission.COMPANY_MANAGE)
@fresh_proof
def person(person_id: UUID) -> ResponseReturnValue:
    """Somebody of the company: how they are reached, their role, their access."""
    company = _managed_company()
    found = get_company_person(http.session(), company.id, person_id, actor=http.actor())
    stored = {name: getattr(found, name) or "" for name in FIELDS}
    if request.method != "POST":
        return _person_page(company, found, stored | {"role": found.role})
    # What a form leaves out stays as it is: address and phone of a login are not in it.
    typed = stored | {name: request.form[name] for name in FIELDS if name in request.form}
    role = request.form.get("role", "")
    try:
        _save(company.id, person_id, ContactForm(**typed), _role(role) if found.is_member and role else None)
    except (Invalid, Conflict) as error:
        http.session().rollback()
        shown = get_company_person(http.session(), company.id, person_id, actor=http.actor())
        return _person_page(_managed_company(), shown, typed | {"role": role}, _as_invalid(error, "role"))
    http.commit()
    flash(gettext("Saved"), "ok")
    return http.see_other("company.index", company=_wanted())


@bp.post("/people/<uuid:person_id>/deactivate")
@permission(Permission.COMPANY_MANAGE)
@fresh_proof
def deactivate(person_id: UUID) -> ResponseReturnValue:
    """Take somebody's access away, at once."""
    return _change(company_people.deactivate_person, person_id, gettext("Access taken away"))


@bp.post("/people/<uuid:person_id>/reactivate")
@permission(Permission.COMPANY_MANAGE)
@fresh_proof
def reactivate(person_id: UUID) -> ResponseReturnValue:
    """Give the access back."""
    return _change(company_people.reactivate_person, person_id, gettext("Access given back"))


@bp.post("/people/<uuid:person_id>/remove")
@permission(Permission.COMPANY_MANAGE)
@fresh_proof
def remove(person_id: UUID) -> ResponseReturnValue:
    """Strike a contact off."""
    return _change(company_people.remove_contact, person_id, gettext("Contact removed"))


def _change(work: Callable[..., Any], person_id: UUID, done: str) -> ResponseReturnValue:
    company = _managed_company()
    return _act(lambda: work(http.session(), company.id, person_id, actor=http.actor(), now=http.now()), done)


def role_name(role: Role | None) -> str:
    """A role in words."""
    return gettext(ROLE[role.value]) if role else gettext("Contact")


def _save(company_id: UUID, person_id: UUID, form: ContactForm, role: Role | None) -> None:
    company_people.update_person(
        http.session(),
        company_id,
        person_id,
        form,
        region=delivery().region,
        actor=http.actor(),
        now=http.now(),
    )
    if role is not None:
        company_people.change_role(http.session(), company_id, person_id, role, actor=http.actor(), now=http.now())


def _act(work: Callable[[], Any], done: str) -> ResponseReturnValue:
    """Do it and go back to the list, which says what came of it."""
    try:
        work()
    except (Conflict, Forbidden) as error:
        if isinstance(error, Forbidden) and error.code != "not_yourself":
            raise
        http.session().rollback()
        flash(error_text(error.code, error.params, gettext), "err")
    else:
        http.commit()
        flash(done, "ok")
    return http.see_other("company.index", company=_wanted())


def _company() -> Company:
    return get_own_company(http.session(), _wanted(), actor=http.actor())


def _managed_company() -> Company:
    """The company that is meant: of several the one in the address, else the first that is administered."""
    actor = http.actor()
    company = get_own_company(http.session(), _wanted() or next(iter(actor.admin_company_ids), None), actor=actor)
    if company.id not in actor.admin_company_ids:
        raise Forbidden("not_allowed", permission=Permission.COMPANY_MANAGE.value)
    return company


def _wanted() -> UUID | None:
    try:
        return UUID(request.args["company"]) if "company" in request.args else None
    except ValueError:
        return UUID(int=0)


def _companies(shown: Company) -> list[dict[str, Any]]:
    found = http.identity()
    several = found.companies if found and len(found.companies) > 1 else ()
    return [
        {"label": name, "url": url_for("company.index", company=company_id), "current": company_id == shown.id}
        for company_id, name in several
    ]


def _role(text: str) -> Role:
    if text not in set(Role):
        raise invalid("role", "unknown_role")
    return Role(text)


def _as_invalid(error: DomainError, field: str) -> Invalid:
    return error if isinstance(error, Invalid) else invalid(field, error.code, **error.params)


def _invite_page(company: Company, typed: dict[str, str], error: Invalid | None = None) -> ResponseReturnValue:
    page = render_template(
        "accounts/company_invite.html",
        company=company,
        typed=typed,
        languages=[(code, native_name(code)) for code in http.tenant().locales],
        **shown_errors(error),
    )
    return page, 422 if error else 200


def _person_page(
    company: Company, found: Any, typed: dict[str, Any], error: Invalid | None = None
) -> ResponseReturnValue:
    page = render_template(
        "accounts/company_person.html",
        company=company,
        person=found,
        typed=typed,
        role_name=role_name,
        own=bool(found and found.user_id == http.actor().user_id),
        **shown_errors(error),
    )
    return page, 422 if error else 200
