"""Single sign-on in the settings: identity providers, and the mail domains they have proved."""

from typing import Any, ClassVar
from uuid import UUID

from flask import flash, request
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext
from wtforms import BooleanField, Form, PasswordField, SelectField, StringField

from portal.admin.base import route
from portal.admin.editing import EditableModelView
from portal.admin.sla.forms import valid_uuid
from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.accounts.sso import oidc
from portal.blueprints.localisation import gettext
from portal.blueprints.policies import permission
from portal.errors import Invalid, NotFound
from portal.lib.wording.errors import error_text
from portal.models import IdentityProvider
from portal.services.accounts.customers import company_names, list_companies
from portal.services.accounts.sso import providers
from portal.services.accounts.sso.providers import RECORD_NAME, ProviderForm
from portal.services.tickets.next_steps import steps_of

MOST_COMPANIES = 50


class ProviderEditForm(Form):
    """A provider; the secret is only ever written."""

    name = StringField(lazy_gettext("Name"))
    issuer = StringField(lazy_gettext("Issuer"))
    client_id = StringField(lazy_gettext("Client ID"))
    client_secret = PasswordField(lazy_gettext("Client secret"))
    audience = SelectField(lazy_gettext("Who signs in"), validate_choice=False, default="customer")
    company_id = StringField(lazy_gettext("Company"))
    company_search = StringField(lazy_gettext("Company"))
    required = BooleanField(lazy_gettext("Required"))
    enabled = BooleanField(lazy_gettext("In use"))


class IdentityProvidersView(EditableModelView):
    """The list, the form of one, and its domains."""

    policy = Permission.SIGN_IN_CONFIGURE
    write_policy = Permission.SIGN_IN_CONFIGURE
    routes: ClassVar[frozenset[str] | None] = frozenset(
        {"index_view", "create_view", "edit_view", "remove_view", "claim_view", "check_view", "drop_view"}
    )
    record = "identity_provider"
    columns = (("name", lazy_gettext("Name")),)
    form = ProviderEditForm
    list_template = "admin/sso/providers.html"
    create_template = edit_template = "admin/sso/provider_form.html"

    def __init__(self) -> None:
        super().__init__(IdentityProvider, lazy_gettext("Single sign-on"), "identity_providers", "sso/providers")

    def find_rows(self, search: str, *, limit: int, offset: int) -> list[IdentityProvider]:
        """Every provider of the tenant."""
        return providers.list_providers(http.session(), actor=http.actor())[offset : offset + limit]

    def find_one(self, record_id: UUID) -> IdentityProvider:
        """A provider."""
        return providers.get_provider(http.session(), record_id, actor=http.actor())

    def create_form(self, obj: Any = None) -> Form:
        """A new provider."""
        return ProviderEditForm(request.form if request.method == "POST" else None)

    def edit_form(self, obj: IdentityProvider | None = None) -> Form:
        """The stored provider, or what was typed over it; never its secret."""
        if request.method == "POST" or obj is None:
            return ProviderEditForm(request.form)
        values = {
            name: getattr(obj, name) for name in ("name", "issuer", "client_id", "audience", "required", "enabled")
        }
        return ProviderEditForm(data=values | {"company_id": str(obj.company_id or "")})

    def save(self, form: Any, record: IdentityProvider | None) -> IdentityProvider:
        """Have the service store it."""
        return providers.save_provider(
            http.session(),
            record.id if record else None,
            form=ProviderForm(
                name=form.name.data or "",
                issuer=form.issuer.data or "",
                client_id=form.client_id.data or "",
                client_secret=form.client_secret.data or "",
                audience=form.audience.data or "",
                company_id=self._company(form),
                required=form.required.data,
                enabled=form.enabled.data,
            ),
            oidc=oidc(),
            vault=http.vault(),
            actor=http.actor(),
            now=http.now(),
        )

    def _company(self, form: Any) -> UUID | None:
        """The company that was chosen: by its key, else the only one that the words find."""
        words = (form.company_search.data or "").strip()
        if not words:
            return valid_uuid(form.company_id.data)
        found = list_companies(http.session(), search=words, limit=2, actor=http.actor())
        if len(found) != 1:
            raise Invalid(*_company_error())
        return found[0].id

    def choices(self) -> dict[str, Any]:
        """What the templates need besides the form."""
        record_id = valid_uuid(request.args.get("id"))
        rows = providers.list_domains(http.session(), [record_id] if record_id else [], actor=http.actor())
        chosen = valid_uuid(request.form.get("company_id"))
        if record_id and not chosen:
            chosen = self.find_one(record_id).company_id
        names = company_names(http.session(), [chosen] if chosen else [], actor=http.actor())
        return {
            "domains": rows,
            "checks": steps_of(http.session(), [row.id for row in rows]),
            "record_name": RECORD_NAME,
            "company_name": names.get(chosen) if chosen else None,
            "callback": f"{request.scheme}://{request.host}",
        }

    @route("/remove/", methods=("POST",))
    @permission(Permission.SIGN_IN_CONFIGURE)
    def remove_view(self) -> ResponseReturnValue:
        """Remove a provider."""
        providers.remove_provider(http.session(), _id("id"), actor=http.actor(), now=http.now())
        http.commit()
        flash(gettext("The provider is removed"), "ok")
        return http.see_other("identity_providers.index_view")

    @route("/domains/claim/", methods=("POST",))
    @permission(Permission.SIGN_IN_CONFIGURE)
    def claim_view(self) -> ResponseReturnValue:
        """Claim a domain."""
        provider_id = _id("provider_id")
        try:
            domain = request.form.get("domain", "")[:300]
            providers.claim_domain(http.session(), provider_id, domain, actor=http.actor(), now=http.now())
        except Invalid as error:
            http.session().rollback()
            first = error.errors[0]
            flash(error_text(first.code, dict(first.params), gettext), "error")
        else:
            http.commit()
        return http.see_other("identity_providers.edit_view", id=provider_id)

    @route("/domains/check/", methods=("POST",))
    @permission(Permission.SIGN_IN_CONFIGURE)
    def check_view(self) -> ResponseReturnValue:
        """Have a domain's record looked for now."""
        providers.check_domain_again(http.session(), _id("id"), actor=http.actor(), now=http.now())
        http.commit()
        flash(gettext("The record is being looked for"), "ok")
        return http.see_other("identity_providers.edit_view", id=_id("provider_id"))

    @route("/domains/remove/", methods=("POST",))
    @permission(Permission.SIGN_IN_CONFIGURE)
    def drop_view(self) -> ResponseReturnValue:
        """Remove a domain."""
        providers.remove_domain(http.session(), _id("id"), actor=http.actor(), now=http.now())
        http.commit()
        return http.see_other("identity_providers.edit_view", id=_id("provider_id"))


def _id(name: str) -> UUID:
    found = valid_uuid(request.form.get(name))
    if found is None:
        raise NotFound("identity_provider")
    return found
