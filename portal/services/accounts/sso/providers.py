"""Identity providers as staff configure them; the secret is written, never read back."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import delete, select

from portal.authz import Actor, Permission, require
from portal.errors import FieldError, Invalid, NotFound
from portal.events import audit, publish
from portal.events.sso import EmailDomainClaimed
from portal.integrations.oidc import OidcProviders
from portal.lib.vault import Vault
from portal.models import Company, EmailDomain, ExternalIdentity, IdentityProvider, NextStep, SsoAttempt
from portal.models.session import TenantSession

AUDIENCES = ("customer", "staff")
PROOF_PREFIX = "portico-verification="
RECORD_NAME = "_portico"
MAX_DOMAINS = 20
# Labels of letters, digits and hyphens; what is not ASCII comes in IDNA's form.
_DOMAIN = re.compile(r"(?=.{4,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
# Domains whose addresses anybody can get; a provider can speak for none of them.
PUBLIC_DOMAINS = frozenset(
    "gmail.com googlemail.com outlook.com hotmail.com live.com yahoo.com icloud.com proton.me gmx.de web.de".split()
)


@dataclass(frozen=True)
class ProviderForm:
    """A provider as staff edit it; an empty secret keeps the stored one."""

    name: str
    issuer: str
    client_id: str
    client_secret: str = ""
    audience: str = "customer"
    company_id: UUID | None = None
    required: bool = False
    enabled: bool = False


def list_providers(session: TenantSession, *, actor: Actor) -> list[IdentityProvider]:
    """Every provider by name. Raises Forbidden."""
    require(actor, Permission.SIGN_IN_CONFIGURE)
    return list(session.scalars(select(IdentityProvider).order_by(IdentityProvider.name, IdentityProvider.id)))


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

    Another issuer or client is another provider to our eyes: its links to people are dropped, so that a
    subject of the new one is nobody of the old one.
    """
    require(actor, Permission.SIGN_IN_CONFIGURE)
    provider = get_provider(session, provider_id, actor=actor) if provider_id else None
    _check(session, form, provider, oidc)
    before = _audited(provider) if provider else None
    if provider is None:
        provider = IdentityProvider(id=uuid4(), tenant_id=session.tenant_id, created_at=now, client_secret=b"")
        session.add(provider)
    elif (provider.issuer, provider.audience) != (form.issuer, form.audience):
        session.execute(delete(ExternalIdentity).where(ExternalIdentity.provider_id == provider.id))
    provider.name = " ".join(form.name.split())
    provider.issuer = form.issuer.strip()
    provider.client_id = form.client_id.strip()
    provider.audience = form.audience
    provider.company_id = form.company_id if form.audience == "customer" else None
    provider.required = form.required
    provider.enabled = form.enabled
    if form.client_secret:
        provider.client_secret = vault.encrypt(form.client_secret.encode())
    after = _audited(provider) | {"secret_changed": bool(form.client_secret)}
    audit(session, "identity_provider.saved", "identity_provider", provider.id, actor=actor, now=now,
          before=before, after=after)  # fmt: skip
    return provider


def remove_provider(session: TenantSession, provider_id: UUID, *, actor: Actor, now: datetime) -> None:
    """Remove a provider with its domains and links; people sign in by other ways again."""
    provider = get_provider(session, provider_id, actor=actor)
    domains = session.scalars(select(EmailDomain.id).where(EmailDomain.provider_id == provider.id)).all()
    session.execute(delete(NextStep).where(NextStep.record_id.in_(domains)))
    for table in (EmailDomain, ExternalIdentity, SsoAttempt):
        session.execute(delete(table).where(table.provider_id == provider.id))
    session.delete(provider)
    before = _audited(provider)
    audit(session, "identity_provider.removed", "identity_provider", provider.id, actor=actor, now=now, before=before)


def list_domains(session: TenantSession, provider_ids: Sequence[UUID], *, actor: Actor) -> list[EmailDomain]:
    """The domains of some providers, by name. Raises Forbidden."""
    require(actor, Permission.SIGN_IN_CONFIGURE)
    return list(
        session.scalars(
            select(EmailDomain).where(EmailDomain.provider_id.in_(provider_ids)).order_by(EmailDomain.domain)
        )
    )


