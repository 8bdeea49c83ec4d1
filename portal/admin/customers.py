"""Companies and people: read-only, searched, one page each."""

from typing import Any
from uuid import UUID

from flask import request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext

from portal.admin.base import ServiceModelView, route
from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.localisation import gettext
from portal.lib.wording.tickets import ROLE
from portal.models import Company, Person, UserKind
from portal.services.accounts.customers import get_company, get_person, list_companies, list_people

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


class CompaniesView(ServiceModelView):
    """The tenant's customers."""

    policy = Permission.CUSTOMERS_READ
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

    def __init__(self) -> None:
        super().__init__(Company, lazy_gettext("Companies"), "companies", "companies")

    def find_rows(self, search: str, *, limit: int, offset: int) -> list[Any]:
        """Companies by name."""
        return list_companies(http.session(), search=search, limit=limit, offset=offset, actor=http.actor())

    def find_one(self, record_id: UUID) -> Any:
        """A company."""
        return get_company(http.session(), record_id, actor=http.actor())

    @route("/details/")
    def details_view(self) -> ResponseReturnValue:
        """A company with its people."""
        company = self.get_one(request.args.get("id"))
        people = list_people(http.session(), company_id=company.id, limit=PEOPLE_SHOWN, actor=http.actor())
        return self.render(self.details_template, model=company, people=people)


class PeopleView(ServiceModelView):
    """Contacts and staff, with their roles."""

    policy = Permission.CUSTOMERS_READ
    helpers = HELPERS
    record = "user"
    columns = (
        ("name", lazy_gettext("Name")),
        ("email", lazy_gettext("Email")),
        ("company_name", lazy_gettext("Company")),
        ("roles", lazy_gettext("Roles")),
        ("last_login_at", lazy_gettext("Last seen")),
    )
    column_searchable_list = ("name", "email", "phone")
    list_template = "admin/customers/people.html"
    details_template = "admin/customers/person.html"

    def __init__(self) -> None:
        super().__init__(Person, lazy_gettext("People"), "people", "people")

    def find_rows(self, search: str, *, limit: int, offset: int) -> list[Any]:
        """People by name, of one kind where the tab says so."""
        kind = request.args.get("kind", "")
        wanted = UserKind(kind) if kind in ("customer", "staff") else None
        return list_people(http.session(), search=search, kind=wanted, limit=limit, offset=offset, actor=http.actor())

    def find_one(self, record_id: UUID) -> Any:
        """A person."""
        return get_person(http.session(), record_id, actor=http.actor())
