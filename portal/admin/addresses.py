"""Postal addresses of a contact and their company, as the team sees them."""

from uuid import UUID

from flask import flash
from flask.typing import ResponseReturnValue

from portal.admin.base import ServiceView, route
from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.localisation import current_locale, gettext
from portal.blueprints.policies import permission
from portal.lib.countries import country_name
from portal.services.accounts.address_checks import list_addresses_of, verify_address
from portal.services.accounts.customers import get_person


class AddressesView(ServiceView):
    """A contact's addresses; those that proved right are marked."""

    policy = Permission.CUSTOMERS_READ

    @route("/")
    def index(self) -> ResponseReturnValue:
        """Nothing by itself: addresses belong to somebody."""
        return http.see_other("people.index_view")

    @route("/<uuid:person_id>")
    def of_person(self, person_id: UUID) -> ResponseReturnValue:
        """One person's, and the company's."""
        person = get_person(http.session(), person_id, actor=http.actor())
        return self.render(
            "admin/customers/addresses.html",
            model=person,
            addresses=list_addresses_of(http.session(), person_id, actor=http.actor()),
            country_of=lambda code: country_name(code, current_locale()),
        )

    @route("/<uuid:person_id>/<uuid:address_id>/verify", methods=("POST",))
    @permission(Permission.CUSTOMERS_EDIT)
    def verify(self, person_id: UUID, address_id: UUID) -> ResponseReturnValue:
        """The address is right."""
        verify_address(http.session(), address_id, actor=http.actor(), now=http.now())
        http.commit()
        flash(gettext("Address verified"), "ok")
        return http.see_other("staff_addresses.of_person", person_id=person_id)