def claim_domain(session: TenantSession, provider_id: UUID, domain: str, *, actor: Actor, now: datetime) -> EmailDomain:
    """Say that a provider speaks for a domain; it counts once a DNS record proves it. Raises Invalid."""
    provider = get_provider(session, provider_id, actor=actor)
    name = _plain_domain(domain)
    owned = session.scalars(select(EmailDomain.domain)).all()
    if name in owned:
        raise Invalid(FieldError("domain", "domain_taken"))
    if len(owned) >= MAX_DOMAINS:
        raise Invalid(FieldError("domain", "too_many", (("limit", MAX_DOMAINS),)))
    row = EmailDomain(
        id=uuid4(),
        tenant_id=session.tenant_id,
        provider_id=provider.id,
        domain=name,
        proof=PROOF_PREFIX + secrets.token_hex(16),
        created_at=now,
    )
    session.add(row)
    publish(session, EmailDomainClaimed(row.id), actor=actor, now=now, after={"domain": name})
    return row


def check_domain_again(session: TenantSession, domain_id: UUID, *, actor: Actor, now: datetime) -> None:
    """Have the proof looked for now instead of at its next time. Raises Forbidden and NotFound."""
    row = _domain(session, domain_id, actor)
    publish(session, EmailDomainClaimed(row.id), actor=actor, now=now, after={"domain": row.domain})


def remove_domain(session: TenantSession, domain_id: UUID, *, actor: Actor, now: datetime) -> None:
    """The provider speaks for the domain no more. Raises Forbidden and NotFound."""
    row = _domain(session, domain_id, actor)
    session.execute(delete(NextStep).where(NextStep.record_id == row.id))
    session.delete(row)
    audit(session, "email_domain.removed", "email_domain", row.id, actor=actor, now=now, before={"domain": row.domain})


def _domain(session: TenantSession, domain_id: UUID, actor: Actor) -> EmailDomain:
    require(actor, Permission.SIGN_IN_CONFIGURE)
    found = session.scalar(select(EmailDomain).where(EmailDomain.id == domain_id))
    if found is None:
        raise NotFound("email_domain")
    return found


def _check(session: TenantSession, form: ProviderForm, provider: IdentityProvider | None, oidc: OidcProviders) -> None:
    errors: list[FieldError] = []
    for name, limit in (("name", 60), ("issuer", 255), ("client_id", 255), ("client_secret", 1024)):
        value = getattr(form, name).strip()
        if not value and (name != "client_secret" or provider is None):
            errors.append(FieldError(name, "required"))
        elif len(value) > limit:
            errors.append(FieldError(name, "too_long", (("limit", limit),)))
    if form.issuer.strip() and not oidc.is_acceptable(form.issuer.strip()):
        errors.append(FieldError("issuer", "issuer_unacceptable"))
    if form.audience not in AUDIENCES:
        errors.append(FieldError("audience", "unknown_choice"))
    if form.company_id and not session.scalar(select(Company.id).where(Company.id == form.company_id)):
        errors.append(FieldError("company_id", "unknown_choice"))
    if errors:
        raise Invalid(*errors)


def _plain_domain(domain: str) -> str:
    """The domain in lower-case IDNA form; raises Invalid for what is none, or is anybody's."""
    try:
        name = domain.strip().rstrip(".").removeprefix("@").encode("idna").decode().lower()
    except UnicodeError:
        name = ""
    if not _DOMAIN.fullmatch(name):
        raise Invalid(FieldError("domain", "domain_invalid"))
    if name in PUBLIC_DOMAINS:
        raise Invalid(FieldError("domain", "domain_public"))
    return name


def _audited(provider: IdentityProvider) -> dict[str, object]:
    names = ("name", "issuer", "client_id", "audience", "company_id", "required", "enabled")
    return {name: getattr(provider, name) for name in names}
