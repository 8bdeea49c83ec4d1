"""Single sign-on in the settings: identity providers, the mail domains they have proved, who comes in by them."""

from typing import Any, ClassVar
from uuid import UUID

from flask import flash, request
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext
from wtforms import BooleanField, Form, PasswordField, SelectField, StringField

from portal.admin.base import SEARCH_LENGTH, route
from portal.admin.editing import EditableModelView
from portal.admin.sla.forms import valid_uuid
from portal.authz import Permission
from portal.blueprints import http
from portal.blueprints.accounts.confirm import fresh_proof
from portal.blueprints.accounts.sso import oidc
from portal.blueprints.localisation import gettext
from portal.blueprints.policies import permission
from portal.errors import Invalid, NotFound
from portal.lib.text import has_forbidden_characters
from portal.lib.wording.errors import error_text
from portal.models import IdentityProvider
from portal.services.accounts.customers import CompanyRow, company_names, list_companies
from portal.services.accounts.sso import domains, links, providers
from portal.services.accounts.sso.domains import RECORD_NAME
from portal.services.accounts.sso.providers import ProviderForm

FOUND = 8
DOMAIN_LENGTH = 300
FORM_FIELDS = ("name", "issuer", "client_id", "audience", "required", "enabled", "demanded_acr", "demanded_amr")
WRITES = ("remove_view", "claim_view", "check_view", "drop_view", "unlink_view")


class ProviderEditForm(Form):
    """A provider; the secret is only ever written."""

    name = StringField(lazy_gettext("Name"))
    issuer = StringField(lazy_gettext("Issuer"))
    client_id = StringField(lazy_gettext("Client ID"))
    client_secret = PasswordField(lazy_gettext("Client secret"))
    audience = SelectField(lazy_gettext("Who signs in"), validate_choice=False, default="customer")
    company_id = StringField(lazy_gettext("Company"))
    company_search = StringField(lazy_gettext("Company"))
    demanded_acr = StringField(lazy_gettext("Classes of authentication"))
    demanded_amr = StringField(lazy_gettext("Methods of authentication"))
    max_age = StringField(lazy_gettext("Minutes since the proof"))
    required = BooleanField(lazy_gettext("The only way in"))
    enabled = BooleanField(lazy_gettext("In use"))


def _domains_of(rows: list[IdentityProvider]) -> dict[UUID, list[Any]]:
    """The domains of a page of providers."""
    found: dict[UUID, list[Any]] = {row.id: [] for row in rows}
    for domain in domains.list_domains(http.session(), list(found), actor=http.actor()):
        found[domain.provider_id].append(domain)
    return found


def _companies_of(rows: list[IdentityProvider]) -> dict[UUID, str]:
    """The names of the companies that a page of providers belongs to."""
    return _names([row.company_id for row in rows if row.company_id])


def _names(company_ids: list[UUID]) -> dict[UUID, str]:
    """Names of companies, for readers who may know them."""
    if not http.actor().may(Permission.CUSTOMERS_READ):
        return {}
    return company_names(http.session(), company_ids, actor=http.actor())


