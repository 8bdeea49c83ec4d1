"""Forms of companies, their people, and invitations."""

from typing import Any

from flask_babel import lazy_gettext
from wtforms import Form, RadioField, SelectField, StringField

from portal.models import Role
from portal.services.accounts.customers import PersonRow
from portal.services.accounts.records import CompanyForm, PersonForm


class CompanyEditForm(Form):
    """A customer organisation."""

    name = StringField(lazy_gettext("Name"))
    customer_number = StringField(lazy_gettext("Customer number"))
    phone = StringField(lazy_gettext("Phone"))
    city = StringField(lazy_gettext("City"))
    country = StringField(lazy_gettext("Country"))

    def fill(self, company: Any) -> None:
        """Show a stored company."""
        for name, field in self._fields.items():
            field.data = getattr(company, name) or ""

    def read(self) -> CompanyForm:
        """What the service takes."""
        return CompanyForm(**{name: field.data or "" for name, field in self._fields.items()})


class PersonEditForm(Form):
    """A contact of a company."""

    name = StringField(lazy_gettext("Name"))
    email = StringField(lazy_gettext("Email"))
    phone = StringField(lazy_gettext("Phone"))
    title = StringField(lazy_gettext("Position"))

    def fill(self, person: PersonRow) -> None:
        """Show a stored person."""
        for name, field in self._fields.items():
            field.data = getattr(person, name) or ""

    def read(self, company_id: Any = None) -> PersonForm:
        """What the service takes; `company_id` is where a new one belongs."""
        return PersonForm(**{name: field.data or "" for name, field in self._fields.items()}, company_id=company_id)


class InviteForm(Form):
    """Somebody to invite; the choices are set by the view."""

    name = StringField(lazy_gettext("Name"))
    email = StringField(lazy_gettext("Email"))
    role = RadioField(lazy_gettext("Role"), validate_choice=False, default=Role.CUSTOMER.value)
    locale = SelectField(lazy_gettext("Language of the mail"), validate_choice=False)
