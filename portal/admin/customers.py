"""Companies: searched, created, changed; each with its people and invitations."""

from typing import Any
from uuid import UUID

from flask import flash, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext
from wtforms import Form

from portal.admin.acting import as_invalid
from portal.admin.base import route
from portal.admin.customer_forms import CompanyEditForm, InviteForm
from portal.admin.editing import EditableModelView, error_list, show_errors
from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.accounts.delivery import delivery
from portal.blueprints.chrome import native_name
from portal.blueprints.localisation import gettext
from portal.blueprints.policies import permission
from portal.errors import Conflict, Invalid
from portal.lib.wording.tickets import ROLE
from portal.models import Company, Role
from portal.services.accounts.customers import get_company, get_person, list_companies, list_people
from portal.services.accounts.invitation_queries import list_company_invitations
from portal.services.accounts.invitations import NewInvitation, invite_customer
from portal.services.accounts.records import save_company
from portal.services.accounts.ticket_sharing import set_ticket_sharing

PEOPLE_SHOWN = 100


def customer_tabs() -> list[dict[str, Any]]:
    """Tabs over both lists."""
    kind = request.args.get("kind", "")
    at = request.blueprint
    return [
        {"label": gettext("Companies"), "url": url_for("companies.index_view"), "current": at == "companies"},
        {
            "label": gettext("Contacts"),
            "url": url_for("people.index_view", kind="customer"),
            "current": at == "people" and kind == "customer",
        },
        {
            "label": gettext("Team"),
            "url": url_for("people.index_view", kind="staff"),
            "current": at == "people" and kind == "staff",
        },
        {
            "label": gettext("Everybody"),
            "url": url_for("people.index_view"),
            "current": at == "people" and kind not in ("customer", "staff"),
        },
    ]


def role_names(roles: tuple[Any, ...]) -> str:
    """Roles in words, in a fixed order."""
    return ", ".join(gettext(ROLE.get(role.value, role.value)) for role in sorted(roles))


HELPERS: dict[str, Any] = {"customer_tabs": customer_tabs, "role_names": role_names}


def language_choices() -> list[tuple[str, str]]:
    """The tenant's languages for the mail, its own first."""
    return [(code, native_name(code)) for code in http.tenant().locales]


class CompaniesView(EditableModelView):
    """The tenant's customers."""

    policy = Permission.CUSTOMERS_READ
    write_policy = Permission.CUSTOMERS_EDIT
    routes = frozenset({"index_view", "details_view", "create_view", "edit_view", "invite_view", "sharing_view"})
    helpers = HELPERS
    record = "company"
    columns = (
        ("name", lazy_gettext("Company")),
        ("customer_number", lazy_gettext("Number")),
        ("city", lazy_gettext("City")),
        ("country", lazy_gettext("Country")),
        ("phone", lazy_gettext("Phone")),
        ("people", lazy_gettext("People")),
    )
    column_searchable_list = ("name", "customer_number", "city")
    list_template = "admin/customers/companies.html"
    details_template = "admin/customers/company.html"
    create_template = edit_template = "admin/customers/company_form.html"

    def __init__(self) -> None:
        super().__init__(Company, lazy_gettext("Companies"), "companies", "companies")

    def find_rows(self, search: str, *, limit: int, offset: int) -> list[Any]:
        """Companies by name."""
        return list_companies(http.session(), search=search, limit=limit, offset=offset, actor=http.actor())

    def find_one(self, record_id: UUID) -> Any:
        """A company."""
        return get_company(http.session(), record_id, actor=http.actor())

    def create_form(self, obj: Any = None) -> Form:
        """A new company."""
        return CompanyEditForm(request.form)

    def edit_form(self, obj: Any = None) -> Form:
        """The stored company, or what was typed over it."""
        form = CompanyEditForm(request.form)
        if request.method != "POST" and obj is not None:
            form.fill(obj)
        return form

    def save(self, form: Any, record: Any | None) -> Any:
        """Have the service store it."""
        return save_company(
            http.session(),
            record.id if record else None,
            form.read(),
            delivery=delivery(),
            actor=http.actor(),
            now=http.now(),
        )

    @route("/details/")
    def details_view(self) -> ResponseReturnValue:
        """A company with its people and invitations."""
        company = self.get_one(request.args.get("id"))
        people = list_people(http.session(), company_id=company.id, limit=PEOPLE_SHOWN, actor=http.actor())
        invitations = list_company_invitations(http.session(), [company.id], actor=http.actor(), now=http.now())
        return self.render(
            self.details_template, model=company, people=people, invitations=invitations.items, may_invite=_may_invite()
        )

    @route("/<uuid:company_id>/sharing", methods=("POST",))
    @permission(Permission.CUSTOMERS_EDIT)
    def sharing_view(self, company_id: UUID) -> ResponseReturnValue:
        """Let everybody of a company see all of its tickets, or no more."""
        shared = request.form.get("shares_tickets") == "1"
        set_ticket_sharing(http.session(), company_id, shared=shared, actor=http.actor(), now=http.now())
        http.commit()
        flash(gettext("Saved"), "ok")
        return http.see_other("companies.details_view", id=company_id)

    @route("/<uuid:company_id>/invite", methods=("GET", "POST"))
    @permission(Permission.ACCESS_MANAGE)
    def invite_view(self, company_id: UUID) -> ResponseReturnValue:
        """Invite somebody into a company: a contact who is known (`?person=`), or somebody new."""
        company = self.find_one(company_id)
        form = InviteForm(request.form)
        form.locale.choices = language_choices()
        if request.method != "POST":
            self._choose_contact(form, company_id)
            return self._invite_page(form, company)
        try:
            invite_customer(
                http.session(),
                company_id,
                NewInvitation(
                    form.name.data or "", form.email.data or "", _role(form), locale=form.locale.data or None
                ),
                actor=http.actor(),
                delivery=delivery(),
                now=http.now(),
            )
        except (Invalid, Conflict) as error:
            http.session().rollback()
            show_errors(form, as_invalid(error, "email"))
            return self._invite_page(form, self.find_one(company_id)), 422
        http.commit()
        flash(gettext("Invitation sent"), "ok")
        return http.see_other("companies.details_view", id=company_id)

    def _choose_contact(self, form: InviteForm, company_id: UUID) -> None:
        form.locale.data = http.tenant().locale
        wanted = request.args.get("person", type=UUID)
        if wanted is None:
            return
        person = get_person(http.session(), wanted, actor=http.actor())
        if person.company_id == company_id:
            form.name.data, form.email.data = person.name, person.email

    def _invite_page(self, form: InviteForm, company: Any) -> str:
        return self.render("admin/customers/invite.html", form=form, model=company, form_errors=error_list(form))


def _may_invite() -> bool:
    return http.actor().may(Permission.ACCESS_MANAGE)


def _role(form: InviteForm) -> Role:
    """The chosen role; one that is none is refused by the service like any that is not a customer's."""
    return Role(form.role.data) if form.role.data in set(Role) else Role.TENANT_ADMIN