class IdentityProvidersView(EditableModelView):
    """The list, the form of one, its domains and its people."""

    policy = Permission.SIGN_IN_CONFIGURE
    write_policy = Permission.SIGN_IN_CONFIGURE
    routes: ClassVar[frozenset[str] | None] = frozenset({"index_view", "create_view", "edit_view", *WRITES})
    record = "identity_provider"
    columns = (("name", lazy_gettext("Name")),)
    form = ProviderEditForm
    list_template = "admin/sso/providers.html"
    create_template = edit_template = "admin/sso/provider_form.html"
    helpers: ClassVar[dict[str, Any]] = {"domains_of": _domains_of, "companies_of": _companies_of}

    def __init__(self) -> None:
        super().__init__(IdentityProvider, lazy_gettext("Single sign-on"), "identity_providers", "sso/providers")

    def find_rows(self, search: str, *, limit: int, offset: int) -> list[IdentityProvider]:
        """A page of the tenant's providers."""
        return providers.list_providers(http.session(), limit=limit, offset=offset, actor=http.actor())

    def find_one(self, record_id: UUID) -> IdentityProvider:
        """A provider."""
        return providers.get_provider(http.session(), record_id, actor=http.actor())

    @route("/new/", methods=("GET", "POST"))
    @permission(Permission.SIGN_IN_CONFIGURE)
    @fresh_proof
    def create_view(self) -> ResponseReturnValue:
        """The form for a new provider: who decides whom to believe has proved to be it."""
        return super().create_view()

    @route("/edit/", methods=("GET", "POST"))
    @permission(Permission.SIGN_IN_CONFIGURE)
    @fresh_proof
    def edit_view(self) -> ResponseReturnValue:
        """The form of a provider."""
        return super().edit_view()

    def create_form(self, obj: Any = None) -> Form:
        """A new provider."""
        return ProviderEditForm(request.form if request.method == "POST" else None)

    def edit_form(self, obj: IdentityProvider | None = None) -> Form:
        """The stored provider, or what was typed over it; never its secret."""
        return ProviderEditForm(request.form) if request.method == "POST" or obj is None else _stored(obj)

    def prepare(self, form: Any) -> bool:
        """Look for a company; only Save saves."""
        return request.form.get("do", "save") == "save"

    def save(self, form: Any, record: IdentityProvider | None) -> IdentityProvider:
        """Have the service store it."""
        company_id = valid_uuid(form.company_id.data)
        if form.company_id.data and company_id is None:
            raise NotFound("company")
        return providers.save_provider(
            http.session(),
            record.id if record else None,
            form=ProviderForm(
                name=form.name.data or "",
                issuer=form.issuer.data or "",
                client_id=form.client_id.data or "",
                client_secret=form.client_secret.data or "",
                audience=form.audience.data or "",
                company_id=company_id,
                required=bool(form.required.data),
                enabled=bool(form.enabled.data),
                demanded_acr=form.demanded_acr.data or "",
                demanded_amr=form.demanded_amr.data or "",
                max_age=form.max_age.data or "",
            ),
            oidc=oidc(),
            vault=http.vault(),
            actor=http.actor(),
            now=http.now(),
        )

    def choices(self) -> dict[str, Any]:
        """What the templates need besides the form."""
        session, actor = http.session(), http.actor()
        provider_id = valid_uuid(request.args.get("id") or request.form.get("provider_id"))
        rows = domains.list_domains(session, [provider_id] if provider_id else [], actor=actor)
        search = _plain(request.args.get("q"))
        return {
            "domains": rows,
            "looks": domains.next_looks(session, [row.id for row in rows], actor=actor),
            "record_name": RECORD_NAME,
            "people": links.list_links(session, provider_id, search=search, actor=actor) if provider_id else [],
            "people_search": search,
            "companies_found": _companies_found(),
            "company_name_of": _company_name,
            "site": f"{request.scheme}://{request.host}",
        }

    @route("/remove/", methods=("GET", "POST"))
    @permission(Permission.SIGN_IN_CONFIGURE)
    @fresh_proof
    def remove_view(self) -> ResponseReturnValue:
        """Ask whether to remove a provider; remove it."""
        if request.method != "POST":
            return self.render("admin/sso/remove.html", provider=self.get_one(request.args.get("id")), domain=None)
        providers.remove_provider(http.session(), _id("id"), actor=http.actor(), now=http.now())
        http.commit()
        flash(gettext("The provider is removed"), "ok")
        return http.see_other("identity_providers.index_view")

    @route("/domains/claim/", methods=("POST",))
    @permission(Permission.SIGN_IN_CONFIGURE)
    @fresh_proof
    def claim_view(self) -> ResponseReturnValue:
        """Claim a domain."""
        provider_id, domain = _id("provider_id"), request.form.get("domain", "")[:DOMAIN_LENGTH]
        try:
            domains.claim_domain(http.session(), provider_id, domain, actor=http.actor(), now=http.now())
        except Invalid as error:
            http.session().rollback()
            return self._refused_claim(provider_id, domain, error)
        http.commit()
        flash(gettext("Now publish the record that proves it"), "ok")
        return _to_domains(provider_id)

    def _refused_claim(self, provider_id: UUID, domain: str, error: Invalid) -> ResponseReturnValue:
        """The provider's page with what was typed, and what is wrong with it."""
        record = self.find_one(provider_id)
        texts = [error_text(item.code, dict(item.params), gettext) for item in error.errors]
        context = {"form": _stored(record), "model": record, "form_errors": []} | self.choices()
        return self.render(self.edit_template, **context, domain_typed=domain, domain_errors=texts), 422

    @route("/domains/check/", methods=("POST",))
    @permission(Permission.SIGN_IN_CONFIGURE)
    @fresh_proof
    def check_view(self) -> ResponseReturnValue:
        """Have a domain's record looked for now."""
        provider_id = domains.check_domain_again(http.session(), _id("id"), actor=http.actor(), now=http.now())
        http.commit()
        flash(gettext("The record is being looked for"), "ok")
        return _to_domains(provider_id)

    @route("/domains/remove/", methods=("GET", "POST"))
    @permission(Permission.SIGN_IN_CONFIGURE)
    @fresh_proof
    def drop_view(self) -> ResponseReturnValue:
        """Ask whether to remove a domain; remove it."""
        if request.method != "POST":
            domain = domains.get_domain(http.session(), _id("id"), actor=http.actor())
            return self.render("admin/sso/remove.html", provider=self.find_one(domain.provider_id), domain=domain)
        provider_id = domains.remove_domain(http.session(), _id("id"), actor=http.actor(), now=http.now())
        http.commit()
        flash(gettext("The domain is removed"), "ok")
        return _to_domains(provider_id)

    @route("/people/unlink/", methods=("POST",))
    @permission(Permission.SIGN_IN_CONFIGURE)
    @fresh_proof
    def unlink_view(self) -> ResponseReturnValue:
        """Part a login from its account at the provider."""
        provider_id = links.remove_link(http.session(), _id("id"), actor=http.actor(), now=http.now())
        http.commit()
        flash(gettext("The account is unlinked"), "ok")
        return http.see_other("identity_providers.edit_view", id=provider_id, _anchor="people")


