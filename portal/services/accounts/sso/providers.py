"""Identity providers as staff configure them; the secret is written, never read back."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import delete, select

from portal.authz import Actor, Permission, require
from portal.errors import FieldError, Invalid, NotFound
from portal.events import audit
from portal.integrations.oidc import OidcProviders
from portal.lib.text import has_forbidden_characters
from portal.lib.vault import Vault
from portal.models import Company, EmailDomain, ExternalIdentity, IdentityProvider, SsoAttempt
from portal.models.session import TenantSession
from portal.services.accounts.sso.domains import remove_domain

AUDIENCES = ("customer", "staff")
LENGTHS = {"name": 60, "issuer": 255, "client_id": 255, "client_secret": 1024}
DEMAND_LENGTH = 255
# From "asked anew each time" to a day.
MAX_AGE_MINUTES = (0, 24 * 60)
_FIELDS = ("name", "issuer", "client_id", "audience", "required", "enabled", "demanded_acr", "demanded_amr",
           "max_age_minutes")  # fmt: skip


@dataclass(frozen=True)
class ProviderForm:
    """A provider as staff edit it; an empty secret keeps the stored one.

    `demanded_acr` and `demanded_amr` are values with spaces between them, `max_age` is minutes as they were typed.
    """

    name: str
    issuer: str
    client_id: str
    client_secret: str = ""
    audience: str = "customer"
    company_id: UUID | None = None
    required: bool = False
    enabled: bool = False
    demanded_acr: str = ""
    demanded_amr: str = ""
    max_age: str = ""

    @property
    def max_age_minutes(self) -> int | None:
        """The number; None where there is none. Only after `_check`."""
        return int(self.max_age) if self.max_age else None


def list_providers(session: TenantSession, *, limit: int = 25, offset: int = 0, actor: Actor) -> list[IdentityProvider]:
    """Providers by name. Raises Forbidden."""
    require(actor, Permission.SIGN_IN_CONFIGURE)
    query = select(IdentityProvider).order_by(IdentityProvider.name, IdentityProvider.id)
    return list(session.scalars(query.limit(limit).offset(offset)))


def get_provider(session: TenantSession, provider_id: UUID, *, actor: Actor) -> IdentityProvider:
    """One provider. Raises Forbidden and NotFound."""
    require(actor, Permission.SIGN_IN_CONFIGURE)
    found = session.scalar(select(IdentityProvider).where(IdentityProvider.id == provider_id))
    if found is None:
        raise NotFound("identity_provider")
    return found


def save_provider(
    session: TenantSession,
    provider_id: UUID | None,
    *,
    form: ProviderForm,
    oidc: OidcProviders,
    vault: Vault,
    actor: Actor,
    now: datetime,
) -> IdentityProvider:
    """Create (id None) or change a provider. Raises Forbidden, NotFound and Invalid.

    Another issuer or client is another provider to our eyes: its links to people are dropped, since its subjects
    are others, and its secret has to be given anew, lest the stored one be sent to a server of somebody's choice.
    """
    require(actor, Permission.SIGN_IN_CONFIGURE)
    form = _trimmed(form)
    provider = _locked(session, provider_id) if provider_id else None
    moved = provider is not None and (provider.issuer, provider.client_id) != (form.issuer, form.client_id)
    _check(session, form, provider, secret_needed=provider is None or moved, oidc=oidc)
    before = _audited(provider) if provider else None
    if provider is None:
        provider = IdentityProvider(id=uuid4(), tenant_id=session.tenant_id, created_at=now)
        session.add(provider)
    elif moved or provider.audience != form.audience:
        session.execute(delete(ExternalIdentity).where(ExternalIdentity.provider_id == provider.id))
    for name in _FIELDS:
        setattr(provider, name, getattr(form, name))
    provider.company_id = form.company_id if form.audience == "customer" else None
    if form.client_secret:
        provider.client_secret = vault.encrypt(form.client_secret.encode())
    after = _audited(provider) | {"secret_changed": bool(form.client_secret)}
    audit(session, "identity_provider.saved", "identity_provider", provider.id, actor=actor, now=now,
          before=before, after=after)  # fmt: skip
    return provider


def remove_provider(session: TenantSession, provider_id: UUID, *, actor: Actor, now: datetime) -> None:
    """Remove a provider with its domains and links; people sign in by other ways again."""
    require(actor, Permission.SIGN_IN_CONFIGURE)
    provider = _locked(session, provider_id)
    for domain_id in session.scalars(select(EmailDomain.id).where(EmailDomain.provider_id == provider.id)).all():
        remove_domain(session, domain_id, actor=actor, now=now)
    for table in (ExternalIdentity, SsoAttempt):
        session.execute(delete(table).where(table.provider_id == provider.id))
    before = _audited(provider)
    session.delete(provider)
    audit(session, "identity_provider.removed", "identity_provider", provider.id, actor=actor, now=now, before=before)


def _locked(session: TenantSession, provider_id: UUID) -> IdentityProvider:
    """The provider, with everybody who signs in there for the first time waiting."""
    found = session.scalar(
        select(IdentityProvider)
        .where(IdentityProvider.id == provider_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFound("identity_provider")
    return found


def _trimmed(form: ProviderForm) -> ProviderForm:
    return ProviderForm(
        name=" ".join(form.name.split()),
        issuer=form.issuer.strip(),
        client_id=form.client_id.strip(),
        client_secret=form.client_secret.strip(),
        audience=form.audience,
        company_id=form.company_id,
        required=form.required,
        enabled=form.enabled,
        demanded_acr=" ".join(form.demanded_acr.split()),
        demanded_amr=" ".join(form.demanded_amr.split()),
        max_age=form.max_age.strip(),
    )


def _check(
    session: TenantSession,
    form: ProviderForm,
    provider: IdentityProvider | None,
    *,
    secret_needed: bool,
    oidc: OidcProviders,
) -> None:
    errors: list[FieldError] = []
    for name, limit in LENGTHS.items():
        value = getattr(form, name)
        if not value and (name != "client_secret" or secret_needed):
            errors.append(FieldError(name, "required"))
        elif len(value) > limit:
            errors.append(FieldError(name, "too_long", (("limit", limit),)))
        elif has_forbidden_characters(value):
            errors.append(FieldError(name, "characters_forbidden"))
    if form.issuer and not oidc.is_acceptable(form.issuer):
        errors.append(FieldError("issuer", "issuer_unacceptable"))
    errors += _wrong_demands(form)
    if form.audience not in AUDIENCES:
        errors.append(FieldError("audience", "unknown_choice"))
    if form.company_id and not session.scalar(select(Company.id).where(Company.id == form.company_id)):
        errors.append(FieldError("company_id", "unknown_choice"))
    if form.required and (provider is None or not provider.required) and not _has_worked(session, form, provider):
        errors.append(FieldError("required", "sso_untried"))
    if errors:
        raise Invalid(*errors)


def _wrong_demands(form: ProviderForm) -> list[FieldError]:
    errors = []
    for name in ("demanded_acr", "demanded_amr"):
        value = getattr(form, name)
        if len(value) > DEMAND_LENGTH:
            errors.append(FieldError(name, "too_long", (("limit", DEMAND_LENGTH),)))
        elif not value.isascii() or not value.isprintable():
            errors.append(FieldError(name, "characters_forbidden"))
    low, high = MAX_AGE_MINUTES
    digits = form.max_age.isascii() and form.max_age.isdecimal() and len(form.max_age) <= len(str(high))
    if form.max_age and not (digits and low <= int(form.max_age) <= high):
        errors.append(FieldError("max_age", "out_of_range", (("low", low), ("high", high))))
    return errors


def _has_worked(session: TenantSession, form: ProviderForm, provider: IdentityProvider | None) -> bool:
    """Whether somebody has come in this way: only then can it be the only one without locking everybody out."""
    if provider is None or (provider.issuer, provider.client_id, provider.audience) != (
        form.issuer,
        form.client_id,
        form.audience,
    ):
        return False
    used = select(ExternalIdentity.id).where(ExternalIdentity.provider_id == provider.id)
    return session.scalar(used.where(ExternalIdentity.last_used_at.is_not(None)).limit(1)) is not None


def _audited(provider: IdentityProvider) -> dict[str, object]:
    return {name: getattr(provider, name) for name in (*_FIELDS, "company_id")}
