"""Proving that a provider speaks for a domain: a TXT record, looked for until it is there, and again each week."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import delete, select

from portal.authz import system_actor
from portal.events import audit
from portal.integrations.dns import LookupFailed, TxtLookup
from portal.models import EmailDomain, NextStep
from portal.models.session import TenantSession, TenantSessions
from portal.services.accounts.sso.domains import RECORD_NAME

FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=1)
GIVE_UP_AFTER = timedelta(days=7)
PROVE_AGAIN_AFTER = timedelta(days=7)
# A proved domain whose record is gone has this long until its provider speaks for it no more.
PATIENCE = timedelta(days=3)
STEP_KIND = "email_domain_check"


@dataclass(frozen=True)
class Look:
    """When to look again (None: only when asked to); `gone` where nobody claims the domain any more."""

    again_at: datetime | None
    gone: bool = False


def look_for_proof(
    sessions: TenantSessions, tenant_id: UUID, domain_id: UUID, *, dns: TxtLookup, now: datetime
) -> Look:
    """Look for the record once, outside of any transaction, and note what was found."""
    with sessions.begin(tenant_id) as session:
        row = session.scalar(select(EmailDomain).where(EmailDomain.id == domain_id))
        if row is None:
            return Look(None, gone=True)
        name, proof = f"{RECORD_NAME}.{row.domain}", row.proof
    try:
        found: bool | None = proof in (text.strip() for text in dns.find(name))
    except LookupFailed:
        found = None
    with sessions.begin(tenant_id) as session:
        return _note(session, domain_id, found, now)


def _note(session: TenantSession, domain_id: UUID, found: bool | None, now: datetime) -> Look:
    """Store what a look has found (None: the name servers did not answer), and when the next one is due."""
    row = session.scalar(select(EmailDomain).where(EmailDomain.id == domain_id).with_for_update())
    if row is None:
        return Look(None, gone=True)
    row.checked_at = now
    if found:
        return _proved(session, row, now)
    if row.verified_at is not None:
        return _missing(session, row, found, now)
    waited = now - row.created_at
    if waited > GIVE_UP_AFTER:
        return _next(session, row, None)
    return _next(session, row, now + min(max(waited, FIRST_PAUSE), LONGEST_PAUSE))


def _proved(session: TenantSession, row: EmailDomain, now: datetime) -> Look:
    if row.verified_at is None:
        _audit(session, "email_domain.verified", row, now)
    row.verified_at = now
    return _next(session, row, now + PROVE_AGAIN_AFTER)


def _missing(session: TenantSession, row: EmailDomain, found: bool | None, now: datetime) -> Look:
    """A proved domain without its record: silence of the name servers proves nothing, patience ends at some time."""
    if row.verified_at is not None and found is False and now - row.verified_at > PROVE_AGAIN_AFTER + PATIENCE:
        row.verified_at = None
        _audit(session, "email_domain.lost", row, now)
        return _next(session, row, None)
    return _next(session, row, now + LONGEST_PAUSE)


def _audit(session: TenantSession, action: str, row: EmailDomain, now: datetime) -> None:
    actor = system_actor(session.tenant_id)
    audit(session, action, "email_domain", row.id, actor=actor, now=now, after={"domain": row.domain})


def _next(session: TenantSession, row: EmailDomain, at: datetime | None) -> Look:
    """Write the next look down where staff see it."""
    session.execute(delete(NextStep).where(NextStep.record_id == row.id))
    if at is not None:
        session.add(
            NextStep(
                id=uuid4(),
                tenant_id=session.tenant_id,
                record_type="email_domain",
                record_id=row.id,
                key="check",
                kind=STEP_KIND,
                at=at,
                staff_only=True,
                params={},
            )
        )
    return Look(at)
