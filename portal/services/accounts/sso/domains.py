"""The mail domains that a provider speaks for: claimed by staff, counted once a DNS record proves them."""

import re
import secrets
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from portal.authz import Actor, Permission, require
from portal.errors import NotFound, invalid
from portal.events import Event, publish
from portal.events.sso import EmailDomainCheckAsked, EmailDomainClaimed, EmailDomainRemoved
from portal.models import EmailDomain, IdentityProvider, NextStep
from portal.models.session import TenantSession

PROOF_PREFIX = "portico-verification="
RECORD_NAME = "_portico"
MAX_DOMAINS = 20
# Labels of letters, digits and hyphens; what is not ASCII comes in IDNA's form.
_DOMAIN = re.compile(r"(?=.{4,240}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])")
# Domains whose addresses anybody can get; a provider can speak for none of them.
PUBLIC_DOMAINS = frozenset(
    {"gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "yahoo.com", "icloud.com", "proton.me",
     "gmx.de", "gmx.net", "web.de", "orange.fr", "free.fr", "laposte.net"}
)  # fmt: skip


def list_domains(session: TenantSession, provider_ids: Sequence[UUID], *, actor: Actor) -> list[EmailDomain]:
    """The domains of some providers, by name. Raises Forbidden."""
    require(actor, Permission.SIGN_IN_CONFIGURE)
    query = select(EmailDomain).where(EmailDomain.provider_id.in_(provider_ids)).order_by(EmailDomain.domain)
    return list(session.scalars(query))


def get_domain(session: TenantSession, domain_id: UUID, *, actor: Actor) -> EmailDomain:
    """One domain. Raises Forbidden and NotFound."""
    require(actor, Permission.SIGN_IN_CONFIGURE)
    found = session.scalar(select(EmailDomain).where(EmailDomain.id == domain_id))
    if found is None:
        raise NotFound("email_domain")
    return found


def next_looks(session: TenantSession, domain_ids: Sequence[UUID], *, actor: Actor) -> dict[UUID, datetime]:
    """When the proof of each domain is looked for next; those that are looked for no more are left out."""
    require(actor, Permission.SIGN_IN_CONFIGURE)
    rows = session.execute(select(NextStep.record_id, NextStep.at).where(NextStep.record_id.in_(domain_ids)))
    return {row[0]: row[1] for row in rows}


def claim_domain(session: TenantSession, provider_id: UUID, domain: str, *, actor: Actor, now: datetime) -> UUID:
    """Say that a provider speaks for a domain; it counts once a DNS record proves it.

    Returns the claim's id. Raises Forbidden, NotFound and Invalid.
    """
    require(actor, Permission.SIGN_IN_CONFIGURE)
    name = _plain_domain(domain)
    provider = session.scalar(
        select(IdentityProvider.id).where(IdentityProvider.id == provider_id).with_for_update(key_share=True)
    )
    if provider is None:
        raise NotFound("identity_provider")
    held = session.scalar(select(func.count()).select_from(EmailDomain).where(EmailDomain.provider_id == provider))
    if (held or 0) >= MAX_DOMAINS:
        raise invalid("domain", "too_many", limit=MAX_DOMAINS)
    claimed: UUID | None = session.scalar(
        insert(EmailDomain)
        .values(
            id=uuid4(),
            tenant_id=session.tenant_id,
            provider_id=provider,
            domain=name,
            proof=PROOF_PREFIX + secrets.token_hex(16),
            created_at=now,
        )
        .on_conflict_do_nothing()
        .returning(EmailDomain.id)
    )
    if claimed is None:
        raise invalid("domain", "domain_taken")
    publish(session, EmailDomainClaimed(claimed), actor=actor, now=now, after={"domain": name})
    return claimed


def check_domain_again(session: TenantSession, domain_id: UUID, *, actor: Actor, now: datetime) -> UUID:
    """Have the proof looked for now instead of at its next time; returns the provider's id.

    Raises Forbidden and NotFound.
    """
    row = _domain(session, domain_id, actor)
    _tell(session, EmailDomainCheckAsked(row.id), row, actor, now)
    return row.provider_id


def remove_domain(session: TenantSession, domain_id: UUID, *, actor: Actor, now: datetime) -> UUID:
    """The provider speaks for the domain no more; returns the provider's id. Raises Forbidden and NotFound."""
    row = _domain(session, domain_id, actor)
    session.execute(delete(NextStep).where(NextStep.record_id == row.id))
    session.delete(row)
    _tell(session, EmailDomainRemoved(row.id), row, actor, now)
    return row.provider_id


def _tell(session: TenantSession, event: Event, row: EmailDomain, actor: Actor, now: datetime) -> None:
    publish(session, event, actor=actor, now=now, after={"domain": row.domain})


def _domain(session: TenantSession, domain_id: UUID, actor: Actor) -> EmailDomain:
    require(actor, Permission.SIGN_IN_CONFIGURE)
    # Whoever looks for the proof at this moment writes its next step down before it is removed, not after.
    found = session.scalar(select(EmailDomain).where(EmailDomain.id == domain_id).with_for_update())
    if found is None:
        raise NotFound("email_domain")
    return found


def _plain_domain(domain: str) -> str:
    """The domain in lower-case IDNA form; raises Invalid for what is none, or is anybody's."""
    try:
        name = domain.strip().rstrip(".").removeprefix("@").encode("idna").decode().lower()
    except UnicodeError:
        name = ""
    if not _DOMAIN.fullmatch(name):
        raise invalid("domain", "domain_invalid")
    if name in PUBLIC_DOMAINS:
        raise invalid("domain", "domain_public")
    return name