def _stored(provider: IdentityProvider) -> Form:
    values = {name: getattr(provider, name) for name in FORM_FIELDS}
    max_age = "" if provider.max_age_minutes is None else str(provider.max_age_minutes)
    return ProviderEditForm(data=values | {"company_id": str(provider.company_id or ""), "max_age": max_age})


def _to_domains(provider_id: UUID) -> ResponseReturnValue:
    return http.see_other("identity_providers.edit_view", id=provider_id, _anchor="domains")


def _id(name: str) -> UUID:
    found = valid_uuid(request.values.get(name))
    if found is None:
        raise NotFound("identity_provider")
    return found


def _plain(text: str | None) -> str:
    """Words to search for; what no store accepts finds nothing."""
    words = (text or "").strip()[:SEARCH_LENGTH]
    return "" if has_forbidden_characters(words) else words


def _companies_found() -> list[CompanyRow]:
    search = _plain(request.form.get("company_search"))
    if not search or request.form.get("do") != "find-company" or not http.actor().may(Permission.CUSTOMERS_READ):
        return []
    return list_companies(http.session(), search=search, limit=FOUND, actor=http.actor())


def _company_name(company_id: str | None) -> str | None:
    """The name of the company that the form holds."""
    wanted = valid_uuid(company_id)
    return _names([wanted]).get(wanted) if wanted else None
